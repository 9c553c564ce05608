from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from model.annotation import AnnotatedSentence, Relation, Span
from model.annotation_files import write_annotations
from model.extractor import Extractor
from training.report import report, seqeval_figures
from training.sources import SourceError

TEXT = "قصف الجيش بغداد"
SPANS = (Span(0, "ACT", 0, 3, "ASSAULT", "asserted"), Span(1, "ORG", 4, 9), Span(2, "LOC", 10, 15))
ROLES = (Relation(0, 0, 1, "actor"), Relation(1, 0, 2, "target"))
GOLD = AnnotatedSentence("1", TEXT, SPANS, ROLES)
EMPTY = AnnotatedSentence("1", TEXT, (), ())

Judge = Callable[..., tuple[dict[str, Any], str]]


@pytest.fixture
def judge(scripted: Callable[..., Extractor], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Judge:
    """Figures, as read back from the file, and what is printed, of an extractor that finds what it is told."""

    def run(predicted: list[AnnotatedSentence], data: list[Path], format: str) -> tuple[dict[str, Any], str]:
        extractor = scripted(predicted)
        monkeypatch.setattr("training.report.Extractor.load", lambda _, **options: extractor)
        printed = StringIO()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            figures = report(tmp_path, data, format, tmp_path / "f.json", 4, Console(file=printed, width=120))
        written = (tmp_path / "f.json").read_text(encoding="utf-8")
        assert json.loads(written) == figures
        assert "NaN" not in written
        return figures, printed.getvalue()

    return run


def test_our_own_file(judge: Judge, tmp_path: Path) -> None:
    write_annotations(tmp_path / "own.jsonl", [GOLD])
    figures, printed = judge([GOLD], [tmp_path / "own.jsonl"], "annotations")
    assert figures["sentences"] == 1
    assert figures["measures"]["entities"]["gold"] == 2
    assert set(figures["labels"]) == {"PER", "ORG", "LOC", "NUM", "NOM"}
    assert set(figures["seqeval"]) >= {"ACT", "ORG", "LOC", "micro avg"}
    assert figures["seqeval"]["micro avg"]["support"] == 3
    assert set(figures["seqeval_entities"]) >= {"ORG", "LOC", "micro avg"}
    assert "ACT" not in figures["seqeval_entities"]
    assert figures["seqeval_entities"]["micro avg"] == {"precision": 1, "recall": 1, "f1-score": 1, "support": 2}
    assert [figures[f"class_accuracy{end}"] for end in ("", "_low", "_high")] == [1.0, 1.0, 1.0]
    assert [figures[f"factuality_accuracy{end}"] for end in ("", "_low", "_high")] == [1.0, 1.0, 1.0]
    assert set(figures["calibration_error"]) == {"entity", "action", "role", "triple"}
    assert "ORG, exact characters" in printed


def test_a_column_file_is_judged_by_its_words_and_labels(judge: Judge, tmp_path: Path) -> None:
    path = tmp_path / "names.conll"
    path.write_text("قصف O\nالجيش O\nبغداد B-LOC\n\nزار O\nسالم B-PERS\nبغداد B-LOC\n", encoding="utf-8")
    found = AnnotatedSentence("2", "زار سالم بغداد", (Span(0, "PER", 4, 8), Span(1, "PER", 9, 14)), ())
    figures, printed = judge([GOLD, found], [path], "conll")
    assert set(figures["labels"]) == {"PER", "LOC"}
    assert list(figures["measures"]) == ["names_words"]
    names = figures["measures"]["names_words"]
    assert (names["gold"], names["predicted"]) == (3, 3)  # the file knows no ORG
    micro = figures["seqeval"]["micro avg"]
    assert [names[name] for name in ("precision", "recall", "f1", "gold")] == list(micro.values())
    for label, own in figures["labels"].items():
        assert list(own.values()) == list(figures["seqeval"][label].values())
    assert not {"calibration_error", "clitics", "class_accuracy", "seqeval_entities"} & set(figures)
    assert "LOC, words" in printed


def test_a_file_without_sentences_is_an_error(judge: Judge, tmp_path: Path) -> None:
    for name, format in (("empty.jsonl", "annotations"), ("empty.conll", "conll")):
        (tmp_path / name).write_text("", encoding="utf-8")
        with pytest.raises(SourceError, match=rf"{name}: no sentences"):
            judge([], [tmp_path / name], format)


@pytest.mark.parametrize(("gold", "predicted"), [(EMPTY, EMPTY), (EMPTY, GOLD), (GOLD, EMPTY)])
def test_no_spans(judge: Judge, tmp_path: Path, gold: AnnotatedSentence, predicted: AnnotatedSentence) -> None:
    write_annotations(tmp_path / "own.jsonl", [gold])
    figures, _ = judge([predicted], [tmp_path / "own.jsonl"], "annotations")
    assert figures["seqeval"]["micro avg"]["f1-score"] == figures["measures"]["entities"]["f1"] == 0.0
    (tmp_path / "names.conll").write_text("قصف O\nالجيش O\nبغداد B-MISC\n", encoding="utf-8")
    figures, _ = judge([predicted], [tmp_path / "names.conll"], "conll")
    assert figures["labels"] == {}
    assert figures["measures"]["names_words"]["gold"] == figures["measures"]["names_words"]["predicted"] == 0


def test_seqeval_of_no_spans() -> None:
    zeros = {"micro avg": {"precision": 0.0, "recall": 0.0, "f1-score": 0.0, "support": 0.0}}
    assert seqeval_figures([["O"], []], [["O"], []]) == seqeval_figures([], []) == zeros
