"""One document of an archive: its text, id and date, checked; or why it cannot be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from serving.bulk.job import Job
from serving.reading import InputError, check_text


class Reason(StrEnum):
    """Kinds of failure."""

    UNREADABLE = "unreadable"
    NOT_UTF8 = "not-utf8"
    NOT_JSON = "not-json"
    BAD_ROW = "bad-row"
    NO_TEXT = "no-text"
    BAD_TEXT = "bad-text"
    BAD_ID = "bad-id"
    BAD_DATE = "bad-date"
    DUPLICATE_ID = "duplicate-id"
    TOO_LONG = "too-long"
    EXTRACTION = "extraction"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document stands: its file's name in the input, and its line (CSV: the first; Parquet: row), from 1.

    A plain text, which is all of its file, has no line.
    """

    source: str
    line: int | None = None

    def __str__(self) -> str:
        return self.source if self.line is None else f"{self.source}:{self.line}"


@dataclass(frozen=True, slots=True)
class Record:
    """A document that can be extracted."""

    id: str
    text: str
    date: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class Failure:
    """A document, or what should have been one, that cannot; `id` where it is known."""

    place: Place
    reason: Reason
    message: str
    id: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The object of a line of `failed/`."""
        return {
            "id": self.id,
            "source": self.place.source,
            "line": self.place.line,
            "reason": self.reason.value,
            "message": self.message,
        }


#: What a file is read as, one after the other.
Item = Record | Failure


class _FieldError(Exception):
    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def record_of(values: Mapping[str, object], place: Place, job: Job) -> Item:
    """Return the document that a row's values are; a missing id becomes its place, as `news.jsonl:12`."""
    id: str | None = None
    try:
        id = _label(values.get(job.id_field), job.id_field, Reason.BAD_ID)
        date = _label(values.get(job.date_field), job.date_field, Reason.BAD_DATE)
        return Record(str(place) if id is None else id, _text(values, job), date, place)
    except _FieldError as error:
        return Failure(place, error.reason, str(error), id)


def text_record(text: str, place: Place, job: Job) -> Item:
    """Return the document that a plain text is; its id is its file's name."""
    return record_of({job.text_field: text, job.id_field: None, job.date_field: None}, place, job)


def _text(values: Mapping[str, object], job: Job) -> str:
    name = job.text_field
    value = values.get(name)
    if value is None:
        raise _FieldError(Reason.NO_TEXT, f"{name}: {'null or empty' if name in values else 'missing'}")
    if not isinstance(value, str):
        raise _FieldError(Reason.NO_TEXT, f"{name}: not a string")
    if len(value) > job.max_characters:
        most = f"{job.max_characters:,}"
        raise _FieldError(Reason.TOO_LONG, f"{name}: {len(value):,} characters, which is more than {most}")
    return _checked(value, name, Reason.BAD_TEXT)


def _label(value: object, name: str, reason: Reason) -> str | None:
    """An id or date: a string, or a whole number, which becomes one; null is none."""
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise _FieldError(reason, f"{name}: not a string or a whole number")
    if value == "":
        raise _FieldError(reason, f"{name}: empty")
    return _checked(value, name, reason)


def _checked(value: str, name: str, reason: Reason) -> str:
    try:
        return check_text(value)
    except InputError as error:
        raise _FieldError(reason, f"{name}: {error}") from None
