"""What an epoch sees."""

from __future__ import annotations

from collections import Counter

from training.sampler import SourceSampler


def test_every_source_gives_its_share() -> None:
    sampler = SourceSampler([(10, 1.0), (20, 0.25), (4, 2.5)], [5] * 34, batch_size=4, seed=3)
    drawn = list(sampler)
    assert len(drawn) == len(sampler) == 10 + 5 + 10
    assert sorted(index for index in drawn if index < 10) == list(range(10))
    assert len({index for index in drawn if 10 <= index < 30}) == 5
    last = Counter(index for index in drawn if index >= 30)
    assert set(last.values()) == {2, 3}
    assert sum(last.values()) == 10


def test_an_epoch_depends_on_seed_and_number_alone() -> None:
    def epoch(number: int, seed: int) -> list[int]:
        sampler = SourceSampler([(50, 0.5)], list(range(50)), batch_size=4, seed=seed)
        list(sampler)
        sampler.set_epoch(number)
        return list(sampler)

    assert epoch(2, 1) == epoch(2, 1)
    assert epoch(2, 1) != epoch(3, 1)
    assert epoch(2, 1) != epoch(2, 2)


def test_batches_hold_examples_of_like_length() -> None:
    lengths = [index % 40 for index in range(400)]
    drawn = list(SourceSampler([(400, 1.0)], lengths, batch_size=8, seed=0))
    spreads = [
        max(lengths[index] for index in drawn[start : start + 8])
        - min(lengths[index] for index in drawn[start : start + 8])
        for start in range(0, 400, 8)
    ]
    assert max(spreads) <= 2
