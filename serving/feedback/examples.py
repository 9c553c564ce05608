"""A submission, its answer and its record, for the documentation of the service; offsets counted by the machine."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from model.annotation_files import parse_sentence
from serving.examples import TEXT
from serving.feedback.records import Annotation, Submission


def _span(id: int, label: str, text: str, **action: str) -> dict[str, Any]:
    start = TEXT.index(text)
    return {"id": id, "label": label, **action, "start_offset": start, "end_offset": start + len(text)}


def _role(id: int, action: int, entity: int, role: str) -> dict[str, Any]:
    return {"id": id, "from_id": action, "to_id": entity, "type": role}


DOCUMENT: dict[str, Any] = {
    "id": "1042",
    "text": TEXT,
    "entities": [
        _span(0, "ACT", "أعلن", **{"class": "STATE", "factuality": "asserted"}),
        _span(1, "ORG", "الجيش العراقي"),
        _span(2, "ACT", "مقتل", **{"class": "ASSAULT", "factuality": "asserted"}),
        _span(3, "NUM", "خمسة"),
        _span(4, "NOM", "مسلحين"),
        _span(5, "LOC", "صلاح الدين"),
    ],
    "relations": [
        _role(0, 0, 1, "actor"),
        _role(1, 2, 4, "target"),
        _role(2, 2, 3, "count"),
        _role(3, 2, 5, "place"),
    ],
}

REQUEST: dict[str, Any] = {
    "annotator": "سلمى",
    "model": {"name": "musnad", "version": "0.1.0"},
    "documents": [DOCUMENT],
}

_SUBMISSION = Submission("سلمى", "musnad", "0.1.0", (parse_sentence(DOCUMENT),))
_CREATED = datetime(2025, 11, 22, 9, 30, 12, 345678, tzinfo=UTC)

#: The id of the record.
ID = _SUBMISSION.ids()[0]

ANSWER: dict[str, Any] = {"annotations": [{"id": ID, "status": "pending", "created": True}]}
ANSWER_AGAIN: dict[str, Any] = {"annotations": [{"id": ID, "status": "accepted", "created": False}]}

RECORD: dict[str, Any] = json.loads(
    Annotation(
        number=1,
        id=ID,
        status="accepted",
        created=_CREATED,
        updated=_CREATED.replace(hour=11),
        annotator="سلمى",
        model_name="musnad",
        model_version="0.1.0",
        document_id="1042",
        text=TEXT,
        entities=json.dumps(DOCUMENT["entities"]),
        relations=json.dumps(DOCUMENT["relations"]),
    ).to_json()
)
