"""Documents in JSON lines, read back and checked."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from event_samples import RAID, TALKS

from serving.events.documents import BadDocument, Dated, document_from_dict, read_documents
from serving.events.rows import DocumentError
from serving.formats import json_line


def test_what_is_written_is_read_back() -> None:
    for document in (TALKS, RAID):
        assert document_from_dict(json.loads(json_line(document))) == document


def test_lines_of_predict_and_of_bulk_with_their_dates() -> None:
    lines = [
        json_line(TALKS),
        "",
        json.dumps({**RAID.to_dict(), "date": "2024-05-01"}),
        json.dumps({"id": "x", "date": 20240502, "source": "a.jsonl", "line": 7, "document": RAID.to_dict()}),
    ]
    stream = io.BytesIO(b"\xef\xbb\xbf" + "\n".join(lines).encode())
    assert list(read_documents(stream, "docs.jsonl")) == [
        Dated(TALKS, None),
        Dated(RAID, "2024-05-01"),
        Dated(RAID, "20240502"),
    ]


def test_a_bad_line_is_told_with_its_number_and_the_others_are_read() -> None:
    lines = [json_line(RAID).encode(), b"{", b"\xff", b"[]", b'{"id": "1", "error": {}}', json_line(TALKS).encode()]
    found = list(read_documents(io.BytesIO(b"\n".join(lines)), "docs.jsonl"))
    assert [item.document.id for item in found if isinstance(item, Dated)] == ["raid", "talks"]
    bad = [item for item in found if isinstance(item, BadDocument)]
    assert [item.place for item in bad] == [f"docs.jsonl: line {number}" for number in (2, 3, 4, 5)]
    assert [item.message.partition(":")[0] for item in bad] == [
        "not JSON",
        "not UTF-8",
        "not a JSON object",
        "an error that the service answered with, not a document",
    ]


def changed(path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    record: Any = json.loads(json_line(TALKS))
    at = record
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    assert isinstance(record, dict)
    return record


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("actions", 0, "class"), "FIGHT", "actions.0.class: 'FIGHT' is not one of AGREE"),
        (("actions", 1, "factuality"), "maybe", "actions.1.factuality: 'maybe' is not one of"),
        (("entities", 2, "label"), "GPE", "entities.2.label: 'GPE' is not one of"),
        (("entities", 2, "start"), 3, "entities.2.text: not what the document's text says there"),
        (("entities", 2, "end"), 4000, r"entities.2: \[\d+, 4000\) does not lie in the text"),
        (("entities", 0, "start"), "17", "entities.0.start: "),
        (("entities", 0, "score"), 1.5, "entities.0.score: "),
        (("entities", 1, "id"), "e0", "entities: the id 'e0' comes twice"),
        (("sentences", 1, "end"), 900, "sentences.1: "),
        (("actions", 0, "roles"), {}, "actions.0.roles.actor: "),
        (("id",), "", "id: empty"),
        (("extra",), 1, "extra: "),
    ],
)
def test_what_contradicts_itself_is_named(path: tuple[str | int, ...], value: object, message: str) -> None:
    with pytest.raises(DocumentError, match=f"^{message}"):
        document_from_dict(changed(path, value))


def test_offsets_of_another_unit_are_found_out() -> None:
    text = "🙂 " + RAID.text
    record = RAID.to_dict() | {"text": text, "sentences": [{"start": 0, "end": len(text)}]}
    for span in [*record["entities"], *record["actions"]]:
        span["start"] += 3  # UTF-16 units
        span["end"] += 3
    with pytest.raises(DocumentError, match="are offsets code points"):
        document_from_dict(record)


def test_lists_that_an_answer_left_out_are_empty() -> None:
    record = {name: value for name, value in RAID.to_dict().items() if name in ("id", "text", "sentences")}
    document = document_from_dict(record)
    assert (document.actions, document.entities, document.triples) == ((), (), ())
