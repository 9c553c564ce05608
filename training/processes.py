"""Several processes of one training, as `accelerate launch` starts them: each with its part of every batch.

One process does what is done once: checking, silver sentences, evaluation, writing. The others wait for it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TypeVar

import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list

#: How long a process waits for the others: masked-language training, which one process does, takes hours.
PATIENCE = timedelta(days=7)

Shared = TypeVar("Shared")


def processes() -> PartialState:
    """This process among its fellows; the only one, where nothing launched several."""
    return PartialState(cpu=not torch.cuda.is_available(), timeout=PATIENCE)


def from_main(value: Shared) -> Shared:
    """What the main process calls this with, in every process; waits for all."""
    shared = [value]
    broadcast_object_list(shared, from_process=0)
    return shared[0]


def is_main() -> bool:
    """Whether this is the process that speaks for all."""
    return bool(PartialState().is_main_process)
