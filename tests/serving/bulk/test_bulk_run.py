"""Whole runs in this process, over an extractor without a network."""

from __future__ import annotations

import csv
import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path

import fsspec
import pytest
from archives import contents, documents, failures, read_lines, write_lines
from fake_extractor import FakeExtractor
from typer.testing import Result

from model.extractor import SHIPPED, Extractor
from model.records import Document
from serving.bulk import plan, run
from serving.bulk.identity import maker
from serving.bulk.job import Format, Job, RefusedError
from serving.bulk.output import read_rows

Bulk = Callable[..., Result]


def test_documents_of_every_kind(archive: Path, tmp_path: Path, bulk: Bulk, loaded: FakeExtractor) -> None:
    output = tmp_path / "out"
    result = bulk(archive, output)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "7 documents" in result.stderr
    assert "0 failed" in result.stderr
    assert [(row["id"], row["date"], row["source"], row["line"]) for row in documents(output)] == [
        ("b0", None, "2015/b.jsonl", 1),
        ("b1", None, "2015/b.jsonl", 2),
        ("b2", None, "2015/b.jsonl", 3),
        ("7", "2015-07-01", "a.csv", 2),
        ("a.csv:4", None, "a.csv", 4),
        ("c.txt", None, "c.txt", None),
        ("d.ndjson:1", "20150702", "d.ndjson", 1),
    ]
    for row in documents(output):
        assert row["document"] == loaded.extract(row["document"]["text"], id=row["id"]).to_dict()
    assert not (output / "failed").exists()
    assert json.loads((output / "summary.json").read_bytes()) == {
        "documents": 7,
        "sentences": 7,
        "failed": {},
        "parts": 1,
    }


@pytest.mark.usefixtures("loaded")
def test_parquet_holds_the_same(archive: Path, tmp_path: Path, bulk: Bulk) -> None:
    pytest.importorskip("pyarrow", reason="the extra `cluster` is not installed")
    bulk(archive, tmp_path / "lines", "--part-documents", 3)
    bulk(archive, tmp_path / "parquet", "--part-documents", 3, "--format", "parquet")
    names = sorted(path.name for path in (tmp_path / "parquet" / "documents").iterdir())
    assert names == ["part-00000000.parquet", "part-00000001.parquet", "part-00000002.parquet"]
    assert list(read_rows(str(tmp_path / "parquet"))) == list(read_rows(str(tmp_path / "lines")))
    assert len(list(read_rows(str(tmp_path / "lines")))) == 7


@pytest.mark.usefixtures("loaded")
def test_an_id_that_comes_twice_is_a_failure_and_never_merged(tmp_path: Path, bulk: Bulk) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    same = [{"id": "x", "text": f"قال {n}"} for n in range(3)]
    write_lines(folder / "a.jsonl", [{"id": "x"}, *same, {"id": "c.jsonl:1", "text": "سافر"}])
    write_lines(folder / "b.jsonl", [{"id": "x", "text": "قال"}])
    write_lines(folder / "c.jsonl", [{"text": "وصل"}])
    output = tmp_path / "out"
    result = bulk(folder, output, "--part-documents", 2)
    assert result.exit_code == 1
    assert "2 documents" in result.stderr
    assert "5 failed (4 duplicate-id, 1 no-text)" in result.stderr
    assert [(row["id"], row["line"]) for row in documents(output)] == [("x", 2), ("c.jsonl:1", 5)]
    assert [(row["id"], row["source"], row["line"], row["reason"]) for row in failures(output)] == [
        ("x", "a.jsonl", 1, "no-text"),
        ("x", "a.jsonl", 3, "duplicate-id"),
        ("x", "a.jsonl", 4, "duplicate-id"),
        ("x", "b.jsonl", 1, "duplicate-id"),
        ("c.jsonl:1", "c.jsonl", 1, "duplicate-id"),
    ]
    assert failures(output)[1]["message"] == "id: x is that of a.jsonl:2 already"


def test_what_the_extractor_fails_on_is_a_failure(
    tmp_path: Path, bulk: Bulk, loaded: FakeExtractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"id": str(n), "text": "انكسر" if n == 2 else f"قال {n}"} for n in range(5)]
    write_lines(tmp_path / "a.jsonl", [*rows[:3], {"id": "bad"}, *rows[3:]])
    whole = loaded.extract_batch

    def fail(texts: list[str], **options: object) -> list[Document]:
        if "انكسر" in texts:
            raise RuntimeError("a broken word\nand more")
        return whole(texts, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(loaded, "extract_batch", fail)
    assert bulk(tmp_path / "a.jsonl", tmp_path / "out").exit_code == 1
    assert [row["id"] for row in documents(tmp_path / "out")] == ["0", "1", "3", "4"]
    broken, bad = failures(tmp_path / "out")
    assert (broken["id"], broken["reason"], broken["message"]) == ("2", "extraction", "RuntimeError: a broken word")
    assert (bad["id"], bad["line"]) == ("bad", 4)


@pytest.mark.usefixtures("loaded")
def test_options_come_to_the_extractor(tmp_path: Path, bulk: Bulk, loaded: FakeExtractor) -> None:
    write_lines(tmp_path / "a.jsonl", [{"body": "قال الوزير ذلك", "key": 1, "when": "2015"}])
    options = ["--text-field", "body", "--id-field", "key", "--date-field", "when", "--min-score", 0.9]
    assert bulk(tmp_path / "a.jsonl", tmp_path / "out", *options, "--batch-size", 4).exit_code == 0
    (row,) = documents(tmp_path / "out")
    assert (row["id"], row["date"]) == ("1", "2015")
    assert row["document"] == loaded.extract("قال الوزير ذلك", id="1", min_score=0.9).to_dict()


def test_runtime_and_checkpoint_come_to_the_extractor(
    archive: Path, tmp_path: Path, bulk: Bulk, loaded: FakeExtractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def load(checkpoint: object = None, *, runtime: str, **options: object) -> FakeExtractor:
        asked.append((checkpoint, runtime))
        return loaded

    monkeypatch.setattr(Extractor, "load", load)
    assert bulk(archive, tmp_path / "a").exit_code == 0
    assert bulk(archive, tmp_path / "b", "--runtime", "openvino-fp32", "--checkpoint", "fast").exit_code == 0
    assert asked == [(SHIPPED["default"], "openvino"), (SHIPPED["fast"], "openvino-fp32")]
    assert bulk(archive, tmp_path / "c", "--runtime", "torch").exit_code == 2
    assert not (tmp_path / "c").exists()


@pytest.mark.usefixtures("loaded")
def test_another_file_system(tmp_path: Path, bulk: Bulk) -> None:
    fs = fsspec.filesystem("memory")
    fs.pipe_file("/bulk-run/in/a.jsonl", '{"text": "قال"}\n{"text": "سافر"}\n{}\n'.encode())
    try:
        assert bulk("memory://bulk-run/in", "memory://bulk-run/out", "--part-documents", 1).exit_code == 1
        assert [row.id for row in read_rows("memory://bulk-run/out")] == ["a.jsonl:1", "a.jsonl:2"]
        assert json.loads(fs.cat_file("/bulk-run/out/failed/part-00000002.jsonl"))["line"] == 3
        again = bulk("memory://bulk-run/in", "memory://bulk-run/out", "--part-documents", 1)
        assert "2 documents" in again.stderr
    finally:
        fs.rm("/bulk-run", recursive=True)


# ---------------------------------------------------------------------------------------------------------------------
# Going on


def test_what_is_finished_is_not_done_again(archive: Path, tmp_path: Path, bulk: Bulk, loaded: FakeExtractor) -> None:
    output = tmp_path / "out"
    bulk(archive, output, "--part-documents", 2)
    whole = contents(output)
    (output / "finished" / "00000001.json").unlink()  # a run that was killed before it could say that this is done,
    (output / "documents" / "part-00000002.jsonl").write_bytes(b"{}\n")  # a part that someone has spoilt,
    (output / "documents" / ".part-00000003.jsonl.0123.tmp").write_bytes(b"torn")  # and one that was being written
    loaded.calls.clear()
    result = bulk(archive, output, "--part-documents", 2)
    assert result.exit_code == 0
    assert [len(texts) for texts in loaded.calls[1:]] == [2, 2]  # the first is the self-test
    assert contents(output) == whole


@pytest.mark.usefixtures("loaded")
def test_an_output_whose_name_has_signs_of_a_glob_goes_on(archive: Path, tmp_path: Path, bulk: Bulk) -> None:
    output = tmp_path / "out[1]*"
    assert bulk(archive, output).exit_code == 0
    whole = contents(output)
    assert bulk(archive, output).exit_code == 0
    assert contents(output) == whole


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--min-score", 0.5], "min_score was 0.0, and now is 0.5"),
        (["--format", "parquet"], 'format was "jsonl"'),
        (["--part-documents", 3], "part_documents was 2"),
        (["--text-field", "body"], 'text_field was "text"'),
        (["--runtime", "onnxruntime"], 'runtime was "openvino", and now is "onnxruntime"'),
    ],
)
@pytest.mark.usefixtures("loaded")
def test_another_run_in_the_same_directory_is_refused(
    archive: Path, tmp_path: Path, bulk: Bulk, options: list[object], message: str
) -> None:
    if "parquet" in options:
        pytest.importorskip("pyarrow", reason="the extra `cluster` is not installed")
    bulk(archive, tmp_path / "out", "--part-documents", 2)
    before = contents(tmp_path / "out")
    result = bulk(archive, tmp_path / "out", "--part-documents", 2, *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert contents(tmp_path / "out") == before


@pytest.mark.usefixtures("loaded")
def test_other_input_is_refused(archive: Path, tmp_path: Path, bulk: Bulk) -> None:
    bulk(archive, tmp_path / "out")
    (archive / "new.txt").write_text("جديد", encoding="utf-8")
    result = bulk(archive, tmp_path / "out")
    assert result.exit_code == 2
    assert "holds another run, whose input was" in result.stderr


def test_another_checkpoint_is_refused(archive: Path, tmp_path: Path, loaded: FakeExtractor) -> None:
    def checkpoint(name: str, weights: bytes) -> Job:
        folder = tmp_path / name
        folder.mkdir()
        config = {"model_type": "musnad", "max_pieces": 512, "encoder": {}, "name": "x", "version": "1"}
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        (folder / "model.safetensors").write_bytes(weights)
        return Job(checkpoint=str(folder))

    one, other = checkpoint("one", b"1"), checkpoint("other", b"2")
    assert maker(one) != maker(other)
    assert maker(one).checkpoint == maker(other).checkpoint
    run.run(str(archive), str(tmp_path / "out"), Job())
    with pytest.raises(RefusedError, match="made_by was"):
        run.run(str(archive), str(tmp_path / "out"), one)
    assert len(loaded.calls) == 2  # the self-test, and the seven documents


@pytest.mark.usefixtures("loaded")
def test_a_directory_of_something_else_is_refused(archive: Path, tmp_path: Path, bulk: Bulk) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").write_text("x", encoding="utf-8")
    result = bulk(archive, tmp_path / "out")
    assert result.exit_code == 2
    assert "not empty (there is precious)" in result.stderr
    assert bulk(archive, archive).exit_code == 2


@pytest.mark.usefixtures("loaded")
def test_two_runs_at_a_time_are_refused(archive: Path, tmp_path: Path, bulk: Bulk) -> None:
    (tmp_path / "out").mkdir()
    with (tmp_path / "out" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = bulk(archive, tmp_path / "out")
    assert result.exit_code == 2
    assert "another run is writing here" in result.stderr
    assert bulk(archive, tmp_path / "out").exit_code == 0


@pytest.mark.usefixtures("loaded")
def test_input_that_changes_while_it_is_read_ends_the_run(
    archive: Path, tmp_path: Path, bulk: Bulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = plan.make_plan

    def change(*arguments: object) -> object:
        chunks = whole(*arguments)  # type: ignore[arg-type]
        path = archive / "a.csv"
        status = path.stat()
        path.write_bytes(path.read_bytes().replace("بغداد".encode(), "بغدان".encode()))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        return chunks

    monkeypatch.setattr(run, "make_plan", change)
    result = bulk(archive, tmp_path / "out", "--part-documents", 3)
    assert result.exit_code == 1
    assert "changed since the run began" in result.stderr
    assert len(documents(tmp_path / "out")) == 3
    assert not (tmp_path / "out" / "summary.json").exists()
    with pytest.raises(RefusedError, match="not the output of a finished run"):
        next(read_rows(str(tmp_path / "out")))


@pytest.mark.usefixtures("loaded")
def test_a_file_that_is_new_at_the_end_is_told_of(
    archive: Path, tmp_path: Path, bulk: Bulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = plan.make_plan

    def add(*arguments: object) -> object:
        (archive / "late.txt").write_text("متأخر", encoding="utf-8")
        return whole(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(run, "make_plan", add)
    result = bulk(archive, tmp_path / "out")
    assert result.exit_code == 1
    assert "changed while it was read" in result.stderr


def test_misuse(archive: Path, tmp_path: Path, bulk: Bulk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bulk(tmp_path / "missing", tmp_path / "out").exit_code == 2
    assert "--actors: needs --ray" in bulk(archive, tmp_path / "out", "--actors", 2).stderr
    bad = bulk(archive, tmp_path / "out", "--checkpoint", tmp_path)
    assert bad.exit_code == 2
    assert "not a checkpoint directory" in bad.stderr
    monkeypatch.setattr(run, "has_pyarrow", lambda: False)
    parquet = bulk(archive, tmp_path / "out", "--format", Format.PARQUET)
    assert parquet.exit_code == 2
    assert "pip install 'musnad[cluster]'" in parquet.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("loaded")
def test_parts_are_cut_by_documents_and_by_characters(
    tmp_path: Path, bulk: Bulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "PART_CHARACTERS", 10)
    write_lines(tmp_path / "a.jsonl", [{"text": "ا" * size} for size in (4, 4, 4, 30, 1, 1, 1, 1)])
    bulk(tmp_path / "a.jsonl", tmp_path / "out", "--part-documents", 3)
    parts = [len(read_lines(path)) for path in sorted((tmp_path / "out" / "documents").iterdir())]
    assert parts == [2, 1, 1, 3, 1]


@pytest.mark.usefixtures("loaded")
def test_a_table_of_events_is_made_of_the_output(archive: Path, tmp_path: Path, bulk: Bulk) -> None:
    table = tmp_path / "events.csv"
    result = bulk(archive, tmp_path / "out", "--events", table)
    assert result.exit_code == 0, result.stderr
    with table.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["document"], row["date"]) for row in rows] == [
        (row["id"], {"20150702": "2015-07-02", None: ""}.get(row["date"], row["date"]))
        for row in documents(tmp_path / "out")
    ]
    assert "7 events in" in result.stderr


@pytest.mark.usefixtures("loaded")
def test_a_date_that_is_none_is_told_of_with_the_events(tmp_path: Path, bulk: Bulk) -> None:
    write_lines(tmp_path / "a.jsonl", [{"id": "x", "text": "قال الوزير", "date": "yesterday"}, {"text": "قال الوزير"}])
    table = tmp_path / "events.csv"
    result = bulk(tmp_path / "a.jsonl", tmp_path / "out", "--events", table)
    assert result.exit_code == 1
    assert "document x: no events: 'yesterday' is not a date" in result.stderr
    assert [row["date"] for row in documents(tmp_path / "out")] == ["yesterday", None]
    assert "a.jsonl:2" in table.read_text(encoding="utf-8")
    assert bulk(tmp_path / "a.jsonl", tmp_path / "no", "--events", "x.pdf").exit_code == 2
    assert not (tmp_path / "no").exists()
