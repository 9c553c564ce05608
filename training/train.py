"""Training a checkpoint from a configuration: data, network, training, calibration, export."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import EarlyStoppingCallback, TrainingArguments

from model.annotation import AnnotatedSentence
from model.export import export
from model.network import MusnadModel
from model.normalization import with_arabic_normalization
from training.calibrate import fit
from training.config import ConfigError, Source, TrainingConfig, encoder_path
from training.features import Collator, Example, examples
from training.optimization import WeightAverage
from training.pretrain import load_tokenizer, pretrain
from training.renaming import pool_of, renamed_copies
from training.resuming import INPUTS, claim, inputs_of, last_complete
from training.sampler import SourceSampler
from training.silver import make_silver
from training.sources import LabelledSentence, read_source
from training.trainer import MusnadTrainer, dev_metrics, extractor_of, sentence_encoder


def train(config: TrainingConfig, folder: Path, output: Path, resume: bool = True) -> dict[str, float]:
    """Train a checkpoint into `output` and return its dev figures; relative paths count from `folder`.

    `output/encoder` holds the encoder after masked-language training, where the configuration asks for it, `output/run`
    the Trainer's checkpoints and TensorBoard log. Where they are of an earlier run that was stopped, training goes on
    from there with the same result; where they were made from other inputs, ConfigError says which. Without `resume`
    they are dropped.
    """
    run, encoder_name = output / "run", encoder_path(config, folder)
    if not resume:
        for own in (run, output / "encoder"):
            shutil.rmtree(own, ignore_errors=True)
        (output / "silver.jsonl").unlink(missing_ok=True)
        (output / INPUTS).unlink(missing_ok=True)
    sources, dev = read_all(config.sources, folder), read_dev(config.dev, folder)
    claim(output, inputs_of(config, encoder_name, data_files(config, folder), folder))
    bf16 = supports_bf16(config.bf16)
    if config.pretraining is not None:
        pretrained = output / "encoder"
        if not pretrained.exists():
            pretrain(encoder_name, pretrained, config.pretraining, folder, bf16)
        encoder_name = str(pretrained)
    torch.manual_seed(config.seed)
    model, tokenizer, mask_token = start_network(encoder_name, config)
    encoder = sentence_encoder(model, tokenizer)
    data: list[Example] = []
    sizes: list[tuple[int, float]] = []
    parts = [*weighted(config.sources, sources), *renamed(config, sources), *silver(config, folder, output)]
    for sentences, weight in parts:
        own_examples = list(examples(sentences, encoder))
        data += own_examples
        sizes.append((len(own_examples), weight))
    sampler = SourceSampler(sizes, [example["length"] for example in data], config.batch_size, config.seed)
    last = last_complete(run)
    trainer = MusnadTrainer(
        model,
        config=config,
        sampler=sampler,
        tokenizer=tokenizer,
        dev=dev,
        average=WeightAverage(model, config.average_decay, last) if config.average_decay else None,
        train_dataset=Dataset.from_list(data),
        eval_dataset=[sentence for own in dev.values() for sentence in own],
        data_collator=Collator(
            encoder.pad_id,
            None if mask_token is None else tokenizer.token_to_id(mask_token),
            encoder.space_id,
            config.masked_words,
        ),
        callbacks=[EarlyStoppingCallback(early_stopping_patience=config.patience)],
        args=trainer_arguments(config, run, len(sampler), bf16),
    )
    trainer.train(resume_from_checkpoint=None if last is None else str(last))
    return finish(trainer, tokenizer, dev, config, output)


def trainer_arguments(config: TrainingConfig, run: Path, examples_an_epoch: int, bf16: bool) -> TrainingArguments:
    """The Trainer's settings."""
    steps = -(-examples_an_epoch // (config.batch_size * config.gradient_accumulation)) * config.epochs
    return TrainingArguments(
        output_dir=str(run),
        num_train_epochs=config.epochs,
        per_device_train_batch_size=config.batch_size,
        gradient_accumulation_steps=config.gradient_accumulation,
        learning_rate=config.learning_rate,
        warmup_steps=int(steps * config.warmup_share),
        max_grad_norm=1.0,
        lr_scheduler_type="linear",
        bf16=bf16,
        use_cpu=not torch.cuda.is_available(),
        seed=config.seed,
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,
        metric_for_best_model="score",
        greater_is_better=True,
        restore_callback_states_from_checkpoint=True,  # the epochs without a better score, for early stopping
        logging_steps=50,
        report_to=["tensorboard"],
        remove_unused_columns=False,
        dataloader_pin_memory=False,
    )


def read_all(sources: list[Source], folder: Path) -> list[list[LabelledSentence]]:
    """The sentences of each source; raises ConfigError for one that has none."""
    read = [[own for path in source.files(folder) for own in read_source(path, source.format)] for source in sources]
    for source, sentences in zip(sources, read, strict=True):
        if not sentences:
            raise ConfigError(f"{source.path}: no sentences")
    return read


Weighted = tuple[list[LabelledSentence], float]


def weighted(sources: list[Source], read: list[list[LabelledSentence]]) -> list[Weighted]:
    """The sentences of each source, with its weight."""
    return [(sentences, source.weight) for source, sentences in zip(sources, read, strict=True)]


def renamed(config: TrainingConfig, read: list[list[LabelledSentence]]) -> list[Weighted]:
    """The copies with other names of the sources that ask for them, with the share of them that an epoch draws."""
    asked = [(source.renamed, own) for source, own in zip(config.sources, read, strict=True) if source.renamed]
    if not asked:
        return []
    pool = pool_of(sentence for own in read for sentence in own)
    found: list[Weighted] = []
    for how, own in asked:
        copies = renamed_copies(own, pool, how.copies, how.share, config.seed)
        if copies:
            found.append((copies, how.weight * len(own) / len(copies)))
    return found


def silver(config: TrainingConfig, folder: Path, output: Path) -> list[Weighted]:
    """The sentences that the configuration's teachers label, which `output` keeps, with their weight."""
    if config.silver is None:
        return []
    path = output / "silver.jsonl"
    if not path.exists():
        make_silver(config.silver, folder, path)
    return [(read_source(path, "annotations"), config.silver.weight)]


def read_dev(sources: list[Source], folder: Path) -> dict[str, list[AnnotatedSentence]]:
    """The sentences of each dev source by its file name; they must know all labels."""
    dev: dict[str, list[AnnotatedSentence]] = {}
    for source, sentences in zip(sources, read_all(sources, folder), strict=True):
        name = Path(source.path).stem.replace("*", "")
        if name in dev:
            raise ConfigError(f"dev: two sources are called {name!r}: {source.path}")
        if source.format != "annotations":
            raise ConfigError(f"dev: {source.path}: its format {source.format!r} knows nothing of actions and roles")
        dev[name] = [own.sentence for own in sentences]
    return dev


def data_files(config: TrainingConfig, folder: Path) -> list[Path]:
    """Every data file that a configuration names."""
    files = [path for source in (*config.sources, *config.dev) for path in source.files(folder)]
    if config.pretraining is not None:
        files += [folder / name for name in (config.pretraining.text, *config.pretraining.without)]
    if config.silver is not None:
        files += [folder / name for name in (config.silver.text, *config.silver.without)]
        files += [folder / name / "model.safetensors" for name in config.silver.teachers]
    return files


def start_network(encoder: str, config: TrainingConfig) -> tuple[MusnadModel, Tokenizer, str | None]:
    """A network with fresh heads on an encoder, its tokenizer with Arabic normalization, and its mask token."""
    fast = load_tokenizer(encoder)
    if config.masked_words and fast.mask_token is None:
        raise ConfigError(f"masked_words: the tokenizer of {encoder} has no mask token")
    tokenizer = with_arabic_normalization(Tokenizer.from_str(fast.backend_tokenizer.to_str()))
    model = MusnadModel.from_encoder(encoder, role_width=config.role_width, dropout=config.dropout)
    return model, tokenizer, fast.mask_token


def supports_bf16(choice: str) -> bool:
    """Whether to train in bf16: as told, or (`auto`) where the processor multiplies bf16 matrices itself."""
    if choice != "auto":
        return choice == "yes"
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    flags = Path("/proc/cpuinfo")
    return flags.is_file() and "avx512_bf16" in flags.read_text(encoding="utf-8")


def finish(
    trainer: MusnadTrainer,
    tokenizer: Tokenizer,
    dev: dict[str, list[AnnotatedSentence]],
    config: TrainingConfig,
    output: Path,
) -> dict[str, float]:
    """Write the checkpoint of the best epoch and return its dev figures."""
    best = trainer.state.best_model_checkpoint
    if best is None:
        raise RuntimeError(f"{output / 'run'}: the training ended without a checkpoint")
    inputs = json.loads((output / INPUTS).read_text(encoding="utf-8"))
    return write_checkpoint(Path(best), trainer.average is not None, tokenizer, dev, config, inputs, output)


def write_checkpoint(
    best: Path,
    averaged: bool,
    tokenizer: Tokenizer,
    dev: dict[str, list[AnnotatedSentence]],
    config: TrainingConfig,
    inputs: dict[str, Any],
    output: Path,
) -> dict[str, float]:
    """Calibrate one of the Trainer's checkpoints on dev, export it to `output`, and return its dev figures."""
    # read anew: accelerate has wrapped the trained network's forward in bf16
    model = MusnadModel.from_pretrained(best, dtype=torch.float32)
    if averaged:
        model.load_state_dict(load_file(str(best / WeightAverage.FILE)))
    extractor = extractor_of(model, tokenizer)
    metrics = dev_metrics(extractor, dev)
    calibration = fit(extractor, [sentence for own in dev.values() for sentence in own])
    export(model, tokenizer, output, name=config.name, version=config.version, calibration=calibration)
    made = {**inputs, "versions": {"torch": torch.__version__}, "dev": metrics}
    (output / "training.json").write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return metrics
