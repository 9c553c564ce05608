from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.annotation import AnnotatedSentence, Relation, Span
from model.calibration import Calibration, logit
from model.extractor import Extractor
from training.calibrate import fit, platt


def sigmoid(odds: float) -> float:
    return 1 / (1 + math.exp(-odds))


@pytest.mark.parametrize(("temperature", "shift"), [(1.0, 0.0), (2.0, 0.0), (0.5, 0.0), (3.0, -1.0), (1.5, 0.7)])
def test_platt_recovers_what_made_the_scores(temperature: float, shift: float) -> None:
    random = np.random.default_rng(0)
    raw = random.uniform(0.02, 0.98, 20_000)
    scored = [(p, bool(random.random() < sigmoid(logit(p) / temperature + shift))) for p in raw.tolist()]
    scale, offset = platt(scored)
    assert scale == pytest.approx(1 / temperature, rel=0.05)
    assert offset == pytest.approx(shift, abs=0.06)


@pytest.mark.parametrize("right", [True, False])
def test_platt_is_finite_where_all_are_right_or_wrong(right: bool) -> None:
    scale, shift = platt([(0.9, right)] * 30)
    assert math.isfinite(scale)
    assert (sigmoid(scale * logit(0.9) + shift) > 0.9) == right


def test_platt_of_nothing_changes_nothing() -> None:
    assert platt([]) == [1.0, 0.0]


@settings(max_examples=100)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_platt_is_the_least_loss(scored: list[tuple[float, bool]]) -> None:
    def loss(scale: float, shift: float) -> float:
        odds = np.array([scale * logit(score) + shift for score, _ in scored])
        right = np.array([own for _, own in scored])
        return float((np.logaddexp(0, odds) - right * odds).sum() + ((scale - 1) ** 2 + shift**2) / 2)

    scale, shift = platt(scored)
    least = loss(scale, shift)
    for far in (0.01, 0.1, 1.0):
        for step in ((far, 0), (-far, 0), (0, far), (0, -far)):
            assert least <= loss(scale + step[0], shift + step[1]) + 1e-9 * (1 + least)


TEXT = "قصف الجيش داعش"
GOLD = AnnotatedSentence(
    "1",
    TEXT,
    (Span(0, "ACT", 0, 3, "ASSAULT", "asserted"), Span(1, "ORG", 4, 9), Span(2, "ORG", 10, 14)),
    (Relation(0, 0, 1, "actor"), Relation(1, 0, 2, "target")),
)


def test_fit_lowers_the_scores_of_a_network_that_is_often_wrong(scripted: Callable[..., Extractor]) -> None:
    wrong = AnnotatedSentence("1", TEXT, (GOLD.spans[0], Span(1, "PER", 4, 9), Span(2, "PER", 10, 14)), ())
    fitted = fit(scripted([GOLD], certainty=6.0), [GOLD] * 20 + [wrong] * 20)
    assert set(fitted) == {"entity", "action", "role", "triple"}
    raw = scripted([GOLD], certainty=6.0).extract(TEXT)
    calibrated = scripted([GOLD], certainty=6.0, **fitted).extract(TEXT)
    assert raw.entities[0].score > 0.95
    assert calibrated.entities[0].score == pytest.approx(0.5, abs=0.05)
    assert calibrated.triples[0].score == pytest.approx(0.5, abs=0.05)
    assert calibrated.actions[0].score > 0.9


def test_fit_takes_raw_scores_unrounded(scripted: Callable[..., Extractor]) -> None:
    gold = [GOLD] * 5
    fitted = fit(scripted([GOLD], certainty=12.0), gold)
    assert fit(scripted([GOLD], certainty=12.0, entity=(0.3, 1.0)), gold) == fitted
    raw = Extractor(
        scripted([GOLD], certainty=12.0).network,
        scripted([GOLD]).encoder,
        Calibration(decimals=15),
        scripted([GOLD]).info,
    ).extract(TEXT)
    scores = [entity.score for entity in raw.entities]
    assert all(0.99995 < score < 1.0 for score in scores)
    assert fitted["entity"] == platt([(score, True) for score in scores] * 5)


def test_a_kind_of_which_nothing_is_found_is_not_fitted(scripted: Callable[..., Extractor]) -> None:
    name = AnnotatedSentence("1", "بغداد", (Span(0, "LOC", 0, 5),), ())
    assert set(fit(scripted([name]), [name])) == {"entity"}
