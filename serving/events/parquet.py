"""Tables of events in Parquet, with pyarrow (extra `cluster`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from serving.events.columns import COLUMNS, FILLER_FIELDS, OTHERS
from serving.events.tables import TableError

#: Rows of a row group: what is held in memory at a time.
_ROWS = 10_000

_TYPES: dict[type, pa.DataType] = {str: pa.string(), int: pa.int64(), float: pa.float64()}
_FILLER = pa.struct([pa.field(name, _TYPES[kind]) for name, kind in FILLER_FIELDS.items()])
_NEVER_NULL = ("document", "sentence", "action", "class", "factuality", "action_score")

SCHEMA = pa.schema(
    [
        pa.field(name, pa.list_(_FILLER) if kind is list else _TYPES[kind], nullable=name not in _NEVER_NULL)
        for name, kind in COLUMNS.items()
    ]
)


@contextmanager
def parquet_writer(path: Path) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Yield what takes the columns of a row; they are written by the row group."""
    waiting: list[dict[str, Any]] = []
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:

        def flush() -> None:
            writer.write_table(pa.Table.from_pylist(waiting, SCHEMA))
            waiting.clear()

        def put(values: dict[str, Any]) -> None:
            waiting.append(_with_doubles(values))
            if len(waiting) == _ROWS:
                flush()

        yield put
        if waiting:
            flush()


def _with_doubles(values: dict[str, Any]) -> dict[str, Any]:
    """The same, with the numbers that texts say as doubles; null for what is too large for one."""
    doubles = {name: _double(value) for name, value in values.items() if name.endswith("_value")}
    others = {
        column: [{**other, "value": _double(other["value"])} for other in values[column]] for column in OTHERS.values()
    }
    return {**values, **doubles, **others}


def _double(value: int | float | None) -> float | None:
    try:
        return None if value is None else float(value)
    except OverflowError:
        return None


def read_parquet(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of a table, numbered from 1. Raises TableError where it is not a table of events, and OSError."""
    try:
        with pq.ParquetFile(path) as file:
            if missing := [name for name in COLUMNS if name not in file.schema_arrow.names]:
                raise TableError(f"{path}: no column {missing[0]}: not a table of events")
            number = 0
            for batch in file.iter_batches(_ROWS, columns=list(COLUMNS)):
                for values in batch.to_pylist():
                    number += 1
                    yield number, _with_integers(values)
    except pa.ArrowException as error:
        raise TableError(f"{path}: {str(error).partition(chr(10))[0]}") from None


def _with_integers(values: dict[str, Any]) -> dict[str, Any]:
    """The same, with whole numbers as such: a double does not say which it was."""
    found = {name: _integer(value) if name.endswith("_value") else value for name, value in values.items()}
    for column in OTHERS.values():
        found[column] = [{**other, "value": _integer(other["value"])} for other in values[column] or ()]
    return found


def _integer(value: float | None) -> int | float | None:
    return int(value) if value is not None and value.is_integer() else value
