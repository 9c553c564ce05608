"""Calibrated scores: each kind of raw probability goes through a fitted temperature and shift.

Platt scaling on the log-odds (Platt 1999; with a shift of 0 it is the temperature scaling of Guo et al. 2017):
p = sigmoid(scale * logit(raw) + shift), the scale being one over the temperature. `training.calibrate` fits both on
the dev split, per kind, against whether the thing is right end to end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

#: The kinds of scores; an action's says that its class is right too.
KINDS = ("entity", "action", "role", "triple")

_EDGE = 1e-7


def logit(probability: float) -> float:
    """Log-odds of a probability, finite also at 0 and 1."""
    clipped = min(max(probability, _EDGE), 1.0 - _EDGE)
    return math.log(clipped / (1.0 - clipped))


@dataclass(frozen=True, slots=True)
class Calibration:
    """(scale, shift) per kind; a kind that is missing is left as it is.

    Scores are rounded to `decimals`. Raises ValueError for an unknown kind, or one without two finite numbers.
    """

    parameters: Mapping[str, Sequence[float]] = field(default_factory=dict)
    decimals: int = 4

    def __post_init__(self) -> None:
        for kind, values in self.parameters.items():
            if kind not in KINDS:
                raise ValueError(f"calibration: {kind!r} is not one of {', '.join(KINDS)}")
            if not _is_pair(values):
                raise ValueError(f"calibration: {kind}: {values!r} is not a scale and a shift")

    def score(self, kind: str, raw: float) -> float:
        """Calibrated probability of a raw one."""
        scale, shift = self.parameters.get(kind, (1.0, 0.0))
        odds = scale * logit(raw) + shift
        return round(0.5 + 0.5 * math.tanh(odds / 2), self.decimals)  # the sigmoid, without overflow


def _is_pair(values: object) -> bool:
    return (
        isinstance(values, list | tuple)
        and len(values) == 2
        and all(isinstance(value, int | float) and math.isfinite(value) for value in values)
    )
