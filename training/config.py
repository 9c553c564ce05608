"""The training configuration: a YAML file that says what is trained on what, field by field."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator


class ConfigError(ValueError):
    """A configuration that cannot be used: says file and field."""


class Renaming(BaseModel):
    """Copies of a source's sentences with other names in them (see `training.renaming`)."""

    model_config = ConfigDict(extra="forbid")

    copies: int = Field(default=6, ge=1)
    #: Share of the names replaced.
    share: float = Field(default=0.6, gt=0.0, le=1.0)
    #: How many of the copies an epoch draws, as a share of the source's sentences.
    weight: float = Field(default=0.5, gt=0.0)


class Source(BaseModel):
    """One kind of data. `path` may be a glob pattern; relative paths count from the configuration file."""

    model_config = ConfigDict(extra="forbid")

    path: str
    format: Literal["annotations", "conll", "wojood"] = "annotations"
    #: Share of its sentences drawn anew in every epoch; above 1, some (or all) are seen more than once.
    weight: float = Field(default=1.0, gt=0.0)
    renamed: Renaming | None = None
    #: Annotated files: its near-duplicates of their sentences are left out, and reported (see `training.held_out`).
    without: list[str] = []

    @model_validator(mode="after")
    def _lines_are_known(self) -> Source:
        if self.without and self.format != "annotations":
            raise ValueError(f"`without` is for sources in the format annotations, not {self.format}")
        return self

    def files(self, folder: Path) -> list[Path]:
        """The files that `path` names, sorted; raises ConfigError where there is none."""
        found = sorted(folder / name for name in glob.glob(self.path, root_dir=folder))
        if not found:
            raise ConfigError(f"no file matches {self.path!r} in {folder}")
        return found


class Pretraining(BaseModel):
    """Continued masked-language training of the encoder, before anything else (see `training.pretrain`)."""

    model_config = ConfigDict(extra="forbid")

    #: JSON lines with `text` and maybe `title`; .gz and .xz are read too. Relative to the configuration file.
    text: str
    #: JSON lines: an article that holds one of these sentences is left out.
    without: list[str] = []
    #: Optimizer steps of the schedule, and after how many of them to stop (a schedule may be cut short).
    steps: int = Field(default=1500, ge=1)
    stop_at: int | None = Field(default=None, ge=1)
    batch_size: int = Field(default=32, ge=1)
    #: Pieces in a block of text.
    length: int = Field(default=128, ge=8)
    #: Share of the words masked.
    share: float = Field(default=0.2, gt=0.0, lt=1.0)
    learning_rate: float = Field(default=5e-4, gt=0.0)
    seed: int = 1


class Silver(BaseModel):
    """Sentences that earlier checkpoints label (see `training.silver`)."""

    model_config = ConfigDict(extra="forbid")

    #: JSON lines with `text` and maybe `title`; .gz and .xz are read too. Relative to the configuration file, as are
    #: the other paths.
    text: str
    #: JSON lines: an article that holds one of these sentences is left out.
    without: list[str] = []
    #: Checkpoint directories; the logits of several are averaged.
    teachers: list[str] = Field(min_length=1)
    #: Sentences that the teachers are given.
    sentences: int = Field(default=10_000, ge=1)
    #: The least geometric mean of a sentence's scores with which it is kept.
    min_score: float = Field(default=0.5, ge=0.0, le=1.0)
    #: Share of them drawn anew in every epoch.
    weight: float = Field(default=0.5, gt=0.0)
    seed: int = 1


class Share(BaseModel):
    """How much of some sentences an epoch draws: the fields of `Source` without its files."""

    model_config = ConfigDict(extra="forbid")

    weight: float = Field(default=1.0, gt=0.0)
    renamed: Renaming | None = None


class Settings(BaseModel):
    """How a network is trained, whatever it starts from and whatever it is trained on."""

    model_config = ConfigDict(extra="forbid")

    epochs: int = Field(default=10, ge=1)
    #: Sentences that one process takes at a time; a step has as many of each process, `gradient_accumulation` times.
    batch_size: int = Field(default=16, ge=1)
    gradient_accumulation: int = Field(default=1, ge=1)
    learning_rate: float = Field(default=2e-4, gt=0.0)
    #: Each encoder layer learns at this factor of the one above it.
    layer_decay: float = Field(default=0.95, gt=0.0, le=1.0)
    head_learning_rate: float = Field(default=1e-3, gt=0.0)
    weight_decay: float = Field(default=0.01, ge=0.0)
    warmup_share: float = Field(default=0.06, ge=0.0, lt=1.0)
    dropout: float = Field(default=0.2, ge=0.0, lt=1.0)
    #: Share of the words whose pieces are hidden from the network in training (see `training.features.Collator`).
    masked_words: float = Field(default=0.0, ge=0.0, lt=1.0)
    #: Decay of the running average of the weights that is evaluated and kept; 0 takes the weights as they are.
    average_decay: float = Field(default=0.0, ge=0.0, lt=1.0)
    #: Epochs without a better dev score after which training stops.
    patience: int = Field(default=4, ge=1)
    #: bf16 arithmetic; `auto` where the processor has instructions for it.
    bf16: Literal["auto", "yes", "no"] = "auto"
    seed: int = 1


class TrainingConfig(Settings):
    """Everything that decides a checkpoint, beside the machine."""

    name: str = "musnad"
    version: str = "0.1.0"
    #: Directory (relative to the configuration file, if it exists there) or hub name; or else `start`.
    encoder: str | None = None
    #: A checkpoint directory to go on from, with its encoder, heads and tokenizer; relative to the configuration file.
    start: str | None = None
    #: The layers of that checkpoint's encoder that are kept, counted from 0; by default all.
    layers: list[int] | None = Field(default=None, min_length=1)
    pretraining: Pretraining | None = None
    sources: list[Source] = Field(min_length=1)
    silver: Silver | None = None
    #: Annotated files that choose between checkpoints; nothing is trained on them.
    dev: list[Source] = Field(min_length=1)
    #: Width of the role head; with `start`, where it is given, the role head is a fresh one.
    role_width: int = Field(default=256, ge=8)

    @model_validator(mode="after")
    def _one_beginning(self) -> TrainingConfig:
        if (self.encoder is None) == (self.start is None):
            raise ValueError("a training begins with an `encoder` or with a checkpoint (`start`): name one of them")
        if self.start is None:
            if self.layers is not None:
                raise ValueError("`layers` is for a checkpoint that the training goes on from (`start`)")
            return self
        if self.layers is not None and self.layers != sorted(set(self.layers)):
            raise ValueError(f"`layers`: {self.layers} are not in rising order")
        if self.pretraining is not None:
            raise ValueError("`pretraining` is for a fresh `encoder`, and this goes on from a checkpoint (`start`)")
        if "version" not in self.model_fields_set:
            raise ValueError("`version`: say which one this is, since it goes on from a checkpoint (`start`)")
        return self


class ContinuingConfig(Settings):
    """How a checkpoint is trained further with new annotations; the command line says which (see `continuing`)."""

    #: Of the sentences that it knows already.
    replay: Share = Share()
    #: Of the new ones.
    added: Share = Share()


Config = TypeVar("Config", bound=Settings)


def read_config(path: Path) -> TrainingConfig:
    """Read and check a configuration file; raises ConfigError naming file and field."""
    return read_settings(path, TrainingConfig)


def read_settings(path: Path, kind: type[Config]) -> Config:
    """Read and check a configuration file of either kind; raises ConfigError naming file and field."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not YAML: {error}") from None
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise ConfigError(f"{path}: {first_fault(error)}") from None


def changed(settings: Config, changes: dict[str, object]) -> Config:
    """The settings with some fields changed, checked anew; raises ConfigError naming the field."""
    try:
        return settings.model_validate({**settings.model_dump(exclude_unset=True), **changes})
    except ValidationError as error:
        raise ConfigError(first_fault(error)) from None


def first_fault(error: ValidationError) -> str:
    """The first thing that is wrong, after the field that it is in."""
    first = error.errors()[0]
    message = first["msg"].removeprefix("Value error, ")
    return f"{'.'.join(map(str, first['loc'])) or 'the file'}: {message}"


def encoder_path(config: TrainingConfig, folder: Path) -> str:
    """The directory of the encoder, or of the checkpoint to go on from, else the encoder's hub name."""
    named, field = (config.encoder, "encoder") if config.start is None else (config.start, "start")
    assert named is not None  # the configuration is checked
    local = folder / named
    if local.is_dir():
        return str(local)
    if config.start is not None or named.startswith((".", "/")):
        raise ConfigError(f"{field}: there is no directory {local}")
    return named
