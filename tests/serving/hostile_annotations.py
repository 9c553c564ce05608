"""Hostile bodies and parameters of `/annotations`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hostile import JSON, Case, ask, get, head, post

_TEXT = "أعلن الجيش العراقي مقتل خمسة مسلحين."
_DIGITS = "9" * 4300
_ID = "0" * 32


def _span(start: object, end: object, id: object = 0, **fields: object) -> dict[str, object]:
    return {"id": id, "label": "PER", "start_offset": start, "end_offset": end, **fields}


def _request(document: object, **fields: object) -> bytes:
    request = {"annotator": "سلمى", "model": {"name": "m", "version": "1"}, "documents": [document], **fields}
    return json.dumps(request).encode()


def _submit(sent: str, body: bytes, says: str = "", answer: str = "422 invalid-request") -> Case:
    return Case(sent, "POST /annotations", post("/annotations", body), answer, says)


def _document(
    sent: str, says: str = "", answer: str = "422 invalid-request", *, replaced: Mapping[str, str] = {}, **fields: Any
) -> Case:
    """`replaced`: what stands in the JSON in place of strings, as no number can that Python would write."""
    body = _request({"text": _TEXT, "entities": [], "relations": [], **fields}).decode()
    for old, new in replaced.items():
        body = body.replace(json.dumps(old), new)
    return _submit(sent, body.encode(), says, answer)


_OUTSIDE = f"is outside the text, which has {len(_TEXT)} characters"
_END = "documents[0].entities[0].end_offset: "
_START = "documents[0].entities[0].start_offset: "

OFFSETS = [
    _document("a negative offset", f"{_START}-1 {_OUTSIDE}", entities=[_span(-1, 4)]),
    _document("an offset beyond the text", f"{_END}10000 {_OUTSIDE}", entities=[_span(0, 10_000)]),
    _document("an offset of 4,300 digits", _END, entities=[_span(0, "@")], replaced={"@": _DIGITS}),
    _document(
        "a negative offset of 4,300 digits",
        "the span has 2,000 characters; it may have 1,000",
        text="ا" * 2000,
        entities=[_span("@", 2000)],
        replaced={"@": f"-{_DIGITS}"},
    ),
    _document("an offset that is a float", f"{_END}must be an integer, not a number", entities=[_span(0, 4.0)]),
    _document(
        "an offset that is infinite", f"{_END}must be an integer", entities=[_span(0, "@")], replaced={"@": "1e400"}
    ),
    _document("an offset that is a string", f"{_END}must be an integer, not a string", entities=[_span(0, "4")]),
    _document("an offset that is true", _START, entities=[_span(True, 4)]),
    _document("an offset that is null", _START, entities=[_span(None, 4)]),
    _document("an empty span", "documents[0].entities[0]: the span [4, 4) has nothing in it", entities=[_span(4, 4)]),
    _document(
        "a span from right to left",
        "documents[0].entities[0]: the span [4, 0) has nothing in it",
        entities=[_span(4, 0)],
    ),
    _document(
        "spans that overlap",
        "documents[0].entities[1]: the span overlaps entities[0]",
        entities=[_span(5, 18), _span(11, 23, 1)],
    ),
    _document(
        "a million spans, none of which is one",
        "documents[0].entities: 1,000,000 spans; a text of 36 characters can have 36",
        entities=[None] * 1_000_000,
    ),
    _document(
        "5,000 spans of 500 characters in a text of 5,000",
        "documents[0].entities: the spans overlap: they have 2,500,000 characters, and the text has 5,000",
        text="ا" * 5000,
        entities=[_span(id % 500, id % 500 + 500, id) for id in range(5000)],
    ),
    _document(
        "100,000 roles",
        "documents[0].relations: 100,000 roles; a document of 0 spans may have 10",
        relations=[None] * 100_000,
    ),
    _document(
        "two spans with one id",
        "documents[0].entities[1].id: 0 is given to two entities",
        entities=[_span(5, 10), _span(11, 18)],
    ),
    _document(
        "an id of 4,300 digits, which is kept", answer="201", entities=[_span(5, 18, "@")], replaced={"@": _DIGITS}
    ),
    _document(
        "a span that cuts a letter from its mark",
        "the span's last letter is cut from its mark",
        text="قصفَ",
        entities=[_span(0, 3)],
    ),
    _document("a label that there is not", "documents[0].entities[0].label", entities=[_span(5, 10, label="PERSON")]),
    _document("an unknown field of a span", "documents[0].entities[0].score", entities=[_span(5, 10, score=1)]),
    _document(
        "a relation to nothing",
        "documents[0].relations[0]",
        relations=[{"id": 0, "from_id": 7, "to_id": 8, "type": "actor"}],
    ),
    _document(
        "a relation of a span to itself",
        "documents[0].relations[0]: an entity is related to itself",
        entities=[_span(5, 18)],
        relations=[{"id": 0, "from_id": 0, "to_id": 0, "type": "actor"}],
    ),
    _document(
        "a role that there is not",
        "documents[0].relations[0].type",
        entities=[_span(5, 18)],
        relations=[{"id": 0, "from_id": 0, "to_id": 0, "type": "'; --"}],
    ),
]

DOCUMENTS = [
    _submit("an empty body", b"", "not JSON: Expecting value at column 1", "400 not-json"),
    _submit("truncated JSON", _request({})[:-1], "not JSON", "400 not-json"),
    _submit("invalid UTF-8", _request({}).replace(b"m", b"\xff"), "not UTF-8", "400 not-json"),
    _submit(
        "50,000 arrays inside each other",
        _request("@").replace(b'"@"', b"[" * 50_000 + b"]" * 50_000),
        "nested too deep",
        "400 not-json",
    ),
    _submit(
        "900 arrays in the place of spans",
        _request({"text": _TEXT, "entities": "@", "relations": []}).replace(b'"@"', b"[" * 900 + b"]" * 900),
        "documents[0].entities[0]: must be a JSON object, not an array",
    ),
    _submit("9 MiB", b" " * (9 * 1024 * 1024), "The body may have 8,388,608 bytes.", "413 too-large"),
    _submit(
        "257 documents", _request(None, documents=[None] * 257), "documents: 257 documents; a request may have 256"
    ),
    _submit("documents that are null", _request(None), "documents[0]: not an object"),
    _submit("nothing", b"{}", "annotator: missing"),
    _document("an empty text", "documents[0].text: is empty", text=" "),
    _document("NUL in the text", "documents[0].text: U+0000 at character 2", text="a\0"),
    _document("half of a surrogate pair in the text", "documents[0].text: U+D800 at character 1", text="\ud800"),
    _document(
        "half of a surrogate pair in a role",
        "documents[0].relations[0].type",
        relations=[{"id": 0, "from_id": 0, "to_id": 0, "type": "\ud800"}],
    ),
    _document(
        "a text of 200,001 characters",
        "documents[0].text: 200,001 characters; a text may have 200,000",
        text="ا" * 200_001,
    ),
    _document(
        "an id that is an object", "documents[0].id: must be a string or an integer, not an object", id={"$gt": ""}
    ),
    _document("the export's own field", "documents[0].meta: unknown field", meta={"status": "accepted"}),
    _document("a field that there is not, named like one of Python's", "documents[0].__class__", __class__="a"),
    _submit("an annotator without a name", _request({}, annotator=""), "annotator: empty"),
    _submit(
        "an annotator's name with a newline",
        _request({}, annotator="a\nb"),
        "annotator: U+000A at character 2: a control character",
    ),
    _submit(
        "an annotator's name of 201 characters",
        _request({}, annotator="a" * 201),
        "annotator: 201 characters; it may have 200",
    ),
    _submit("an annotator that is a list", _request({}, annotator=["a"]), "annotator: not a string"),
    _submit("a model that is a string", _request({}, model="m"), "model: not an object"),
]


def _export(sent: str, query: str, says: str = "", answer: str = "422 invalid-request") -> Case:
    return Case(sent, "GET /annotations", get(f"/annotations?{query}"), answer, says)


def _review(sent: str, path: str, body: bytes, answer: str, says: str = "") -> Case:
    own = head(f"PATCH /annotations/{path}", f"Content-Type: {JSON}", length=len(body))
    return Case(sent, "PATCH /annotations/{id}", ask(own, body), answer, says)


_ACCEPTED = b'{"status": "accepted"}'

FILTERS = [
    _export(
        "SQL as the status", "status=';DROP%20TABLE%20annotations;--", "status: not one of pending, accepted, rejected"
    ),
    _export("SQL as the annotator, who has no annotations", "annotator='%20OR%20'1'='1", answer="200"),
    _export("an annotator with NUL", "annotator=a%00", "annotator: U+0000 at character 2"),
    _export("an annotator of invalid UTF-8", "annotator=%ff", answer="200"),
    _export("a time that is none", "since=yesterday", "since: not an ISO 8601 date or date-time"),
    _export("a time before the first", "since=0001-01-01T00:00:00%2B14:00", "since: not an ISO 8601 date or date-time"),
    _export("a parameter twice", "status=pending&status=pending", "status: given twice"),
    _export("a parameter that there is not", "limit=1", "limit: unknown parameter"),
    _review("an id that there is not", _ID, _ACCEPTED, "404 not-found", f"There is no annotation with the id {_ID}."),
    _review("SQL as the id", "'%20OR%20'1'='1", _ACCEPTED, "404 not-found"),
    _review("an id of 10,000 letters", "a" * 10_000, _ACCEPTED, "404 not-found", "aaa…."),
    _review("an id of invalid UTF-8 and NUL", "%ff%00", _ACCEPTED, "404 not-found"),
    _review("an id with a slash", "..%2f..", _ACCEPTED, "404 not-found"),
    _review("a status that there is not", _ID, b'{"status": "deleted"}', "422 invalid-request", "status: "),
    _review("a status as a list", _ID, b'{"status": ["accepted"]}', "422 invalid-request", "status: "),
    _review("no body", _ID, b"", "400 not-json"),
]
