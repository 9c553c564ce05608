from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.matching import Counts, match


def test_counts() -> None:
    counts = Counts(matched=2, predicted=4, gold=5)
    assert counts.precision == 0.5
    assert counts.recall == 0.4
    assert counts.f1 == pytest.approx(4 / 9)


def test_counts_of_nothing() -> None:
    assert (Counts(0, 0, 3).precision, Counts(0, 3, 0).recall, Counts(0, 0, 0).f1) == (0.0, 0.0, 0.0)


def test_an_early_choice_is_changed_where_another_has_none() -> None:
    table = {("g0", "p0"): 0.9, ("g1", "p0"): 0.1, ("g0", "p1"): 0.5}
    found = match(["g0", "g1"], ["p0", "p1"], lambda g, p: table.get((g, p), 0.0))
    assert found == {0: 1, 1: 0}


def test_the_higher_affinity_is_taken_where_both_are_free() -> None:
    assert match([10, 20], [19], lambda g, p: 1 / (1 + abs(g - p))) == {0: 1}


def test_of_two_that_want_the_same_the_higher_affinity_has_it() -> None:
    assert match([10], [14, 11, 17], lambda g, p: 1 / (1 + abs(g - p))) == {1: 0}


def test_pairs_without_affinity_never_match() -> None:
    assert match([1, 2], [3, 4], lambda g, p: 0.0) == {}
    assert match([], [3], lambda g, p: 1.0) == {}
    assert match([3], [], lambda g, p: 1.0) == {}


def test_long_chains_of_changes() -> None:
    size = 1200  # deeper than Python recurses
    # p wants g = p before g = p + 1; the last one wants g = 0 alone, and moves all others
    wants = [{p: 2.0, p + 1: 1.0} for p in range(size)] + [{0: 1.0}]
    affinity = [[(g, weight) for g, weight in own.items()] for own in wants]
    found = match(range(size + 1), range(size + 1), lambda g, p: dict(affinity[p]).get(g, 0.0))
    assert found == {**{p: p + 1 for p in range(size)}, size: 0}


@given(st.lists(st.lists(st.sampled_from([0.0, 0.0, 0.5, 1.0]), min_size=4, max_size=4), max_size=5))
def test_the_matching_is_one_to_one_and_the_largest(table: list[list[float]]) -> None:
    gold, predicted = range(4), range(len(table))
    found = match(gold, predicted, lambda g, p: table[p][g])
    assert len(set(found.values())) == len(found)
    assert all(table[p][g] > 0 for p, g in found.items())
    places = [*gold, *([None] * len(table))]
    largest = max(
        sum(g is not None and table[p][g] > 0 for p, g in enumerate(choice))
        for choice in set(permutations(places, len(table)))
    )
    assert len(found) == largest
