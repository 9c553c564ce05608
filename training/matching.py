"""One-to-one matching of predicted with gold items, counts of what matched, and bootstrap intervals of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Gold = TypeVar("Gold")
Predicted = TypeVar("Predicted")

#: Sentences drawn at a time, over all samples of a bootstrap: some 30 MB.
_DRAWN_AT_ONCE = 1_000_000


class Counts(NamedTuple):
    """Matched pairs, predicted items and gold items."""

    matched: int
    predicted: int
    gold: int

    @property
    def precision(self) -> float:
        """Share of the predicted items that match; 0 where nothing is predicted."""
        return self.matched / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of the gold items that match; 0 where nothing is there."""
        return self.matched / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean; 0 where nothing is predicted and nothing is there."""
        both = self.predicted + self.gold
        return 2 * self.matched / both if both else 0.0


def interval(sentences: Sequence[Counts], samples: int = 1000, seed: int = 0) -> tuple[float, float]:
    """Bootstrap 95 % interval of F1 over sentences, each with its counts, drawn with replacement.

    Samples with nothing predicted and nothing there have no F1 and are left out; (0, 0) where none has one.
    """
    table = np.array(sentences, dtype=np.int64).reshape(-1, 3)
    if not table.any():
        return 0.0, 0.0
    sums = bootstrap_sums(table, samples, seed)
    matched, predicted, gold = sums[sums[:, 1] + sums[:, 2] > 0].T
    if not len(matched):
        return 0.0, 0.0
    low, high = np.percentile(2 * matched / (predicted + gold), [2.5, 97.5])
    return float(low), float(high)


def bootstrap_sums(table: NDArray[np.int64], samples: int, seed: int) -> NDArray[np.int64]:
    """(samples, columns) sums over as many rows of `table` (rows, columns) as it has, drawn with replacement."""
    random = np.random.default_rng(seed)
    at_once = max(1, _DRAWN_AT_ONCE // len(table))
    return np.concatenate(
        [
            table[random.integers(len(table), size=(min(at_once, samples - done), len(table)))].sum(axis=1)
            for done in range(0, samples, at_once)
        ]
    )


def match(
    gold: Sequence[Gold], predicted: Sequence[Predicted], affinity: Callable[[Gold, Predicted], float]
) -> dict[int, int]:
    """Return a largest matching {predicted index: gold index} of the pairs with positive affinity.

    Each item is used at most once (Kuhn's augmenting paths); pairs of higher affinity are tried first.
    """
    wanted = [
        sorted((-affinity(item, other), g) for g, item in enumerate(gold) if affinity(item, other) > 0)
        for other in predicted
    ]
    owner: dict[int, int] = {}  # gold → predicted
    choice: dict[int, int] = {}  # predicted → gold
    for p in sorted((p for p, own in enumerate(wanted) if own), key=lambda p: wanted[p][0][0]):
        _place(p, wanted, owner, choice)
    return choice


def _place(
    p: int, wanted: Sequence[Sequence[tuple[float, int]]], owner: dict[int, int], choice: dict[int, int]
) -> None:
    """Find a gold item for `p`, breadth first through those that can be moved to another."""
    came_from: dict[int, int] = {}  # gold → the predicted item that asks for it
    waiting = [p]
    for asking in waiting:  # grows while it is read
        for _, g in wanted[asking]:
            if g in came_from:
                continue
            came_from[g] = asking
            if g not in owner:
                _reassign(g, came_from, owner, choice)
                return
            waiting.append(owner[g])


def _reassign(free: int, came_from: dict[int, int], owner: dict[int, int], choice: dict[int, int]) -> None:
    """Give a free gold item to who asks for it, and what that one had to who asks for that, to the path's start."""
    g: int | None = free
    while g is not None:
        p = came_from[g]
        owner[g] = p
        had = choice.get(p)
        choice[p] = g
        g = had
