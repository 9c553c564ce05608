"""Parquet in and out, with pyarrow (extra `cluster`)."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from serving.bulk.job import Job
from serving.bulk.readers import no_text_column
from serving.bulk.records import Failure, Item, Place, Reason, record_of

#: Rows that are decoded at a time.
_ROWS = 256


def read_parquet(stream: BinaryIO, name: str, job: Job) -> Iterator[Item]:
    """Yield the rows of a Parquet file; dates and times become ISO 8601. Raises OSError where the disk fails."""
    number = 0
    try:
        file = pq.ParquetFile(stream)
        columns = file.schema_arrow.names
        if job.text_field not in columns:
            yield Failure(Place(name), Reason.UNREADABLE, no_text_column(job, columns))
            return
        wanted = [field for field in (job.text_field, job.id_field, job.date_field) if field in columns]
        for batch in file.iter_batches(_ROWS, columns=wanted):
            for index in range(batch.num_rows):
                number += 1
                yield _row(batch, index, Place(name, number), job)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        where = f"after row {number}" if number else "from its beginning"
        yield Failure(Place(name), Reason.UNREADABLE, f"the file cannot be read {where}: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _row(batch: pa.RecordBatch, index: int, place: Place, job: Job) -> Item:
    values: dict[str, Any] = {}
    for column in batch.schema.names:
        try:
            value = batch.column(column)[index].as_py()
        except UnicodeDecodeError as error:
            byte = error.object[error.start]
            message = f"{column}: not UTF-8: 0x{byte:02X} at byte {error.start + 1}"
            return Failure(place, Reason.NOT_UTF8, message)
        is_date = column == job.date_field and isinstance(value, date)
        values[column] = value.isoformat() if is_date else value
    return record_of(values, place, job)


SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("date", pa.string()),
        pa.field("source", pa.string(), nullable=False),
        pa.field("line", pa.int64()),
        pa.field("document", pa.string(), nullable=False),
    ]
)


def rows_to_parquet(rows: Sequence[dict[str, Any]]) -> bytes:
    """A Parquet file of rows of SCHEMA, `document` being JSON."""
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows), SCHEMA), sink, compression="zstd")
    return sink.getvalue()


def parquet_to_rows(raw: bytes) -> list[dict[str, Any]]:
    """The rows of a Parquet file of `rows_to_parquet`."""
    rows: list[dict[str, Any]] = pq.read_table(io.BytesIO(raw), schema=SCHEMA).to_pylist()
    return rows
