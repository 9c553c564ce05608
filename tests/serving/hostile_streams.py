"""Hostile lines, and parameters, of `POST /predict/stream`."""

from __future__ import annotations

import gzip
import json

from hostile import JSON, NDJSON, Case, post

_TEXT = "قال الوزير"
_MEBIBYTE = 1024 * 1024


def _stream(
    sent: str, body: bytes, answer: str = "200", says: str = "", query: str = "", content_type: str = NDJSON
) -> Case:
    send = post(f"/predict/stream{query}", body, content_type=content_type)
    return Case(sent, "POST /predict/stream", send, answer, says)


_GOOD = json.dumps({"text": _TEXT}, ensure_ascii=False).encode() + b"\n"
_DONE = f"«{_TEXT}» done"

LINES = [
    _stream("an empty stream", b""),
    _stream("10,000 empty lines", b"\n" * 10_000),
    _stream("a byte order mark before the first line", b"\xef\xbb\xbf" + _GOOD, says=_DONE),
    _stream("CRLF, and no newline at the end", _GOOD[:-1] + b"\r\n" + _GOOD[:-1] + b"\r", says=f"{_DONE}; {_DONE}"),
    _stream(
        "lines of garbage, invalid UTF-8, NUL, and a good one",
        b"garbage\n\xff\xfe\n\0\n" + _GOOD,
        says=f"line 1: not-json; line 2: not-json; line 3: not-json; {_DONE}",
    ),
    _stream(
        "a field twice whose name is half of a surrogate pair, and a good line",
        rb'{"\ud800": 1, "\ud800": 2}' + b"\n" + _GOOD,
        says=f"line 1: not-json; {_DONE}",
    ),
    _stream(
        "100,000 arrays inside each other, and a good line",
        b"[" * 100_000 + b"\n" + _GOOD,
        says=f"line 1: not-json; {_DONE}",
    ),
    _stream(
        "a line of 9 MiB, and a good one", b" " * (9 * _MEBIBYTE) + b"\n" + _GOOD, says=f"line 1: too-large; {_DONE}"
    ),
    _stream("one JSON array of all documents", b'[{"text": "a"}]', says="line 1: not-json"),
    _stream("a compressed stream that is not declared", gzip.compress(_GOOD), says="line 1: not-json"),
    _stream("JSON", _GOOD, "415 unsupported-media-type", "it should be 'application/x-ndjson'", content_type=JSON),
    _stream(
        "3,000 parameters",
        b"",
        "422 invalid-request",
        "0: unknown field",
        "?" + "&".join(f"{number:x}" for number in range(3000)),
    ),
    _stream("a score that is not a number", b"", "422 invalid-request", "min_score: ", "?min_score=nan"),
    _stream("parameters of invalid UTF-8 and NUL", b"", "422 invalid-request", "unknown field", "?%ff=1&%00=2"),
]
