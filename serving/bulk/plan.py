"""The plan of a run: its input cut into chunks, each of which becomes one part, and ids that come twice.

It is made by reading the whole input once before anything is extracted, which takes far less time than the extraction.
Whoever reads a bundle of files later cuts it at the same places, and notices where it is no longer what was planned.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import fsspec

from serving.bulk.job import PART_CHARACTERS, BulkError, Job, Told
from serving.bulk.readers import read_bundle
from serving.bulk.records import Failure, Item, Reason, Record
from serving.bulk.sources import Input, InputFile


@dataclass(frozen=True, slots=True)
class Chunk:
    """What becomes one part: so many items of a bundle, after those of the chunk before.

    `digest` is that of the items. `duplicates` says for some of them, by index, where their id stands first.
    """

    number: int
    bundle: int
    items: int
    digest: str
    duplicates: dict[int, str] = field(default_factory=dict)


class _Ids:
    """The ids of all documents, on disk, so that memory stays flat."""

    def __init__(self, folder: Path) -> None:
        self._rows = sqlite3.connect(folder / "ids.sqlite", isolation_level=None)
        self._rows.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536;"
            "CREATE TABLE ids (id TEXT PRIMARY KEY, place TEXT) WITHOUT ROWID; BEGIN;"
        )

    def claim(self, record: Record) -> str | None:
        """Take the id of a document; return where it stands already, if it does."""
        row = (record.id, str(record.place))
        if self._rows.execute("INSERT OR IGNORE INTO ids VALUES (?, ?)", row).rowcount:
            return None
        first: str = self._rows.execute("SELECT place FROM ids WHERE id = ?", row[:1]).fetchone()[0]
        return first

    def close(self) -> None:
        self._rows.close()


def make_plan(source: Input, job: Job, told: Told) -> list[Chunk]:
    """Read the input and cut it into chunks; raises BulkError."""
    chunks: list[Chunk] = []
    with tempfile.TemporaryDirectory(prefix="musnad-bulk-") as folder:
        ids = _Ids(Path(folder))
        try:
            for number, files in enumerate(source.bundles):
                for items in _cut(read_bundle(source.fs, files, job), job):
                    duplicates = _duplicates(items, ids)
                    chunks.append(Chunk(len(chunks), number, len(items), _digest(items), duplicates))
                    told(len(items))
        finally:
            ids.close()
    return chunks


def _cut(items: Iterable[Item], job: Job) -> Iterator[list[Item]]:
    part: list[Item] = []
    characters = 0
    for item in items:
        size = len(item.text) if isinstance(item, Record) else 0
        if part and (len(part) == job.part_documents or characters + size > PART_CHARACTERS):
            yield part
            part, characters = [], 0
        part.append(item)
        characters += size
    if part:
        yield part


def _duplicates(items: Iterable[Item], ids: _Ids) -> dict[int, str]:
    places = {index: ids.claim(item) for index, item in enumerate(items) if isinstance(item, Record)}
    return {index: place for index, place in places.items() if place is not None}


def _digest(items: Iterable[Item]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for item in items:
        if isinstance(item, Record):
            row = [str(item.place), item.id, item.date, item.text]
        else:
            row = [str(item.place), item.id, item.reason.value, item.message]
        digest.update(json.dumps(row).encode())
    return digest.hexdigest()


def plan_to_bytes(chunks: Iterable[Chunk]) -> bytes:
    """A plan as JSON lines."""
    return b"".join(json.dumps(asdict(chunk)).encode() + b"\n" for chunk in chunks)


def plan_from_bytes(raw: bytes) -> list[Chunk]:
    """The plan that `plan_to_bytes` wrote."""
    return [_chunk(json.loads(line)) for line in raw.splitlines()]


def _chunk(row: dict[str, Any]) -> Chunk:
    duplicates = {int(index): place for index, place in row.pop("duplicates").items()}
    return Chunk(**row, duplicates=duplicates)


@dataclass(frozen=True, slots=True)
class Task:
    """A bundle of files, its chunks, and the numbers of those that are still to be done; it travels to the workers."""

    fs: fsspec.AbstractFileSystem
    files: tuple[InputFile, ...]
    chunks: tuple[Chunk, ...]
    wanted: frozenset[int]


def tasks(source: Input, chunks: Iterable[Chunk], finished: Collection[int]) -> Iterator[Task]:
    """What is still to be done, bundle by bundle."""
    bundles = source.bundles
    for number, group in groupby(chunks, key=lambda chunk: chunk.bundle):
        own = tuple(group)
        wanted = frozenset(chunk.number for chunk in own if chunk.number not in finished)
        if wanted:
            yield Task(source.fs, bundles[number], own, wanted)


def read_task(task: Task, job: Job) -> Iterator[tuple[int, list[Item]]]:
    """Yield the number and the items of every chunk that is wanted, a duplicate being a failure.

    Raises BulkError where the files are not what was planned.
    """
    items = read_bundle(task.fs, task.files, job)
    left = set(task.wanted)
    for chunk in task.chunks:
        if not left:
            return
        own = list(islice(items, chunk.items))
        if chunk.number in left:
            left.remove(chunk.number)
            if _digest(own) != chunk.digest:
                raise BulkError(f"{_names(task.files)}: changed since the run began")
            yield chunk.number, [_judged(item, chunk.duplicates.get(index)) for index, item in enumerate(own)]


def _names(files: Sequence[InputFile]) -> str:
    return files[0].path if len(files) == 1 else f"{files[0].path} or one of the {len(files) - 1} files after it"


def _judged(item: Item, first: str | None) -> Item:
    if first is None or isinstance(item, Failure):
        return item
    return Failure(item.place, Reason.DUPLICATE_ID, f"id: {item.id} is that of {first} already", item.id)
