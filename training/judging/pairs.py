"""What is judged: an annotated sentence beside a document with what was found in it, by a checkpoint or a person."""

from __future__ import annotations

from collections.abc import Sequence

from model.annotation import AnnotatedSentence, AnnotationError, Fault, Span
from model.labels import ENTITY_LABELS, ROLES
from model.records import Action, Document, Entity, RoleFiller, Sentence, Triple
from model.text import Offsets
from training.evaluation import Evaluation, TripleSlots, gold_edges, triples_of
from training.word_tags import spans_of, token_offsets

#: A sentence with its (first) annotations, and the document to be judged by them.
Pair = tuple[AnnotatedSentence, Document]


def document_of(sentence: AnnotatedSentence) -> Document:
    """An annotated sentence as if it had been extracted: every score is 1, no name is restored, no number is read.

    Raises AnnotationError as `check_relations` does.
    """
    check_relations(sentence)
    text = sentence.text
    entities = {
        (span.start, span.end): Entity(
            f"e{span.id}", span.label, span.start, span.end, sentence.text_of(span), sentence.text_of(span), None, 1.0
        )
        for span in sentence.entities
    }
    edges = gold_edges(sentence)
    actions = {
        (span.start, span.end): Action(
            f"a{span.id}",
            span.start,
            span.end,
            sentence.text_of(span),
            span.event_class or "",
            span.factuality or "",
            1.0,
            {
                role: tuple(
                    RoleFiller(entities[filler].id, 1.0)
                    for action, own, filler in edges
                    if own == role and action == (span.start, span.end)
                )
                for role in ROLES
            },
        )
        for span in sentence.actions
    }
    triples = tuple(_triple(slots, entities, actions) for slots in triples_of(list(actions), edges))
    places = (Sentence(0, len(text)),) if text else ()
    return Document(sentence.id, text, places, tuple(entities.values()), tuple(actions.values()), triples)


def _triple(slots: TripleSlots, entities: dict[Offsets, Entity], actions: dict[Offsets, Action]) -> Triple:
    actor, action, target = slots
    return Triple(
        None if actor is None else entities[actor].id,
        actions[action].id,
        None if target is None else entities[target].id,
        1.0,
    )


def check_relations(sentence: AnnotatedSentence) -> None:
    """Raise AnnotationError where two spans cover the same characters, or a relation is not of action and entity.

    `musnad annotations check` finds these and all other faults; here they would make the counts wrong.
    """
    place = f"sentence {sentence.id}"
    kinds = {span.id: span.is_action for span in sentence.spans}
    for link in sentence.relations:
        if not kinds[link.action] or kinds[link.entity]:
            raise AnnotationError(
                Fault(f"{place}: relation {link.id}", "does not run from an action to an entity", sentence.text)
            )
    taken: set[tuple[bool, int, int]] = set()
    for span in sentence.spans:
        key = (span.is_action, span.start, span.end)
        if key in taken:
            raise AnnotationError(
                Fault(f"{place}: entity {span.id}", "covers the same characters as another", sentence.text_of(span))
            )
        taken.add(key)


def pairs_of_names(sentences: Sequence[AnnotatedSentence], result: Evaluation) -> list[Pair]:
    """The sentences of a corpus of names as they were counted: spans widened to the file's words, other labels out.

    `result` is what `evaluate_names` made of these sentences.
    """
    return [
        (_of_tags(sentence, gold), document_of(_of_tags(sentence, found)))
        for sentence, gold, found in zip(sentences, result.gold_tags, result.predicted_tags, strict=True)
    ]


def _of_tags(sentence: AnnotatedSentence, tags: Sequence[str]) -> AnnotatedSentence:
    words = token_offsets(sentence.text)
    spans = sorted(spans_of(tags), key=lambda span: span[1])
    assert all(label in ENTITY_LABELS for label, _, _ in spans)
    return AnnotatedSentence(
        sentence.id,
        sentence.text,
        tuple(Span(i, label, words[first][0], words[last][1]) for i, (label, first, last) in enumerate(spans)),
        (),
    )
