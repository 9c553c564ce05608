"""`musnad annotations`: what it prints, and the exit status."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from training.commands import app


def test_check_names_every_problem(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(
        '{"id": "a", "text": "بغداد", "entities": [{"id": 0, "label": "LOCC", "start_offset": 0, "end_offset": 5}], '
        '"relations": []}\nnot json\n',
        encoding="utf-8",
    )
    result = CliRunner().invoke(app, ["annotations", "check", str(path)])
    assert result.exit_code == 1
    assert f"{path}:1:" in result.output
    assert "بغداد" in result.output
    assert f"{path}:2:" in result.output


def test_the_corpus_passes(root: Path) -> None:
    files = [str(root / "annotations" / f"{name}.jsonl") for name in ("train", "dev", "test")]
    result = CliRunner().invoke(app, ["annotations", "check", *files])
    assert result.exit_code == 0, result.output


def test_stats_counts(root: Path) -> None:
    result = CliRunner().invoke(app, ["annotations", "stats", str(root / "annotations" / "test.jsonl")])
    assert result.exit_code == 0
    assert "330" in result.output
    assert "ASSAULT" in result.output


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["annotations", "check", str(tmp_path / "none.jsonl")])
    assert result.exit_code == 2
    assert "none.jsonl" in result.output
