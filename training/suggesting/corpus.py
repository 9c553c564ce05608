"""Sentences of large unlabelled files, one at a time: plain text or JSON lines, maybe compressed.

A file whose name ends in `.jsonl`, `.ndjson` or `.json` (before `.gz` or `.xz`) holds JSON lines: each an object with
`text`, and maybe `title`, which is read as a line before it. Any other is plain UTF-8 text, read in blocks between
blank lines. Not more than one block or line is in memory.
"""

from __future__ import annotations

import gzip
import json
import lzma
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path

from model.sentences import split_sentences

#: Bytes of a line; a longer one is an error, since lines are held in memory.
LONGEST_LINE = 2**24
#: Code points after which a block of plain text without a blank line ends at the next line.
LONGEST_BLOCK = 2**16
_JSON = (".jsonl", ".ndjson", ".json")
_BREAK = re.compile(r"\s*[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]\s*")

#: Told how many bytes of the file (compressed, if it is) have been read.
Progress = Callable[[int], None]


class CorpusError(ValueError):
    """A corpus that cannot be read: says file, line and what is wrong."""


@dataclass(frozen=True, slots=True)
class CorpusSentence:
    """A sentence, its line breaks made spaces, and the line of the file on which its text begins, from 1."""

    text: str
    file: Path
    line: int

    @property
    def place(self) -> str:
        """File and line, as errors name them."""
        return f"{self.file}:{self.line}"


def read_sentences(path: Path, progress: Progress = lambda read: None) -> Iterator[CorpusSentence]:
    """Yield every sentence of a file, in its order. Raises CorpusError, OSError for a file that cannot be opened."""
    for line, text in read_texts(path, progress):
        for start, end in split_sentences(text):
            yield CorpusSentence(_BREAK.sub(" ", text[start:end]), path, line)


def read_texts(path: Path, progress: Progress = lambda read: None) -> Iterator[tuple[int, str]]:
    """Yield (first line, text) of every record or block of a file, in its order. Raises as `read_sentences`."""
    lines = _lines(path, progress)
    yield from _records(path, lines) if _is_json(path) else _blocks(lines)


def is_arabic(text: str) -> bool:
    """Whether at least half of a text's letters are Arabic, and it has any."""
    letters = [character for character in text if character.isalpha()]
    return bool(letters) and 2 * sum(map(_is_arabic_letter, letters)) >= len(letters)


def _is_arabic_letter(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith("ARABIC")


def _is_json(path: Path) -> bool:
    return (Path(path.stem) if path.suffix in (".gz", ".xz") else path).suffix in _JSON


def _lines(path: Path, progress: Progress) -> Iterator[tuple[int, str]]:
    """(number, line with its end) of a file."""
    with ExitStack() as open_files:
        raw = open_files.enter_context(path.open("rb"))
        file: BufferedIOBase = raw
        if path.suffix == ".gz":
            file = open_files.enter_context(gzip.open(raw, "rb"))
        elif path.suffix == ".xz":
            file = open_files.enter_context(lzma.open(raw, "rb"))
        number = 0
        while True:
            number += 1
            line = _next_line(path, number, file)
            progress(raw.tell())
            if line is None:
                return
            yield number, line


def _next_line(path: Path, number: int, file: BufferedIOBase) -> str | None:
    try:
        line = file.readline(LONGEST_LINE + 1)
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise CorpusError(f"{path}:{number}: the compressed file is damaged: {error}") from None
    if len(line) > LONGEST_LINE:
        raise CorpusError(f"{path}:{number}: a line of more than {LONGEST_LINE:,} bytes")
    try:
        return line.decode("utf-8") if line else None
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path}:{number}: not UTF-8: {error.reason} at byte {error.start} of the line") from None


def _records(path: Path, lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    for number, line in lines:
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise CorpusError(f"{path}:{number}: not JSON: {error}") from None
        if not isinstance(record, dict):
            raise CorpusError(f"{path}:{number}: a JSON object with `text` is wanted")
        if "text" not in record:
            raise CorpusError(f"{path}:{number}: text: missing")
        parts = [
            _string(path, number, name, record[name]) for name in ("title", "text") if record.get(name) is not None
        ]
        yield number, "\n".join(filter(None, parts))


def _string(path: Path, number: int, name: str, value: object) -> str:
    if not isinstance(value, str):
        raise CorpusError(f"{path}:{number}: {name}: must be a string")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise CorpusError(f"{path}:{number}: {name}: holds half of a surrogate pair, which is no character")
    return value


def _blocks(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    block: list[str] = []
    first, length = 1, 0
    for number, line in lines:
        own = line.removeprefix("\ufeff") if number == 1 else line
        if not own.strip() or length > LONGEST_BLOCK:
            if block:
                yield first, "".join(block)
            block, length = [], 0
        if own.strip():
            first = first if block else number
            block.append(own)
            length += len(own)
    if block:
        yield first, "".join(block)
