"""`musnad annotations import`, `export`, `split` and `dedup`: what they print, and the exit status."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from model.annotation_check import check
from model.annotation_files import read_annotations
from training.exchange.commands import app

#: As it is mounted: beside the commands of `training.commands.annotation_commands`.
annotations = typer.Typer()
annotations.command("stats")(lambda: None)
annotations.add_typer(app)

LINES = """{قصف|ASSAULT actor=1 target=2} [الجيش|NOM 1] [حلب|LOC 2].
زار [جو بايدن|PER] [بغداد|LOC].
"""


def _run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(annotations, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "news.txt"
    path.write_text(LINES, encoding="utf-8")
    return path


def test_import_and_export(tmp_path: Path, lines: Path) -> None:
    annotated = tmp_path / "news.jsonl"
    assert _run("import", "--from", "markup", lines, annotated) == (0, f"2 sentences in {annotated}\n")
    assert list(check([annotated])) == []
    assert [sentence.id for sentence in read_annotations(annotated)] == ["news-0001", "news-0002"]
    for name in ("doccano", "labelstudio", "brat", "markup", "service"):
        target, back = tmp_path / f"to-{name}", tmp_path / f"from-{name}.jsonl"
        assert _run("export", "--to", name, annotated, target)[0] == 0
        assert _run("import", "--from", name, target, back)[0] == 0
        assert back.read_text(encoding="utf-8") == annotated.read_text(encoding="utf-8")


def test_bad_records_are_all_printed_and_stop_the_import(tmp_path: Path, lines: Path) -> None:
    lines.write_text(LINES + "[حلب|GPE]\n[حلب|LOC\n", encoding="utf-8")
    target = tmp_path / "news.jsonl"
    status, output = _run("import", "--from", "markup", lines, target)
    assert status == 1
    assert f"{lines}:3: column 6" in output
    assert f"{lines}:4: column 1" in output
    assert not target.exists()
    status, output = _run("import", "--from", "markup", "--skip-bad", lines, target)
    assert status == 1
    assert len(list(read_annotations(target))) == 2


def test_nothing_is_replaced_unasked(tmp_path: Path, lines: Path) -> None:
    target = tmp_path / "news.jsonl"
    target.write_text("")
    status, output = _run("import", "--from", "markup", lines, target)
    assert status == 2
    assert "--overwrite" in output
    assert _run("import", "--from", "markup", "--overwrite", lines, target)[0] == 0
    assert _run("export", "--to", "doccano", target, lines)[0] == 2
    assert lines.read_text(encoding="utf-8") == LINES


def test_missing_and_odd_arguments(tmp_path: Path, lines: Path) -> None:
    status, output = _run("import", "--from", "markup", tmp_path / "none.txt", tmp_path / "out.jsonl")
    assert status == 2
    assert "none.txt" in output
    assert _run("import", "--from", "word", lines, tmp_path / "out.jsonl")[0] == 2
    assert _run("export", "--to", "doccano", tmp_path / "out.jsonl")[0] == 2
    assert _run("export", "--to", "doccano", "--lose", "roles", lines, tmp_path / "out")[0] == 2
    assert _run("export", "--to", "doccano", "--suggestions-of", "1", lines, tmp_path / "out")[0] == 2
    assert _run("export", "--to", "doccano", lines, tmp_path / "out")[0] == 2


def test_conll_loses_only_what_is_named(tmp_path: Path, lines: Path) -> None:
    annotated, target = tmp_path / "news.jsonl", tmp_path / "news.conll"
    _run("import", "--from", "markup", lines, annotated)
    status, output = _run("export", "--to", "conll", annotated, target)
    assert status == 1
    assert "--lose roles" in output
    assert not target.exists()
    status, output = _run("export", "--to", "conll", "--lose", "roles", "--lose", "actions", annotated, target)
    assert status == 0
    assert "roles are lost in CoNLL: 2" in output
    assert "حلب\tB-LOC\n" in target.read_text(encoding="utf-8")


def test_notes_of_one_kind_are_counted(tmp_path: Path, lines: Path) -> None:
    lines.write_text("".join(f"[حلب|LOC] رقم {number}\n" for number in range(8)), encoding="utf-8")
    annotated, target = tmp_path / "news.jsonl", tmp_path / "tasks.json"
    _run("import", "--from", "markup", lines, annotated)
    assert _run("export", "--to", "labelstudio", "--suggestions-of", "default 1", annotated, target)[0] == 0
    status, output = _run("import", "--from", "labelstudio", target, tmp_path / "out.jsonl")
    assert status == 0
    assert output.count("the task has no annotation") == 6
    assert "note: 3 more like this" in output
    status, output = _run(
        "import", "--from", "labelstudio", "--all-notes", "--overwrite", target, tmp_path / "out.jsonl"
    )
    assert output.count("the task has no annotation") == 8
    assert "more like this" not in output


def test_split_and_dedup(root: Path, tmp_path: Path) -> None:
    source = root / "annotations" / "test.jsonl"
    status, output = _run("split", source, "--into", tmp_path / "parts")
    assert status == 0
    assert "conflict" in output
    parts = [tmp_path / "parts" / f"{name}.jsonl" for name in ("train", "dev", "test")]
    assert [len(list(read_annotations(part))) for part in parts] == [264, 33, 33]
    assert _run("split", source, "--into", tmp_path / "parts")[0] == 2
    assert _run("dedup", *parts) == (0, "0 near-duplicates, 0 of them across files\n")
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(parts[2].read_bytes())
    status, output = _run("dedup", parts[2], copy)
    assert status == 1
    assert "33 near-duplicates, 33 of them across files" in output
    within = tmp_path / "within.jsonl"
    within.write_bytes(parts[2].read_bytes() * 2)
    assert _run("dedup", within)[0] == 0
