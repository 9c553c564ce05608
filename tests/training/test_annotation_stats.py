"""The counts of annotated files, and their table."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from model.annotation import AnnotatedSentence, AnnotationError
from model.annotation_files import write_annotations
from model.markup import parse_markup
from training.annotation_stats import Lengths, Statistics, statistics, table

FIRST = parse_markup(
    "{أعلن|STATE actor=1} [الجيش|NOM 1] {مقتل|ASSAULT target=3 count=2 neg} [خمسة|NUM 2] [مسلحين|NOM 3]", "a"
)
SECOND = parse_markup("[بغداد|LOC 1] {تدعو|REQUEST actor=1} إلى {حوار|CONSULT actor=1 pot}", "b")


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    write_annotations(tmp_path / "first.jsonl", [FIRST, FIRST])
    write_annotations(tmp_path / "second.jsonl", [SECOND])
    return [tmp_path / "first.jsonl", tmp_path / "second.jsonl"]


def test_counts_of_each_file_and_of_all(paths: list[Path]) -> None:
    corpus = statistics(paths)
    first, second = corpus.files
    assert (first.name, first.sentences, first.words) == ("first.jsonl", 2, 10)
    assert (second.name, second.sentences, second.words) == ("second.jsonl", 1, 4)
    assert first.labels == Counter(ACT=4, NOM=4, NUM=2)
    assert second.labels == Counter(ACT=2, LOC=1)
    assert (corpus.total.sentences, corpus.total.words) == (3, 14)
    assert corpus.total.classes == Counter(STATE=2, ASSAULT=2, REQUEST=1, CONSULT=1)
    assert corpus.total.factualities == Counter(asserted=3, negated=2, potential=1)
    assert corpus.total.roles == Counter(actor=4, target=2, count=2)


def test_lengths() -> None:
    counts = Statistics("x")
    assert counts.lengths is None
    for number in range(1, 101):
        counts.add(AnnotatedSentence(str(number), "كلمة " * number, (), ()))
    assert counts.lengths == Lengths(min=1, median=50.5, mean=50.5, p95=95, max=100)


def test_the_table_has_a_column_for_each_file_and_the_total(paths: list[Path]) -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(table(statistics(paths)))
    text = console.export_text()
    rows = {
        cells[0].strip(): [cell.strip() for cell in cells[1:]]
        for cells in (line.split("│")[1:-1] for line in text.splitlines())
        if cells
    }
    assert "first.jsonl" in text
    assert "second.jsonl" in text
    assert rows["sentences"] == ["2", "1", "3"]
    assert rows["words a sentence, mean"] == ["5", "4", "4.7"]
    assert rows["ACT"] == ["4", "2", "6"]
    assert rows["negated"] == ["2", "0", "2"]
    assert rows["place"] == ["0", "0", "0"]


def test_the_table_of_one_file_and_of_an_empty_one(tmp_path: Path) -> None:
    write_annotations(tmp_path / "empty.jsonl", [])
    result = table(statistics([tmp_path / "empty.jsonl"]))
    assert [column.header for column in result.columns] == ["", "empty.jsonl"]
    assert list(result.columns[1].cells)[:3] == ["0", "0", "–"]


def test_a_bad_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text("{}\n")
    with pytest.raises(AnnotationError, match=f"{path}:1: id: missing"):
        statistics([path])
