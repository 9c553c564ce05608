"""Dates of documents: ISO 8601, checked."""

from __future__ import annotations

from datetime import date, datetime


class DateError(ValueError):
    """A date that is not a whole calendar date of ISO 8601."""


def iso_date(text: str) -> str:
    """Return a date, or date and time, of ISO 8601 in its extended form: `2024-05-01` for `20240501`.

    A time and its offset from UTC stay as they are (`2024-05-01T08:30:00+03:00`). Raises DateError; so do dates of less
    than a day (`2024-05`), which could not be put in order with the others.
    """
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        raise DateError(f"{text!r} is not a date of ISO 8601, as 2024-05-01 or 2024-05-01T08:30:00+03:00") from None


def day_of(text: str) -> str:
    """The day, `YYYY-MM-DD`, of what `iso_date` returned: as the document gives it, whatever its offset from UTC."""
    return text[:10]
