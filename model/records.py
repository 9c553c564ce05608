"""What an extraction returns: the same records in Python, in JSON and on the web page.

All offsets are `[start, end)` in Unicode code points of `Document.text`, which is the caller's text, unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the document."""

    start: int
    end: int

    def to_dict(self) -> dict[str, Any]:
        return {"start": self.start, "end": self.end}


@dataclass(frozen=True, slots=True)
class Entity:
    """A participant or number: `text` is exactly `document.text[start:end]`.

    `name` is the text without tashkeel and tatweel, with the article restored after an attached ل. `value` is the
    number that a NUM says, or None where it cannot be read. `score` is the calibrated probability that the span and
    its label are right.
    """

    id: str
    label: str
    start: int
    end: int
    text: str
    name: str
    value: int | float | None
    score: float

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "label": self.label,
            "start": self.start,
            "end": self.end,
            "text": self.text,
            "name": self.name,
            "value": self.value,
            "score": self.score,
        }


@dataclass(frozen=True, slots=True)
class RoleFiller:
    """An entity in a role of an action; `score` is the calibrated probability that it fills that role."""

    entity: str
    score: float

    def to_dict(self) -> dict[str, Any]:
        return {"entity": self.entity, "score": self.score}


@dataclass(frozen=True, slots=True)
class Action:
    """What happened: its span, PLOVER event class, factuality, and the entities in its roles.

    `roles` has a (maybe empty) tuple for each of actor, target, place and count.
    """

    id: str
    start: int
    end: int
    text: str
    event_class: str
    factuality: str
    score: float
    roles: dict[str, tuple[RoleFiller, ...]]

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "start": self.start,
            "end": self.end,
            "text": self.text,
            "class": self.event_class,
            "factuality": self.factuality,
            "score": self.score,
            "roles": {role: [filler.to_dict() for filler in fillers] for role, fillers in self.roles.items()},
        }


@dataclass(frozen=True, slots=True)
class Triple:
    """(actor, action, target) by id; an end that the sentence does not name is None."""

    actor: str | None
    action: str
    target: str | None
    score: float

    def to_dict(self) -> dict[str, Any]:
        return {"actor": self.actor, "action": self.action, "target": self.target, "score": self.score}


@dataclass(frozen=True, slots=True)
class Document:
    """A text with everything found in it."""

    id: str
    text: str
    sentences: tuple[Sentence, ...] = ()
    entities: tuple[Entity, ...] = ()
    actions: tuple[Action, ...] = ()
    triples: tuple[Triple, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """Return the document as the JSON object of the HTTP service."""
        return {
            "id": self.id,
            "text": self.text,
            "sentences": [sentence.to_dict() for sentence in self.sentences],
            "entities": [entity.to_dict() for entity in self.entities],
            "actions": [action.to_dict() for action in self.actions],
            "triples": [triple.to_dict() for triple in self.triples],
        }
