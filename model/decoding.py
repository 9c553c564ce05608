"""From logits to spans and roles, in numpy: the best tags, their probabilities, typed roles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.chain import Chain, chains, emissions, log_softmax, spans_of, viterbi
from model.encoding import batches
from model.labels import ACTION_LABEL, CLASSES, ENTITY_LABELS, FACTUALITIES, ROLE_FILLERS, ROLE_TAGS
from model.outputs import Floats, WordLogits

_FORBIDDEN = -1e9
#: Words, padding included, that are decoded at once: some hundreds of sentences; more of them leave the cache.
_WORDS_AT_ONCE = 8192
#: [entity labels, roles] 0 where the label may fill the role (or "none"), else a forbidding weight.
_FILLERS = np.array(
    [
        [0.0 if role == "none" or label in ROLE_FILLERS[role] else _FORBIDDEN for role in ROLE_TAGS]
        for label in ENTITY_LABELS
    ],
    dtype=np.float32,
)


@dataclass(frozen=True, slots=True)
class DecodedSpan:
    """A span of words `[first, last]` (both inclusive) with its posterior probability.

    `clitics` is the number of letters before it in its first word. The class (with its probability) and factuality
    are set for actions only.
    """

    label: str
    first: int
    last: int
    probability: float
    clitics: int
    event_class: str | None = None
    class_probability: float = 1.0
    factuality: str | None = None


@dataclass(frozen=True, slots=True)
class DecodedRole:
    """The entity (index into `DecodedSentence.entities`) in a role of the action (index into `.actions`)."""

    action: int
    entity: int
    role: str
    probability: float


@dataclass(frozen=True, slots=True)
class DecodedSentence:
    """Entities and actions in the order of the words, and the roles between them."""

    entities: tuple[DecodedSpan, ...]
    actions: tuple[DecodedSpan, ...]
    roles: tuple[DecodedRole, ...]


def decode(sentences: Sequence[WordLogits | None]) -> list[DecodedSentence]:
    """Decode sentences, in order; None, a sentence without words, has nothing."""
    decoded = [DecodedSentence((), (), ())] * len(sentences)
    found = [(index, own) for index, own in enumerate(sentences) if own is not None]
    for group in batches([len(own.names) for _, own in found], len(found), _WORDS_AT_ONCE):
        members = [found[item] for item in group]
        for (index, _), sentence in zip(members, _decode_padded([own for _, own in members]), strict=True):
            decoded[index] = sentence
    return decoded


def _decode_padded(sentences: Sequence[WordLogits]) -> list[DecodedSentence]:
    lengths = np.array([len(sentence.names) for sentence in sentences])
    names, rest = (_padded([getattr(own, head) for own in sentences], lengths) for head in ("names", "rest"))
    scores = emissions(names, rest)
    paths = viterbi(scores, lengths)
    return [
        _decode_one(sentence, chain, paths[row, : lengths[row]])
        for row, (sentence, chain) in enumerate(zip(sentences, chains(scores, lengths), strict=True))
    ]


def _padded(arrays: Sequence[Floats], lengths: NDArray[np.int64]) -> Floats:
    """[B, W, ...], zeros in the padding."""
    padded = np.zeros((len(arrays), int(lengths.max()), *arrays[0].shape[1:]), dtype=np.float32)
    for row, array in enumerate(arrays):
        padded[row, : len(array)] = array
    return padded


def _decode_one(logits: WordLogits, chain: Chain, path: NDArray[np.int64]) -> DecodedSentence:
    spans = spans_of(path)
    firsts = [first for _, first, _ in spans]
    clitics = logits.clitics[firsts].argmax(axis=-1).tolist()
    classes = log_softmax(logits.classes[firsts])
    best = classes.argmax(axis=-1).tolist()
    sure = np.exp(classes.max(axis=-1)).tolist()
    factuality = logits.factuality[firsts].argmax(axis=-1).tolist()
    entities: list[DecodedSpan] = []
    actions: list[DecodedSpan] = []
    for place, ((label, first, last), probability) in enumerate(zip(spans, chain.probabilities(spans), strict=True)):
        clitic = clitics[place]
        if label == ACTION_LABEL:
            kind, stated = CLASSES[best[place]], FACTUALITIES[factuality[place]]
            actions.append(DecodedSpan(label, first, last, probability, clitic, kind, sure[place], stated))
        else:
            entities.append(DecodedSpan(label, first, last, probability, clitic))
    return DecodedSentence(tuple(entities), tuple(actions), tuple(roles_between(logits, actions, entities)))


def roles_between(
    logits: WordLogits, actions: Sequence[DecodedSpan], entities: Sequence[DecodedSpan]
) -> list[DecodedRole]:
    """The most probable role of each (action, entity) pair that its label may fill, where it is not "none"."""
    if not actions or not entities:
        return []
    action_words = np.array([action.first for action in actions])
    entity_words = np.array([entity.first for entity in entities])
    labels = np.array([ENTITY_LABELS.index(entity.label) for entity in entities])
    found: list[DecodedRole] = []
    for some, near in logits.neighbourhoods(action_words, entity_words):
        log = log_softmax(logits.roles(action_words[some], entity_words[near]) + _FILLERS[labels[near]][None, :, :])
        best = log.argmax(axis=-1)
        rows, columns = np.nonzero(best)
        tags = best[rows, columns]
        probabilities = np.exp(log[rows, columns, tags]).tolist()
        pairs = zip(some[rows].tolist(), near[columns].tolist(), tags.tolist(), probabilities, strict=True)
        found += [DecodedRole(action, entity, ROLE_TAGS[tag], own) for action, entity, tag, own in pairs]
    return sorted(found, key=lambda role: (role.action, role.entity))
