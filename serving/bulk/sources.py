"""The files of an input: found on any file system that `fsspec` knows, named, and bundled in a fixed order."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from posixpath import basename, dirname
from typing import Any

import fsspec
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from serving.bulk.job import RefusedError

#: Bytes, as they are stored, from which on a bundle of files takes no more, and the files of one, at most.
BUNDLE_BYTES = 8 * 1024 * 1024
BUNDLE_FILES = 1024

_PYTHON_HAS_ZSTD = sys.version_info >= (3, 14)
_COMPRESSIONS = ("gz", "xz", "zst")
#: What file systems call the version of a file's content, the surest first.
_STAMPS = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "updated", "created")


class Kind(StrEnum):
    """What a file holds, by its name's ending."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    TEXT = "txt"


_KINDS = {"jsonl": Kind.JSONL, "ndjson": Kind.JSONL, "csv": Kind.CSV, "parquet": Kind.PARQUET, "txt": Kind.TEXT}
#: The endings that are read, for people.
ENDINGS = ".jsonl, .ndjson, .csv and .txt (each also with .gz, .xz or .zst), and .parquet"


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file: path in its file system, name in the input, bytes, and a stamp that changes with its content."""

    path: str
    name: str
    kind: Kind
    compression: str | None
    size: int
    stamp: str


@dataclass(frozen=True, slots=True)
class Input:
    """The files that are read, by name, and the names of those that are left out."""

    fs: fsspec.AbstractFileSystem
    files: tuple[InputFile, ...]
    left_out: tuple[str, ...]

    @property
    def digest(self) -> str:
        """What changes where a file is added, taken away, or changed."""
        lines = (f"{file.name}\0{file.size}\0{file.stamp}\n" for file in self.files)
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    @property
    def bundles(self) -> tuple[tuple[InputFile, ...], ...]:
        """Runs of files that are read one after the other: a large file alone, small ones together."""
        return tuple(_bundles(self.files))


def open_file_system(url: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """Return the file system of a local path or URL, and the path in it; raises RefusedError."""
    try:
        fs, path = url_to_fs(url)
    except ImportError as error:
        raise RefusedError(f"{url}: {error}") from None
    except ValueError as error:
        raise RefusedError(f"{url}: {error}") from None
    return fs, str(path).rstrip("/") or "/"


def is_local(fs: fsspec.AbstractFileSystem) -> bool:
    """Whether a file system is this machine's."""
    return isinstance(fs, LocalFileSystem)


def errors_of(fs: fsspec.AbstractFileSystem) -> type[Exception]:
    """What a file system raises. The libraries of stores have errors of their own, without a base class."""
    return OSError if is_local(fs) else Exception


def message_of(error: Exception) -> str:
    """What an error of `errors_of` says."""
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return f"{type(error).__name__}: {error}"


def find_input(url: str) -> Input:
    """Find the files of a path: one file, a directory with all below it, or a glob. Raises RefusedError.

    Names are relative to the directory, or to the part of the glob before its first wildcard.
    """
    fs, path = open_file_system(url)
    try:
        found, base = _found(fs, path)
    except errors_of(fs) as error:
        raise RefusedError(f"{url}: {message_of(error)}") from None
    files: list[InputFile] = []
    left_out: list[str] = []
    for place, info in sorted(found.items()):
        name = _name(place, base)
        if place.endswith("/"):  # an empty object in a store stands for a folder
            continue
        file = _file(place, name, info)
        if file is None:
            left_out.append(name)
        else:
            files.append(file)
    if not files:
        why = f"{left_out[0]} is not one" if left_out else "nothing is there"
        raise RefusedError(f"{url}: no file that can be read, and {why}: {ENDINGS} are read")
    return Input(fs, tuple(files), tuple(left_out))


def _found(fs: fsspec.AbstractFileSystem, path: str) -> tuple[dict[str, dict[str, Any]], str]:
    """Paths with what is known of them, and the directory that names are relative to."""
    fs.invalidate_cache()  # of an earlier look
    try:
        info = fs.info(path)
    except FileNotFoundError:
        info = {"type": ""}
    if info["type"] == "file":
        return {path: info}, dirname(path)
    if info["type"] == "directory":
        if is_local(fs):
            for _ in os.walk(path, onerror=_raise):
                pass  # `find` leaves a directory that cannot be read out, without a word
        return fs.find(path, detail=True), path
    wild = min((place for sign in "*?[" if (place := path.find(sign)) >= 0), default=None)
    if wild is None:
        raise FileNotFoundError(2, "there is no such file or directory")
    found = fs.glob(path, detail=True)
    return {place: info for place, info in found.items() if info["type"] != "directory"}, dirname(path[:wild])


def _raise(error: OSError) -> None:
    raise error


def _name(path: str, base: str) -> str:
    """The path from the base on; bytes in it that are not UTF-8 become question marks."""
    name = path[len(base) :].lstrip("/") if path.startswith(base) else basename(path)
    return name.encode("utf-8", "replace").decode("utf-8")


def _file(path: str, name: str, info: dict[str, Any]) -> InputFile | None:
    """The file, where it is of a kind that is read."""
    stem, _, ending = name.lower().rpartition(".")
    compression = ending if ending in _COMPRESSIONS else None
    if compression:
        ending = stem.rpartition(".")[2]
    kind = _KINDS.get(ending)
    hidden = basename(name).startswith((".", "_"))
    if kind is None or hidden or info["type"] != "file" or (kind is Kind.PARQUET and compression):
        return None
    stamp = next((str(info[key]) for key in _STAMPS if info.get(key) is not None), "")
    return InputFile(path, name, kind, compression, int(info.get("size") or 0), stamp)


def _bundles(files: Iterable[InputFile]) -> Iterator[tuple[InputFile, ...]]:
    bundle: list[InputFile] = []
    size = 0
    for file in files:
        if bundle and (len(bundle) == BUNDLE_FILES or size + file.size > BUNDLE_BYTES):
            yield tuple(bundle)
            bundle, size = [], 0
        bundle.append(file)
        size += file.size
    if bundle:
        yield tuple(bundle)


def missing_extra(files: Sequence[InputFile]) -> str | None:
    """What of the files cannot be read because the extra `cluster` is not installed, if anything."""
    if not has_pyarrow() and any(file.kind is Kind.PARQUET for file in files):
        return "Parquet"
    if not _has_zstd() and any(file.compression == "zst" for file in files):
        return "zst"
    return None


def has_pyarrow() -> bool:
    """Whether Parquet can be read and written."""
    return find_spec("pyarrow") is not None


def _has_zstd() -> bool:
    return _PYTHON_HAS_ZSTD or bool(find_spec("backports") and find_spec("backports.zstd"))
