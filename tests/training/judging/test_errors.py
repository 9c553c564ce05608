from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from model.annotation import AnnotatedSentence, Relation, Span
from model.labels import ENTITY_LABELS, ROLES
from training.evaluation import ENTITY_LABELS as LABELS
from training.evaluation import MEASURES, Evaluation, compare
from training.judging.errors import (
    KINDS,
    NO_ACTION,
    NO_ENTITY,
    NOT_LINKED,
    TWICE,
    Error,
    Mark,
    analyze,
    counts_of,
    details_of,
    errors_of,
    table_of,
)
from training.judging.pairs import document_of

Annotate = Callable[..., AnnotatedSentence]

TEXT = "شن هجوما الجيش العراقي داعش في بغداد وقتل خمسة"
SPANS = ("ASSAULT/asserted شن هجوما", "ORG الجيش العراقي", "ORG داعش", "LOC بغداد", "ASSAULT/asserted قتل", "NUM خمسة")
ROLES_WRITTEN = "actor:0-1 target:0-2 place:0-3 target:4-5"


def found(gold: AnnotatedSentence, predicted: AnnotatedSentence, layer: str) -> list[tuple[str, str]]:
    """(kind, detail) of the errors of a layer."""
    return [(own.kind, own.detail) for own in errors_of(gold, document_of(predicted)) if own.layer == layer]


def test_no_errors(annotate: Annotate) -> None:
    gold = annotate(TEXT, *SPANS, roles=ROLES_WRITTEN)
    assert errors_of(gold, document_of(gold)) == []


@pytest.mark.parametrize(
    ("predicted", "kinds"),
    [
        ("ORG الجيش", ["boundary"]),
        ("LOC الجيش العراقي", ["label"]),
        ("LOC العراقي داعش", ["boundary and label"]),
        ("LOC بغداد", ["missed", "spurious"]),
        ("", ["missed"]),
    ],
)
def test_entities(annotate: Annotate, predicted: str, kinds: list[str]) -> None:
    gold = annotate(TEXT, "ORG الجيش العراقي")
    other = annotate(TEXT, *[predicted] * bool(predicted))
    errors = errors_of(gold, document_of(other))
    assert [(own.layer, own.kind) for own in errors] == [("entities", kind) for kind in kinds]
    assert errors[0].gold == Mark("ORG", ((9, 22),))
    assert errors_of(other, document_of(other)) == []


def test_an_entity_in_two_pieces_is_one_boundary_and_one_spurious(annotate: Annotate) -> None:
    gold = annotate(TEXT, "ORG الجيش العراقي")
    other = annotate(TEXT, "LOC الجيش", "ORG العراقي")
    assert found(gold, other, "entities") == [("boundary", ""), ("spurious", "")]  # the same label comes first
    assert found(other, gold, "entities") == [("boundary", ""), ("missed", "")]


def test_a_right_entity_takes_no_part_in_errors(annotate: Annotate) -> None:
    gold = annotate(TEXT, "ORG الجيش العراقي", "LOC داعش")
    other = annotate(TEXT, "ORG الجيش العراقي", "ORG داعش", "PER العراقي")
    assert found(gold, other, "entities") == [("label", ""), ("spurious", "")]


def test_an_action_may_have_several_errors(annotate: Annotate) -> None:
    gold = annotate(TEXT, "ASSAULT/asserted شن هجوما", "OTHER/asserted قتل")
    other = annotate(TEXT, "COERCE/negated هجوما")
    errors = errors_of(gold, document_of(other))
    assert [own.kind for own in errors] == ["boundary", "class", "factuality", "missed"]
    assert [own.gold.name for own in errors if own.gold] == ["ASSAULT", "ASSAULT", "asserted", "OTHER"]
    assert errors[2].predicted == Mark("negated", ((3, 8),))
    assert found(other, annotate(TEXT), "actions") == [("missed", "")]


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ("target:0-1 target:0-2 place:0-3 target:4-5", [("wrong role", "")]),
        ("actor:4-1 target:0-2 place:0-3 target:4-5", [("wrong action", "")]),
        ("actor:0-2 target:0-2 place:0-3 target:4-5", [("wrong span", "")]),
        ("target:0-2 place:0-3 target:4-5", [("missed", NOT_LINKED)]),
        ("actor:0-1 target:0-2 place:0-3 target:4-5 actor:4-1", [("spurious", NOT_LINKED)]),
        ("actor:0-1 actor:0-2 place:0-3 target:4-5", [("wrong role", "")]),
        ("place:4-1 target:0-2 place:0-3 target:4-5", [("missed", NOT_LINKED), ("spurious", NOT_LINKED)]),
    ],
)
def test_roles_by_cause(annotate: Annotate, roles: str, expected: list[tuple[str, str]]) -> None:
    gold = annotate(TEXT, *SPANS, roles=ROLES_WRITTEN)
    assert found(gold, annotate(TEXT, *SPANS, roles=roles), "roles") == expected


def test_a_role_that_spans_make_impossible(annotate: Annotate) -> None:
    gold = annotate(TEXT, *SPANS[:4], roles="actor:0-1 target:0-2")
    without_entity = annotate(TEXT, SPANS[0], SPANS[2], roles="target:0-1")
    without_action = annotate(TEXT, *SPANS[1:4])
    assert found(gold, without_entity, "roles") == [("missed", NO_ENTITY)]
    assert found(without_entity, gold, "roles") == [("spurious", NO_ENTITY)]
    assert found(gold, without_action, "roles") == [("missed", NO_ACTION)] * 2
    assert found(without_action, gold, "roles") == [("spurious", NO_ACTION)] * 2


def test_one_edge_for_two(annotate: Annotate) -> None:
    gold = annotate(TEXT, SPANS[0], "ORG الجيش العراقي", roles="actor:0-1")
    other = annotate(TEXT, SPANS[0], "ORG الجيش", "ORG العراقي", roles="actor:0-1 actor:0-2")
    assert found(gold, other, "roles") == [("spurious", TWICE)]
    assert found(other, gold, "roles") == [("missed", TWICE)]


def test_marks_of_a_role(annotate: Annotate) -> None:
    gold = annotate(TEXT, *SPANS, roles="actor:0-1")
    (error,) = [own for own in errors_of(gold, document_of(annotate(TEXT, *SPANS, roles="target:0-1"))) if own]
    assert error.gold == Mark("actor", ((0, 8), (9, 22)))
    assert error.predicted == Mark("target", ((0, 8), (9, 22)), 1.0)
    assert (error.sentence, error.score) == (gold, 1.0)


def test_counts_and_table(annotate: Annotate) -> None:
    gold = annotate(TEXT, *SPANS, roles=ROLES_WRITTEN)
    errors = analyze([(gold, document_of(annotate(TEXT))), (gold, document_of(gold))])
    counts = counts_of(errors)
    assert counts["entities"] == {"boundary": 0, "label": 0, "boundary and label": 0, "missed": 4, "spurious": 0}
    assert counts["actions"]["missed"] == 2
    assert counts["roles"]["missed"] == 4
    assert details_of(errors) == {"missed": {NO_ACTION: 4}, "spurious": {}}
    printed = StringIO()
    Console(file=printed, width=80).print(table_of(counts))
    for kinds in KINDS.values():
        assert all(kind in printed.getvalue() for kind in kinds)


WORDS = ["قصف", "الجيش", "بغداد", "وقتل", "خمسة", "من", "رجال", "داعش"]
STARTS = [sum(len(word) + 1 for word in WORDS[:place]) for place in range(len(WORDS))]


@st.composite
def annotated(draw: st.DrawFn) -> AnnotatedSentence:
    """Any annotation of the same eight words, each in at most one span."""
    spans: list[Span] = []
    word = 0
    while word < len(WORDS):
        label = draw(st.sampled_from(["", "", "ACT", *ENTITY_LABELS]))
        last = draw(st.integers(word, min(word + 2, len(WORDS) - 1))) if label else word
        if label:
            start, end = STARTS[word], STARTS[last] + len(WORDS[last])
            of_action = (draw(st.sampled_from(["ASSAULT", "OTHER"])), draw(st.sampled_from(["asserted", "negated"])))
            spans.append(Span(len(spans), label, start, end, *(of_action if label == "ACT" else (None, None))))
        word = last + 1
    actions = [span.id for span in spans if span.is_action]
    entities = [span.id for span in spans if not span.is_action]
    edges = [(action, entity, role) for action in actions for entity in entities for role in ROLES]
    chosen = draw(st.lists(st.sampled_from(edges), unique=True, max_size=6)) if edges else []
    links = tuple(Relation(number, *ends) for number, ends in enumerate(chosen))
    return AnnotatedSentence("1", " ".join(WORDS), tuple(spans), links)


def of_layer(errors: list[Error], layer: str) -> Counter[str]:
    return Counter(error.kind for error in errors if error.layer == layer)


@given(annotated(), annotated())
def test_errors_are_what_the_measures_count(gold: AnnotatedSentence, predicted: AnnotatedSentence) -> None:
    document = document_of(predicted)
    result = Evaluation(labels=LABELS, counts={measure: [] for measure in MEASURES})
    compare(result, gold, document)
    errors = errors_of(gold, document)
    for layer in ("entities", "actions", "roles"):
        kinds = of_layer(errors, layer)
        assert set(kinds) <= set(KINDS[layer])
        counts = result.total(layer)
        both = sum(kinds.values()) - kinds["missed"] - kinds["spurious"] if layer != "actions" else 0
        assert counts.gold - counts.matched == kinds["missed"] + both
        assert counts.predicted - counts.matched == kinds["spurious"] + both
    classes = result.classes
    assert of_layer(errors, "actions")["class"] == sum(one != other for one, other in classes)


@given(annotated(), annotated())
def test_missed_and_spurious_change_places(one: AnnotatedSentence, other: AnnotatedSentence) -> None:
    forth, back = errors_of(one, document_of(other)), errors_of(other, document_of(one))
    for layer in KINDS:
        exchanged = {"missed": "spurious", "spurious": "missed"}
        ahead = of_layer(forth, layer)
        behind = Counter({exchanged.get(kind, kind): count for kind, count in of_layer(back, layer).items()})
        assert ahead.total() == behind.total() or layer == "roles"
        assert ahead["missed"] - ahead["spurious"] == behind["missed"] - behind["spurious"]


@given(annotated())
def test_an_annotation_is_its_own_document(sentence: AnnotatedSentence) -> None:
    document = document_of(sentence)
    assert errors_of(sentence, document) == []
    assert document.text == sentence.text
    assert all(document.text[item.start : item.end] == item.text for item in (*document.entities, *document.actions))
