"""Hugging Face's Trainer with our sampler, parameter groups, loss and end-to-end dev evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.utils.data import DataLoader
from transformers import Trainer

from model.annotation import AnnotatedSentence
from model.calibration import Calibration
from model.encoding import SentenceEncoder
from model.extractor import CheckpointInfo, Extractor
from model.network import MusnadModel, label_counts, total_loss
from training.config import TrainingConfig
from training.evaluation import evaluate
from training.optimization import WeightAverage, parameter_groups
from training.processes import from_main
from training.resuming import CompletionMark
from training.sampler import ProcessBatches, SourceSampler
from training.torch_network import TorchNetwork

#: What the dev score is the mean of, on every dev source.
DEV_MEASURES = ("entities", "actions", "roles", "triples")


class EpochLoader(DataLoader[Any]):
    """Loads a process's batches, which differ from epoch to epoch."""

    batch_sampler: ProcessBatches

    def set_epoch(self, epoch: int) -> None:
        self.batch_sampler.set_epoch(epoch)


class MusnadTrainer(Trainer):
    """Trains a network; `evaluate` extracts the dev sentences end to end.

    The losses of all batches of a step, in all processes, are divided by the labels of the whole step, so that it does
    not matter how a step is cut into batches. The last of the training examples has no labels: see `ProcessBatches`.
    """

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
        self.model_accepts_loss_kwargs = True  # `compute_loss` divides by the labels of the whole step itself
        if self.args.process_index:
            torch.manual_seed(config.seed + self.args.process_index)  # dropout and masks of its own
        if average is not None:
            self.add_callback(average)
        self.add_callback(CompletionMark())

    def get_train_dataloader(self) -> EpochLoader:
        dataset: Any = self.train_dataset
        batches = ProcessBatches(
            self.sampler, self.config.batch_size, self.args.world_size, self.args.process_index, len(dataset) - 1
        )
        return EpochLoader(dataset, batch_sampler=batches, collate_fn=self.data_collator)

    def get_batch_samples(
        self, epoch_iterator: Iterator[Any], num_batches: int, device: torch.device
    ) -> tuple[list[Any], Tensor]:
        """This process's batches of a step, and how many labels all processes have in theirs."""
        batches = list(islice(epoch_iterator, num_batches))
        counts = torch.stack([label_counts(batch["labels"]) for batch in batches]).sum(0)
        return batches, self.accelerator.reduce(counts.to(device), "sum")

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        outputs = model(**{name: value for name, value in inputs.items() if name != "labels"})
        counts = num_items_in_batch if isinstance(num_items_in_batch, Tensor) else None
        # gradients are averaged over the processes, where the losses of a step's parts should be summed
        loss = total_loss(outputs, inputs["labels"], counts) * self.args.world_size
        return (loss, outputs) if return_outputs else loss

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        if self.optimizer is None:
            own = self.config
            groups = parameter_groups(
                self.network, own.learning_rate, own.head_learning_rate, own.layer_decay, own.weight_decay
            )
            self.optimizer = torch.optim.AdamW(groups, lr=own.learning_rate, betas=(0.9, 0.98), eps=1e-6)
        return self.optimizer

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Dev figures end to end, in the arithmetic that training uses; one process works them out for all."""
        metrics = from_main(self._dev_metrics() if self.is_world_process_zero() else {})
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _dev_metrics(self) -> dict[str, float]:
        if self.average is not None:
            self.average.swap(self.network)
        try:
            return dev_metrics(extractor_of(self.network, self.tokenizer), self.dev)
        finally:
            if self.average is not None:
                self.average.swap(self.network)


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
