"""A request and its answer, for the documentation of the service: written by hand, offsets counted by the machine."""

from __future__ import annotations

from typing import Any

from model.calibration import KINDS
from model.labels import CLASSES, ENTITY_LABELS, FACTUALITIES, ROLES
from model.records import Action, Document, Entity, RoleFiller, Sentence, Triple

TEXT = "أعلن الجيش العراقي مقتل خمسة مسلحين في صلاح الدين."
SECOND_TEXT = "دعا الأمين العام طرفي النزاع إلى وقف القتال في السودان."


def _entity(id: str, label: str, text: str, score: float, value: int | None = None) -> Entity:
    start = TEXT.index(text)
    return Entity(id, label, start, start + len(text), text, text, value, score)


def _action(id: str, text: str, event_class: str, score: float, **fillers: tuple[str, float]) -> Action:
    start = TEXT.index(text)
    roles: dict[str, tuple[RoleFiller, ...]] = {
        role: (RoleFiller(*fillers[role]),) if role in fillers else () for role in ROLES
    }
    return Action(id, start, start + len(text), text, event_class, "asserted", score, roles)


DOCUMENT = Document(
    id="1042",
    text=TEXT,
    sentences=(Sentence(0, len(TEXT)),),
    entities=(
        _entity("e0", "ORG", "الجيش العراقي", 0.9641),
        _entity("e1", "NUM", "خمسة", 0.9873, 5),
        _entity("e2", "NOM", "مسلحين", 0.9402),
        _entity("e3", "LOC", "صلاح الدين", 0.9715),
    ),
    actions=(
        _action("a0", "أعلن", "STATE", 0.9806, actor=("e0", 0.9538)),
        _action("a1", "مقتل", "ASSAULT", 0.9317, target=("e2", 0.9128), place=("e3", 0.8846), count=("e1", 0.9465)),
    ),
    triples=(Triple("e0", "a0", None, 0.9421), Triple(None, "a1", "e2", 0.8733)),
)

ANSWER: dict[str, Any] = {
    "model": {"name": "musnad", "version": "0.1.0"},
    "offsets": "codepoint",
    "documents": [DOCUMENT.to_dict()],
}

#: The answer of `POST /admin/model`.
RELOADED: dict[str, Any] = {
    "before": {"name": "musnad", "version": "0.1.0"},
    "now": {"name": "musnad", "version": "0.2.0"},
}

MODEL: dict[str, Any] = {
    "name": "musnad",
    "version": "0.1.0",
    "labels": list(ENTITY_LABELS),
    "classes": list(CLASSES),
    "factualities": list(FACTUALITIES),
    "roles": list(ROLES),
    "max_pieces": 512,
    "calibration": list(KINDS),
}

#: Bodies of `POST /predict`, in the form of OpenAPI's `examples`.
REQUESTS: dict[str, Any] = {
    "text": {"summary": "One text", "value": {"text": TEXT}},
    "documents": {
        "summary": "Several documents, and only what is fairly certain",
        "value": {
            "documents": [{"id": "1042", "text": TEXT}, {"id": "1043", "text": SECOND_TEXT}],
            "min_score": 0.5,
        },
    },
}
