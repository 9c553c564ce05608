"""Which events, and which of their participants, a graph is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from serving.events.dates import day_of
from serving.events.rows import EventRow


@dataclass(frozen=True, slots=True)
class Selection:
    """What is kept; None is all. `since` and `until` are days (`YYYY-MM-DD`), both included.

    `min_score` is the least score of an action, and of an entity in its role: a participant below it is left out of
    the event, and the event stays.
    """

    classes: frozenset[str] | None = None
    factualities: frozenset[str] | None = None
    min_score: float = 0.0
    since: str | None = None
    until: str | None = None


@dataclass(slots=True)
class Kept:
    """How many events there were, how many are kept, and how many are left out, by the first reason."""

    events: int = 0
    kept: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    participants_left_out: int = 0


def select(rows: Iterable[EventRow], selection: Selection, kept: Kept) -> Iterator[EventRow]:
    """Yield the events of a selection, and count in `kept`. Where days are asked for, no date is not kept."""
    for row in rows:
        kept.events += 1
        if reason := _reason(row, selection):
            kept.left_out[reason] += 1
            continue
        kept.kept += 1
        yield _without_low(row, selection.min_score, kept)


def _reason(row: EventRow, selection: Selection) -> str | None:
    if selection.classes is not None and row.event_class not in selection.classes:
        return "class"
    if selection.factualities is not None and row.factuality not in selection.factualities:
        return "factuality"
    if row.score < selection.min_score:
        return "score"
    if selection.since is None and selection.until is None:
        return None
    if row.date is None:
        return "no date"
    day = day_of(row.date)
    return "date" if day < (selection.since or day) or day > (selection.until or day) else None


def _without_low(row: EventRow, min_score: float, kept: Kept) -> EventRow:
    fillers = {role: tuple(own for own in all_ if own.score >= min_score) for role, all_ in row.fillers.items()}
    lost = sum(len(row.fillers[role]) - len(fillers[role]) for role in fillers)
    kept.participants_left_out += lost
    return replace(row, fillers=fillers) if lost else row
