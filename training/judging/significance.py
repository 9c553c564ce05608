"""Whether the difference of two systems' micro F1 on the same sentences is more than chance.

Two tests that assume nothing of how F1 is distributed, both with sentences as units: the paired bootstrap (Efron and
Tibshirani 1993; Berg-Kirkpatrick, Burkett and Klein 2012, "An Empirical Investigation of Statistical Significance in
NLP") and approximate randomization (Noreen 1989; Yeh 2000, "More accurate tests for the statistical significance of
result differences"). Dror et al. 2018, "The Hitchhiker's Guide to Testing Statistical Significance in Natural Language
Processing", recommend them for F1. Both are two-sided here, and a verdict wants both.

A p-value is about one measure on one set of sentences; nothing is corrected for looking at several.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from training.matching import Counts, bootstrap_sums

#: Swaps drawn at a time, over all resamples: some 30 MB.
_DRAWN_AT_ONCE = 4_000_000
#: Differences that only rounding keeps apart.
_SAME = 1e-12


class Verdict(StrEnum):
    """What is known of the first system against the second."""

    BETTER = "better"
    WORSE = "worse"
    UNKNOWN = "can't tell"


@dataclass(frozen=True, slots=True)
class Difference:
    """Micro F1 of two systems, `first` - `second`, its bootstrap interval at 1 - alpha, and both tests' p-values."""

    first: float
    second: float
    low: float
    high: float
    p_bootstrap: float
    p_randomization: float
    verdict: Verdict

    @property
    def difference(self) -> float:
        """F1 of the first less F1 of the second."""
        return self.first - self.second

    @property
    def p(self) -> float:
        """The larger p-value, which decides."""
        return max(self.p_bootstrap, self.p_randomization)

    def to_dict(self) -> dict[str, float | str]:
        """Return the figures as JSON, rounded to four places."""
        numbers = {
            "first_f1": self.first,
            "second_f1": self.second,
            "difference": self.difference,
            "difference_low": self.low,
            "difference_high": self.high,
            "p_bootstrap": self.p_bootstrap,
            "p_randomization": self.p_randomization,
        }
        return {**{name: round(value, 4) for name, value in numbers.items()}, "verdict": str(self.verdict)}


def compare_f1(
    first: Sequence[Counts], second: Sequence[Counts], *, alpha: float = 0.05, resamples: int = 10_000, seed: int = 0
) -> Difference:
    """Compare two systems by their counts of the same sentences, in the same order.

    The verdict is `better` or `worse` where both p-values are below `alpha`. With the same `seed` the result is the
    same. Raises ValueError for different numbers of sentences, none, or an `alpha` or `resamples` that makes no sense.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} sentences of the first system and {len(second)} of the second")
    if not first:
        raise ValueError("no sentences to compare two systems on")
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha: {alpha} is not between 0 and 1")
    if resamples < 1:
        raise ValueError(f"resamples: {resamples} is less than 1")
    table = np.array([(*one, *other) for one, other in zip(first, second, strict=True)], dtype=np.int64)
    observed = float(_differences(table.sum(axis=0, keepdims=True))[0])
    drawn = _differences(bootstrap_sums(table, resamples, seed))
    low, high = np.percentile(drawn, [100 * alpha / 2, 100 * (1 - alpha / 2)])
    p_bootstrap = _p_value(drawn - observed, observed)
    p_randomization = _p_value(_differences(_swapped_sums(table, resamples, seed)), observed)
    known = max(p_bootstrap, p_randomization) < alpha
    verdict = Verdict.UNKNOWN if not known else Verdict.BETTER if observed > 0 else Verdict.WORSE
    totals = Counts(*table[:, :3].sum(axis=0).tolist()), Counts(*table[:, 3:].sum(axis=0).tolist())
    return Difference(totals[0].f1, totals[1].f1, float(low), float(high), p_bootstrap, p_randomization, verdict)


def _p_value(null: NDArray[np.float64], observed: float) -> float:
    """Share of differences under the null hypothesis that are at least as large as the observed one, which is one."""
    return float((1 + (np.abs(null) >= abs(observed) - _SAME).sum()) / (1 + len(null)))


def _differences(sums: NDArray[np.int64]) -> NDArray[np.float64]:
    """First less second F1 of (samples, 6) sums; an F1 of nothing predicted and nothing there is 0."""
    return _f1(sums[:, :3]) - _f1(sums[:, 3:])


def _f1(sums: NDArray[np.int64]) -> NDArray[np.float64]:
    matched, both = sums[:, 0], sums[:, 1] + sums[:, 2]
    return np.where(both > 0, 2 * matched / np.maximum(both, 1), 0.0)


def _swapped_sums(table: NDArray[np.int64], samples: int, seed: int) -> NDArray[np.int64]:
    """(samples, 6) sums in which each sentence's results are exchanged between the systems with probability 1/2."""
    # not the bootstrap's stream
    random = np.random.default_rng([seed, 1])
    gains = table[:, 3:] - table[:, :3]
    at_once = max(1, _DRAWN_AT_ONCE // len(table))
    moved = np.concatenate(
        [
            random.integers(2, size=(min(at_once, samples - done), len(table)), dtype=np.int8) @ gains
            for done in range(0, samples, at_once)
        ]
    )
    totals = table.sum(axis=0)
    return np.concatenate([totals[:3] + moved, totals[3:] - moved], axis=1)
