"""From logits to spans and roles, in numpy: constrained Viterbi, exact span posteriors, typed roles.

The two tag layers are decoded together: a word is in one of thirteen states (O, or B/I of one label), so that spans
of different layers never overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.encoding import batches
from model.labels import (
    ACTION_LABEL,
    CLASSES,
    ENTITY_LABELS,
    FACTUALITIES,
    NAME_TAGS,
    REST_TAGS,
    ROLE_FILLERS,
    ROLE_TAGS,
    bio_tags,
)
from model.outputs import Floats, WordLogits

LABELS = (*ENTITY_LABELS, ACTION_LABEL)
STATES = bio_tags(LABELS)
_NAME_OF_STATE = np.array([NAME_TAGS.index(s) if s in NAME_TAGS else 0 for s in STATES])
_REST_OF_STATE = np.array([REST_TAGS.index(s) if s in REST_TAGS else 0 for s in STATES])
_FORBIDDEN = -1e9
#: Words, padding included, that are decoded at once.
_WORDS_AT_ONCE = 65536


def _transitions() -> Floats:
    """[13, 13] log weights from state to state: I-X follows only B-X and I-X."""
    allowed = [[b[0] != "I" or (a != "O" and a[2:] == b[2:]) for b in STATES] for a in STATES]
    return np.where(np.array(allowed), 0.0, _FORBIDDEN).astype(np.float32)


_TRANSITIONS = _transitions()
_START = np.array([_FORBIDDEN if state[0] == "I" else 0.0 for state in STATES], dtype=np.float32)
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


def log_softmax(logits: Floats) -> Floats:
    """Logarithm of the softmax over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def _logsumexp(values: Floats, axis: int) -> Floats:
    top = values.max(axis=axis, keepdims=True)
    return np.asarray((np.log(np.exp(values - top).sum(axis=axis, keepdims=True)) + top).squeeze(axis))


def emissions(names: Floats, rest: Floats) -> Floats:
    """Log probabilities of the thirteen states from the two layers' logits: [..., 7] twice → [..., 13]."""
    return log_softmax(names)[..., _NAME_OF_STATE] + log_softmax(rest)[..., _REST_OF_STATE]


def viterbi(scores: Floats, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Best allowed state sequences of padded sentences: [B, W, 13] and [B] → [B, W], 0 (O) in the padding."""
    rows, words, states = scores.shape
    back = np.zeros((words, rows, states), dtype=np.int64)
    best = _START + scores[:, 0]
    for word in range(1, words):
        through = best[:, :, None] + _TRANSITIONS  # [B, from, to]
        back[word] = through.argmax(axis=1)
        moved = through.max(axis=1) + scores[:, word]
        best = np.where((word < lengths)[:, None], moved, best)
    path = np.zeros((rows, words), dtype=np.int64)
    state = best.argmax(axis=1)
    for word in range(words - 1, -1, -1):
        inside = word < lengths
        path[inside, word] = state[inside]
        if word:
            state = np.where(inside, back[word][np.arange(rows), state], state)
    return path


def spans_of(path: NDArray[np.int64]) -> list[tuple[str, int, int]]:
    """(label, first word, last word) of each span in a state sequence [W]."""
    spans: list[tuple[str, int, int]] = []
    for word, state in enumerate(path):
        name = STATES[state]
        if name[0] == "B":
            spans.append((name[2:], word, word))
        elif name[0] == "I":
            label, first, _ = spans[-1]
            spans[-1] = (label, first, word)
    return spans


def span_probabilities(scores: Floats, spans: Sequence[tuple[str, int, int]]) -> list[float]:
    """Posterior probability of each exact span under the chain of `scores` [W, 13], by forward and backward sums."""
    scores = scores.astype(np.float64)  # over thousands of words the sums outgrow the precision of float32
    words = len(scores)
    forward = np.empty_like(scores)
    backward = np.zeros_like(scores)
    forward[0] = _START + scores[0]
    for word in range(1, words):
        forward[word] = _logsumexp(forward[word - 1][:, None] + _TRANSITIONS, 0) + scores[word]
    for word in range(words - 2, -1, -1):
        backward[word] = _logsumexp(_TRANSITIONS + scores[word + 1] + backward[word + 1], 1)
    total = _logsumexp(forward[-1], 0)
    probabilities = []
    for label, first, last in spans:
        begin, inside = STATES.index(f"B-{label}"), STATES.index(f"I-{label}")
        log = forward[first, begin] + scores[first + 1 : last + 1, inside].sum() - total
        if last + 1 < words:
            after = scores[last + 1] + backward[last + 1] + _TRANSITIONS[inside]
            after[inside] = _FORBIDDEN  # the span ends here
            log = log + _logsumexp(after, 0)
        probabilities.append(float(np.exp(min(0.0, float(log)))))
    return probabilities


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
    padded = np.zeros((len(sentences), int(lengths.max()), len(STATES)), dtype=np.float32)
    for row, sentence in enumerate(sentences):
        padded[row, : lengths[row]] = emissions(sentence.names, sentence.rest)
    paths = viterbi(padded, lengths)
    return [
        _decode_one(sentence, padded[row, :length], paths[row, :length])
        for row, (sentence, length) in enumerate(zip(sentences, lengths, strict=True))
    ]


def _decode_one(logits: WordLogits, scores: Floats, path: NDArray[np.int64]) -> DecodedSentence:
    spans = spans_of(path)
    entities: list[DecodedSpan] = []
    actions: list[DecodedSpan] = []
    for (label, first, last), probability in zip(
        spans, span_probabilities(scores, spans) if spans else [], strict=True
    ):
        clitics = int(logits.clitics[first].argmax())
        if label == ACTION_LABEL:
            classes = log_softmax(logits.classes[first])
            best = int(classes.argmax())
            actions.append(
                DecodedSpan(
                    label,
                    first,
                    last,
                    probability,
                    clitics,
                    CLASSES[best],
                    float(np.exp(classes[best])),
                    FACTUALITIES[int(logits.factuality[first].argmax())],
                )
            )
        else:
            entities.append(DecodedSpan(label, first, last, probability, clitics))
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
        found += [
            DecodedRole(int(some[a]), int(near[e]), ROLE_TAGS[best[a, e]], float(np.exp(log[a, e, best[a, e]])))
            for a, e in zip(*np.nonzero(best), strict=True)
        ]
    return sorted(found, key=lambda role: (role.action, role.entity))
