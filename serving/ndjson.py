"""JSON values as lines (`application/x-ndjson`)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

MEDIA_TYPE = "application/x-ndjson"

#: What JSON may hold as it is, but many clients break lines at: Python's `splitlines`, and HTTP libraries built on it.
_LINE_BREAKS = ("\x85", "\u2028", "\u2029")


def ndjson(values: Iterable[Any]) -> Iterator[bytes]:
    """Return each value as one line of JSON in UTF-8, ended by a newline; raises ValueError for NaN and infinity."""
    return map(json_line, values)


def json_line(value: Any) -> bytes:
    """Return a value as one line of JSON in UTF-8, ended by a newline; raises ValueError for NaN and infinity."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in _LINE_BREAKS:
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f"{text}\n".encode()
