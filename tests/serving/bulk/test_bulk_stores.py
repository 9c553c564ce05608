"""A store of objects that behaves as they do: it remembers what it listed, and its errors are its own."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from fake_extractor import FakeExtractor
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.memory import MemoryFile, MemoryFileSystem
from typer.testing import Result

from serving.bulk import plan, run
from serving.bulk.output import Output, read_rows

Bulk = Callable[..., Result]

_LINES = [json.dumps({"text": f"قال الوزير {n}"}, ensure_ascii=False) for n in range(40)]
_IN, _OUT = "objects://bucket/in", "objects://bucket/out"
_OPTIONS = (_IN, _OUT, "--part-documents", 8)


class _StoreError(Exception):
    """What the libraries of stores raise: no OSError."""


class _Objects(MemoryFileSystem):
    """A store in memory; `reads` of its files are left before its network fails, if that is not None."""

    protocol = "objects"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    reads: ClassVar[int | None] = None
    down: ClassVar[bool] = False
    _listed: ClassVar[dict[str, list[dict[str, Any]]]] = {}

    @classmethod
    def _strip_protocol(cls, path: Any) -> str:
        return str(super()._strip_protocol(str(path).replace("objects://", "memory://")))

    def invalidate_cache(self, path: str | None = None) -> None:
        self._listed.clear()

    def info(self, path: str, **options: Any) -> Any:
        if self.down:
            raise _StoreError("the endpoint does not answer")
        return super().info(path, **options)

    def ls(self, path: str, detail: bool = True, **options: Any) -> list[Any]:
        path = self._strip_protocol(path)
        if path not in self._listed:
            self._listed[path] = super().ls(path, detail=True)
        return self._listed[path] if detail else [info["name"] for info in self._listed[path]]

    def mkdir(self, path: str, create_parents: bool = True, **options: Any) -> None:
        self._check_bucket(path)

    def pipe_file(self, path: str, value: bytes, **options: Any) -> None:
        self._check_bucket(path)
        super().pipe_file(path, value, **options)

    def _check_bucket(self, path: str) -> None:
        if not self._strip_protocol(path).startswith("/bucket/"):
            raise FileNotFoundError("The specified bucket does not exist")

    def _open(self, path: str, mode: str = "rb", *arguments: Any, **options: Any) -> Any:
        stream = super()._open(path, mode, *arguments, **options)
        return _Failing(stream.getvalue()) if mode == "rb" and self.reads is not None else stream


class _Failing(io.BytesIO):
    def readinto(self, buffer: Any) -> int:
        _spend()
        return int(super().readinto(buffer))

    def read(self, size: int | None = -1) -> bytes:
        _spend()
        return bytes(super().read(size))


def _spend() -> None:
    assert _Objects.reads is not None
    _Objects.reads -= 1
    if _Objects.reads < 0:
        raise _StoreError("the connection was lost")


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> _Objects:
    """The store, empty."""
    fsspec.register_implementation("objects", _Objects, clobber=True)
    for name, value in (("store", {}), ("pseudo_dirs", [""]), ("_listed", {}), ("reads", None), ("down", False)):
        monkeypatch.setattr(_Objects, name, value)
    return _Objects()


def _parquet() -> bytes:
    pa = pytest.importorskip("pyarrow", reason="the extra `cluster` is not installed")
    pq = pytest.importorskip("pyarrow.parquet")
    sink = pa.BufferOutputStream()
    table = pa.Table.from_pylist([json.loads(line) for line in _LINES])
    pq.write_table(table, sink, row_group_size=10)
    return bytes(sink.getvalue())


_FILES: dict[str, Callable[[], bytes]] = {
    "a.jsonl": lambda: "\n".join(_LINES).encode(),
    "a.jsonl.gz": lambda: gzip.compress("\n".join(_LINES).encode()),
    "a.parquet": _parquet,
}


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("name", sorted(_FILES))
def test_a_network_that_fails_ends_the_run_and_is_no_damage_of_a_file(name: str, objects: _Objects, bulk: Bulk) -> None:
    objects.pipe_file("/bucket/in/" + name, _FILES[name]())
    _Objects.reads = 1
    failed = bulk(*_OPTIONS)
    assert failed.exit_code == 1
    assert f"/bucket/in/{name}: _StoreError: the connection was lost. What is finished is kept" in failed.stderr
    assert objects.find("/bucket/out") == ["/bucket/out/run.json"]
    _Objects.reads = None
    whole = bulk(*_OPTIONS)
    assert whole.exit_code == 0, whole.stderr
    assert "40 documents" in whole.stderr
    assert len(list(read_rows(_OUT))) == 40


@pytest.mark.usefixtures("loaded")
def test_a_store_that_does_not_answer_is_told_of(objects: _Objects, bulk: Bulk) -> None:
    objects.pipe_file("/bucket/in/a.jsonl", _FILES["a.jsonl"]())
    _Objects.down = True
    result = bulk(*_OPTIONS)
    assert result.exit_code == 2
    assert result.stderr == f"musnad: {_IN}: _StoreError: the endpoint does not answer\n"


@pytest.mark.usefixtures("loaded")
def test_a_bucket_that_is_not_there_is_refused_and_not_made(objects: _Objects, bulk: Bulk) -> None:
    objects.pipe_file("/bucket/in/a.jsonl", _FILES["a.jsonl"]())
    result = bulk(_IN, "objects://bukcet/out")
    assert result.exit_code == 2
    assert result.stderr == "musnad: /bukcet/out/run.json: cannot be written: The specified bucket does not exist\n"


def test_folders_are_made_where_a_file_system_has_them(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    output = Output(DirFileSystem(str(tmp_path)), "a/b/c")
    output.write("documents/x", b"1")
    output.write("documents/y", b"2")
    assert output.names("documents") == {"x": 1, "y": 1}
    assert (tmp_path / "a" / "b" / "c" / "documents" / "x").read_bytes() == b"1"


@pytest.mark.usefixtures("loaded")
def test_objects_that_stand_for_folders_are_no_files(objects: _Objects, bulk: Bulk) -> None:
    objects.pipe_file("/bucket/in/a.jsonl", _FILES["a.jsonl"]())
    for folder in ("/bucket/in/", "/bucket/out/"):
        _Objects.store[folder] = MemoryFile(_Objects, folder, b"")
    result = bulk(*_OPTIONS)
    assert result.exit_code == 0, result.stderr
    assert "left out" not in result.stderr
    _Objects.store["/bucket/out/documents/"] = MemoryFile(_Objects, "/bucket/out/documents/", b"")
    assert bulk(*_OPTIONS).exit_code == 0
    assert len(list(read_rows(_OUT))) == 40


@pytest.mark.usefixtures("loaded")
def test_what_others_wrote_is_seen(objects: _Objects, bulk: Bulk, loaded: FakeExtractor) -> None:
    objects.pipe_file("/bucket/in/a.jsonl", _FILES["a.jsonl"]())
    assert bulk(*_OPTIONS).exit_code == 0
    part = objects.cat_file("/bucket/out/documents/part-00000002.jsonl")
    for name in ("documents/part-00000002.jsonl", "finished/00000002.json", "summary.json"):
        objects.rm_file(f"/bucket/out/{name}")
    loaded.calls.clear()
    assert bulk(*_OPTIONS).exit_code == 0
    assert [len(texts) for texts in loaded.calls[1:]] == [8]  # the first is the self-test
    assert objects.cat_file("/bucket/out/documents/part-00000002.jsonl") == part
    assert [row.line for row in read_rows(_OUT)] == list(range(1, 41))


@pytest.mark.usefixtures("loaded")
def test_input_that_is_new_at_the_end_is_told_of(
    objects: _Objects, bulk: Bulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects.pipe_file("/bucket/in/a.jsonl", _FILES["a.jsonl"]())
    whole = plan.make_plan

    def add(*arguments: object) -> object:
        objects.pipe_file("/bucket/in/b.jsonl", b'{"text": "x"}\n')
        return whole(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(run, "make_plan", add)
    result = bulk(*_OPTIONS)
    assert result.exit_code == 1
    assert "changed while it was read" in result.stderr
