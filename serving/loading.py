"""Loading a checkpoint where people wait for it: whatever is wrong with it is one kind of error."""

from __future__ import annotations

from pathlib import Path

from model.extractor import CheckpointError, Extractor


def load_extractor(checkpoint: Path | None, threads: int = 0) -> Extractor:
    """Load a checkpoint (None: the shipped one); raises CheckpointError, also for what a library stumbles over."""
    try:
        return Extractor.load(checkpoint, threads=threads)
    except CheckpointError:
        raise
    except Exception as error:
        place = "the shipped checkpoint" if checkpoint is None else checkpoint
        raise CheckpointError(f"{place}: cannot be loaded: {type(error).__name__}: {error}") from error
