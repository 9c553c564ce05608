from __future__ import annotations

from collections.abc import Callable

import pytest

from model.annotation import AnnotatedSentence
from model.extractor import Extractor
from training.evaluation import evaluate
from training.judging.breakdown import (
    NOTHING,
    by_domain,
    by_length,
    class_confusion,
    class_rows,
    domain_of,
    label_confusion,
    label_rows,
    slices_of,
)
from training.judging.pairs import document_of, pairs_of_names
from training.matching import Counts

Annotate = Callable[..., AnnotatedSentence]
TEXT = "شن هجوما الجيش العراقي داعش في بغداد وقتل خمسة"


def test_labels(annotate: Annotate) -> None:
    gold = annotate(TEXT, "ORG الجيش العراقي", "ORG داعش", "LOC بغداد")
    found = annotate(TEXT, "ORG الجيش", "ORG داعش", "PER بغداد")
    rows = {row.name: row.counts for row in label_rows([(gold, document_of(found))])}
    assert rows == {"PER": Counts(0, 1, 0), "ORG": Counts(1, 2, 2), "LOC": Counts(0, 0, 1)}


def test_rows_have_intervals(annotate: Annotate) -> None:
    right, wrong = annotate(TEXT, "ORG داعش"), annotate(TEXT, "LOC داعش")
    (row,) = [
        r for r in label_rows([(right, document_of(own)) for own in [right] * 20 + [wrong] * 20]) if r.name == "ORG"
    ]
    assert 0 < row.low < row.counts.f1 < row.high < 1


def test_classes(annotate: Annotate) -> None:
    gold = annotate(TEXT, "ASSAULT/asserted شن هجوما", "OTHER/asserted قتل")
    found = annotate(TEXT, "ASSAULT/asserted هجوما", "ASSAULT/asserted قتل", "STATE/asserted العراقي")
    pairs = [(gold, document_of(found))]
    assert {row.name: row.counts for row in class_rows(pairs)} == {
        "ASSAULT": Counts(1, 2, 1),
        "STATE": Counts(0, 1, 0),
        "OTHER": Counts(0, 0, 1),
    }
    confusion = class_confusion(pairs)
    assert confusion.names == ("ASSAULT", "STATE", "OTHER", NOTHING)
    assert confusion.table == ((1, 0, 0, 0), (0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0))


def test_confusion_of_labels(annotate: Annotate) -> None:
    gold = annotate(TEXT, "ORG الجيش العراقي", "ORG داعش", "LOC بغداد", "OTHER/asserted قتل", "NUM خمسة")
    found = annotate(TEXT, "LOC الجيش", "ORG داعش", "NOM قتل", "NUM خمسة", "OTHER/asserted هجوما")
    confusion = label_confusion([(gold, document_of(found))])
    cells = {
        (confusion.names[row], confusion.names[column]): count
        for row, counts in enumerate(confusion.table)
        for column, count in enumerate(counts)
        if count
    }
    assert cells == {
        ("ORG", "LOC"): 1,
        ("ORG", "ORG"): 1,
        ("LOC", NOTHING): 1,
        ("ACT", "NOM"): 1,
        ("NUM", "NUM"): 1,
        (NOTHING, "ACT"): 1,
    }


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("culture_and_hard-0012", "culture_and_hard"),
        ("a-b-3", "a-b"),
        ("test.conll:17", "test.conll"),
        ("7", "unknown"),
    ],
)
def test_domains(name: str, domain: str) -> None:
    assert domain_of(name) == domain


def test_slices(scripted: Callable[..., Extractor], annotate: Annotate) -> None:
    sentences = [annotate(f"زار سالم {'كذا ' * n}".strip(), "PER سالم", id=f"{'ab'[n % 2]}-{n}") for n in (0, 8, 9, 50)]
    assert by_length(sentences) == {"0–10": [0, 1], "11–20": [2], "41+": [3]}
    assert by_domain(sentences) == {"a": [0, 1, 3], "b": [2]}
    result = evaluate(scripted([annotate(own.text) if n else own for n, own in enumerate(sentences)]), sentences)
    slices = slices_of(result, by_length(sentences), ("entities", "names_words"))
    assert [(own.name, own.sentences) for own in slices] == [("0–10", 2), ("11–20", 1), ("41+", 1)]
    assert [[(row.name, row.counts) for row in own.rows] for own in slices] == [
        [("entities", Counts(1, 1, 2))],
        [("entities", Counts(0, 0, 1))],
        [("entities", Counts(0, 0, 1))],
    ]


def test_names_as_they_were_counted(scripted: Callable[..., Extractor], annotate: Annotate) -> None:
    from training.evaluation import evaluate_names

    text = "قتل أحمد خمسة في بالأنبار"
    gold = annotate(text, "PER أحمد", "LOC بالأنبار")
    found = annotate(text, "ASSAULT/asserted قتل", "PER أحمد", "NUM خمسة", "LOC الأنبار")
    result = evaluate_names(scripted([found]), [([gold], ("PER", "LOC"))])
    ((sentence, document),) = pairs_of_names([gold], result)
    assert [(span.label, sentence.text_of(span)) for span in sentence.spans] == [("PER", "أحمد"), ("LOC", "بالأنبار")]
    assert [(entity.label, entity.text) for entity in document.entities] == [("PER", "أحمد"), ("LOC", "بالأنبار")]
