"""Files as documents, one after the other, in constant memory; what cannot be read stands in its place."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

import fsspec

from serving.bulk.decompression import damage, opened
from serving.bulk.job import BulkError, Job
from serving.bulk.records import Failure, Item, Place, Reason, record_of, text_record
from serving.bulk.sources import InputFile, Kind, errors_of, message_of
from serving.reading import InputError, LineSplitter, decode, parse_json

#: Bytes of a line of JSON, of a field of CSV, or of a plain text, at most: bounds the memory.
MAX_BYTES = 16 * 1024 * 1024

_CHUNK = 256 * 1024
_BOM = b"\xef\xbb\xbf"
#: What bytes that are not UTF-8 become in CSV, until their row is known.
_ESCAPED = re.compile("[\udc80-\udcff]")


def read_bundle(fs: fsspec.AbstractFileSystem, files: Sequence[InputFile], job: Job) -> Iterator[Item]:
    """Yield the documents of files; raises BulkError where the disk or the network fails."""
    for file in files:
        try:
            yield from read_file(fs, file, job)
        except errors_of(fs) as error:
            raise BulkError(f"{file.path}: {message_of(error)}") from None


def read_file(fs: fsspec.AbstractFileSystem, file: InputFile, job: Job) -> Iterator[Item]:
    """Yield the documents of a file; where it is damaged, what stands before, and a failure. Raises OSError."""
    last = 0
    try:
        with opened(fs, file) as stream:
            for item in _read(stream, file, job):
                last = item.place.line or last
                yield item
    except damage(file) as error:
        where = f"after line {last}" if last else "from its beginning"
        message = f"the file cannot be read {where}: {_sentence(error)}"
        yield Failure(Place(file.name), Reason.UNREADABLE, message)


def _sentence(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _read(stream: BinaryIO, file: InputFile, job: Job) -> Iterator[Item]:
    if file.kind is Kind.TEXT:
        yield _read_text(stream, Place(file.name), job)
    elif file.kind is Kind.JSONL:
        yield from _read_json_lines(stream, file.name, job)
    elif file.kind is Kind.CSV:
        yield from _read_csv(stream, file.name, job)
    else:
        from serving.bulk.parquet import read_parquet

        yield from read_parquet(stream, file.name, job)


def _read_text(stream: BinaryIO, place: Place, job: Job) -> Item:
    raw = stream.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        return Failure(place, Reason.TOO_LONG, f"a plain text is one document, and this is more than {_mebibytes()}")
    try:
        return text_record(decode(raw), place, job)
    except InputError as error:
        return Failure(place, Reason.NOT_UTF8, str(error))


def _mebibytes() -> str:
    return f"{MAX_BYTES // 1024 // 1024} MiB"


# ---------------------------------------------------------------------------------------------------------------------
# JSON lines


def _read_json_lines(stream: BinaryIO, name: str, job: Job) -> Iterator[Item]:
    """Blank lines, and a byte order mark, are passed over."""
    for number, line in enumerate(_lines(stream), 1):
        place = Place(name, number)
        if line is None:
            yield Failure(place, Reason.TOO_LONG, f"a line of more than {_mebibytes()}")
            continue
        if number == 1:
            line = line.removeprefix(_BOM)
        if line.strip():
            yield _read_line(line, place, job)


def _lines(stream: BinaryIO) -> Iterator[bytes | None]:
    splitter = LineSplitter(MAX_BYTES)
    while chunk := stream.read(_CHUNK):
        yield from splitter.feed(chunk)
    yield from splitter.end()


def _read_line(line: bytes, place: Place, job: Job) -> Item:
    try:
        text = decode(line)
    except InputError as error:
        return Failure(place, Reason.NOT_UTF8, str(error))
    try:
        value = parse_json(text)
    except InputError as error:
        return Failure(place, Reason.NOT_JSON, str(error))
    if not isinstance(value, dict):
        return Failure(place, Reason.NOT_JSON, "not a JSON object")
    return record_of(value, place, job)


# ---------------------------------------------------------------------------------------------------------------------
# CSV


class _CsvLines:
    """Lines of CSV as text, numbered from 1; raises csv.Error for one that is too long, and goes on after it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._lines = _lines(stream)
        self.number = 0

    def __iter__(self) -> _CsvLines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        if line is None:
            raise csv.Error(f"a line of more than {_mebibytes()}")
        if self.number == 1:
            line = line.removeprefix(_BOM)
        return line.decode("utf-8", "surrogateescape") + "\n"


def _read_csv(stream: BinaryIO, name: str, job: Job) -> Iterator[Item]:
    """Rows under a header; an empty field is none. After a bad row, the next line is read as a row again."""
    csv.field_size_limit(MAX_BYTES)
    lines = _CsvLines(stream)
    rows = csv.reader(lines, strict=True)
    header: list[str] | None = None
    while True:
        place = Place(name, lines.number + 1)
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            until = f"; lines {place.line} to {lines.number} are left out" if lines.number != place.line else ""
            yield Failure(place, Reason.BAD_ROW, f"not CSV: {error}{until}")
            if header is None:
                return
            continue
        if header is None:
            header = row
            if problem := _header_problem(header, job):
                yield Failure(place, Reason.BAD_ROW, problem)
                return
        elif row:
            yield _read_row(header, row, place, job)


def _header_problem(header: Sequence[str], job: Job) -> str | None:
    for name in (job.text_field, job.id_field, job.date_field):
        if header.count(name) > 1:
            return f"two columns are called {name}"
    return None if job.text_field in header else no_text_column(job, header)


def no_text_column(job: Job, columns: Iterable[str]) -> str:
    """The message for a table without texts."""
    names = ", ".join(_ESCAPED.sub("\ufffd", name) for name in columns)
    return f"the file cannot be read: no column {job.text_field} among {names or 'none'}"


def _read_row(header: Sequence[str], row: Sequence[str], place: Place, job: Job) -> Item:
    if len(row) != len(header):
        return Failure(place, Reason.BAD_ROW, f"{len(row)} fields under a header of {len(header)}")
    values = dict(zip(header, (value or None for value in row), strict=True))
    for name in (job.text_field, job.id_field, job.date_field):
        if bad := _ESCAPED.search(values.get(name) or ""):
            byte = ord(bad[0]) - 0xDC00
            return Failure(place, Reason.NOT_UTF8, f"{name}: not UTF-8: 0x{byte:02X} at character {bad.start() + 1}")
    return record_of(values, place, job)
