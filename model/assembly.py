"""From decoded sentences to a document: exact offsets, names, values, calibrated scores, triples.

Raw scores are products of the network's probabilities, calibrated per kind of score: an entity's is that of its span;
an action's that of its span times that of its class; a role's that of both spans times that of the role; a triple's
the action's times, for each end that is there, that of the entity's span times that of its role.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod

from model.calibration import Calibration
from model.decoding import DecodedRole, DecodedSentence, DecodedSpan
from model.encoding import EncodedSentence
from model.labels import ROLES
from model.names import entity_name
from model.numbers import number_value
from model.records import Action, Document, Entity, RoleFiller, Sentence, Triple
from model.text import Offsets, clitic_end, possible_clitics


def assemble(
    id: str,
    text: str,
    sentences: Sequence[Offsets],
    encoded: Sequence[EncodedSentence],
    decoded: Sequence[DecodedSentence],
    calibration: Calibration,
    min_score: float,
) -> Document:
    """Build the document; entities, actions, role fillers and triples that score below `min_score` are left out.

    Nothing that remains refers to what is left out, and a triple is never made from half of another: where an end of
    it is left out, or that end's role, so is the triple.
    """
    draft = _Draft(text, calibration, min_score)
    for sentence, found in zip(encoded, decoded, strict=True):
        draft.add(sentence, found)
    return Document(
        id=id,
        text=text,
        sentences=tuple(Sentence(start, end) for start, end in sentences),
        entities=tuple(draft.entities),
        actions=tuple(draft.actions),
        triples=tuple(draft.triples),
    )


def span_offsets(text: str, sentence: EncodedSentence, span: DecodedSpan) -> Offsets:
    """Offsets of a decoded span, its clitics trimmed, so far as its first word begins with letters that may be some."""
    start, word_end = sentence.words[span.first]
    word = text[start:word_end]
    letters = possible_clitics(word, span.clitics)
    return start + clitic_end(word, letters), sentence.words[span.last][1]


@dataclass(frozen=True, slots=True)
class _Filler:
    """An entity in a role, before the action is counted in."""

    shown: RoleFiller | None  #: None where the entity or the role scores too low
    raw: float  #: probability of the entity's span times that of the role


@dataclass(slots=True)
class _Draft:
    """What is kept of the sentences so far."""

    text: str
    calibration: Calibration
    min_score: float
    entities: list[Entity] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    triples: list[Triple] = field(default_factory=list)

    def add(self, sentence: EncodedSentence, found: DecodedSentence) -> None:
        """Add what was found in the next sentence."""
        ids = [self._add_entity(sentence, span) for span in found.entities]
        of_action: list[list[DecodedRole]] = [[] for _ in found.actions]
        for role in found.roles:
            of_action[role.action].append(role)
        for span, roles in zip(found.actions, of_action, strict=True):
            score = self._score("action", span.probability * span.class_probability)
            if score is None:
                continue
            fillers: dict[str, list[_Filler]] = {role: [] for role in ROLES}
            for role in roles:
                raw = found.entities[role.entity].probability * role.probability
                fillers[role.role].append(self._filler(ids[role.entity], raw, span))
            self._add_action(span_offsets(self.text, sentence, span), span, score, fillers)
            self._add_triples(self.actions[-1].id, span, fillers)

    def _score(self, kind: str, raw: float) -> float | None:
        """The calibrated score, or None where it is too low."""
        score = self.calibration.score(kind, raw)
        return None if score < self.min_score else score

    def _add_entity(self, sentence: EncodedSentence, span: DecodedSpan) -> str | None:
        """Add an entity and return its id, or None where it is left out."""
        score = self._score("entity", span.probability)
        if score is None:
            return None
        start, end = span_offsets(self.text, sentence, span)
        text = self.text[start:end]
        value = number_value(text) if span.label == "NUM" else None
        name = entity_name(self.text, start, end)
        self.entities.append(Entity(f"e{len(self.entities)}", span.label, start, end, text, name, value, score))
        return self.entities[-1].id

    def _filler(self, entity: str | None, raw: float, action: DecodedSpan) -> _Filler:
        score = self._score("role", action.probability * raw)
        return _Filler(None if entity is None or score is None else RoleFiller(entity, score), raw)

    def _add_action(self, offsets: Offsets, span: DecodedSpan, score: float, fillers: dict[str, list[_Filler]]) -> None:
        assert span.event_class is not None  # decoding sets both for actions
        assert span.factuality is not None
        start, end = offsets
        roles = {
            role: tuple(filler.shown for filler in own if filler.shown is not None) for role, own in fillers.items()
        }
        name, text = f"a{len(self.actions)}", self.text[start:end]
        self.actions.append(Action(name, start, end, text, span.event_class, span.factuality, score, roles))

    def _add_triples(self, action: str, span: DecodedSpan, fillers: dict[str, list[_Filler]]) -> None:
        """Every actor with every target; an action with neither gives none."""
        actors: Sequence[_Filler | None] = fillers["actor"] or [None]
        targets: Sequence[_Filler | None] = fillers["target"] or [None]
        for actor, target in product(actors, targets):
            ends = [end for end in (actor, target) if end is not None]
            raw = span.probability * span.class_probability * prod(end.raw for end in ends)
            score = self._score("triple", raw)
            if ends and score is not None and all(end.shown is not None for end in ends):
                self.triples.append(Triple(_entity(actor), action, _entity(target), score))


def _entity(filler: _Filler | None) -> str | None:
    return None if filler is None or filler.shown is None else filler.shown.entity
