"""Hugging Face's Trainer with our sampler, parameter groups, loss and end-to-end dev evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.utils.data import Sampler
from transformers import Trainer

from model.annotation import AnnotatedSentence
from model.calibration import Calibration
from model.encoding import SentenceEncoder
from model.extractor import CheckpointInfo, Extractor
from model.network import MusnadModel
from training.config import TrainingConfig
from training.evaluation import evaluate
from training.optimization import WeightAverage, parameter_groups
from training.resuming import CompletionMark
from training.sampler import SourceSampler
from training.torch_network import TorchNetwork

#: What the dev score is the mean of, on every dev source.
DEV_MEASURES = ("entities", "actions", "roles", "triples")


class MusnadTrainer(Trainer):
    """Trains a network; `evaluate` extracts the dev sentences end to end."""

    def __init__(
        self,
        model: MusnadModel,
        *,
        config: TrainingConfig,
        sampler: SourceSampler,
        tokenizer: Tokenizer,
        dev: dict[str, list[AnnotatedSentence]],
        average: WeightAverage | None,
        **kwargs: Any,
    ) -> None:
        self.network = model
        self.config, self.sampler, self.tokenizer, self.dev, self.average = config, sampler, tokenizer, dev, average
        super().__init__(model=model, **kwargs)
        self.model_accepts_loss_kwargs = False
        if average is not None:
            self.add_callback(average)
        self.add_callback(CompletionMark())

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        return self.sampler

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        if self.optimizer is None:
            own = self.config
            groups = parameter_groups(
                self.network, own.learning_rate, own.head_learning_rate, own.layer_decay, own.weight_decay
            )
            self.optimizer = torch.optim.AdamW(groups, lr=own.learning_rate, betas=(0.9, 0.98), eps=1e-6)
        return self.optimizer

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, *args: Any, **kwargs: Any) -> Any:
        outputs = model(**inputs)
        return (outputs.loss, outputs) if return_outputs else outputs.loss

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Dev figures end to end, in the arithmetic that training uses."""
        if self.average is not None:
            self.average.swap(self.network)
        try:
            metrics = dev_metrics(extractor_of(self.network, self.tokenizer), self.dev)
        finally:
            if self.average is not None:
                self.average.swap(self.network)
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


def sentence_encoder(model: MusnadModel, tokenizer: Tokenizer) -> SentenceEncoder:
    """What turns sentences into the network's inputs."""
    return SentenceEncoder(tokenizer, model.config.max_pieces, model.config.pad_id)


def extractor_of(model: MusnadModel, tokenizer: Tokenizer) -> Extractor:
    """An uncalibrated extractor around a network on PyTorch."""
    info = CheckpointInfo("training", "0", {})
    return Extractor(TorchNetwork(model), sentence_encoder(model, tokenizer), Calibration({}), info)


def dev_metrics(extractor: Extractor, dev: dict[str, list[AnnotatedSentence]]) -> dict[str, float]:
    """F1 of each dev source and measure, accuracies, and as `eval_score` the mean of the F1s."""
    metrics: dict[str, float] = {}
    scores = []
    for name, sentences in dev.items():
        result = evaluate(extractor, sentences)
        for measure in DEV_MEASURES:
            metrics[f"eval_{name}_{measure}"] = round(result.total(measure).f1, 4)
            scores.append(result.total(measure).f1)
        metrics[f"eval_{name}_class"] = round(result.accuracy(result.classes), 4)
        metrics[f"eval_{name}_factuality"] = round(result.accuracy(result.factuality), 4)
    metrics["eval_score"] = round(float(np.mean(scores)), 5)
    return metrics
