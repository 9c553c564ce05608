"""The query parameters of `GET /annotations`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from serving.feedback.records import Filter
from serving.feedback.schemas import NAME_SCHEMA, check_name
from serving.feedback.tables import STATUSES
from serving.problems import invalid_fields


def parse_filter(parameters: Iterable[tuple[str, str]]) -> Filter:
    """Return the filter that query parameters make; raise Problem, naming each parameter at fault."""
    values: dict[str, Any] = {}
    errors = []
    for name, value in parameters:
        if name not in _READERS:
            errors.append((name if len(name) <= 80 else f"{name[:80]}…", "unknown parameter"))
        elif name in values:
            errors.append((name, "given twice"))
        else:
            try:
                values[name] = _READERS[name](value)
            except ValueError as error:
                values[name] = None
                errors.append((name, str(error)))
    if errors:
        raise invalid_fields(errors)
    return Filter(**values)


def _status(value: str) -> str:
    if value not in STATUSES:
        raise ValueError(f"not one of {', '.join(STATUSES)}")
    return value


def _moment(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        example = "2025-11-22, 2025-11-22T10:00:00Z or 2025-11-22T13:00:00%2B03:00"
        raise ValueError(f"not an ISO 8601 date or date-time, like {example}") from None


_READERS: dict[str, Callable[[str], object]] = {
    "annotator": check_name,
    "status": _status,
    "since": _moment,
    "until": _moment,
}

_MOMENT = {"oneOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}


def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


#: The parameters, as OpenAPI describes them.
PARAMETERS = [
    _parameter("annotator", "Only of this annotator.", {"type": "string", **NAME_SCHEMA}),
    _parameter("status", "Only with this status.", {"type": "string", "enum": list(STATUSES)}),
    _parameter("since", "Only created then or later: ISO 8601, in UTC where it has no zone.", _MOMENT),
    _parameter("until", "Only created before: ISO 8601, in UTC where it has no zone.", _MOMENT),
]
