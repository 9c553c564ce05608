"""Going on from a checkpoint with new annotations, and with enough of the old ones for nothing to be forgotten.

`continued` makes an ordinary training configuration of a checkpoint, new files and old ones: with `start` instead of an
`encoder`, and with sources that leave out what dev and test hold. What it makes can as well be written by hand.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from glob import escape
from pathlib import Path

import torch
from semver import Version
from tokenizers import Tokenizer

from model.annotation_check import check
from model.extractor import load_tokenizer
from model.extractor import read_config as read_checkpoint
from model.network import MusnadModel
from training.config import (
    ConfigError,
    ContinuingConfig,
    Share,
    Source,
    TrainingConfig,
    changed,
    read_config,
    read_settings,
)

#: The configuration that is used where none is named.
DEFAULT = Path(__file__).parent / "configs" / "continue.yaml"

#: Where the project's own corpus is, from the current directory, where nothing else is said.
CORPUS = Path("annotations")

#: The mask tokens of BERT's and of RoBERTa's tokenizers, and of their kin.
_MASKS = ("[MASK]", "<mask>")


@dataclass(frozen=True, slots=True)
class Files:
    """What a checkpoint is trained further on: annotated JSON lines, by path from the current directory.

    `replay` are sentences that it was trained on before, `dev` those that choose between epochs, `test` those that it
    will be judged on; `test` is read for nothing but to keep its sentences out of the training.
    """

    added: Sequence[Path]
    replay: Sequence[Path] = ()
    dev: Sequence[Path] = ()
    test: Sequence[Path] = ()

    def with_corpus(self) -> Files:
        """The same, with the project's own corpus for what is not named; raises ConfigError where it is not there."""
        return Files(
            self.added,
            self.replay or [_own("train", "--replay", "sentences that the checkpoint knows already")],
            self.dev or [_own("dev", "--dev", "sentences that choose between epochs")],
            self.test or [_own("test", "--test", "sentences that the new checkpoint will be judged on")],
        )


def _own(name: str, option: str, what: str) -> Path:
    path = CORPUS / f"{name}.jsonl"
    if not path.is_file():
        raise ConfigError(f"there is no {path} here: name {what} with {option} FILE")
    return path


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line says instead of a configuration file; the encoder's path from the current directory."""

    encoder: str | None = None
    epochs: int | None = None
    seed: int | None = None


def configuration(
    path: Path | None,
    start: Path | None,
    files: Files,
    version: str | None = None,
    overrides: Overrides | None = None,
) -> tuple[TrainingConfig, Path]:
    """What `musnad train` is told to train, and the folder from which its paths count.

    With `start` it is `continued`, from the current directory. Raises ConfigError also for what does not fit together.
    """
    said = overrides or Overrides()
    given: dict[str, object] = {
        name: value for name, value in (("epochs", said.epochs), ("seed", said.seed)) if value is not None
    }
    if start is not None:
        if said.encoder is not None:
            raise ConfigError("--encoder is for a training from scratch: with --from, the checkpoint has its own")
        if not files.added:
            raise ConfigError("--from needs new annotations: --add FILE")
        settings = changed(read_settings(path or DEFAULT, ContinuingConfig), given)
        return continued(settings, start, files.with_corpus(), Path(), version), Path()
    if path is None:
        raise ConfigError("name a configuration file, or with --from a checkpoint to go on from")
    for option, value in (
        ("--add", files.added),
        ("--replay", files.replay),
        ("--dev", files.dev),
        ("--test", files.test),
        ("--version", version),
    ):
        if value:
            raise ConfigError(f"{option} goes with --from; without it, {path} says what is trained on what")
    if said.encoder is not None:
        local = Path(said.encoder).is_dir()
        given["encoder"] = os.path.relpath(said.encoder, path.parent) if local else said.encoder
    return changed(read_config(path), given), path.parent


def continued(
    settings: ContinuingConfig,
    checkpoint: Path,
    files: Files,
    folder: Path,
    version: str | None = None,
) -> TrainingConfig:
    """The configuration that trains `checkpoint` further; its paths count from `folder`.

    The new checkpoint has the old one's name, and `version`, by default the old one's with its patch number raised.
    Raises ConfigError with every problem of the new files that `annotations check` finds, for a missing file, and for
    a version that is none; CheckpointError for what is no checkpoint.
    """
    known = read_checkpoint(checkpoint)
    for path in (*files.added, *files.replay, *files.dev, *files.test):
        if not path.is_file():
            raise ConfigError(f"{path}: there is no such file")
    problems = [str(problem) for problem in check(files.added)]
    if problems:
        count = f"{len(problems)} problems" if len(problems) > 1 else "a problem"
        raise ConfigError("\n".join([f"{count} in the new annotations:", *problems]))
    held_out = [os.path.relpath(path, folder) for path in (*files.dev, *files.test)]
    added = [os.path.relpath(path, folder) for path in files.added]
    return TrainingConfig(
        **settings.model_dump(exclude={"replay", "added"}, exclude_unset=True),
        name=str(known.get("name", checkpoint.name)),
        version=_next(str(known.get("version", "0"))) if version is None else _checked(version),
        start=os.path.relpath(checkpoint, folder),
        sources=[
            # what was annotated anew counts as it is now
            *(_source(path, settings.replay, folder, [*held_out, *added]) for path in files.replay),
            *(_source(path, settings.added, folder, held_out) for path in files.added),
        ],
        dev=[Source(path=escape(os.path.relpath(path, folder))) for path in files.dev],
    )


def _source(path: Path, share: Share, folder: Path, without: list[str]) -> Source:
    return Source(
        path=escape(os.path.relpath(path, folder)), weight=share.weight, renamed=share.renamed, without=without
    )


def _next(version: str) -> str:
    if not Version.is_valid(version):
        raise ConfigError(f"the checkpoint's version, {version!r}, has no successor: name one with --version")
    return str(Version.parse(version).bump_patch())


def _checked(version: str) -> str:
    if not Version.is_valid(version):
        raise ConfigError(f"{version!r} is not a semantic version such as 1.4.0")
    return version


def network_of(checkpoint: Path, config: TrainingConfig) -> tuple[MusnadModel, Tokenizer, str | None]:
    """A checkpoint's network in fp32, its tokenizer as it is, and its mask token.

    Of the network, the configuration may keep some layers only, and make the role head anew. Raises CheckpointError.
    """
    read_checkpoint(checkpoint)
    tokenizer = load_tokenizer(checkpoint)
    mask = next((token for token in _MASKS if tokenizer.token_to_id(token) is not None), None)
    if config.masked_words and mask is None:
        raise ConfigError(f"masked_words: the tokenizer of {checkpoint} has no mask token")
    model: MusnadModel = MusnadModel.from_pretrained(checkpoint, dtype=torch.float32, dropout=config.dropout)
    try:
        model.encoder.set_attn_implementation("sdpa")
    except ValueError:  # an architecture without it
        model.encoder.set_attn_implementation("eager")
    if config.layers is not None:
        _keep_layers(model, config.layers)
    if "role_width" in config.model_fields_set:
        model.renew_roles(config.role_width)
    return model, tokenizer, mask


def _keep_layers(model: MusnadModel, kept: Sequence[int]) -> None:
    """Take all other layers out of the encoder."""
    inner = getattr(model.encoder, "encoder", None)
    stack = getattr(inner, "layer", None)
    if inner is None or not isinstance(stack, torch.nn.ModuleList):
        raise ConfigError(f"layers: an encoder of the type {model.encoder.config.model_type!r} has no list of layers")
    if not 0 <= kept[0] <= kept[-1] < len(stack):
        raise ConfigError(f"layers: {list(kept)} are not among the {len(stack)} of the encoder, counted from 0")
    inner.layer = torch.nn.ModuleList(stack[number] for number in kept)
    model.encoder.config.num_hidden_layers = model.config.encoder["num_hidden_layers"] = len(kept)
