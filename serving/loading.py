"""Loading a checkpoint where people wait for it: whatever is wrong with it is one kind of error."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

from model.extractor import CheckpointError, Extractor
from model.runtime import Runtime
from serving.checkpoints import locate

#: Seconds that a thread may keep the interpreter from the others: the event loop must not wait for those that decode.
_SWITCH = 0.0005


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


def load_to_serve(checkpoint: Path | None, *, runtime: Runtime, threads: int, calls: int) -> Extractor:
    """Load what this process will serve to the end of its days, as `load_extractor` does, and settle the process on it.

    The interpreter switches threads more often from now on, and what is there now is never looked through for garbage.
    """
    sys.setswitchinterval(_SWITCH)
    extractor = load_extractor(checkpoint, runtime=runtime, threads=threads, calls=calls)
    # what is here now stays: looking through all of it for garbage stopped everything for 0.1 s every few seconds
    gc.collect()
    gc.freeze()
    return extractor
