"""Going on with a training that was stopped: whole checkpoints, and that they are of the same training."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from accelerate import PartialState
from pydantic import ValidationError
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from training.config import ConfigError, TrainingConfig

#: The file that a whole checkpoint of a running training holds.
COMPLETE = "complete"
#: What a training was made from, beside its checkpoints.
INPUTS = "inputs.json"
#: The files of an encoder or a checkpoint that decide what is made of it.
_START = ("*.safetensors", "config.json", "tokenizer.json")


class CompletionMark(TrainerCallback):
    """Marks a checkpoint as complete; the last of the callbacks that save anything."""

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        PartialState().wait_for_everyone()  # each has a state of its own to save
        if state.is_world_process_zero:
            (Path(args.output_dir or ".") / f"checkpoint-{state.global_step}" / COMPLETE).touch()


def last_complete(run: Path) -> Path | None:
    """The latest of the Trainer's checkpoints that was written to its end; later, torn ones are removed."""
    found = sorted(run.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]), reverse=True)
    for path in found:
        if (path / COMPLETE).exists():
            return path
        shutil.rmtree(path)
    return None


def inputs_of(
    config: TrainingConfig, encoder: str, files: Iterable[Path], folder: Path, processes: int = 1
) -> dict[str, Any]:
    """What decides a training: the configuration and the SHA-256 of every file that it reads, by path from `folder`.

    `encoder` is the directory of the encoder or checkpoint that it starts with, or an encoder's hub name, which has no
    hash. Absolute paths of the configuration are made relative to `folder`.
    """
    own = [path for name in _START for path in sorted(Path(encoder).glob(name))] if Path(encoder).is_dir() else []
    hashes = {os.path.relpath(path, folder): sha256(path) for path in [*own, *files]}
    inputs = {"configuration": portable(config.model_dump(), folder), "files": hashes}
    # the more there are, the larger is a step
    return inputs if processes == 1 else {**inputs, "launch": {"processes": processes}}


def portable(value: Any, folder: Path) -> Any:
    """Decoded JSON with its absolute paths made relative to `folder`: they are of one machine."""
    if isinstance(value, dict):
        return {name: portable(own, folder) for name, own in value.items()}
    if isinstance(value, list):
        return [portable(own, folder) for own in value]
    if isinstance(value, str) and os.path.isabs(value):
        return os.path.relpath(value, folder)
    return value


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def claim(output: Path, inputs: dict[str, Any]) -> None:
    """Note in `output` what it is made from; raises ConfigError where it already holds another training."""
    path = output / INPUTS
    if path.exists():
        earlier = _with_new_fields(json.loads(path.read_text(encoding="utf-8")))
        for part in sorted({*inputs, *earlier}):
            own, before = inputs.get(part, {}), earlier.get(part, {})
            for name in sorted({*own, *before}):
                if own.get(name) != before.get(name):
                    raise ConfigError(
                        f"{output} holds a training of other inputs: {part}: {name} differs; "
                        "take another output, or drop it with --fresh"
                    )
    output.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(inputs, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _with_new_fields(inputs: dict[str, Any]) -> dict[str, Any]:
    """Inputs that an earlier release noted, with the fields that it did not have, at their defaults."""
    try:
        config = TrainingConfig.model_validate(inputs["configuration"])
    except ValidationError:
        return inputs
    return {**inputs, "configuration": config.model_dump()}
