"""The chain of tags over a sentence: best sequences and exact span posteriors, for many sentences at once, in numpy.

The two tag layers are decoded together: a word is in one of thirteen states (O, or B/I of one label), so that spans
of different layers never overlap. I-X follows only B-X and I-X; every other state follows any. So a step needs, of the
169 pairs of states, one maximum (or sum) over all and two states for each I-X.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.labels import ACTION_LABEL, ENTITY_LABELS, NAME_TAGS, REST_TAGS, bio_tags
from model.outputs import Floats

LABELS = (*ENTITY_LABELS, ACTION_LABEL)
STATES = bio_tags(LABELS)
_NAME_OF_STATE = np.array([NAME_TAGS.index(s) if s in NAME_TAGS else 0 for s in STATES])
_REST_OF_STATE = np.array([REST_TAGS.index(s) if s in REST_TAGS else 0 for s in STATES])
_BEGIN = np.array([STATES.index(f"B-{label}") for label in LABELS])
_INSIDE = np.array([STATES.index(f"I-{label}") for label in LABELS])
#: The states that may follow any.
_FREE = np.array([index for index, state in enumerate(STATES) if state[0] != "I"])
_FORBIDDEN = -1e9

Doubles = NDArray[np.float64]


def log_softmax(logits: Floats) -> Floats:
    """Logarithm of the softmax over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def _logsumexp(values: Doubles) -> Doubles:
    """Over the last axis."""
    top = values.max(axis=-1, keepdims=True)
    return np.asarray((np.log(np.exp(values - top).sum(axis=-1, keepdims=True)) + top)[..., 0])


def emissions(names: Floats, rest: Floats) -> Floats:
    """Log probabilities of the thirteen states from the two layers' logits: [..., 7] twice → [..., 13]."""
    return log_softmax(names)[..., _NAME_OF_STATE] + log_softmax(rest)[..., _REST_OF_STATE]


def viterbi(scores: Floats, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Best allowed state sequences of padded sentences: [B, W, 13] and [B] → [B, W], 0 (O) in the padding."""
    rows, words, states = scores.shape
    back = np.zeros((words, rows, states), dtype=np.int64)
    best = scores[:, 0].copy()
    best[:, _INSIDE] = _FORBIDDEN
    for word in range(1, words):
        before = best.argmax(axis=1)
        moved = scores[:, word] + best.max(axis=1)[:, None]
        begun, gone_on = best[:, _BEGIN], best[:, _INSIDE]
        moved[:, _INSIDE] = scores[:, word, _INSIDE] + np.maximum(begun, gone_on)
        back[word] = before[:, None]
        back[word][:, _INSIDE] = np.where(gone_on > begun, _INSIDE, _BEGIN)
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
    for word in np.nonzero(path)[0].tolist():
        name = STATES[path[word]]
        if name[0] == "B":
            spans.append((name[2:], word, word))
        else:
            label, first, _ = spans[-1]
            spans[-1] = (label, first, word)
    return spans


@dataclass(frozen=True, slots=True)
class Chain:
    """Forward and backward log sums of one sentence's scores, all [W, 13]."""

    scores: Doubles
    forward: Doubles
    backward: Doubles

    def probabilities(self, spans: Sequence[tuple[str, int, int]]) -> list[float]:
        """Posterior probability of each exact span: (label, first word, last word)."""
        labels = [LABELS.index(label) for label, _, _ in spans]
        first, last = (np.array([span[place] for span in spans], dtype=np.int64) for place in (1, 2))
        begin, inside = _BEGIN[labels], _INSIDE[labels]
        run = self.scores.cumsum(axis=0)  # a span's words after its first are the difference of two rows
        begun = self.forward[first, begin] + run[last, inside] - run[first, inside]
        # where a span ends, a state follows that is free to: as after O, which is the first state
        log = begun + self.backward[last, 0] - _logsumexp(self.forward[-1])
        return [float(probability) for probability in np.exp(np.minimum(log, 0.0))]


def chains(scores: Floats, lengths: NDArray[np.int64]) -> list[Chain]:
    """Run forward and backward over padded sentences: [B, W, 13] and [B] → one chain a sentence."""
    own = scores.astype(np.float64)  # over thousands of words the sums outgrow the precision of float32
    forward = np.empty_like(own)
    backward = np.zeros_like(own)
    forward[:, 0] = own[:, 0]
    forward[:, 0, _INSIDE] = _FORBIDDEN
    words = own.shape[1]
    for word in range(1, words):
        before = forward[:, word - 1]
        forward[:, word] = own[:, word] + _logsumexp(before)[:, None]
        into = np.logaddexp(before[:, _BEGIN], before[:, _INSIDE])
        forward[:, word, _INSIDE] = own[:, word, _INSIDE] + into
    for word in range(words - 2, -1, -1):
        after = own[:, word + 1] + backward[:, word + 1]
        free = _logsumexp(after[:, _FREE])[:, None]
        on = np.logaddexp(free, after[:, _INSIDE])
        inside = (word + 1 < lengths)[:, None]  # the last word of a sentence has nothing after it
        backward[:, word, 0] = np.where(inside[:, 0], free[:, 0], 0.0)
        backward[:, word, _BEGIN] = backward[:, word, _INSIDE] = np.where(inside, on, 0.0)
    return [
        Chain(own[row, :length], forward[row, :length], backward[row, :length])
        for row, length in enumerate(lengths.tolist())
    ]
