"""The annotation format: what is read, what is refused and where the error points, what is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from model.annotation import AnnotatedSentence, AnnotationError, Relation, Span
from model.annotation_files import parse_sentence, read_annotations, write_annotations

TEXT = "أعلن الجيش العراقي مقتل مسلح"


def record() -> dict[str, Any]:
    """A sound sentence, in the order of fields that is written."""
    return {
        "id": "a-0001",
        "text": TEXT,
        "entities": [
            {"id": 0, "label": "ACT", "class": "STATE", "factuality": "asserted", "start_offset": 0, "end_offset": 4},
            {"id": 1, "label": "ORG", "start_offset": 5, "end_offset": 18},
            {
                "id": 2,
                "label": "ACT",
                "class": "ASSAULT",
                "factuality": "asserted",
                "start_offset": 19,
                "end_offset": 23,
            },
            {"id": 3, "label": "NOM", "start_offset": 24, "end_offset": 28},
        ],
        "relations": [
            {"id": 0, "from_id": 0, "to_id": 1, "type": "actor"},
            {"id": 1, "from_id": 2, "to_id": 3, "type": "target"},
        ],
    }


def test_a_sentence_is_read_into_records_and_written_as_it_was() -> None:
    sentence = parse_sentence(record())
    assert sentence.id == "a-0001"
    assert sentence.spans[0] == Span(0, "ACT", 0, 4, "STATE", "asserted")
    assert sentence.spans[1] == Span(1, "ORG", 5, 18)
    assert sentence.relations == (Relation(0, 0, 1, "actor"), Relation(1, 2, 3, "target"))
    assert json.dumps(sentence.to_dict()) == json.dumps(record())


def test_entities_actions_their_text_and_fillers() -> None:
    sentence = parse_sentence(record())
    assert [sentence.text_of(span) for span in sentence.entities] == ["الجيش العراقي", "مسلح"]
    assert [sentence.text_of(span) for span in sentence.actions] == ["أعلن", "مقتل"]
    assert sentence.fillers(2, "target") == (3,)
    assert sentence.fillers(2, "actor") == ()


def test_what_doccano_adds_is_accepted_and_its_numeric_id_becomes_text() -> None:
    assert parse_sentence({**record(), "id": 17, "Comments": [], "cats": ["x"]}).id == "17"


@pytest.mark.parametrize(
    ("where", "name", "value", "message"),
    [
        ((), "id", None, "id: must be a string or an integer, not null"),
        ((), "id", True, "id: must be a string or an integer, not true or false"),
        ((), "id", "", "id: is empty"),
        ((), "text", 5, "text: must be a string, not an integer"),
        ((), "text", "\ud800", "text: holds half of a surrogate pair"),
        ((), "entities", {}, "entities: must be an array, not an object"),
        ((), "relations", "x", "relations: must be an array, not a string"),
        ((), "split", "test", "split: unknown field"),
        (("entities", 1), "score", 0.5, "entities[1].score: unknown field"),
        (("entities", 1), "id", "1", "entities[1].id: must be an integer, not a string"),
        (("entities", 1), "id", 0, "entities[1].id: 0 is given to two entities"),
        (("entities", 1), "label", "GPE", 'entities[1].label: "GPE" is not one of PER, ORG, LOC, NUM, NOM, ACT'),
        (("entities", 1), "label", ["ORG"], 'entities[1].label: ["ORG"] is not one of'),
        (("entities", 1), "label", "ACT", "entities[1].class: missing: an action must have it"),
        (("entities", 1), "class", "STATE", "entities[1].class: only an action has it, and this is ORG"),
        (("entities", 1), "factuality", "asserted", "entities[1].factuality: only an action has it"),
        (("entities", 0), "class", "SAY", 'entities[0].class: "SAY" is not one of'),
        (("entities", 0), "factuality", "neg", 'entities[0].factuality: "neg" is not one of'),
        (("entities", 1), "start_offset", True, "entities[1].start_offset: must be an integer, not true or false"),
        (("entities", 1), "start_offset", 5.0, "entities[1].start_offset: must be an integer, not a number"),
        (("entities", 1), "start_offset", -1, "entities[1].start_offset: -1 is outside the text"),
        (("entities", 1), "end_offset", 29, "entities[1].end_offset: 29 is outside the text, which has 28 characters"),
        (("entities", 1), "end_offset", 5, "entities[1]: the span [5, 5) has nothing in it"),
        (("entities", 1), "end_offset", 3, "entities[1]: the span [5, 3) has nothing in it"),
        (("relations", 0), "type", "agent", 'relations[0].type: "agent" is not one of actor, target, place, count'),
        (("relations", 0), "to_id", 9, "relations[0].to_id: no entity has the id 9"),
        (("relations", 0), "from_id", False, "relations[0].from_id: must be an integer, not true or false"),
        (("relations", 0), "id", 1, "relations[1].id: 1 is given to two relations"),
        (("relations", 0), "weight", 1, "relations[0].weight: unknown field"),
    ],
)
def test_an_error_names_the_field(where: tuple[str | int, ...], name: str, value: object, message: str) -> None:
    changed: Any = record()
    inner = changed
    for step in where:
        inner = inner[step]
    inner[name] = value
    with pytest.raises(AnnotationError) as caught:
        parse_sentence(changed)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("name", ["id", "text", "entities", "relations"])
def test_a_missing_field_is_an_error(name: str) -> None:
    changed = record()
    del changed[name]
    with pytest.raises(AnnotationError, match=f"^{name}: missing"):
        parse_sentence(changed)


@pytest.mark.parametrize("value", [None, 3, "text", [record()]])
def test_only_an_object_is_a_sentence(value: object) -> None:
    with pytest.raises(AnnotationError, match="a sentence is a JSON object"):
        parse_sentence(value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"id": 1', "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b'{"id": 1, "id": 2}', 'field "id" given twice'),
        (b"[" * 100_000, "not JSON"),
        (b'{"id": ' + b"9" * 5_000 + b"}", "not JSON"),
        (b'{"id": "x"}', "text: missing"),
    ],
)
def test_an_error_in_a_file_names_file_and_line(tmp_path: Path, line: bytes, message: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(json.dumps(record()).encode() + b"\n\n" + line + b"\n")
    sentences = read_annotations(path)
    assert next(sentences).id == "a-0001"
    with pytest.raises(AnnotationError) as caught:
        next(sentences)
    assert str(caught.value).startswith(f"{path}:3: ")
    assert message in str(caught.value)
    assert (caught.value.path, caught.value.line) == (path, 3)


def test_a_byte_order_mark_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bom.jsonl"
    path.write_text(json.dumps(record()), encoding="utf-8-sig")
    with pytest.raises(AnnotationError, match="byte order mark"):
        list(read_annotations(path))


def test_only_line_feeds_end_lines(tmp_path: Path) -> None:
    """U+2028 and its like may stand unescaped in JSON, and windows ends its lines with two characters."""
    path = tmp_path / "lines.jsonl"
    text = "قال\u2028هو\u0085ثم\u000bراح"
    sentences = [AnnotatedSentence(str(number), text, (), ()) for number in range(2)]
    assert write_annotations(path, sentences) == 2
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert list(read_annotations(path)) == sentences


def test_a_file_can_be_corrected_in_place_and_survives_an_error(tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl"
    write_annotations(path, [parse_sentence(record())])
    before = path.read_bytes()
    assert TEXT in before.decode("utf-8")
    write_annotations(path, read_annotations(path))
    assert path.read_bytes() == before
    path.write_bytes(before + b"broken\n")
    with pytest.raises(AnnotationError):
        write_annotations(path, read_annotations(path))
    assert path.read_bytes() == before + b"broken\n"
    assert list(tmp_path.iterdir()) == [path]
