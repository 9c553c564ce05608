from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from problem_checks import errors, problem

from feedback.annotated import body, document
from serving.bodies import Limits
from serving.examples import TEXT
from serving.feedback.submissions import MAX_SPAN, parse_submission
from serving.problems import MAX_ERRORS, Problem

OUTSIDE = f"60 is outside the text, which has 52 characters: «{TEXT} 1»"
NO_LABEL = '"GPE" is not one of PER, ORG, LOC, NUM, NOM, ACT: «الجيش العراقي»'
NO_ACTION = "only an action has it, and this is ORG: «الجيش العراقي»"
IDLE = "an action without actor or target is not tagged: «أعلن»"
LIMITS = Limits(documents=8, characters=20_000, body_bytes=2_000_000)


def faults(value: object) -> dict[str, str]:
    """What is said of each field of a body."""
    with pytest.raises(Problem) as caught:
        parse_submission(json.dumps(value).encode(), LIMITS)
    assert caught.value.kind == "invalid-request"
    return dict(caught.value.errors)


def span(index: int, **fields: object) -> dict[str, Any]:
    """A document with a change in one of its spans."""
    own = document(1)
    own["entities"] = [{**each, **(fields if at == index else {})} for at, each in enumerate(own["entities"])]
    return own


def relation(index: int, **fields: object) -> dict[str, Any]:
    own = document(1)
    own["relations"] = [{**each, **(fields if at == index else {})} for at, each in enumerate(own["relations"])]
    return own


def without(value: dict[str, Any], name: str) -> dict[str, Any]:
    return {own: inner for own, inner in value.items() if own != name}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("قال", {"": "not an object"}),
        ({}, {".text": "missing", ".entities": "missing", ".relations": "missing"}),
        (document(1, text=None), {".text": "must be a string, not null"}),
        (document(1, text="\0" + TEXT), {".text": "U+0000 at character 1: NUL is not text"}),
        (document(1, text=TEXT + "\ud800"), {".text": "U+D800 at character 51: a lone surrogate is not Unicode text"}),
        (document(1, text=TEXT * 500), {".text": "25,000 characters; a text may have 20,000"}),
        (document(1, text=" \n", entities=[], relations=[]), {".text": "is empty"}),
        (document(1, id=""), {".id": "is empty"}),
        (document(1, id=1.5), {".id": "must be a string or an integer, not a number"}),
        (document(1, id="a\0"), {".id": "U+0000 at character 2: NUL is not text"}),
        (document(1, id="\ud800"), {".id": "U+D800 at character 1: a lone surrogate is not Unicode text"}),
        (document(1, meta={}), {".meta": "unknown field: only the export has it"}),
        (document(1, score=0.5), {".score": "unknown field"}),
        (document(1, entities={}), {".entities": "must be an array, not an object"}),
        (span(2, end_offset=60), {".entities[2].end_offset": OUTSIDE}),
        (span(2, start_offset="19"), {".entities[2].start_offset": "must be an integer, not a string"}),
        (span(2, start_offset=23), {".entities[2]": f"the span [23, 23) has nothing in it: «{TEXT} 1»"}),
        (span(2, end_offset=24), {".entities[2]": "white space at the edge of the span: «مقتل »"}),
        (span(3, start_offset=22), {".entities[3]": "the span overlaps entities[2] «مقتل»: «ل خمسة»"}),
        (span(1, label="GPE"), {".entities[1].label": NO_LABEL}),
        (span(1, factuality="asserted"), {".entities[1].factuality": NO_ACTION}),
        (span(1, id=0), {".entities[1].id": "0 is given to two entities: «الجيش العراقي»"}),
        (relation(3, to_id=9), {".relations[3].to_id": "no entity has the id 9"}),
        (relation(3, to_id=1), {".relations[3]": "ORG cannot be place, only LOC, NOM: «مقتل → الجيش العراقي»"}),
        (relation(0, from_id=2, to_id=0), {".relations[0]": "runs to an action, not to an entity: «مقتل → أعلن»"}),
        (document(1, relations=document(1)["relations"][1:]), {".entities[0]": IDLE}),
    ],
)
def test_a_wrong_document_names_field_and_text(changed: object, expected: dict[str, str]) -> None:
    found = faults(body(document(2), changed))
    assert {field: found.get(f"documents[1]{field}") for field in expected} == expected
    assert all(field.startswith("documents[1]") for field in found)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ([], {"": "not an object"}),
        ({}, {"annotator": "missing", "model": "missing", "documents": "missing"}),
        (body(annotator=""), {"annotator": "empty"}),
        (body(annotator=" \u00a0"), {"annotator": "nothing but white space"}),
        (body(annotator="س" * 201), {"annotator": "201 characters; it may have 200"}),
        (body(annotator=5), {"annotator": "not a string"}),
        (body(annotator="سلمى\n"), {"annotator": "U+000A at character 5: a control character"}),
        (body(annotator="\0"), {"annotator": "U+0000 at character 1: NUL is not text"}),
        (body(annotator="\x85"), {"annotator": "U+0085 at character 1: a control character"}),
        (body(annotator="a\u2028"), {"annotator": "U+2028 at character 2: a control character"}),
        (body(annotator="\ud83d"), {"annotator": "U+D83D at character 1: a lone surrogate is not Unicode text"}),
        (body(version=""), {"model.version": "empty"}),
        (body(version=1), {"model.version": "not a string"}),
        (without(body(), "model"), {"model": "missing"}),
        ({**body(), "model": {"name": "musnad"}}, {"model.version": "missing"}),
        (body(note=""), {"note": "unknown field"}),
        ({**body(), "documents": {}}, {"documents": "not a list"}),
        (body(*([{}] * 9)), {"documents": "9 documents; a request may have 8"}),
    ],
)
def test_a_wrong_request_names_the_field(changed: object, expected: dict[str, str]) -> None:
    assert faults(changed) == expected


def test_a_longest_name_is_taken() -> None:
    assert parse_submission(json.dumps(body(annotator="س" * 200)).encode(), LIMITS).annotator == "س" * 200


def test_every_fault_of_every_document_is_named() -> None:
    found = faults(body(span(2, end_offset=60), document(2), relation(1, type="agent"), 5, annotator=""))
    assert list(found) == [
        "annotator",
        "documents[0].entities[2].end_offset",
        "documents[2].relations[1].type",
        "documents[3]",
    ]


def test_faults_are_listed_up_to_the_limit() -> None:
    many = document(1, entities=[{**document(1)["entities"][1], "id": number, "label": "X"} for number in range(50)])
    with pytest.raises(Problem) as caught:
        parse_submission(json.dumps(body(many)).encode(), LIMITS)
    assert len(caught.value.errors) == MAX_ERRORS
    assert "fields are wrong; the first 20 are listed" in caught.value.detail
    assert int(caught.value.detail.split()[0]) >= 50


def test_an_id_is_optional() -> None:
    given = [document(1), document(2, id=None), document(3, id="خبر"), document(4, id=7), document(5, id="-")]
    submission = parse_submission(json.dumps(body(*given)).encode(), LIMITS)
    assert [own.id for own in submission.documents] == ["", "", "خبر", "7", "-"]


def test_what_doccano_adds_is_taken_as_in_files() -> None:
    submission = parse_submission(json.dumps(body(document(1, Comments=[], cats={}))).encode(), LIMITS)
    assert len(submission.documents) == 1


def test_a_whole_article_is_one_document(root: Path) -> None:
    text = (root / "tests" / "articles" / "01_conflict.txt").read_text(encoding="utf-8")
    assert text.count(".") > 5
    last = text.rindex(" ") + 1
    entities = [
        {**document(1)["entities"][0], "start_offset": 0, "end_offset": text.index(" ")},
        {"id": 1, "label": "NOM", "start_offset": last, "end_offset": len(text.rstrip())},
    ]
    relations = [{"id": 0, "from_id": 0, "to_id": 1, "type": "actor"}]  # from the first sentence to the last
    own = {"text": text, "entities": entities, "relations": relations}
    submission = parse_submission(json.dumps(body(own)).encode(), LIMITS)
    assert submission.documents[0].to_dict() == {"id": "", **own}


def test_long_spans_are_refused_before_they_are_quoted() -> None:
    text = "ب" * 20_000
    long = [
        {"id": number, "label": "X", "start_offset": number, "end_offset": end}
        for number, end in enumerate([MAX_SPAN + 1, 20_000, 10**9])
    ]
    found = faults(body({"text": text, "entities": [*long, *long * 3000], "relations": []}))
    assert found["documents[0].entities[0].end_offset"].startswith(
        "the span has 1,001 characters; it may have 1,000: «بب"
    )
    assert found["documents[0].entities[2].end_offset"].startswith("1000000000 is outside the text, which has 20000 ")
    assert sum(map(len, found.values())) < 10_000
    allowed = [{"id": 0, "label": "LOC", "start_offset": 0, "end_offset": MAX_SPAN}]
    assert parse_submission(json.dumps(body({"text": text, "entities": allowed, "relations": []})).encode(), LIMITS)


def test_what_is_quoted_is_cut() -> None:
    own = span(1, label="X" * 5000)
    own["y" * 5000] = 1
    found = faults(body(own))
    assert all(len(field) <= 201 and len(message) <= 500 for field, message in found.items())
    assert len(found) == 2


@pytest.mark.parametrize("depth", [10, 300, 900, 950, 980])
def test_a_deep_value_is_a_fault(depth: int) -> None:
    deep = "[" * depth + "]" * depth
    content = json.dumps(body(span(1, label="DEEP"))).replace('"DEEP"', deep)
    with pytest.raises(Problem) as caught:
        parse_submission(content.encode(), LIMITS)
    assert caught.value.kind in ("invalid-request", "not-json")
    assert all(field.startswith("documents[0]") for field, _ in caught.value.errors)


def test_the_answer_is_a_problem(client: Any) -> None:
    response = client.post("/annotations", json=body(document(1), span(2, end_offset=60)))
    assert errors(response) == {"documents[1].entities[2].end_offset": OUTSIDE}
    assert problem(response, "invalid-request")["detail"] == "1 field is wrong."
    assert client.get("/annotations").text == ""  # nor is the sound document stored
