"""Tables of events in files: CSV and Parquet both ways, PLOVER records out; all as streams.

A file is there whole or not at all: it is written beside its place, and moved there when it is complete.
"""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO

from serving.events.columns import COLUMNS, ColumnError, from_columns, to_columns
from serving.events.plover import plover_record
from serving.events.rows import EventRow
from serving.ndjson import json_line
from serving.reading import InputError, parse_json

#: Characters of a cell of CSV, at most.
_MAX_CELL = 16 * 1024 * 1024
#: A text that a spreadsheet would take for a formula, maybe with the apostrophes that say it is none.
_FORMULA = re.compile(r"'*[\s\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]")

EXTRA = "needs the extra `cluster`: pip install 'musnad[cluster]'"


class TableError(Exception):
    """A table that cannot be read or written; its text names the file and, where there is one, row and column."""


class TableForm(StrEnum):
    """What a file of events holds, by its ending. JSON is an array of PLOVER records, JSON lines the same in lines."""

    PARQUET = ".parquet"
    CSV = ".csv"
    JSON = ".json"
    JSONL = ".jsonl"


def form_of(path: Path) -> TableForm:
    """The form of a file by its ending; raises TableError for another ending, and for Parquet without pyarrow."""
    try:
        form = TableForm(path.suffix.lower())
    except ValueError:
        raise TableError(f"{path}: an event table ends in {', '.join(TableForm)}") from None
    if form is TableForm.PARQUET and find_spec("pyarrow") is None:
        raise TableError(f"{path}: Parquet {EXTRA}")
    return form


@dataclass(slots=True)
class Written:
    """How many events a file got, and how many were left out of it, being no PLOVER types (JSON only)."""

    events: int = 0
    left_out: int = 0


class EventWriter:
    """Takes events, one at a time, into a file."""

    def __init__(self, put: Callable[[EventRow], bool]) -> None:
        self._put = put
        self.written = Written()

    def write(self, row: EventRow) -> None:
        """Add an event."""
        if self._put(row):
            self.written.events += 1
        else:
            self.written.left_out += 1


@contextmanager
def event_writer(path: Path) -> Iterator[EventWriter]:
    """Open a table for writing, in the form of its ending; when the block ends without an error, the file is there.

    Raises TableError as `form_of`, and OSError.
    """
    form = form_of(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with _WRITERS[form](temporary) as put:
            yield EventWriter(put)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_events(path: Path, rows: Iterable[EventRow]) -> Written:
    """Write all rows to a table, in the form of its ending. Raises as `event_writer`."""
    with event_writer(path) as writer:
        for row in rows:
            writer.write(row)
    return writer.written


def read_events(path: Path) -> Iterator[EventRow]:
    """Yield the events of a CSV or Parquet table. Raises TableError, and OSError."""
    form = form_of(path)
    if form is TableForm.CSV:
        return _read_csv(path)
    if form is TableForm.PARQUET:
        from serving.events.parquet import read_parquet

        return _rows(path, read_parquet(path))
    raise TableError(f"{path}: PLOVER records do not hold all of an event; read the CSV or Parquet table")


def _rows(path: Path, numbered: Iterable[tuple[int, dict[str, Any]]]) -> Iterator[EventRow]:
    for number, values in numbered:
        try:
            yield from_columns(values)
        except ColumnError as error:
            raise TableError(f"{path}: row {number}: {error}") from None


# ---------------------------------------------------------------------------------------------------------------------
# CSV


@contextmanager
def _csv_writer(path: Path) -> Iterator[Callable[[EventRow], bool]]:
    with path.open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(COLUMNS)

        def put(row: EventRow) -> bool:
            out.writerow([_cell(value) for value in to_columns(row).values()])
            return True

        yield put


def _cell(value: object) -> object:
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return value


def _read_csv(path: Path) -> Iterator[EventRow]:
    csv.field_size_limit(_MAX_CELL)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        yield from _rows(path, _csv_rows(path, stream))


def _csv_rows(path: Path, stream: TextIO) -> Iterator[tuple[int, dict[str, Any]]]:
    rows = csv.reader(stream, strict=True)
    try:
        header = next(rows, None)
        if header is None:
            raise TableError(f"{path}: empty: not even a header")
        if missing := [name for name in COLUMNS if name not in header]:
            raise TableError(f"{path}: no column {missing[0]}: not a table of events")
        for number, row in enumerate(rows, 1):
            if not row:
                continue
            if len(row) != len(header):
                raise TableError(f"{path}: row {number}: {len(row)} cells under a header of {len(header)}")
            yield number, _values(path, number, dict(zip(header, row, strict=True)))
    except csv.Error as error:
        raise TableError(f"{path}: line {rows.line_num}: not CSV: {error}") from None
    except UnicodeDecodeError as error:
        raise TableError(f"{path}: not UTF-8: {error.reason} at byte {error.start + 1} of a block") from None


def _values(path: Path, number: int, cells: dict[str, str]) -> dict[str, Any]:
    """The cells by their types; an empty text is one where the filler is there, and nothing elsewhere."""
    values: dict[str, Any] = {}
    for column, kind in COLUMNS.items():
        cell = cells[column]
        try:
            values[column] = _parsed(cell, kind)
        except (ValueError, InputError) as error:
            raise TableError(f"{path}: row {number}: {column}: {error}") from None
    for column in values:
        role, _, name = column.partition("_")
        is_text = name in ("name", "key", "text")
        if is_text and values[column] is None and (role == "action" or cells.get(f"{role}_entity")):
            values[column] = ""
    return values


def _parsed(cell: str, kind: type) -> object:
    if cell == "":
        return None
    if kind is str:
        return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
    if kind is list:
        return parse_json(cell)
    if kind is int:
        return int(cell)
    number = float(cell)
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError(f"{cell!r} is not a number")
    return int(cell) if re.fullmatch(r"-?\d+", cell) else number


# ---------------------------------------------------------------------------------------------------------------------
# Parquet, JSON


@contextmanager
def _parquet_writer(path: Path) -> Iterator[Callable[[EventRow], bool]]:
    from serving.events.parquet import parquet_writer

    with parquet_writer(path) as put_values:

        def put(row: EventRow) -> bool:
            put_values(to_columns(row))
            return True

        yield put


@contextmanager
def _jsonl_writer(path: Path, before: bytes = b"", between: bytes = b"", after: bytes = b"") -> Iterator[Any]:
    with path.open("wb") as stream:
        stream.write(before)
        first = True

        def put(row: EventRow) -> bool:
            nonlocal first
            record = plover_record(row)
            if record is None:
                return False
            stream.write((b"" if first else between) + json_line(record))
            first = False
            return True

        yield put
        stream.write(after)


@contextmanager
def _json_writer(path: Path) -> Iterator[Any]:
    with _jsonl_writer(path, b"[\n", b",", b"]\n") as put:
        yield put


_WRITERS: dict[TableForm, Callable[[Path], Any]] = {
    TableForm.CSV: _csv_writer,
    TableForm.PARQUET: _parquet_writer,
    TableForm.JSONL: _jsonl_writer,
    TableForm.JSON: _json_writer,
}
