"""The columns of a table of events: an EventRow as plain values, and back.

Where Parquet has lists of structures (`other_actors`, …), CSV has the same as JSON in a cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from model.labels import CLASSES, ENTITY_LABELS, FACTUALITIES, ROLES
from serving.events.dates import DateError, iso_date
from serving.events.quads import QUADS
from serving.events.rows import EventRow, Filler

#: Columns of an event itself, with their types: what `EventRow` calls `event_class`, `text`, … has the table's name.
OWN_COLUMNS: dict[str, type] = {
    "document": str,
    "date": str,
    "sentence": int,
    "sentence_start": int,
    "sentence_end": int,
    "action": str,
    "class": str,
    "quad": str,
    "factuality": str,
    "action_text": str,
    "action_start": int,
    "action_end": int,
    "action_score": float,
    "triple_score": float,
}
#: Fields of a filler, with their types; `actor_name`, `target_name` and so on are those of the best one.
FILLER_FIELDS: dict[str, type] = {
    "entity": str,
    "label": str,
    "name": str,
    "key": str,
    "text": str,
    "start": int,
    "end": int,
    "value": float,
    "score": float,
}
#: The list columns, by role.
OTHERS = {role: f"other_{role}s" for role in ROLES}

#: Fields that only some roles can have: a place is no number, and a count no name.
_FIELDS = {
    "actor": ("entity", "label", "name", "key", "text", "start", "end", "score"),
    "target": ("entity", "label", "name", "key", "text", "start", "end", "value", "score"),
    "place": ("entity", "label", "name", "key", "text", "start", "end", "score"),
    "count": ("entity", "text", "start", "end", "value", "score"),
}
#: All columns in order, with the type of their values; `list` is a list of fillers.
COLUMNS: dict[str, type] = {
    **OWN_COLUMNS,
    **{f"{role}_{name}": FILLER_FIELDS[name] for role in ROLES for name in _FIELDS[role]},
    **dict.fromkeys(OTHERS.values(), list),
}


class ColumnError(ValueError):
    """A row of a table that is no event; says which column is at fault."""


def to_columns(row: EventRow) -> dict[str, Any]:
    """Return a row's values by column, in the order of COLUMNS; what there is not is None, or an empty list."""
    values: dict[str, Any] = {
        "document": row.document,
        "date": row.date,
        "sentence": row.sentence,
        "sentence_start": row.sentence_start,
        "sentence_end": row.sentence_end,
        "action": row.action,
        "class": row.event_class,
        "quad": None if row.quad is None else row.quad.value,
        "factuality": row.factuality,
        "action_text": row.text,
        "action_start": row.start,
        "action_end": row.end,
        "action_score": row.score,
        "triple_score": row.triple_score,
    }
    for role in ROLES:
        best = row.best(role)
        for name in _FIELDS[role]:
            values[f"{role}_{name}"] = None if best is None else getattr(best, name)
    for role, column in OTHERS.items():
        values[column] = [asdict(filler) for filler in row.fillers[role][1:]]
    return values


def from_columns(values: Mapping[str, Any]) -> EventRow:
    """Return the row whose columns these are; raises ColumnError. Further columns are ignored.

    The key of a count's best filler, which has no column, is its text, and its label NUM.
    """
    event_class = _one_of(values, "class", CLASSES)
    date = _get(values, "date", str, optional=True)
    try:
        date = None if date is None else iso_date(date)
    except DateError as error:
        raise ColumnError(f"date: {error}") from None
    return EventRow(
        document=_get(values, "document", str),
        date=date,
        sentence=_get(values, "sentence", int),
        sentence_start=_get(values, "sentence_start", int),
        sentence_end=_get(values, "sentence_end", int),
        action=_get(values, "action", str),
        event_class=event_class,
        quad=QUADS.get(event_class),
        factuality=_one_of(values, "factuality", FACTUALITIES),
        text=_get(values, "action_text", str),
        start=_get(values, "action_start", int),
        end=_get(values, "action_end", int),
        score=_get(values, "action_score", float),
        triple_score=_get(values, "triple_score", float, optional=True),
        fillers={role: _fillers(values, role) for role in ROLES},
    )


def _fillers(values: Mapping[str, Any], role: str) -> tuple[Filler, ...]:
    column = OTHERS[role]
    others = values.get(column) or []
    if not isinstance(others, list) or not all(isinstance(other, dict) for other in others):
        raise ColumnError(f"{column}: not a list of objects")
    if values.get(f"{role}_entity") is None:
        if others:
            raise ColumnError(f"{column}: there are others, and {role}_entity is empty")
        return ()
    own = {name: values.get(f"{role}_{name}") for name in _FIELDS[role]}
    if role == "count":
        own |= {"label": "NUM", "name": own["text"], "key": own["text"]}
    return (_filler(own, f"{role}_"), *(_filler(other, f"{column}.{number}.") for number, other in enumerate(others)))


def _filler(values: Mapping[str, Any], where: str) -> Filler:
    found = {name: _get(values, name, FILLER_FIELDS[name], where, name == "value") for name in FILLER_FIELDS}
    if found["label"] not in ENTITY_LABELS:
        raise ColumnError(f"{where}label: {found['label']!r} is not one of {', '.join(ENTITY_LABELS)}")
    return Filler(**found)


def _one_of(values: Mapping[str, Any], column: str, names: tuple[str, ...]) -> str:
    value: str = _get(values, column, str)
    if value not in names:
        raise ColumnError(f"{column}: {value!r} is not one of {', '.join(names)}")
    return value


def _get(values: Mapping[str, Any], name: str, kind: type, where: str = "", optional: bool = False) -> Any:
    value = values.get(name)
    if value is None:
        if optional:
            return None
        raise ColumnError(f"{where}{name}: {'empty' if name in values else 'missing'}")
    if kind is float:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
    elif isinstance(value, kind) and not isinstance(value, bool):
        return value
    raise ColumnError(f"{where}{name}: {value!r} is not {'a number' if kind is not str else 'text'}")
