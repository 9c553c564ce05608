"""The commands as they are mounted: what they print, write, and end with."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from model.annotation import AnnotatedSentence
from model.annotation_files import read_annotations, write_annotations
from model.extractor import Extractor
from training.judging import promotion
from training.judging.commands import agreement, evaluate, model_commands

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def run() -> Run:
    app, annotations = typer.Typer(), typer.Typer()
    app.command()(evaluate)
    annotations.command("agreement")(agreement)
    annotations.command("other")(lambda: None)
    app.add_typer(annotations, name="annotations")
    app.add_typer(model_commands, name="models")
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def few(root: Path, tmp_path: Path) -> Path:
    """Six sentences of the test split."""
    path = tmp_path / "few.jsonl"
    sentences = list(read_annotations(root / "annotations" / "test.jsonl"))
    write_annotations(path, sentences[::60])
    return path


def test_evaluate_against_itself(run: Run, shipped: Path, few: Path, tmp_path: Path) -> None:
    page, figures = tmp_path / "report.html", tmp_path / "figures.json"
    done = run("evaluate", shipped, few, "--against", shipped, "--html", page, "--json", figures, "--runs", shipped)
    assert done.exit_code == 0, done.output
    assert "can't tell" in done.output
    assert "Errors" in done.output
    values = json.loads(figures.read_text(encoding="utf-8"))
    assert {own["verdict"] for own in values["comparison"]["measures"].values()} == {"can't tell"}
    assert values["comparison"]["changed"] == []
    assert set(values["errors"]) == {"entities", "actions", "roles"}
    assert "Learning curve" in page.read_text(encoding="utf-8")


def test_evaluate_says_what_is_wrong(run: Run, shipped: Path, few: Path, tmp_path: Path) -> None:
    for words, message in (
        ((shipped, few, "--runs", tmp_path), "name its file with --html"),
        ((shipped, few, "--html", tmp_path / "r.html", "--runs", tmp_path), "no training"),
        ((shipped, few, "--against", tmp_path), "not a checkpoint directory"),
        ((shipped, tmp_path / "none.jsonl"), "none.jsonl"),
    ):
        done = run("evaluate", *words)
        assert done.exit_code == 2, done.output
        assert message in done.output


def test_agreement(run: Run, few: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    write_annotations(other, [AnnotatedSentence(own.id, own.text, (), ()) for own in read_annotations(few)])
    page, figures = tmp_path / "page.html", tmp_path / "figures.json"
    done = run("annotations", "agreement", few, other, "--html", page, "--json", figures)
    assert done.exit_code == 0, done.output
    assert "6 sentences in both" in done.output
    assert json.loads(figures.read_text(encoding="utf-8"))["measures"]["entities"]["f1"] == 0.0
    assert "only in A" in page.read_text(encoding="utf-8")
    assert run("annotations", "agreement", few, tmp_path / "none.jsonl").exit_code == 2


def test_models(
    run: Run,
    make: Callable[..., Path],
    load: Callable[[Path], Extractor],
    test_set: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(promotion, "promote", functools.partial(promotion.promote, load=load))
    registry = ("--registry", tmp_path / "registry")
    good, bad = make(12, "good"), make(2, "bad")
    assert run("models", "list", *registry).exit_code == 2
    assert run("models", "rollback", *registry).exit_code == 2
    first = run("models", "promote", good, *registry, "--version", "1.0.0", "--test", test_set)
    assert first.exit_code == 0, first.output
    assert "1.0.0 is current" in first.output
    refused = run("models", "promote", bad, *registry, "--bump", "minor")
    assert refused.exit_code == 1, refused.output
    assert "refused: significantly worse than 1.0.0 in test.jsonl: entities" in refused.output
    assert "worse" in refused.output
    assert run("models", "promote", bad, *registry, "--bump", "minor", "--alpha", "0.0001").exit_code == 0
    assert run("models", "promote", bad, *registry, "--bump", "nothing").exit_code == 2
    forced = run("models", "promote", good, *registry, "--version", "2.0.0", "--force")
    assert "2.0.0 is current" in forced.output
    listed = run("models", "list", *registry)
    assert listed.exit_code == 0
    assert "2.0.0" in listed.output
    back = run("models", "rollback", *registry)
    assert (back.exit_code, back.output.strip()) == (0, "musnad: 1.1.0 is current")
    assert run("models", "rollback", *registry, "2.0.0").exit_code == 0
    assert run("models", "promote", tmp_path, *registry).exit_code == 2


def test_the_shipped_checkpoint_can_be_promoted(run: Run, shipped: Path, few: Path, tmp_path: Path) -> None:
    registry = ("--registry", tmp_path / "registry")
    for words in (("--test", few), ()):
        done = run("models", "promote", shipped, *registry, "--resamples", 200, *words)
        assert done.exit_code == 0, done.output
    current = tmp_path / "registry" / "current"
    extractor = Extractor.load(current.resolve())
    assert extractor.info.version == current.resolve().name
    assert extractor.extract("قصف الجيش بغداد").entities
    record = json.loads((current / "version.json").read_text(encoding="utf-8"))
    assert any(name.endswith("annotations/train.jsonl") for name in record["data"])
    assert record["previous"] != record["version"]
