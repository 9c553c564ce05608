"""How unsure a checkpoint is of a sentence, in nats: where, of what, and how much in all.

The uncertainty of a sentence is a sum over what the network decides in it: the tag of each word (entropy of its
posterior under the tag chain), class and factuality of each word that may begin an action (their entropies times the
probability that it does), and the role of each pair of words that may begin an action and an entity (likewise).
Sums of entropies are the standard of sequence labelling (Settles and Craven 2008, "An Analysis of Active Learning
Strategies for Sequence Labeling Tasks": token entropy); a sum grows with the sentence, as does what it can teach, and
`training.suggesting.choosing` sets it against what the sentence costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.chain import STATES, Chain, Doubles, chains, emissions, log_softmax
from model.encoding import batches
from model.labels import ACTION_LABEL, CLASSES, ENTITY_LABELS, ROLE_TAGS
from model.outputs import Floats, WordLogits

#: A word begins an action (or an entity) with at least this probability, or plays no part in roles.
PROBABLE = 0.02
#: What uncertainty is about: the thirteen states of a word, the classes of an action, the roles of a pair.
TYPES = (*STATES, *CLASSES, *ROLE_TAGS)
_ACTION = STATES.index(f"B-{ACTION_LABEL}")
_ENTITIES = [STATES.index(f"B-{label}") for label in ENTITY_LABELS]
#: Words, padding included, that are gone through at once.
_WORDS_AT_ONCE = 65536


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """Nats of a sentence of `W` words: all of them by word, and by part.

    `words` [W]: a pair's uncertainty belongs to both its words, half and half. `types` [len(TYPES)]: the same nats by
    what they are about, each entropy divided as its distribution is. `spans`, `events` and `roles` sum to the total.
    """

    words: Doubles
    types: Doubles
    spans: float
    events: float
    roles: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.spans + self.events + self.roles


def uncertainties(sentences: Sequence[WordLogits | None]) -> list[Uncertainty]:
    """Uncertainty of each sentence, in order; None, a sentence without words, has none."""
    found = [Uncertainty(np.zeros(0), np.zeros(len(TYPES)), 0.0, 0.0, 0.0)] * len(sentences)
    present = [(index, own) for index, own in enumerate(sentences) if own is not None]
    for group in batches([len(own.names) for _, own in present], len(present), _WORDS_AT_ONCE):
        members = [present[item] for item in group]
        lengths = np.array([len(own.names) for _, own in members])
        scores = np.zeros((len(members), int(lengths.max()), len(STATES)), dtype=np.float32)
        for row, (_, own) in enumerate(members):
            scores[row, : lengths[row]] = emissions(own.names, own.rest)
        for (index, own), chain in zip(members, chains(scores, lengths), strict=True):
            found[index] = _of_sentence(own, marginals(chain))
    return found


def marginals(chain: Chain) -> Doubles:
    """Posterior probability of each state of each word: [W, 13], rows sum to one."""
    log = chain.forward + chain.backward
    return _probabilities(log)


def entropy(probabilities: Doubles) -> Doubles:
    """Entropy in nats over the last axis."""
    return np.asarray(-(probabilities * np.log(np.maximum(probabilities, 1e-300))).sum(axis=-1))


def _probabilities(logits: Floats | Doubles) -> Doubles:
    return np.exp(log_softmax(np.asarray(logits, dtype=np.float32)).astype(np.float64))


def _of_sentence(logits: WordLogits, states: Doubles) -> Uncertainty:
    of_spans = entropy(states)
    begins_action = states[:, _ACTION]
    classes = _probabilities(logits.classes)
    of_events = begins_action * (entropy(classes) + entropy(_probabilities(logits.factuality)))
    by_word, by_role = _of_roles(logits, begins_action, states[:, _ENTITIES].sum(axis=1))
    types = np.concatenate([of_spans @ states, of_events @ classes, by_role])
    return Uncertainty(
        of_spans + of_events + by_word, types, float(of_spans.sum()), float(of_events.sum()), float(by_word.sum())
    )


def _of_roles(logits: WordLogits, begins_action: Doubles, begins_entity: Doubles) -> tuple[Doubles, Doubles]:
    """Nats of roles by word [W], and by role [5]."""
    by_word, by_role = np.zeros(len(begins_action)), np.zeros(len(ROLE_TAGS))
    actions, entities = _probable(begins_action), _probable(begins_entity)
    if not len(actions) or not len(entities):
        return by_word, by_role
    for some, near in logits.neighbourhoods(actions, entities):
        heads, dependents = actions[some], entities[near]
        roles = _probabilities(logits.roles(heads, dependents))
        both = begins_action[heads][:, None] * begins_entity[dependents][None, :]
        nats = both * (heads[:, None] != dependents[None, :]) * entropy(roles)
        np.add.at(by_word, heads, nats.sum(axis=1) / 2)
        np.add.at(by_word, dependents, nats.sum(axis=0) / 2)
        by_role += np.einsum("ae,aer->r", nats, roles)
    return by_word, by_role


def _probable(begins: Doubles) -> NDArray[np.int64]:
    return np.nonzero(begins >= PROBABLE)[0]
