"""The course of trainings, for learning curves: what `musnad train` leaves in its output directory."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

#: The mean of all dev figures, which training stops by.
SCORE = "eval_score"


class RunError(ValueError):
    """A directory that holds no training, or a broken one; names the file."""


@dataclass(frozen=True, slots=True)
class Run:
    """A training: dev figures after each epoch, those of the checkpoint written, and how much it was trained on.

    `epochs` are (epoch, figures by name); `final` is empty while the training goes on. `examples` is the number of
    examples an epoch, sources weighted, to the nearest batch; None where it is not known. `dev` are the hashes of the
    dev files, empty where they are not known.
    """

    name: str
    epochs: tuple[tuple[float, dict[str, float]], ...]
    final: dict[str, float]
    examples: int | None
    dev: frozenset[str]

    @property
    def best(self) -> dict[str, float]:
        """The figures of the epoch with the best score, or of the checkpoint where no epoch is known."""
        scored = [figures for _, figures in self.epochs if SCORE in figures]
        return max(scored, key=lambda figures: figures[SCORE]) if scored else self.final


def read_run(directory: Path) -> Run:
    """Read `training.json`, and the Trainer's log in `run/` if it is still there.

    Raises RunError where there is neither, or one of them cannot be read.
    """
    made = _read(directory / "training.json")
    state_file = _state_file(directory)
    state = {} if state_file is None else _read(state_file)
    if not made and not state:
        raise RunError(f"{directory}: no training: neither training.json nor run/checkpoint-*/trainer_state.json")
    history = [entry for entry in state.get("log_history", []) if SCORE in entry]
    configuration = made.get("configuration", {})
    return Run(
        str(directory),
        tuple((float(entry["epoch"]), _figures(entry)) for entry in history),
        _figures(made.get("dev", {})),
        _examples(state, configuration.get("gradient_accumulation", 1) * made.get("launch", {}).get("processes", 1)),
        frozenset(
            digest
            for source in configuration.get("dev", [])
            for name, digest in made.get("files", {}).items()
            if fnmatch(name, os.path.normpath(source["path"]))
        ),
    )


def _state_file(directory: Path) -> Path | None:
    """The Trainer's state after its last whole step."""
    found = [directory / "trainer_state.json"]
    checkpoints = [path for path in (directory / "run").glob("checkpoint-*") if path.name.rpartition("-")[2].isdigit()]
    found += [
        path / "trainer_state.json" for path in sorted(checkpoints, key=lambda path: -int(path.name.rpartition("-")[2]))
    ]
    return next((path for path in found if path.is_file()), None)


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunError(f"{path}: not JSON: {error}") from None
    if not isinstance(value, dict):
        raise RunError(f"{path}: not a JSON object")
    return value


def _figures(entry: dict[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in entry.items() if name.startswith("eval_")}


def _examples(state: dict[str, Any], batches: int) -> int | None:
    steps, epochs, batch = state.get("global_step"), state.get("epoch"), state.get("train_batch_size")
    return round(steps / epochs) * batch * batches if steps and epochs and batch else None
