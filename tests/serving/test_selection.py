from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.labels import CLASSES, ENTITY_LABELS, ROLES
from model.records import Action, Document, Entity, RoleFiller, Triple
from serving.examples import DOCUMENT
from serving.selection import PARTS, Selection, select


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [item["id"] for item in items]


def ends(answer: dict[str, Any]) -> list[tuple[str | None, str, str | None]]:
    return [(triple["actor"], triple["action"], triple["target"]) for triple in answer["triples"]]


def test_everything_is_the_document() -> None:
    assert select(DOCUMENT, Selection()) == DOCUMENT.to_dict()
    assert select(DOCUMENT, Selection(ENTITY_LABELS, CLASSES, PARTS)) == DOCUMENT.to_dict()


def test_labels_leave_out_entities_and_where_they_stand() -> None:
    answer = select(DOCUMENT, Selection(labels=["ORG", "NUM"]))
    assert ids(answer["entities"]) == ["e0", "e1"]
    assert ids(answer["actions"]) == ["a0", "a1"]
    assert answer["actions"][0]["roles"] == {
        "actor": [{"entity": "e0", "score": 0.9538}],
        "target": [],
        "place": [],
        "count": [],
    }
    assert answer["actions"][1]["roles"] == {
        "actor": [],
        "target": [],
        "place": [],
        "count": [{"entity": "e1", "score": 0.9465}],
    }
    assert ends(answer) == [("e0", "a0", None)]
    assert answer["sentences"] == DOCUMENT.to_dict()["sentences"]
    assert answer["text"] == DOCUMENT.text


def test_classes_leave_out_actions_with_their_triples() -> None:
    answer = select(DOCUMENT, Selection(classes=["ASSAULT"]))
    assert answer["entities"] == DOCUMENT.to_dict()["entities"]
    assert answer["actions"] == DOCUMENT.to_dict()["actions"][1:]
    assert ends(answer) == [(None, "a1", "e2")]


def test_an_empty_list_asks_for_nothing() -> None:
    answer = select(DOCUMENT, Selection(labels=[], classes=[], include=[]))
    assert answer == {"id": "1042", "text": DOCUMENT.text, "sentences": [{"start": 0, "end": 50}]}


@pytest.mark.parametrize("include", [[], ["entities"], ["triples"], ["triples", "actions"], PARTS])
def test_include_makes_other_lists_absent_and_changes_nothing_else(include: list[str]) -> None:
    whole = DOCUMENT.to_dict()
    expected = {key: value for key, value in whole.items() if key not in PARTS or key in include}
    assert select(DOCUMENT, Selection(include=include)) == expected
    assert list(select(DOCUMENT, Selection(include=include))) == list(expected)


def test_a_triple_loses_the_end_that_is_left_out() -> None:
    document = replace(DOCUMENT, triples=(Triple("e0", "a1", "e2", 0.5),))
    assert ends(select(document, Selection(labels=["ORG"]))) == [("e0", "a1", None)]
    assert ends(select(document, Selection(labels=["NOM"]))) == [(None, "a1", "e2")]
    assert ends(select(document, Selection(labels=["LOC"]))) == []
    assert ends(select(document, Selection(labels=["ORG", "NOM"]))) == [("e0", "a1", "e2")]


def test_triples_that_become_the_same_are_one_with_the_highest_score() -> None:
    triples = (Triple("e0", "a1", "e2", 0.5), Triple("e1", "a1", "e2", 0.3), Triple("e0", "a1", "e3", 0.7))
    answer = select(replace(DOCUMENT, triples=triples), Selection(labels=["ORG"]))
    assert answer["triples"] == [{"actor": "e0", "action": "a1", "target": None, "score": 0.7}]


_NAMES = [f"e{index}" for index in range(6)]
_SCORES = st.floats(0, 1)
_ROLES = st.fixed_dictionaries(
    {role: st.lists(st.builds(RoleFiller, st.sampled_from(_NAMES), _SCORES), max_size=3).map(tuple) for role in ROLES}
)
_ENDS = st.none() | st.sampled_from(_NAMES)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Documents whose lists are wild, but whose ids are sound."""
    entities = tuple(
        Entity(id, draw(st.sampled_from(ENTITY_LABELS)), 0, 1, "x", "x", None, draw(_SCORES)) for id in _NAMES
    )
    actions = tuple(
        Action(f"a{index}", 0, 1, "x", draw(st.sampled_from(CLASSES)), "asserted", draw(_SCORES), draw(_ROLES))
        for index in range(draw(st.integers(0, 4)))
    )
    triples = st.builds(Triple, _ENDS, st.sampled_from([action.id for action in actions] or ["a0"]), _ENDS, _SCORES)
    return Document("1", "x", (), entities, actions, tuple(draw(st.lists(triples, max_size=6))) if actions else ())


@given(
    documents(),
    st.none() | st.sets(st.sampled_from(ENTITY_LABELS)),
    st.none() | st.sets(st.sampled_from(CLASSES)),
)
def test_what_is_left_is_what_was_asked_and_hangs_together(
    document: Document, labels: set[str] | None, classes: set[str] | None
) -> None:
    answer = select(document, Selection(labels, classes))
    whole = document.to_dict()
    assert answer["entities"] == [item for item in whole["entities"] if labels is None or item["label"] in labels]
    kept = set(ids(answer["entities"]))
    asked = [action for action in whole["actions"] if classes is None or action["class"] in classes]
    for action in asked:
        for fillers in action["roles"].values():
            fillers[:] = [filler for filler in fillers if filler["entity"] in kept]
    assert answer["actions"] == asked
    if labels is None and classes is None:
        assert answer["triples"] == whole["triples"]
        return
    expected = {
        (
            triple.actor if triple.actor in kept else None,
            triple.action,
            triple.target if triple.target in kept else None,
        )
        for triple in document.triples
        if triple.action in ids(asked)
    }
    assert len(ends(answer)) == len(set(ends(answer)))
    assert set(ends(answer)) == {triple for triple in expected if triple[0] or triple[2]}
