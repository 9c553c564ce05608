"""Which examples an epoch sees, and in which order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler


class SourceSampler(Sampler[int]):
    """Indices of one epoch: each source's share drawn anew, in batches of like length in random order.

    `sizes` holds (examples, weight) of each source; the sources' examples lie one after another. What is drawn depends
    on (seed, epoch) alone, so that a resumed run sees the same batches.
    """

    def __init__(self, sizes: list[tuple[int, float]], lengths: list[int], batch_size: int, seed: int) -> None:
        self.sizes, self.lengths, self.batch_size, self.seed = sizes, np.array(lengths), batch_size, seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return sum(max(1, round(size * weight)) for size, weight in self.sizes)

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng((self.seed, self.epoch))
        drawn: list[NDArray[np.int64]] = []
        first = 0
        for size, weight in self.sizes:
            wanted = max(1, round(size * weight))
            rounds = [rng.permutation(size) for _ in range(-(-wanted // size))]
            drawn.append(first + np.concatenate(rounds)[:wanted])
            first += size
        order = rng.permutation(np.concatenate(drawn))
        # sort within stretches of fifty batches: little padding, and still another mix in each epoch
        stretch = 50 * self.batch_size
        batches: list[NDArray[np.int64]] = []
        for start in range(0, len(order), stretch):
            part = order[start : start + stretch]
            part = part[np.argsort(self.lengths[part], kind="stable")]
            batches += [part[i : i + self.batch_size] for i in range(0, len(part), self.batch_size)]
        # the batch that is not full comes last: it would shift the borders of all after it
        full = [batch for batch in batches if len(batch) == self.batch_size]
        rest = [batch for batch in batches if len(batch) < self.batch_size]
        for index in rng.permutation(len(full)):
            yield from full[index].tolist()
        for batch in rest:
            yield from batch.tolist()
