from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.calibration import KINDS, Calibration, logit


def test_logit_is_finite_at_the_ends() -> None:
    assert logit(0.5) == 0.0
    assert logit(0.8) == pytest.approx(math.log(4))
    assert logit(0.0) == pytest.approx(-logit(1.0))
    assert math.isfinite(logit(0.0))


@pytest.mark.parametrize("kind", KINDS)
@given(st.floats(0.0, 1.0))
def test_without_parameters_a_score_is_the_probability_rounded(kind: str, raw: float) -> None:
    assert Calibration().score(kind, raw) == pytest.approx(raw, abs=5.1e-5)


def test_scale_and_shift() -> None:
    calibration = Calibration({"role": [0.5, 1.0]})
    assert calibration.score("role", 0.8) == pytest.approx(1 / (1 + math.exp(-(0.5 * math.log(4) + 1))), abs=1e-4)
    assert calibration.score("triple", 0.8) == 0.8


def test_decimals() -> None:
    assert Calibration().score("entity", 0.99996) == 1.0
    assert Calibration(decimals=15).score("entity", 0.99996) == pytest.approx(0.99996, abs=1e-12)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 1000), st.floats(-1000, 1000))
def test_scores_are_probabilities_in_the_order_of_the_raw_ones(
    one: float, other: float, scale: float, shift: float
) -> None:
    calibration = Calibration({"entity": (scale, shift)})
    low, high = (calibration.score("entity", raw) for raw in sorted((one, other)))
    assert 0.0 <= low <= high <= 1.0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"name": [1.0, 0.0]}, "'name' is not one of entity, action, role, triple"),
        ({"role": [1.0]}, r"role: \[1.0\] is not a scale and a shift"),
        ({"role": 1.0}, "role: 1.0 is not a scale"),
        ({"role": ["1", "0"]}, "is not a scale"),
        ({"role": [math.nan, 0.0]}, "is not a scale"),
    ],
)
def test_bad_parameters_are_errors(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Calibration(parameters)
