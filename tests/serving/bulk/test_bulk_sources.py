from __future__ import annotations

import errno
import os
from pathlib import Path

import fsspec
import pytest

from serving.bulk import sources
from serving.bulk.job import RefusedError
from serving.bulk.sources import Kind, find_input, missing_extra


def names(url: str | Path) -> list[str]:
    return [file.name for file in find_input(str(url)).files]


def test_a_directory_is_read_in_the_order_of_names(archive: Path) -> None:
    (archive / "_SUCCESS").touch()
    (archive / "notes.pdf").touch()
    (archive / "e.parquet.gz").touch()
    (archive / ".hidden.txt").touch()
    found = find_input(str(archive))
    assert [file.name for file in found.files] == ["2015/b.jsonl", "a.csv", "c.txt", "d.ndjson"]
    assert found.left_out == (".hidden.txt", "_SUCCESS", "e.parquet.gz", "notes.pdf")


def test_a_file_and_a_glob(archive: Path) -> None:
    assert names(archive / "a.csv") == ["a.csv"]
    assert names(f"{archive}/*.csv") == ["a.csv"]
    assert names(f"{archive}/**/*.jsonl") == ["2015/b.jsonl"]
    assert names(f"{archive}/20*/b*") == ["2015/b.jsonl"]


def test_a_file_whose_name_has_signs_of_a_glob(tmp_path: Path) -> None:
    (tmp_path / "a[1].txt").write_text("x", encoding="utf-8")
    assert names(tmp_path / "a[1].txt") == ["a[1].txt"]


def test_kinds_and_compressions_go_by_the_ending(tmp_path: Path) -> None:
    for name in ("A.JSONL.GZ", "b.ndjson.xz", "c.csv.zst", "d.txt", "e.parquet"):
        (tmp_path / name).touch()
    assert [(file.kind, file.compression) for file in find_input(str(tmp_path)).files] == [
        (Kind.JSONL, "gz"),
        (Kind.JSONL, "xz"),
        (Kind.CSV, "zst"),
        (Kind.TEXT, None),
        (Kind.PARQUET, None),
    ]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("{}/missing", "no such file"),
        ("{}/*.nothing", "nothing is there"),
        ("{}/a.pdf", "a.pdf is not one"),
        ("{}/empty", "nothing is there"),
        ("nosuchscheme://x/y", "nosuchscheme"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, url: str, message: str) -> None:
    (tmp_path / "a.pdf").touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises(RefusedError, match=message):
        find_input(url.format(tmp_path))


def test_a_directory_that_cannot_be_read_is_not_left_out_in_silence(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.scandir

    def scan(path: str) -> object:
        if str(path).endswith("2015"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return whole(path)

    monkeypatch.setattr(os, "scandir", scan)
    with pytest.raises(RefusedError, match=r"archive: Permission denied"):
        find_input(str(archive))


def test_other_file_systems(tmp_path: Path) -> None:
    fs = fsspec.filesystem("memory")
    fs.pipe_file("/bulk-sources/x/a.txt", b"one")
    fs.pipe_file("/bulk-sources/b.txt", b"two")
    try:
        assert names("memory://bulk-sources") == ["b.txt", "x/a.txt"]
        assert names("memory://bulk-sources/*/*.txt") == ["x/a.txt"]
        assert names("memory://bulk-sources/b.txt") == ["b.txt"]
    finally:
        fs.rm("/bulk-sources", recursive=True)


def test_small_files_share_a_bundle_and_large_ones_do_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "BUNDLE_BYTES", 10)
    for name, size in (("a", 4), ("b", 6), ("c", 1), ("d", 50), ("e", 1)):
        (tmp_path / f"{name}.txt").write_bytes(b"x" * size)
    bundles = [[file.name[0] for file in bundle] for bundle in find_input(str(tmp_path)).bundles]
    assert bundles == [["a", "b"], ["c"], ["d"], ["e"]]


def test_the_digest_tells_of_a_change(archive: Path) -> None:
    before = find_input(str(archive)).digest
    assert find_input(str(archive)).digest == before
    (archive / "c.txt").write_text("وصل الوفد", encoding="utf-8")
    assert find_input(str(archive)).digest != before


def test_what_needs_the_extra_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "find_spec", lambda name: None)
    monkeypatch.setattr(sources, "_PYTHON_HAS_ZSTD", False)
    (tmp_path / "a.txt").touch()
    assert missing_extra(find_input(str(tmp_path)).files) is None
    (tmp_path / "a.csv.zst").touch()
    assert missing_extra(find_input(str(tmp_path)).files) == "zst"
    (tmp_path / "a.parquet").touch()
    assert missing_extra(find_input(str(tmp_path)).files) == "Parquet"
