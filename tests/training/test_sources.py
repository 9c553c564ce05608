from __future__ import annotations

import json
from pathlib import Path

import pytest

from model.annotation import AnnotationError
from training.sources import (
    CONLL,
    WOJOOD,
    SourceError,
    labels_in,
    read_columns,
    read_rows,
    read_source,
    word_spans,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "news.conll"


def spans_in(path: Path, format: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """(text, [(label, covered text)]) of each sentence."""
    return [
        (own.sentence.text, [(span.label, own.sentence.text_of(span)) for span in own.sentence.spans])
        for own in read_source(path, format)
    ]


def test_conll(file: Path) -> None:
    file.write_text(
        "قال O\nجو B-PER\nبايدن I-PER\nفي O\nبغداد B-LOC\n. O\n\nكأس B-MISC\nالعالم I-MISC\nفيفا B-ORG\n",
        encoding="utf-8",
    )
    assert spans_in(file, "conll") == [
        ("قال جو بايدن في بغداد .", [("PER", "جو بايدن"), ("LOC", "بغداد")]),
        ("كأس العالم فيفا", [("ORG", "فيفا")]),  # MISC has no counterpart
    ]
    first, second = read_source(file, "conll")
    assert (first.names_only, second.names_only) == (True, True)
    assert (first.sentence.id, second.sentence.id) == ("news.conll:1", "news.conll:8")
    assert first.sentence.relations == ()
    assert [span.id for span in first.sentence.spans] == [0, 1]


def test_blocks_are_numbered_by_their_first_line(file: Path) -> None:
    file.write_text("\n\nأ O\n\n\n\nب O\nج O\n$#$\nد O\n", encoding="utf-8")
    assert [(line, [word for word, _ in rows]) for line, rows in read_rows(file)] == [
        (3, ["أ"]),
        (7, ["ب", "ج"]),
        (10, ["د"]),
    ]


def test_aqmar_document_lines_are_passed_over(file: Path) -> None:
    file.write_text("# document Atom\nالذرة O\nهي O\n\n# document Razi\nالرازي B-PER\n# O\n", encoding="utf-8")
    assert spans_in(file, "conll") == [("الذرة هي", []), ("الرازي #", [("PER", "الرازي")])]


def test_tabs_carriage_returns_and_a_byte_order_mark(file: Path) -> None:
    file.write_bytes("\ufeffجو\tB-PER\r\nبايدن\tI-PER\r\n\r\nقال O\r\n".encode())
    assert spans_in(file, "conll") == [("جو بايدن", [("PER", "جو بايدن")]), ("قال", [])]


def test_an_empty_file_has_no_sentences(file: Path) -> None:
    file.write_text("\n \n\n", encoding="utf-8")
    assert read_source(file, "conll") == []


def test_wojood_nested_tags(file: Path) -> None:
    file.write_text(
        "رئيس B-OCC\nدولة I-OCC B-GPE\nفلسطين I-OCC I-GPE\nفي O\nجامعة B-ORG\nبيت I-ORG B-GPE\nلحم I-ORG I-GPE\n"
        "مطار B-FAC\nياسر I-FAC B-PERS\nعرفات I-FAC I-PERS\nأمس B-DATE\n",
        encoding="utf-8",
    )
    assert spans_in(file, "wojood") == [
        (
            "رئيس دولة فلسطين في جامعة بيت لحم مطار ياسر عرفات أمس",
            [("LOC", "دولة فلسطين"), ("ORG", "جامعة بيت لحم"), ("LOC", "مطار ياسر عرفات")],
        )
    ]


def tags(*rows: str) -> list[tuple[str, tuple[str, ...]]]:
    return [("كلمة", tuple(row.split())) for row in rows]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["B-PER", "I-PER", "B-PER", "O"], [("PER", 0, 1), ("PER", 2, 2)]),
        (["I-PER", "I-PER", "I-ORG"], [("PER", 0, 1), ("ORG", 2, 2)]),  # IOB1
        (["B-PER", "O", "I-PER"], [("PER", 0, 0), ("PER", 2, 2)]),
        (["B-ORG", "I-ORG B-LOC", "I-ORG"], [("ORG", 0, 2)]),
        (["B-LOC B-ORG", "I-ORG", "O"], [("ORG", 0, 1)]),
        (["B-LOC", "I-LOC B-ORG", "I-ORG", "I-ORG"], [("ORG", 1, 3)]),  # they cross: the longer wins
        (["B-ORG", "B-ORG I-ORG", "I-ORG", "I-ORG"], [("ORG", 0, 3)]),  # a label inside itself
        (["O", "B-MISC"], []),
        ([], []),
    ],
)
def test_word_spans(rows: list[str], expected: list[tuple[str, int, int]]) -> None:
    assert word_spans(tags(*rows), CONLL.labels) == expected


def test_labels_that_mean_the_same_do_not_join() -> None:
    assert word_spans(tags("B-GPE", "B-LOC", "I-LOC"), WOJOOD.labels) == [("LOC", 0, 0), ("LOC", 1, 2)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("قال O\n\nبغداد\n", ":3: a word without a tag: «بغداد»"),
        ("قال O\nجو بايدن B-PER\n", ":2: «بايدن» is not O, B-… or I-…: «جو بايدن B-PER»"),
        ("قال B-\n", ":1: «B-» is not O"),
        ("قال S-PER\n", ":1: «S-PER» is not O"),
        (
            "قال O\n\nفي O\nبغداد B-GPE\n",
            ":4: «B-GPE» is of an unknown type: known are PER, PERS, PERSON, ORG, LOC, MISC",
        ),
        ("قال B-per\n", ":1: «B-per» is of an unknown type"),
        ("# document X\nقال O\nجو B-PER I-OCC\n", ":3: «I-OCC» is of an unknown type"),
    ],
)
def test_bad_lines_are_named(file: Path, content: str, message: str) -> None:
    file.write_text(content, encoding="utf-8")
    with pytest.raises(SourceError) as caught:
        list(read_columns(file, CONLL))
    assert str(caught.value).startswith(f"{file}{message}")


def test_bytes_that_are_not_utf_8_are_named(file: Path) -> None:
    file.write_bytes("قال O\n".encode() + "بغداد B-LOC\n".encode("cp1256"))
    with pytest.raises(SourceError, match=r"news\.conll:2: not UTF-8: .* at byte 0 of the line"):
        read_source(file, "conll")


def test_annotations(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    record = {
        "id": "1",
        "text": "وصل 13",
        "entities": [{"id": 0, "label": "NUM", "start_offset": 4, "end_offset": 6}],
        "relations": [],
    }
    path.write_text(json.dumps(record, ensure_ascii=False) + "\n", encoding="utf-8")
    (own,) = read_source(path, "annotations")
    assert not own.names_only
    assert [own.sentence.text_of(span) for span in own.sentence.spans] == ["13"]
    path.write_text("{}\n", encoding="utf-8")
    with pytest.raises(AnnotationError, match=r"own\.jsonl:1: "):
        read_source(path, "annotations")


def test_an_unknown_format_is_an_error(file: Path) -> None:
    with pytest.raises(SourceError, match=r"unknown format 'csv': one of annotations, conll, wojood"):
        read_source(file, "csv")


def test_a_missing_file_is_an_error(file: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"news\.conll"):
        read_source(file, "conll")


def test_names_of_persons_under_all_their_tags(file: Path) -> None:
    file.write_text("جو B-PERS\nبايدن I-PERS\nو O\nسالم B-PERSON\nأحمد B-PER\n", encoding="utf-8")
    assert spans_in(file, "conll") == [
        ("جو بايدن و سالم أحمد", [("PER", "جو بايدن"), ("PER", "سالم"), ("PER", "أحمد")])
    ]


def test_wojood_knows_its_21_types_and_no_other(file: Path) -> None:
    assert len({*WOJOOD.labels, *WOJOOD.ignored}) == 21
    file.write_text("".join(f"كلمة B-{name}\n" for name in sorted(WOJOOD.ignored)), encoding="utf-8")
    assert [found for _, found in spans_in(file, "wojood")] == [[]]
    file.write_text("أمس B-DATE\nجو B-PER\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"news\.conll:2: «B-PER» is of an unknown type"):
        read_source(file, "wojood")


def test_labels_in_a_file(file: Path) -> None:
    file.write_text("بغداد B-LOC\n\nجو B-PERS\nكأس B-MISC\n", encoding="utf-8")
    assert labels_in(file, CONLL) == ("PER", "LOC")
    file.write_text("كأس B-MISC\nفي O\n", encoding="utf-8")
    assert labels_in(file, CONLL) == ()
    file.write_text("جامعة B-ORG\nبيت I-ORG B-GPE\nأمس B-DATE\n", encoding="utf-8")
    assert labels_in(file, WOJOOD) == ("ORG", "LOC")  # a tag inside another span counts
    file.write_text("جو B-XYZ\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"news\.conll:1: «B-XYZ»"):
        labels_in(file, CONLL)
