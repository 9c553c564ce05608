"""Events as rows: one row an action, the best filler of each role in columns of its own, the others in a list.

One row an event, rather than one a pair of actor and target, so that counting rows counts events: «اتفقت إثيوبيا
والصومال» is one agreement. Nothing is left out: whoever wants pairs has the others beside the best.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from model.labels import ROLES
from model.records import Action, Document, Entity
from serving.events.dates import iso_date
from serving.events.keys import merge_key
from serving.events.quads import QUADS, Quad


class DocumentError(ValueError):
    """A document that contradicts itself."""


@dataclass(frozen=True, slots=True)
class Filler:
    """An entity in a role of an event.

    `entity` is its id in the document, `name` its `Entity.name`, `key` what all spellings of that name share, `value`
    the number that a NUM says. `score` is the calibrated probability of the role, which counts both spans in.
    """

    entity: str
    label: str
    name: str
    key: str
    text: str
    start: int
    end: int
    value: int | float | None
    score: float


@dataclass(frozen=True, slots=True)
class EventRow:
    """An action of a document, with who did it to whom, where, and how many.

    `date` is the document's, in ISO 8601. `sentence` counts from 1. `event_class` is one of `model.labels.CLASSES`,
    `quad` None for STATE and OTHER. `score` is the action's; `triple_score` that of the triple of the best actor and
    target, None where the document holds no such triple. `fillers` has a tuple for each role, the best first.
    Offsets are code points of the document's text.
    """

    document: str
    date: str | None
    sentence: int
    sentence_start: int
    sentence_end: int
    action: str
    event_class: str
    quad: Quad | None
    factuality: str
    text: str
    start: int
    end: int
    score: float
    triple_score: float | None
    fillers: dict[str, tuple[Filler, ...]] = field(default_factory=lambda: dict.fromkeys(ROLES, ()))

    def best(self, role: str) -> Filler | None:
        """The filler of a role that scores highest; of two that score the same, the first in the text."""
        own = self.fillers[role]
        return own[0] if own else None


def event_rows(document: Document, date: str | None = None) -> Iterator[EventRow]:
    """Yield a row for each action of a document, in the order of its actions.

    Raises DateError (a ValueError) for a date that is not ISO 8601, and DocumentError where an action stands in no
    sentence or has a filler that is no entity; both before the first row.
    """
    checked = None if date is None else iso_date(date)
    entities = {entity.id: entity for entity in document.entities}
    starts = [sentence.start for sentence in document.sentences]
    triples = {(triple.actor, triple.action, triple.target): triple.score for triple in document.triples}
    return iter([_row(document, checked, action, entities, starts, triples) for action in document.actions])


def _row(
    document: Document,
    date: str | None,
    action: Action,
    entities: dict[str, Entity],
    starts: list[int],
    triples: dict[tuple[str | None, str, str | None], float],
) -> EventRow:
    number = bisect_right(starts, action.start)
    if number == 0 or action.end > document.sentences[number - 1].end:
        raise DocumentError(f"document {document.id!r}: action {action.id} lies in no sentence")
    sentence = document.sentences[number - 1]
    fillers = {role: _fillers(document, action, role, entities) for role in ROLES}
    ends = [fillers[role][0].entity if fillers[role] else None for role in ("actor", "target")]
    return EventRow(
        document=document.id,
        date=date,
        sentence=number,
        sentence_start=sentence.start,
        sentence_end=sentence.end,
        action=action.id,
        event_class=action.event_class,
        quad=QUADS.get(action.event_class),
        factuality=action.factuality,
        text=action.text,
        start=action.start,
        end=action.end,
        score=action.score,
        triple_score=triples.get((ends[0], action.id, ends[1])),
        fillers=fillers,
    )


def _fillers(document: Document, action: Action, role: str, entities: dict[str, Entity]) -> tuple[Filler, ...]:
    found = []
    for filler in action.roles.get(role, ()):
        entity = entities.get(filler.entity)
        if entity is None:
            raise DocumentError(
                f"document {document.id!r}: action {action.id}: {role} {filler.entity} is not one of its entities"
            )
        found.append(
            Filler(
                entity=entity.id,
                label=entity.label,
                name=entity.name,
                key=merge_key(entity.name),
                text=entity.text,
                start=entity.start,
                end=entity.end,
                value=entity.value,
                score=filler.score,
            )
        )
    return tuple(sorted(found, key=lambda own: (-own.score, own.start)))
