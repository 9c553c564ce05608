"""A table of events from a finished output: each document once, with its date."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from serving.bulk.job import RefusedError
from serving.bulk.output import read_rows
from serving.events.documents import document_from_dict
from serving.events.rows import event_rows
from serving.events.tables import TableError, event_writer, form_of


def check_table(path: Path) -> None:
    """Raise RefusedError for a file that no table can be written to, before a run begins."""
    try:
        form_of(path)
    except TableError as error:
        raise RefusedError(f"--events {error}") from None


def write_event_table(output: str, path: Path, report: Callable[[str], None]) -> int:
    """Write the events of an output to a file, whose ending says its form; return how many there are.

    A document that has none because its date is no date is told to `report`. Raises RefusedError.
    """
    try:
        with event_writer(path) as writer:
            for row in read_rows(output):
                try:
                    events = list(event_rows(document_from_dict(row.document), row.date))
                except ValueError as error:
                    report(f"document {row.id}: no events: {error}")
                    continue
                for event in events:
                    writer.write(event)
    except (TableError, OSError) as error:
        raise RefusedError(f"{path}: {error}") from None
    return writer.written.events
