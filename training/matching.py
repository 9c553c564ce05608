"""One-to-one matching of predicted with gold items, and counts of what matched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

Gold = TypeVar("Gold")
Predicted = TypeVar("Predicted")


class Counts(NamedTuple):
    """Matched pairs, predicted items and gold items."""

    matched: int
    predicted: int
    gold: int

    @property
    def precision(self) -> float:
        return self.matched / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        return self.matched / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean; 0 where nothing is predicted or nothing is there."""
        both = self.predicted + self.gold
        return 2 * self.matched / both if both else 0.0


def match(
    gold: Sequence[Gold], predicted: Sequence[Predicted], affinity: Callable[[Gold, Predicted], float]
) -> dict[int, int]:
    """Return a largest matching {predicted index: gold index} of the pairs with positive affinity.

    Each item is used at most once (Kuhn's augmenting paths); pairs of higher affinity are tried first.
    """
    owner: dict[int, int] = {}  # gold → predicted
    wanted = [
        [g for weight, g in sorted(((-affinity(item, p), g) for g, item in enumerate(gold))) if weight < 0]
        for p in predicted
    ]

    def place(p: int, tried: set[int]) -> bool:
        for g in wanted[p]:
            if g not in tried:
                tried.add(g)
                if g not in owner or place(owner[g], tried):
                    owner[g] = p
                    return True
        return False

    for p in range(len(predicted)):
        place(p, set())
    return {p: g for g, p in owner.items()}
