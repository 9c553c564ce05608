from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from training.judging.significance import Verdict, compare_f1
from training.matching import Counts, interval


@st.composite
def sentences(draw: st.DrawFn) -> list[Counts]:
    sizes = draw(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=20))
    return [Counts(draw(st.integers(0, min(own))), *own) for own in sizes]


@given(sentences(), st.integers(0, 10))
@settings(max_examples=30)
def test_of_identical_systems_nothing_can_be_told(counts: list[Counts], seed: int) -> None:
    found = compare_f1(counts, counts, resamples=50, seed=seed)
    assert (found.verdict, found.difference, found.low, found.high) == (Verdict.UNKNOWN, 0.0, 0.0, 0.0)
    assert found.p_bootstrap == found.p_randomization == 1.0


@given(sentences(), sentences(), st.integers(0, 5))
@settings(max_examples=30)
def test_exchanged_systems_give_the_opposite(one: list[Counts], other: list[Counts], seed: int) -> None:
    size = min(len(one), len(other))
    forth = compare_f1(one[:size], other[:size], resamples=60, seed=seed)
    back = compare_f1(other[:size], one[:size], resamples=60, seed=seed)
    opposite = {Verdict.BETTER: Verdict.WORSE, Verdict.WORSE: Verdict.BETTER, Verdict.UNKNOWN: Verdict.UNKNOWN}
    assert (back.first, back.second, back.verdict) == (forth.second, forth.first, opposite[forth.verdict])
    assert (back.low, back.high) == pytest.approx((-forth.high, -forth.low))
    assert back.p_bootstrap == forth.p_bootstrap
    assert back.p_randomization == forth.p_randomization


def simulated(random: np.random.Generator, size: int, gain: float = 0.0) -> tuple[list[Counts], list[Counts]]:
    """Two systems that find each of 0 to 5 items with a chance of 0.6 that the sentence changes, one `gain` more."""
    gold = random.integers(0, 6, size=size)
    ease = random.normal(0, 0.15, size=size)

    def found(chance: float) -> NDArray[np.int64]:
        return random.binomial(gold, np.clip(chance + ease, 0, 1))

    def counts(matched: NDArray[np.int64]) -> list[Counts]:
        predicted = matched + random.binomial(gold, 0.3)
        return [Counts(*own) for own in zip(matched.tolist(), predicted.tolist(), gold.tolist(), strict=True)]

    return counts(found(0.6 + gain)), counts(found(0.6))


def test_a_planted_difference_is_found() -> None:
    random = np.random.default_rng(1)
    first, second = simulated(random, 400, gain=0.15)
    better, worse = compare_f1(first, second, resamples=1000), compare_f1(second, first, resamples=1000)
    assert (better.verdict, worse.verdict) == (Verdict.BETTER, Verdict.WORSE)
    assert 0 < better.low < better.difference < better.high
    assert max(better.p_bootstrap, better.p_randomization) < 0.01


def test_power_over_many_planted_differences() -> None:
    random = np.random.default_rng(2)
    pairs = [simulated(random, 300, gain=0.1) for _ in range(40)]
    verdicts = [compare_f1(*pair, resamples=300).verdict for pair in pairs]
    assert verdicts.count(Verdict.BETTER) >= 36
    assert Verdict.WORSE not in verdicts


def test_systems_of_the_same_quality_are_rarely_told_apart() -> None:
    """The share of false verdicts is alpha: of 600 with alpha 0.1 it is 0.1 with a standard error of 0.012."""
    random = np.random.default_rng(3)
    results = [compare_f1(*simulated(random, 120), alpha=0.1, resamples=200) for _ in range(600)]
    for name in ("p_bootstrap", "p_randomization"):
        share = sum(getattr(result, name) < 0.1 for result in results) / len(results)
        assert 0.06 < share < 0.14, name
    verdicts = [result.verdict for result in results]
    assert 0.05 < 1 - verdicts.count(Verdict.UNKNOWN) / len(verdicts) < 0.14
    assert 0.2 < verdicts.count(Verdict.BETTER) / (verdicts.count(Verdict.BETTER) + verdicts.count(Verdict.WORSE)) < 0.8


def test_the_p_value_of_randomization_is_that_of_all_exchanges() -> None:
    first = [Counts(1, 1, 1), Counts(1, 1, 1), Counts(1, 2, 1), Counts(0, 1, 1), Counts(2, 2, 2), Counts(1, 1, 1)]
    second = [Counts(0, 1, 1), Counts(1, 1, 1), Counts(0, 1, 1), Counts(0, 0, 1), Counts(1, 2, 2), Counts(1, 1, 1)]

    def difference(one: list[Counts], other: list[Counts]) -> float:
        return float(np.subtract(*(Counts(*np.sum(own, axis=0).tolist()).f1 for own in (one, other))))

    observed = difference(first, second)
    swaps = [
        [(b, a) if swap else (a, b) for a, b, swap in zip(first, second, choice, strict=True)]
        for choice in itertools.product([False, True], repeat=len(first))
    ]
    exact = np.mean([abs(difference(*map(list, zip(*own, strict=True)))) >= observed - 1e-12 for own in swaps])
    assert compare_f1(first, second, resamples=20_000).p_randomization == pytest.approx(exact, abs=0.01)


def test_the_interval_is_that_of_one_system_where_the_other_finds_nothing() -> None:
    random = np.random.default_rng(4)
    first, _ = simulated(random, 100)
    nothing = [Counts(0, 0, own.gold) for own in first]
    found = compare_f1(first, nothing, resamples=1000)
    assert (found.low, found.high) == pytest.approx(interval(first, samples=1000))


def test_alpha_decides() -> None:
    random = np.random.default_rng(7)
    first, second = simulated(random, 150, gain=0.05)
    p = max((found := compare_f1(first, second)).p_bootstrap, found.p_randomization)
    assert 0.001 < p < 0.5
    assert compare_f1(first, second, alpha=p * 1.01).verdict is Verdict.BETTER
    assert compare_f1(first, second, alpha=p * 0.99).verdict is Verdict.UNKNOWN


def test_the_same_seed_gives_the_same() -> None:
    first, second = simulated(np.random.default_rng(5), 50, gain=0.05)
    assert compare_f1(first, second, seed=3, resamples=200) == compare_f1(first, second, seed=3, resamples=200)
    assert compare_f1(first, second, seed=3, resamples=200) != compare_f1(first, second, seed=4, resamples=200)


def test_slices_of_swaps(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = simulated(np.random.default_rng(6), 50, gain=0.05)
    monkeypatch.setattr("training.judging.significance._DRAWN_AT_ONCE", 1)  # a resample at a time
    found = compare_f1(first, second, resamples=400)
    monkeypatch.undo()
    assert found.p_randomization == pytest.approx(compare_f1(first, second, resamples=400).p_randomization, abs=0.1)


def test_nothing_anywhere() -> None:
    found = compare_f1([Counts(0, 0, 0)] * 3, [Counts(0, 0, 0)] * 3, resamples=20)
    assert (found.first, found.second, found.verdict) == (0.0, 0.0, Verdict.UNKNOWN)


def test_figures() -> None:
    first, second = simulated(np.random.default_rng(1), 400, gain=0.15)
    figures = compare_f1(first, second, resamples=200).to_dict()
    assert figures["verdict"] == "better"
    assert figures["difference"] == pytest.approx(float(figures["first_f1"]) - float(figures["second_f1"]), abs=1e-4)


@pytest.mark.parametrize(
    ("first", "second", "changes", "message"),
    [
        (1, 2, {}, "1 sentences of the first system and 2 of the second"),
        (0, 0, {}, "no sentences"),
        (1, 1, {"alpha": 1.0}, "alpha: 1.0"),
        (1, 1, {"resamples": 0}, "resamples: 0"),
    ],
)
def test_bad_input(first: int, second: int, changes: dict[str, float], message: str) -> None:
    own = [Counts(1, 1, 1)]
    with pytest.raises(ValueError, match=message):
        compare_f1(own * first, own * second, **changes)  # type: ignore[arg-type]
