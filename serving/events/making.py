"""From documents to a table of their events."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from serving.events.documents import BadDocument, Dated
from serving.events.rows import event_rows
from serving.events.tables import Written, event_writer


@dataclass(frozen=True, slots=True)
class Made:
    """How many documents a table has, how many could not be used, and what was written."""

    documents: int
    bad: int
    written: Written


def make_table(
    items: Iterable[Dated | BadDocument], out: Path, date: str | None, report: Callable[[str, str], None]
) -> Made:
    """Write the events of documents to a table, in the form of its ending; `date` is that of documents without one.

    A document that cannot be used is told to `report`, with its place and what is wrong, and the others are done.
    Raises TableError, and OSError.
    """
    documents = bad = 0
    with event_writer(out) as writer:
        for item in items:
            if isinstance(item, BadDocument):
                bad += 1
                report(item.place, item.message)
                continue
            try:
                rows = event_rows(item.document, item.date or date)
            except ValueError as error:  # DateError and DocumentError
                bad += 1
                report(f"document {item.document.id!r}", str(error))
                continue
            documents += 1
            for row in rows:
                writer.write(row)
    return Made(documents, bad, writer.written)
