"""What was found in a document, as its annotation: what annotators are given to correct."""

from __future__ import annotations

from model.annotation import AnnotatedSentence, Relation, Span
from model.labels import ACTION_LABEL
from model.records import Document


def annotation_of(document: Document, id: str) -> AnnotatedSentence:
    """Return a document as its annotation: spans are numbered entities first, then actions, in the document's order."""
    spans = [Span(index, own.label, own.start, own.end) for index, own in enumerate(document.entities)]
    of_entity = {own.id: index for index, own in enumerate(document.entities)}
    relations: list[Relation] = []
    for action in document.actions:
        span = Span(len(spans), ACTION_LABEL, action.start, action.end, action.event_class, action.factuality)
        spans.append(span)
        for role, fillers in action.roles.items():
            for filler in fillers:
                relations.append(Relation(len(relations), span.id, of_entity[filler.entity], role))
    return AnnotatedSentence(id, document.text, tuple(spans), tuple(relations))
