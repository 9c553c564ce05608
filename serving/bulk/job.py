"""What a bulk run is asked to do, and the errors that end it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from model.runtime import Runtime

#: Characters (code points) of the texts of one part, at most, but for a single text that has more: bounds the memory.
PART_CHARACTERS = 2_000_000


class BulkError(Exception):
    """What ends a run before its end; run again, the run goes on."""


class RefusedError(BulkError):
    """Input, output or options that a run cannot begin with."""


class Format(StrEnum):
    """The form of the parts."""

    JSONL = "jsonl"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that decides what the output is; it travels to the workers.

    `batch_size`: sentences in a batch of the network; None is the extractor's own choice. `part_documents`: documents
    of a part, failed ones included, at most. `max_characters`: code points of a text.
    """

    format: Format = Format.JSONL
    text_field: str = "text"
    id_field: str = "id"
    date_field: str = "date"
    checkpoint: str | None = None
    runtime: Runtime = "openvino"
    min_score: float = 0.0
    batch_size: int | None = None
    part_documents: int = 256
    max_characters: int = 1_000_000

    @property
    def checkpoint_path(self) -> Path:
        """The checkpoint's directory."""
        from model.extractor import directory_of  # here, so that `musnad --help` does not wait for numpy

        return directory_of(self.checkpoint)


#: Told how many more documents are done.
Told = Callable[[int], None]
