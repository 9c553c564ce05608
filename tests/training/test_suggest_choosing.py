"""Uncertainty in nats, and the choice of sentences that are uncertain and differ."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, product
from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.annotation import AnnotatedSentence, Relation, Span
from model.chain import STATES, chains
from model.encoding import EncodedSentence
from model.extractor import Extractor
from model.outputs import PairBlock, WordLogits
from training.suggesting.choosing import Profile, choose, cost, profile_of
from training.suggesting.uncertainty import TYPES, Uncertainty, marginals, uncertainties


def _logits(words: int, seed: int, scale: float = 1.0) -> WordLogits:
    rng = np.random.default_rng(seed)

    def own(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return (scale * rng.normal(size=shape)).astype(np.float32)

    return WordLogits(
        own(words, 7),
        own(words, 7),
        own(words, 4),
        own(words, 18),
        own(words, 3),
        (PairBlock(0, words, own(words, words, 5)),),
    )


def test_marginals_are_those_of_all_allowed_sequences() -> None:
    scores = np.random.default_rng(0).normal(size=(1, 3, 13)).astype(np.float32)
    weights = np.zeros((3, 13))
    for path in product(range(13), repeat=3):
        names = ["O", *(STATES[state] for state in path)]
        if all(own[0] != "I" or before[2:] == own[2:] for before, own in pairwise(names)):
            weights[range(3), path] += np.exp(sum(scores[0, word, state] for word, state in enumerate(path)))
    [chain] = chains(scores, np.array([3]))
    np.testing.assert_allclose(marginals(chain), weights / weights.sum(axis=1, keepdims=True), rtol=1e-4, atol=1e-6)


def test_the_parts_sum_to_the_total() -> None:
    logits = [_logits(words, words) for words in (1, 5, 2, 30)]
    found = uncertainties([logits[0], None, *logits[1:]])
    assert found[1].total == 0
    assert len(found[1].words) == 0
    for own, words in zip([found[0], *found[2:]], (1, 5, 2, 30), strict=True):
        assert own.words.shape == (words,)
        assert own.words.sum() == pytest.approx(own.total, rel=1e-5)
        assert own.types.sum() == pytest.approx(own.total, rel=1e-4)
        assert min(own.spans, own.events) > 0
        assert own.roles >= 0
    alone = [uncertainties([own])[0].total for own in logits]
    assert alone == pytest.approx([found[index].total for index in (0, 2, 3, 4)], rel=1e-5)


def test_pairs_of_two_actions_and_an_entity() -> None:
    """Tags are sure; a role is a toss-up between two, and a class among all."""
    words = 3
    names, rest = (np.zeros((words, 7), dtype=np.float32) for _ in range(2))
    names[:, 0] = rest[:, 0] = 40.0
    rest[0, 5] = 80.0  # B-ACT
    names[2, 1] = 80.0  # B-PER
    sure = np.zeros((words, 3), dtype=np.float32)
    sure[:, 0] = 40.0
    roles = np.full((words, words, 5), -40.0, dtype=np.float32)
    roles[..., 0] = 40.0
    roles[0, 2, :3] = (-40.0, 40.0, 40.0)
    logits = WordLogits(
        names, rest, np.zeros((words, 4), np.float32), np.zeros((words, 18), np.float32), sure,
        (PairBlock(0, words, roles),),
    )  # fmt: skip
    [own] = uncertainties([logits])
    assert own.spans == pytest.approx(0, abs=1e-9)
    assert own.events == pytest.approx(log(18), rel=1e-5)
    assert own.roles == pytest.approx(log(2), rel=1e-5)
    assert own.words == pytest.approx([log(18) + log(2) / 2, 0, log(2) / 2], rel=1e-5, abs=1e-9)
    assert own.types[TYPES.index("actor")] == pytest.approx(log(2) / 2, rel=1e-5)
    assert own.types[TYPES.index("ASSAULT")] == pytest.approx(log(18) / 18, rel=1e-5)


def test_a_sure_network_is_sure(scripted: Callable[..., Extractor]) -> None:
    spans = (Span(0, "ACT", 0, 3, "CONSULT", "asserted"), Span(1, "PER", 4, 9), Span(2, "LOC", 10, 15))
    relations = (Relation(0, 0, 1, "actor"), Relation(1, 0, 2, "target"))
    sentence = AnnotatedSentence("1", "زار بايدن بغداد", spans, relations)

    def total(certainty: float) -> float:
        extractor = scripted([sentence], certainty)
        encoded = extractor.encoder.encode(sentence.text, [(0, len(sentence.text))])
        return uncertainties(extractor.logits(encoded))[0].total

    assert total(1.0) > total(3.0) > total(6.0) > 100 * total(20.0)


def _profile(nats: dict[int, float], words: int = 9) -> Profile:
    keys = sorted(nats)
    return Profile(np.array(keys, dtype=np.int64), np.array([nats[key] for key in keys], dtype=np.float64), words)


PROFILES = st.lists(
    st.builds(
        _profile,
        st.dictionaries(st.integers(-3, 6), st.floats(0.01, 9.0), max_size=5),
        st.integers(1, 40),
    ),
    max_size=9,
)


@given(PROFILES, st.integers(0, 10), st.sampled_from((0.0, 0.5, 1.0)))
def test_the_choice_is_the_greedy_one(profiles: list[Profile], count: int, power: float) -> None:
    chosen = choose(profiles, count, power)
    assert len({index for index, _ in chosen}) == len(chosen) == min(count, len(profiles))
    covered: dict[int, float] = {}
    left = set(range(len(profiles)))

    def gain(own: Profile) -> float:
        parts = zip(own.keys.tolist(), own.nats.tolist(), strict=True)
        added = sum(sqrt(covered.get(key, 0.0) + nats) - sqrt(covered.get(key, 0.0)) for key, nats in parts)
        return added / cost(own.words, power)

    for index, value in chosen:
        best = max(gain(profiles[other]) for other in left)
        assert value == pytest.approx(gain(profiles[index]))
        assert value == pytest.approx(best)
        left.remove(index)
        for key, nats in zip(profiles[index].keys.tolist(), profiles[index].nats.tolist(), strict=True):
            covered[key] = covered.get(key, 0.0) + nats
    gains = [value for _, value in chosen]
    assert gains == sorted(gains, reverse=True) or gains == pytest.approx(sorted(gains, reverse=True))


def test_what_is_alike_is_not_chosen_twice() -> None:
    alike = [_profile({1: 4.0, 2: 4.0}), _profile({1: 3.9, 2: 3.9})]
    other = _profile({3: 2.0, 4: 2.0})
    assert [index for index, _ in choose([*alike, other], 2, 0.5)] == [0, 2]
    assert [index for index, _ in choose([alike[0]] * 3, 3, 0.5)] == [0, 1, 2]


def test_what_length_costs() -> None:
    profiles = [_profile({key: 1.0 for key in range(12)}, words=36), _profile({20: 4.0, 21: 4.0}, words=9)]
    assert [index for index, _ in choose(profiles, 1, 0.0)] == [0]
    assert [index for index, _ in choose(profiles, 1, 1.0)] == [1]


def test_a_profile_has_all_nats_of_its_sentence() -> None:
    sentence = EncodedSentence(((0, 2), (3, 6), (7, 9)), ((5,), (6, 7), (5,)))
    uncertainty = Uncertainty(np.array([1.0, 2.0, 0.5]), np.eye(len(TYPES))[0] * 3.5, 3.5, 0.0, 0.0)
    own = profile_of(sentence, uncertainty)
    assert own.keys.tolist() == [-1, 5, 6, 7]
    assert own.nats.tolist() == [1.75, 0.75, 0.5, 0.5]
    assert own.words == 3
