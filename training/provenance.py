"""What made a checkpoint: the contents of its `training.json`."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from model.extractor import read_config
from training.config import TrainingConfig
from training.resuming import portable, sha256

#: The libraries that have a say in the weights, or in how they are written.
LIBRARIES = (
    "accelerate",
    "datasets",
    "musnad",
    "numpy",
    "onnx",
    "onnxscript",
    "safetensors",
    "tokenizers",
    "torch",
    "transformers",
)


def versions() -> dict[str, str]:
    """The versions of Python and of the libraries that train, by name; a library that is not installed has none."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # our own, where it runs from a source tree
            continue
    found["torch"] = torch.__version__  # with its build, such as +cpu
    return found


def machine(bf16: bool, processes: int) -> dict[str, Any]:
    """What decides the last bits of the weights beside the libraries: processor, arithmetic, order of sums."""
    cuda = torch.cuda.is_available()
    return {
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "architecture": platform.machine(),
        "bf16": bf16,
        "processes": processes,
        "threads": torch.get_num_threads(),
    }


def parent(config: TrainingConfig, folder: Path) -> dict[str, str] | None:
    """Name, version, directory and hash of the weights of the checkpoint that a training goes on from, if any.

    Raises CheckpointError for what is no checkpoint.
    """
    if config.start is None:
        return None
    directory = folder / config.start
    values = read_config(directory)
    return {
        "name": str(values.get("name", directory.name)),
        "version": str(values.get("version", "0")),
        "directory": str(portable(config.start, folder)),
        "model.safetensors": sha256(directory / "model.safetensors"),
    }
