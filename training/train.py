"""Training a checkpoint from a configuration: data, network, training, calibration, export."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
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
from training.config import ConfigError, TrainingConfig, encoder_path
from training.continuing import network_of
from training.data import (
    SILVER,
    data_files,
    read_all,
    read_dev,
    renamed,
    silver,
    training_examples,
    weighted,
    without_labels,
)
from training.features import Collator
from training.optimization import WeightAverage
from training.pretrain import load_tokenizer, pretrain
from training.processes import PATIENCE, processes
from training.provenance import machine, parent, versions
from training.resuming import INPUTS, claim, inputs_of, last_complete
from training.sampler import SourceSampler
from training.silver import make_silver
from training.trainer import MusnadTrainer, dev_metrics, extractor_of, sentence_encoder

logger = logging.getLogger(__name__)

#: What the processor can do, where the system says it so.
CPU = Path("/proc/cpuinfo")


def train(
    config: TrainingConfig,
    folder: Path,
    output: Path,
    resume: bool = True,
    report: Callable[[str], None] = logger.warning,
) -> dict[str, float]:
    """Train a checkpoint into `output` and return its dev figures; relative paths count from `folder`.

    `output/encoder` holds the encoder after masked-language training, where the configuration asks for it, `output/run`
    the Trainer's checkpoints and TensorBoard log. Where they are of an earlier run that was stopped, training goes on
    from there with the same result; where they were made from other inputs, ConfigError says which. Without `resume`
    they are dropped. `report` is told of each sentence that a source leaves out (`without`).

    Several processes (`accelerate launch`) train one checkpoint, with so many times the batch: each calls this, and
    only the main one reports, writes and returns figures.
    """
    fellows = processes()
    bf16 = supports_bf16(config.bf16)
    if fellows.is_main_process:
        prepare(config, folder, output, resume, bf16, fellows.num_processes, report)
    fellows.wait_for_everyone()
    sources, left_out = read_all(config.sources, folder)
    dev = read_dev(config.dev, folder)
    torch.manual_seed(config.seed)
    begin = str(output / "encoder") if config.pretraining is not None else encoder_path(config, folder)
    if config.start is None:
        model, tokenizer, mask_token = start_network(begin, config)
    else:
        model, tokenizer, mask_token = network_of(Path(begin), config)
    encoder = sentence_encoder(model, tokenizer)
    parts = [*weighted(config.sources, sources), *renamed(config, sources), *silver(config, output)]
    data, sizes = training_examples(parts, encoder)
    step = config.batch_size * config.gradient_accumulation * fellows.num_processes
    sampler = SourceSampler(sizes, [example["length"] for example in data], step, config.seed)
    run = output / "run"
    last = last_complete(run)
    trainer = MusnadTrainer(
        model,
        config=config,
        sampler=sampler,
        tokenizer=tokenizer,
        dev=dev,
        average=WeightAverage(model, config.average_decay, last) if config.average_decay else None,
        train_dataset=Dataset.from_list([*data, without_labels(min(data, key=lambda example: example["length"]))]),
        eval_dataset=[sentence for own in dev.values() for sentence in own],
        data_collator=Collator(
            encoder.pad_id,
            None if mask_token is None else tokenizer.token_to_id(mask_token),
            encoder.space_id,
            config.masked_words,
        ),
        callbacks=[EarlyStoppingCallback(early_stopping_patience=config.patience)],
        args=trainer_arguments(config, run, -(-len(sampler) // step), bf16),
    )
    trainer.train(resume_from_checkpoint=None if last is None else str(last))
    metrics: dict[str, float] = {}
    if trainer.is_world_process_zero():
        made = {
            **json.loads((output / INPUTS).read_text(encoding="utf-8")),
            "parent": parent(config, folder),
            "left_out": [own.to_dict() for own in left_out],
            "versions": versions(),
            "machine": machine(bf16, fellows.num_processes),
        }
        metrics = finish(trainer, tokenizer, dev, config, made, output)
    # nothing but a barrier since the last tensors were sent: gloo may wait forever for their release while it is ended
    fellows.wait_for_everyone()
    trainer.accelerator.end_training()
    return metrics


def prepare(
    config: TrainingConfig,
    folder: Path,
    output: Path,
    resume: bool,
    bf16: bool,
    processes: int,
    report: Callable[[str], None],
) -> None:
    """What is done once, before the training: check what is read, claim the output, pretrain, make silver sentences."""
    encoder = encoder_path(config, folder)
    if config.start is not None and Path(encoder).resolve() == output.resolve():
        raise ConfigError(f"{output}: is the checkpoint that the training goes on from; take another output")
    parent(config, folder)
    run = output / "run"
    if not resume:
        for own in (run, output / "encoder"):
            shutil.rmtree(own, ignore_errors=True)
        (output / SILVER).unlink(missing_ok=True)
        (output / INPUTS).unlink(missing_ok=True)
    _, left_out = read_all(config.sources, folder)
    read_dev(config.dev, folder)
    claim(output, inputs_of(config, encoder, data_files(config, folder), folder, processes))
    for sentence in left_out:
        report(str(sentence))
    last_complete(run)
    if config.pretraining is not None and not (output / "encoder").exists():
        pretrain(encoder, output / "encoder", config.pretraining, folder, bf16)
    if config.silver is not None and not (output / SILVER).exists():
        make_silver(config.silver, folder, output / SILVER)


def trainer_arguments(config: TrainingConfig, run: Path, steps_an_epoch: int, bf16: bool) -> TrainingArguments:
    """The Trainer's settings."""
    steps = steps_an_epoch * config.epochs
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
        logging_steps=min(50, -(-steps // 20)),
        ddp_timeout=int(PATIENCE.total_seconds()),
        report_to=["tensorboard"],
        remove_unused_columns=False,
        dataloader_pin_memory=False,
    )


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
    return CPU.is_file() and "avx512_bf16" in CPU.read_text(encoding="utf-8")


def finish(
    trainer: MusnadTrainer,
    tokenizer: Tokenizer,
    dev: dict[str, list[AnnotatedSentence]],
    config: TrainingConfig,
    made: dict[str, Any],
    output: Path,
) -> dict[str, float]:
    """Write the checkpoint of the best epoch and return its dev figures."""
    best = trainer.state.best_model_checkpoint
    if best is None:
        raise RuntimeError(f"{output / 'run'}: the training ended without a checkpoint")
    return write_checkpoint(Path(best), trainer.average is not None, tokenizer, dev, config, made, output)


def write_checkpoint(
    best: Path,
    averaged: bool,
    tokenizer: Tokenizer,
    dev: dict[str, list[AnnotatedSentence]],
    config: TrainingConfig,
    made: dict[str, Any],
    output: Path,
) -> dict[str, float]:
    """Calibrate one of the Trainer's checkpoints on dev, export it to `output`, and return its dev figures.

    `made` is what `training.json` says beside them.
    """
    # read anew: accelerate has wrapped the trained network's forward in bf16
    model = MusnadModel.from_pretrained(best, dtype=torch.float32)
    if averaged:
        model.load_state_dict(load_file(str(best / WeightAverage.FILE)))
    extractor = extractor_of(model, tokenizer)
    metrics = dev_metrics(extractor, dev)
    calibration = fit(extractor, [sentence for own in dev.values() for sentence in own])
    export(model, tokenizer, output, name=config.name, version=config.version, calibration=calibration)
    text = json.dumps({**made, "dev": metrics}, indent=2, ensure_ascii=False) + "\n"
    (output / "training.json").write_text(text, encoding="utf-8")
    return metrics
