"""From decoded sentences to a document: exact offsets, names, values, calibrated scores, triples."""

from __future__ import annotations

from collections.abc import Sequence

from model.calibration import Calibration
from model.decoding import DecodedSentence, DecodedSpan
from model.encoding import EncodedSentence
from model.labels import ROLES
from model.numbers import number_value
from model.records import Action, Document, Entity, RoleFiller, Sentence, Triple
from model.text import Offsets, clitic_end, entity_name


def assemble(
    id: str,
    text: str,
    sentences: Sequence[Offsets],
    encoded: Sequence[EncodedSentence],
    decoded: Sequence[DecodedSentence],
    calibration: Calibration,
    min_score: float,
) -> Document:
    """Build the document; entities, actions, role fillers and triples below `min_score` are left out.

    Nothing that remains refers to what is left out, and a triple is never made from half of another: where an end of
    it is left out, so is the triple.
    """
    entities: list[Entity] = []
    actions: list[Action] = []
    triples: list[Triple] = []
    for sentence, found in zip(encoded, decoded, strict=True):
        kept = _entities(text, sentence, found, calibration, min_score, first_id=len(entities))
        entities.extend(entity for entity in kept if entity is not None)
        ids = [None if entity is None else entity.id for entity in kept]
        for index, span in enumerate(found.actions):
            raw_span = span.probability * span.class_probability
            score = calibration.score("action", raw_span)
            if score < min_score:
                continue
            raw: dict[str, list[tuple[int, float]]] = {role: [] for role in ROLES}
            for role in found.roles:
                if role.action == index:
                    both = span.probability * found.entities[role.entity].probability
                    raw[role.role].append((role.entity, role.probability * both))
            action_id = f"a{len(actions)}"
            actions.append(_action(text, sentence, span, action_id, score, raw, ids, calibration, min_score))
            triples.extend(_triples(action_id, raw_span, raw, ids, calibration, min_score))
    return Document(
        id=id,
        text=text,
        sentences=tuple(Sentence(start, end) for start, end in sentences),
        entities=tuple(entities),
        actions=tuple(actions),
        triples=tuple(triples),
    )


def span_offsets(text: str, sentence: EncodedSentence, span: DecodedSpan) -> Offsets:
    """Offsets of a decoded span, its clitics trimmed; a word that is all clitic keeps its last letter."""
    start, word_end = sentence.words[span.first]
    word = text[start:word_end]
    letters = span.clitics
    while letters and clitic_end(word, letters) >= len(word):
        letters -= 1
    return start + (clitic_end(word, letters) if letters else 0), sentence.words[span.last][1]


def _entities(
    text: str,
    sentence: EncodedSentence,
    found: DecodedSentence,
    calibration: Calibration,
    min_score: float,
    first_id: int,
) -> list[Entity | None]:
    entities: list[Entity | None] = []
    count = first_id
    for span in found.entities:
        score = calibration.score("entity", span.probability)
        if score < min_score:
            entities.append(None)
            continue
        start, end = span_offsets(text, sentence, span)
        entities.append(
            Entity(
                id=f"e{count}",
                label=span.label,
                start=start,
                end=end,
                text=text[start:end],
                name=entity_name(text, start, end),
                value=number_value(text[start:end]) if span.label == "NUM" else None,
                score=score,
            )
        )
        count += 1
    return entities


def _action(
    text: str,
    sentence: EncodedSentence,
    span: DecodedSpan,
    id: str,
    score: float,
    raw: dict[str, list[tuple[int, float]]],
    ids: Sequence[str | None],
    calibration: Calibration,
    min_score: float,
) -> Action:
    start, end = span_offsets(text, sentence, span)
    roles = {}
    for role, fillers in raw.items():
        scored = [(ids[entity], calibration.score("role", probability)) for entity, probability in fillers]
        roles[role] = tuple(RoleFiller(name, value) for name, value in scored if name is not None and value >= min_score)
    assert span.event_class is not None and span.factuality is not None  # decoding sets both for actions
    return Action(id, start, end, text[start:end], span.event_class, span.factuality, score, roles)


def _triples(
    action: str,
    raw_action: float,
    raw: dict[str, list[tuple[int, float]]],
    ids: Sequence[str | None],
    calibration: Calibration,
    min_score: float,
) -> list[Triple]:
    """Every actor with every target; an action with neither gives none."""
    absent: list[tuple[int | None, float]] = [(None, 1.0)]
    actors: Sequence[tuple[int | None, float]] = raw["actor"] or absent
    targets: Sequence[tuple[int | None, float]] = raw["target"] or absent
    triples = []
    for actor, actor_probability in actors:
        for target, target_probability in targets:
            if actor is None and target is None:
                continue
            score = calibration.score("triple", raw_action * actor_probability * target_probability)
            ends = [None if end is None else ids[end] for end in (actor, target)]
            left_out = (actor is not None and ends[0] is None) or (target is not None and ends[1] is None)
            # the roles' own scores are filtered too: a triple stands on roles that are shown
            weak = any(
                end is not None and calibration.score("role", probability) < min_score
                for end, probability in ((actor, actor_probability), (target, target_probability))
            )
            if score >= min_score and not left_out and not weak:
                triples.append(Triple(ends[0], action, ends[1], score))
    return triples
