"""Loading a checkpoint where people wait for it: whatever is wrong with it is one kind of error."""

from __future__ import annotations

from pathlib import Path

from model.extractor import CheckpointError, Extractor
from model.runtime import Runtime
from serving.checkpoints import locate


def load_extractor(
    checkpoint: Path | None, *, runtime: Runtime = "openvino", threads: int = 0, calls: int = 0
) -> Extractor:
    """Load a checkpoint, or what leads to one (None: the shipped one), as `Extractor.load` does.

    Raises CheckpointError, also for what a library stumbles over.
    """
    try:
        directory = None if checkpoint is None else locate(checkpoint).directory
        return Extractor.load(directory, runtime=runtime, threads=threads, calls=calls)
    except CheckpointError:
        raise
    except Exception as error:
        place = "the shipped checkpoint" if checkpoint is None else checkpoint
        raise CheckpointError(f"{place}: cannot be loaded: {type(error).__name__}: {error}") from error
