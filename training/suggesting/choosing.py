"""Choosing sentences that are uncertain and differ from one another.

Each sentence has a profile: the nats of its uncertainty, over the pieces of the words where they lie and over what they
are about (states, classes, roles). A set of sentences is worth the sum over features of the square root of the nats
that it has on each, and sentences are taken greedily by what they add: a second sentence that is unsure of the
same words, or the tenth of the same class, adds less than one that is unsure of something new. This is a
feature-based submodular function, for which the greedy choice is within 1 - 1/e of the best (Wei, Iyer and Bilmes 2015,
"Submodularity in Data Subset Selection and Active Learning"). What a sentence adds is divided by a power of its length,
so that one long sentence and two of half its length are fairly compared (Lin and Bilmes 2010, cost-scaled greedy).
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.chain import Doubles
from model.encoding import EncodedSentence
from training.suggesting.uncertainty import Uncertainty


@dataclass(frozen=True, slots=True)
class Profile:
    """Nats of a sentence on features (`keys` sorted, each once), and its length in words."""

    keys: NDArray[np.int64]
    nats: Doubles
    words: int


def profile_of(sentence: EncodedSentence, uncertainty: Uncertainty) -> Profile:
    """Profile of a sentence: half of its nats on the pieces of its words, half on what they are about.

    Keys from 0 are pieces, those below 0 are types. A word's nats are divided among its pieces.
    """
    keys = [piece for pieces in sentence.pieces for piece in pieces]
    nats = [nats / len(own) for own, nats in zip(sentence.pieces, uncertainty.words, strict=True) for _ in own]
    keys += [-1 - index for index in range(len(uncertainty.types))]
    unique, places = np.unique(np.array(keys, dtype=np.int64), return_inverse=True)
    summed = np.zeros(len(unique))
    np.add.at(summed, places, np.concatenate([nats, uncertainty.types]) / 2)
    some = summed > 0
    return Profile(unique[some], summed[some], len(sentence.words))


def cost(words: int, power: float) -> float:
    """What a sentence of so many words is taken to cost: 1 with power 0, its words with power 1."""
    return float(max(1, words) ** power)


def choose(profiles: Sequence[Profile], count: int, power: float) -> list[tuple[int, float]]:
    """Indices of `count` profiles (or all, if they are fewer), the best first, and what each added at its turn.

    Lazy greedy (Minoux 1978): what a sentence adds only shrinks, so that the best of stale values is brought up to date
    until it stays the best. The same profiles give the same choice; ties go to the earlier.
    """
    keys = np.concatenate([np.zeros(0, dtype=np.int64), *(own.keys for own in profiles)])
    # keys below 0 count from the end
    covered = np.zeros(max(0, int(keys.max(initial=-1)) + 1) - min(0, int(keys.min(initial=0))))
    waiting = [(-_gain(own, covered, power), index, 0) for index, own in enumerate(profiles)]
    heapq.heapify(waiting)
    chosen: list[tuple[int, float]] = []
    while waiting and len(chosen) < count:
        value, index, round_ = heapq.heappop(waiting)
        own = profiles[index]
        if round_ == len(chosen):
            covered[own.keys] += own.nats
            chosen.append((index, -value))
        else:
            heapq.heappush(waiting, (-_gain(own, covered, power), index, len(chosen)))
    return chosen


def _gain(profile: Profile, covered: Doubles, power: float) -> float:
    before = covered[profile.keys]
    return float((np.sqrt(before + profile.nats) - np.sqrt(before)).sum()) / cost(profile.words, power)
