"""Training a checkpoint from a configuration: data, network, Hugging Face Trainer, export."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch.utils.data import Sampler
from transformers import (
    AutoTokenizer,
    EarlyStoppingCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from model.annotation import AnnotatedSentence
from model.calibration import Calibration
from model.encoding import SentenceEncoder
from model.export import export
from model.extractor import CheckpointInfo, Extractor
from model.network import MusnadModel
from model.normalization import with_arabic_normalization
from training.calibrate import fit
from training.config import Source, TrainingConfig, encoder_path
from training.evaluation import evaluate
from training.features import Collator, Example, examples
from training.optimization import WeightAverage, parameter_groups
from training.pretrain import pretrain
from training.sources import LabelledSentence, read_source
from training.torch_network import TorchNetwork

#: The file that a whole checkpoint of a running training holds.
COMPLETE = "complete"

#: What the dev score is the mean of, on every dev source.
DEV_MEASURES = ("entities", "actions", "roles", "triples")


class SourceSampler(Sampler[int]):
    """Indices of one epoch: each source's share drawn anew, in batches of like length in random order.

    Depends on (seed, epoch) alone, so that a resumed run sees the same batches.
    """

    def __init__(self, sizes: list[tuple[int, float]], lengths: list[int], batch_size: int, seed: int) -> None:
        self.sizes, self.lengths, self.batch_size, self.seed = sizes, np.array(lengths), batch_size, seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return sum(max(1, round(size * weight)) for size, weight in self.sizes)

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng((self.seed, self.epoch))
        drawn: list[NDArray[np.int64]] = []
        first = 0
        for size, weight in self.sizes:
            wanted = max(1, round(size * weight))
            rounds = [rng.permutation(size) for _ in range(-(-wanted // size))]
            drawn.append(first + np.concatenate(rounds)[:wanted])
            first += size
        order = rng.permutation(np.concatenate(drawn))
        # sort within stretches of fifty batches: little padding, and still another mix in each epoch
        stretch = 50 * self.batch_size
        batches: list[NDArray[np.int64]] = []
        for start in range(0, len(order), stretch):
            part = order[start : start + stretch]
            part = part[np.argsort(self.lengths[part], kind="stable")]
            batches += [part[i : i + self.batch_size] for i in range(0, len(part), self.batch_size)]
        # a batch that is not full would shift the borders of all after it
        full = [batch for batch in batches if len(batch) == self.batch_size]
        rest = [batch for batch in batches if len(batch) < self.batch_size]
        for index in rng.permutation(len(full)):
            yield from full[index].tolist()
        for batch in rest:
            yield from batch.tolist()


class MusnadTrainer(Trainer):
    """Hugging Face's Trainer with our sampler, parameter groups, loss and end-to-end dev evaluation."""

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
        """Dev figures end to end; `eval_score` is their mean."""
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


def extractor_of(model: MusnadModel, tokenizer: Tokenizer) -> Extractor:
    """An uncalibrated extractor around a network in training."""
    encoder = SentenceEncoder(tokenizer, model.config.max_pieces, model.config.encoder.get("pad_token_id") or 0)
    return Extractor(TorchNetwork(model), encoder, Calibration({}), CheckpointInfo("training", "0", {}))


def dev_metrics(extractor: Extractor, dev: dict[str, list[AnnotatedSentence]]) -> dict[str, float]:
    """F1 of each dev source and measure, accuracies, and the mean of `DEV_MEASURES` as `eval_score`."""
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


def read_all(sources: list[Source], folder: Path) -> list[list[LabelledSentence]]:
    """The sentences of each source."""
    return [[own for path in source.files(folder) for own in read_source(path, source.format)] for source in sources]


def start_network(encoder: str, config: TrainingConfig) -> tuple[MusnadModel, Tokenizer, str | None]:
    """A network with fresh heads on an encoder, its tokenizer with Arabic normalization, and its mask token."""
    fast = AutoTokenizer.from_pretrained(encoder)
    backend = getattr(fast, "backend_tokenizer", None)
    if backend is None:
        raise ValueError(f"{encoder}: its tokenizer has no tokenizer.json (a `tokenizers` pipeline)")
    tokenizer = with_arabic_normalization(Tokenizer.from_str(backend.to_str()))
    model = MusnadModel.from_encoder(encoder, role_width=config.role_width, dropout=config.dropout)
    return model, tokenizer, fast.mask_token


def last_complete(run: Path) -> Path | None:
    """The latest of the Trainer's checkpoints that was written to its end; later, torn ones are removed."""
    found = sorted(run.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]), reverse=True)
    for path in found:
        if (path / COMPLETE).exists():
            return path
        shutil.rmtree(path)
    return None


class CompletionMark(TrainerCallback):
    """Marks a checkpoint as complete; the last of the callbacks that save anything."""

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        (Path(args.output_dir or ".") / f"checkpoint-{state.global_step}" / COMPLETE).touch()


def supports_bf16(choice: str) -> bool:
    """Whether to train in bf16: as told, or (`auto`) where the processor multiplies bf16 matrices itself."""
    if choice != "auto":
        return choice == "yes"
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    flags = Path("/proc/cpuinfo")
    return flags.is_file() and "avx512_bf16" in flags.read_text(encoding="utf-8")


def train(config: TrainingConfig, folder: Path, output: Path, resume: bool = True) -> dict[str, float]:
    """Train a checkpoint into `output` and return its dev figures; relative paths count from `folder`.

    `output/encoder` holds the encoder after masked-language training, where the configuration asks for it.
    `output/run` holds the Trainer's checkpoints and TensorBoard log; where it holds some of an earlier run that was
    stopped, training goes on from there with the same result, unless `resume` is off.
    """
    run = output / "run"
    if not resume and run.exists():
        shutil.rmtree(run)
    last = last_complete(run)
    torch.manual_seed(config.seed)
    encoder_name = encoder_path(config, folder)
    if config.pretraining is not None:
        pretrained = output / "encoder"
        if not pretrained.exists():
            pretrain(encoder_name, pretrained, config.pretraining, folder, supports_bf16(config.bf16))
        encoder_name = str(pretrained)
    model, tokenizer, mask_token = start_network(encoder_name, config)
    sources = read_all(config.sources, folder)
    dev = {
        Path(source.path).stem.replace("*", ""): [own.sentence for own in sentences]
        for source, sentences in zip(config.dev, read_all(config.dev, folder), strict=True)
    }
    encoder = SentenceEncoder(tokenizer, model.config.max_pieces, model.config.encoder.get("pad_token_id") or 0)
    mask_id = tokenizer.token_to_id(mask_token) if mask_token else None
    data: list[Example] = []
    sizes: list[tuple[int, float]] = []
    for source, sentences in zip(config.sources, sources, strict=True):
        own = list(examples(sentences, encoder))
        data += own
        sizes.append((len(own), source.weight))
    sampler = SourceSampler(sizes, [example["length"] for example in data], config.batch_size, config.seed)
    steps = -(-len(sampler) // (config.batch_size * config.gradient_accumulation)) * config.epochs
    average = None
    if config.average_decay:
        average = WeightAverage(model, config.average_decay, last)
    trainer = MusnadTrainer(
        model,
        config=config,
        sampler=sampler,
        tokenizer=tokenizer,
        dev=dev,
        average=average,
        train_dataset=Dataset.from_list(data),
        eval_dataset=[sentence for own in dev.values() for sentence in own],
        data_collator=Collator(encoder.pad_id, mask_id, config.masked_words),
        callbacks=[EarlyStoppingCallback(early_stopping_patience=config.patience)],
        args=TrainingArguments(
            output_dir=str(run),
            num_train_epochs=config.epochs,
            per_device_train_batch_size=config.batch_size,
            gradient_accumulation_steps=config.gradient_accumulation,
            learning_rate=config.learning_rate,
            warmup_steps=int(steps * config.warmup_share),
            max_grad_norm=1.0,
            lr_scheduler_type="linear",
            bf16=supports_bf16(config.bf16),
            use_cpu=not torch.cuda.is_available(),
            seed=config.seed,
            eval_strategy="epoch",
            save_strategy="epoch",
            save_total_limit=2,
            metric_for_best_model="score",
            greater_is_better=True,
            logging_steps=50,
            report_to=["tensorboard"],
            remove_unused_columns=False,
            dataloader_pin_memory=False,
        ),
    )
    trainer.train(resume_from_checkpoint=None if last is None else str(last))
    return finish(trainer, tokenizer, dev, config, output)


def finish(
    trainer: MusnadTrainer,
    tokenizer: Tokenizer,
    dev: dict[str, list[AnnotatedSentence]],
    config: TrainingConfig,
    output: Path,
) -> dict[str, float]:
    """Load the best epoch's weights, calibrate them on dev, write the checkpoint, and return its dev figures."""
    best = trainer.state.best_model_checkpoint
    if best is None:
        raise RuntimeError(f"{output / 'run'}: the training ended without a checkpoint")
    # read anew: accelerate has wrapped the trained network's forward in bf16
    model = MusnadModel.from_pretrained(best, dtype=torch.float32)
    if trainer.average is not None:
        model.load_state_dict(load_file(str(Path(best) / WeightAverage.FILE)))
    extractor = extractor_of(model, tokenizer)
    metrics = dev_metrics(extractor, dev)
    calibration = fit(extractor, [sentence for own in dev.values() for sentence in own])
    export(model, tokenizer, output, name=config.name, version=config.version, calibration=calibration)
    (output / "training.json").write_text(
        json.dumps({"configuration": config.model_dump(), "dev": metrics}, indent=2, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )
    return metrics
