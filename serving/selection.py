"""What is kept of a document: some labels of entities, some classes of actions, some of its lists."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

from model.records import Action, Document, Triple

#: The lists of a document that can be left out of an answer; its sentences always stay.
PARTS = ("entities", "actions", "triples")


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked of each document; None is everything.

    `labels` (of `model.labels.ENTITY_LABELS`): other entities are left out, and so is where they stand in a role or
    at the end of a triple. `classes` (of `CLASSES`): other actions are left out, with their triples. `include` (of
    PARTS): other lists are absent from the answer.
    """

    labels: Collection[str] | None = None
    classes: Collection[str] | None = None
    include: Collection[str] | None = None


def select(document: Document, selection: Selection) -> dict[str, Any]:
    """Return what is asked of a document, in the form of `Document.to_dict()`; ids are those of the whole document.

    Ids in roles and triples are kept where `include` leaves their list out: they are the whole document's, too.
    """
    answer = narrowed(document, selection).to_dict()
    if selection.include is not None:
        for part in PARTS:
            if part not in selection.include:
                del answer[part]
    return answer


def narrowed(document: Document, selection: Selection) -> Document:
    """Return the document with the labels and classes that are asked for.

    A triple loses the end that is left out, and is dropped with both. Triples that become the same are one, with the
    highest of their scores.
    """
    if selection.labels is None and selection.classes is None:
        return document
    entities = tuple(entity for entity in document.entities if _asked(entity.label, selection.labels))
    kept = {entity.id for entity in entities}
    actions = tuple(
        _with_fillers(action, kept) for action in document.actions if _asked(action.event_class, selection.classes)
    )
    triples = _triples(document.triples, kept, {action.id for action in actions})
    return replace(document, entities=entities, actions=actions, triples=triples)


def _asked(value: str, asked: Collection[str] | None) -> bool:
    return asked is None or value in asked


def _with_fillers(action: Action, entities: Collection[str]) -> Action:
    """Return the action with only these entities in its roles."""
    roles = {
        role: tuple(filler for filler in fillers if filler.entity in entities) for role, fillers in action.roles.items()
    }
    return replace(action, roles=roles)


def _triples(triples: tuple[Triple, ...], entities: Collection[str], actions: Collection[str]) -> tuple[Triple, ...]:
    """Return the triples of these actions with only these entities as ends, each once."""
    best: dict[tuple[str | None, str, str | None], Triple] = {}
    for triple in _narrowed_triples(triples, entities, actions):
        key = (triple.actor, triple.action, triple.target)
        if key not in best or triple.score > best[key].score:
            best[key] = triple
    return tuple(best.values())


def _narrowed_triples(
    triples: tuple[Triple, ...], entities: Collection[str], actions: Collection[str]
) -> Iterator[Triple]:
    for triple in triples:
        actor = triple.actor if triple.actor in entities else None
        target = triple.target if triple.target in entities else None
        if triple.action in actions and (actor is not None or target is not None):
            yield replace(triple, actor=actor, target=target)
