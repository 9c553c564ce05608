"""The output directory: parts, failures, and a manifest of what is finished. Every file is there whole or not at all.

| file | what |
|---|---|
| `run.json` | what the run was asked to do; another run in the directory is refused |
| `plan.jsonl` | the chunks of the input (`plan.py`) |
| `documents/part-00000000.jsonl` or `.parquet` | the documents of a chunk |
| `failed/part-00000000.jsonl` | its failures, where it has any |
| `finished/00000000.json` | written last: the chunk is done |
| `summary.json` | written when all are |
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import fsspec

from serving.bulk.job import BulkError, Format, RefusedError
from serving.bulk.sources import errors_of, is_local, message_of, open_file_system

DOCUMENTS, FAILED, FINISHED = "documents", "failed", "finished"
RUN, PLAN, SUMMARY = "run.json", "plan.jsonl", "summary.json"
_LOCK = ".lock"


@dataclass(frozen=True, slots=True)
class Row:
    """A document of a part: `document` is the project's JSON (`Document.to_dict`); `line` as in `Place`."""

    id: str
    date: str | None
    source: str
    line: int | None
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finished:
    """A chunk that is done: its documents, their sentences, failures by reason, and bytes and digest of its part."""

    chunk: int
    documents: int
    sentences: int
    failed: dict[str, int] = field(default_factory=dict)
    bytes: int = 0
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """A directory of any file system; it travels to the workers."""

    fs: fsspec.AbstractFileSystem
    root: str

    @classmethod
    def at(cls, url: str) -> Output:
        """The output at a local path or URL; raises RefusedError."""
        return cls(*open_file_system(url))

    def read(self, name: str) -> bytes | None:
        """The content of a file; None where there is none. Raises BulkError."""
        try:
            raw: bytes = self.fs.cat_file(f"{self.root}/{name}")
        except FileNotFoundError:
            return None
        except errors_of(self.fs) as error:
            raise self._unreadable(name, error) from None
        return raw

    def read_all(self, names: Iterable[str]) -> list[bytes]:
        """The contents of files, many at a time where the file system can. Raises BulkError."""
        paths = [f"{self.root}/{name}" for name in names]
        try:
            found: list[bytes] = self.fs.cat_ranges(paths, None, None, on_error="raise")
        except errors_of(self.fs) as error:
            raise self._unreadable("", error) from None
        return found

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all, in the place of one that is there. Raises BulkError."""
        path = f"{self.root}/{name}"
        try:
            if is_local(self.fs):
                _replace(Path(path), content)
            else:  # stores of objects show an object when all of it has arrived
                try:
                    self.fs.pipe_file(path, content)
                except FileNotFoundError:  # stores of objects have no folders, other file systems do
                    _make_folders(self.fs, path.rpartition("/")[0])
                    self.fs.pipe_file(path, content)
        except errors_of(self.fs) as error:
            raise BulkError(f"{path}: cannot be written: {message_of(error)}") from None

    def names(self, folder: str) -> dict[str, int]:
        """The files of a folder, with their sizes; hidden ones are left out. Raises BulkError."""
        path = f"{self.root}/{folder}".rstrip("/")
        self.fs.invalidate_cache()  # other processes write too
        try:
            found = self.fs.ls(path, detail=True)
        except FileNotFoundError:
            return {}
        except errors_of(self.fs) as error:
            raise self._unreadable(folder, error) from None
        sizes = {str(info["name"]).rstrip("/"): int(info.get("size") or 0) for info in found}
        sizes.pop(path, None)  # an empty object in a store stands for the folder itself
        names = {place.rpartition("/")[2]: size for place, size in sizes.items()}
        return {name: size for name, size in names.items() if not name.startswith(".")}

    def _unreadable(self, name: str, error: Exception) -> BulkError:
        return BulkError(f"{self.root}/{name}".rstrip("/") + f": cannot be read: {message_of(error)}")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs on this machine out, and tidy up after one that was killed; raises RefusedError."""
        if not is_local(self.fs):
            yield
            return
        try:
            Path(self.root).mkdir(parents=True, exist_ok=True)
            handle = os.open(f"{self.root}/{_LOCK}", os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise RefusedError(f"{self.root}: {error.strerror}") from None
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RefusedError(f"{self.root}: another run is writing here") from None
            for torn in Path(self.root).glob("**/.*.tmp"):
                torn.unlink(missing_ok=True)
            yield
        finally:
            os.close(handle)


def _make_folders(fs: fsspec.AbstractFileSystem, path: str) -> None:
    """Make a folder and those above it, but not the first: a bucket that is not there is a mistake."""
    parts = path.strip("/").split("/")
    root = "/" if path.startswith("/") else ""
    for count in range(2, len(parts) + 1):
        with suppress(FileExistsError):
            fs.mkdir(root + "/".join(parts[:count]), create_parents=False)


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


# ---------------------------------------------------------------------------------------------------------------------
# Parts


def part_name(chunk: int, format: Format) -> str:
    """The name of a chunk's part."""
    return f"part-{chunk:08d}.{format.value}"


@dataclass(frozen=True, slots=True)
class EncodedRow:
    """A Row whose document is JSON already, which takes far less memory."""

    id: str
    date: str | None
    source: str
    line: int | None
    document: str
    sentences: int


def write_part(
    output: Output, format: Format, chunk: int, rows: list[EncodedRow], failures: list[dict[str, Any]]
) -> Finished:
    """Write what a chunk became, and last that it is finished. Raises BulkError."""
    if failures:
        lines = [json.dumps(failure, ensure_ascii=False) + "\n" for failure in failures]
        name = f"{FAILED}/{part_name(chunk, Format.JSONL)}"
        output.write(name, "".join(lines).encode("utf-8", "backslashreplace"))
    raw = _encode(rows, format)
    output.write(f"{DOCUMENTS}/{part_name(chunk, format)}", raw)
    finished = Finished(
        chunk,
        len(rows),
        sum(row.sentences for row in rows),
        dict(Counter(failure["reason"] for failure in failures)),
        len(raw),
        hashlib.sha256(raw).hexdigest(),
    )
    output.write(f"{FINISHED}/{chunk:08d}.json", json.dumps(asdict(finished)).encode())
    return finished


def _encode(rows: list[EncodedRow], format: Format) -> bytes:
    heads = [{"id": row.id, "date": row.date, "source": row.source, "line": row.line} for row in rows]
    if format is Format.PARQUET:
        from serving.bulk.parquet import rows_to_parquet

        return rows_to_parquet([{**head, "document": row.document} for head, row in zip(heads, rows, strict=True)])
    lines = (json.dumps(head, ensure_ascii=False)[:-1] for head in heads)
    return "".join(f'{line}, "document": {row.document}}}\n' for line, row in zip(lines, rows, strict=True)).encode()


def finished_chunks(output: Output, format: Format) -> dict[int, Finished]:
    """The chunks that are done, whose parts are still there in full."""
    contents = output.read_all(f"{FINISHED}/{name}" for name in sorted(output.names(FINISHED)))
    parts = output.names(DOCUMENTS)
    found = [Finished(**json.loads(raw)) for raw in contents]
    return {own.chunk: own for own in found if parts.get(part_name(own.chunk, format)) == own.bytes}


def read_rows(url: str) -> Iterator[Row]:
    """Yield every document of a finished output, in the order of the input; raises RefusedError where it is not one.

    This is what a table of events is made from: it holds each document exactly once, with its date.
    """
    output = Output.at(url)
    if output.read(SUMMARY) is None:
        raise RefusedError(f"{url}: not the output of a finished run: there is no {SUMMARY}")
    for name in sorted(output.names(DOCUMENTS)):
        raw = output.read(f"{DOCUMENTS}/{name}") or b""
        for values in _decode(raw, name):
            yield Row(**values)


def _decode(raw: bytes, name: str) -> Iterator[dict[str, Any]]:
    if name.endswith(f".{Format.JSONL.value}"):
        for line in raw.removesuffix(b"\n").split(b"\n") if raw else ():
            yield json.loads(line)
        return
    from serving.bulk.parquet import parquet_to_rows

    for values in parquet_to_rows(raw):
        yield {**values, "document": json.loads(values["document"])}
