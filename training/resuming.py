"""Going on with a training that was stopped: whole checkpoints, and that they are of the same training."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from training.config import ConfigError, TrainingConfig

#: The file that a whole checkpoint of a running training holds.
COMPLETE = "complete"
#: What a training was made from, beside its checkpoints.
INPUTS = "inputs.json"


class CompletionMark(TrainerCallback):
    """Marks a checkpoint as complete; the last of the callbacks that save anything."""

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        (Path(args.output_dir or ".") / f"checkpoint-{state.global_step}" / COMPLETE).touch()


def last_complete(run: Path) -> Path | None:
    """The latest of the Trainer's checkpoints that was written to its end; later, torn ones are removed."""
    found = sorted(run.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]), reverse=True)
    for path in found:
        if (path / COMPLETE).exists():
            return path
        shutil.rmtree(path)
    return None


def inputs_of(config: TrainingConfig, encoder: str, files: Iterable[Path], folder: Path) -> dict[str, Any]:
    """What decides a training: the configuration and the SHA-256 of every file that it reads, by path from `folder`."""
    weights = sorted(Path(encoder).glob("*.safetensors")) if Path(encoder).is_dir() else []
    hashes = {os.path.relpath(path, folder): sha256(path) for path in [*weights, *files]}
    return {"configuration": config.model_dump(), "files": hashes}


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def claim(output: Path, inputs: dict[str, Any]) -> None:
    """Note in `output` what it is made from; raises ConfigError where it already holds another training."""
    path = output / INPUTS
    if path.exists():
        earlier = json.loads(path.read_text(encoding="utf-8"))
        for part, own in inputs.items():
            for name in sorted({*own, *earlier.get(part, {})}):
                if own.get(name) != earlier.get(part, {}).get(name):
                    raise ConfigError(
                        f"{output} holds a training of other inputs: {part}: {name} differs; "
                        "take another output, or drop it with --fresh"
                    )
    output.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(inputs, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
