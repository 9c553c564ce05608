"""Texts from outside, checked: UTF-8, strict JSON, and plain text or JSON lines as a stream in constant memory.

JSON is strict: a field that comes twice is an error, and so are NaN and Infinity. A text holds Unicode scalar values
other than NUL; nothing in it is changed, so that offsets are those of the caller's text.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Any, Protocol

#: The longest line of JSON, and the longest plain text, in bytes: what bounds the memory of a stream.
MAX_BYTES = 4 * 1024 * 1024
#: Documents, and code points, in one group: enough to fill the network's batches.
GROUP_DOCUMENTS = 32
GROUP_CHARACTERS = 100_000

_CHUNK = 256 * 1024
#: Characters of a field's name that an error quotes.
_SHOWN = 80
_BOM = b"\xef\xbb\xbf"
_SURROGATE_OR_NUL = re.compile("[\ud800-\udfff\0]")
#: How an object, or a list of objects, begins; by the first line.
_JSON_START = re.compile(rb"\s*(?:\[\s*)?\{\s*(?:\"|\}|\Z)|\s*\[\s*\Z")


class InputError(ValueError):
    """Input that cannot be used; its text says what is wrong and, inside the piece that was given, where."""


class InputKind(StrEnum):
    """What a stream holds: one document of plain text, or JSON lines; `auto` looks at its first line."""

    AUTO = "auto"
    TEXT = "text"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class Source:
    """A text to extract; without an id of its own it gets the extractor's default."""

    id: str | None
    text: str


@dataclass(frozen=True, slots=True)
class BadInput:
    """A line (from 1), or, where `line` is None, a whole plain text, that cannot be read; and why."""

    line: int | None
    message: str


class ByteStream(Protocol):
    """A buffered binary stream: `read1` returns what has arrived, at least one byte before the end."""

    def read1(self, size: int = -1, /) -> bytes: ...

    def tell(self) -> int: ...


def check_text(text: str) -> str:
    """Return `text`; raise InputError where it holds NUL or half of a surrogate pair, which JSON can smuggle in."""
    if found := _SURROGATE_OR_NUL.search(text):
        what = "NUL is not text" if found[0] == "\0" else "a lone surrogate is not Unicode text"
        raise InputError(f"U+{ord(found[0]):04X} at character {found.start() + 1}: {what}")
    return text


def decode(raw: bytes) -> str:
    """Return UTF-8 bytes as text; raise InputError with the first byte at fault and its place in `raw`."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        where = f"byte {column}" if b"\n" not in raw else f"line {line}, byte {column}"
        raise InputError(f"not UTF-8: 0x{raw[error.start]:02X} at {where}") from None


def parse_json(text: str) -> Any:
    """Return the value that `text` is as strict JSON; raise InputError with the place where it is not."""
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        where = f"column {error.colno}" if error.lineno == 1 else f"line {error.lineno}, column {error.colno}"
        raise InputError(f"not JSON: {error.msg.removesuffix(' at')} at {where}") from None
    except InputError:
        raise
    except ValueError:  # int() refuses more digits than sys.set_int_max_str_digits allows
        raise InputError("not JSON that can be read: a number of thousands of digits") from None
    except RecursionError:
        raise InputError("not JSON that can be read: nested too deep") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise InputError(f"the field {_quoted(twice)} comes twice in one object")
    return fields


def _quoted(name: str) -> str:
    """A field's name as JSON, cut, and without the lone surrogates that no answer could hold."""
    shown = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"
    return json.dumps(shown, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def _no_constant(name: str) -> None:
    raise InputError(f"not JSON: {name} is not a JSON number")


def read_line(raw: bytes) -> Source:
    """Return the document of a JSON line: an object with `text`, a string, and maybe `id`; other fields are ignored.

    An `id` is a string or a whole number, which becomes a string; null is no id. Raises InputError.
    """
    value = parse_json(decode(raw))
    if not isinstance(value, dict):
        raise InputError("not a JSON object" + (": give one object a line" if isinstance(value, list) else ""))
    if "text" not in value:
        raise InputError("text: missing")
    return Source(_line_id(value.get("id")), _checked("text", value["text"]))


def _line_id(value: object) -> str | None:
    if value is None:
        return None
    if value == "":
        raise InputError("id: empty")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise InputError("id: not a string or a whole number")
    return _checked("id", value)


def _checked(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise InputError(f"{name}: not a string")
    try:
        return check_text(value)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


# ---------------------------------------------------------------------------------------------------------------------
# Streams


def read_stream(
    stream: ByteStream, kind: InputKind = InputKind.AUTO, id: str | None = None
) -> Iterator[list[Source | BadInput]]:
    """Yield the documents of a stream in groups, as they arrive, with what cannot be read in its place.

    Plain text is one document, all of it, with `id`. In JSON lines, blank lines and a byte order mark are passed over.
    For `auto`, white space alone holds no document.
    """
    chunks = iter(lambda: stream.read1(_CHUNK), b"")
    if kind is InputKind.AUTO:
        head = _head(chunks)
        chunks = chain([head], chunks)
        first = head.removeprefix(_BOM).lstrip().partition(b"\n")[0]
        kind = InputKind.JSONL if not first or _JSON_START.match(first) else InputKind.TEXT
    if kind is InputKind.TEXT:
        yield [_read_text(chunks, id)]
    else:
        yield from _read_json_lines(chunks)


def _head(chunks: Iterator[bytes]) -> bytes:
    """Enough of a stream to see how its first line that is not blank begins."""
    head = b""
    for chunk in chunks:
        head += chunk
        begun = head.removeprefix(_BOM).lstrip()
        if b"\n" in begun or len(begun) >= 64 or len(head) >= _CHUNK:
            break
    return head


def _read_text(chunks: Iterable[bytes], id: str | None) -> Source | BadInput:
    raw = bytearray()
    for chunk in chunks:
        raw += chunk
        if len(raw) > MAX_BYTES:
            limit = f"{MAX_BYTES // 1024 // 1024} MiB"
            return BadInput(
                None, f"plain text is one document, and this is more than {limit}: split it into JSON lines"
            )
    try:
        return Source(id, check_text(decode(bytes(raw))))
    except InputError as error:
        return BadInput(None, str(error))


def _read_json_lines(chunks: Iterable[bytes]) -> Iterator[list[Source | BadInput]]:
    number = 0
    for lines in _lines(chunks):
        group: list[Source | BadInput] = []
        characters = 0
        for line in lines:
            number += 1
            item = _read_numbered(number, line)
            if item is None:
                continue
            group.append(item)
            characters += len(item.text) if isinstance(item, Source) else 0
            if len(group) >= GROUP_DOCUMENTS or characters >= GROUP_CHARACTERS:
                yield group
                group, characters = [], 0
        if group:
            yield group


def _lines(chunks: Iterable[bytes]) -> Iterator[list[bytes | None]]:
    """Lines without their newline, as many at a time as have arrived; None for one longer than MAX_BYTES."""
    splitter = LineSplitter(MAX_BYTES)
    for chunk in chunks:
        yield splitter.feed(chunk)
    yield splitter.end()


class LineSplitter:
    """Cuts a stream of bytes into lines in constant memory: a line of more than `most` bytes is dropped, and None."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._rest = b""
        self._dropped = False

    def feed(self, chunk: bytes) -> list[bytes | None]:
        """The lines that end in the next bytes, without their newlines."""
        *complete, rest = (self._rest + chunk).split(b"\n")
        lines = [line if len(line) <= self.most else None for line in complete]
        if self._dropped and lines:
            lines[0] = None
            self._dropped = False
        if len(rest) > self.most:
            rest = b""
            self._dropped = True
        self._rest = rest
        return lines

    def end(self) -> list[bytes | None]:
        """The last line, where no newline ends it."""
        return [None if self._dropped else self._rest] if self._rest or self._dropped else []


def _read_numbered(number: int, line: bytes | None) -> Source | BadInput | None:
    """Read one line; None if it is blank."""
    if line is None:
        return BadInput(number, f"longer than {MAX_BYTES // 1024 // 1024} MiB")
    if number == 1:
        line = line.removeprefix(_BOM)
    if not line.strip():
        return None
    try:
        return read_line(line)
    except InputError as error:
        return BadInput(number, str(error))
