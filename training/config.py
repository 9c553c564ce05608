"""The training configuration: a YAML file that says what is trained on what, field by field."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError


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


class TrainingConfig(BaseModel):
    """Everything that decides a checkpoint, beside the machine."""

    model_config = ConfigDict(extra="forbid")

    name: str = "musnad"
    version: str = "0.1.0"
    #: Directory (relative to the configuration file, if it exists there) or hub name.
    encoder: str
    pretraining: Pretraining | None = None
    sources: list[Source] = Field(min_length=1)
    silver: Silver | None = None
    #: Annotated files that choose between checkpoints; nothing is trained on them.
    dev: list[Source] = Field(min_length=1)
    epochs: int = Field(default=10, ge=1)
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
    role_width: int = Field(default=256, ge=8)
    #: Decay of the running average of the weights that is evaluated and kept; 0 takes the weights as they are.
    average_decay: float = Field(default=0.0, ge=0.0, lt=1.0)
    #: Epochs without a better dev score after which training stops.
    patience: int = Field(default=4, ge=1)
    #: bf16 arithmetic; `auto` where the processor has instructions for it.
    bf16: Literal["auto", "yes", "no"] = "auto"
    seed: int = 1


def read_config(path: Path) -> TrainingConfig:
    """Read and check a configuration file; raises ConfigError naming file and field."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not YAML: {error}") from None
    try:
        return TrainingConfig.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the file"
        raise ConfigError(f"{path}: {field}: {first['msg']}") from None


def encoder_path(config: TrainingConfig, folder: Path) -> str:
    """The encoder's directory, where the configuration names one, else its hub name."""
    local = folder / config.encoder
    if local.is_dir():
        return str(local)
    if config.encoder.startswith((".", "/")):
        raise ConfigError(f"encoder: there is no directory {local}")
    return config.encoder
