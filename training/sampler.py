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


class ProcessBatches(Sampler[list[int]]):
    """One process's batches, of at most `size` indices each.

    A step's indices are the same for so many processes with so many batches a step as for one process with them all
    in one batch: `sampler.batch_size` of them, cut into equal parts. The last step of an epoch has what is left, in
    parts that differ by one at most. A process for which none is left gets `blank`, the index of an example without
    labels, since all processes must take each step.
    """

    def __init__(self, sampler: SourceSampler, size: int, count: int, index: int, blank: int) -> None:
        if sampler.batch_size % (size * count):
            raise ValueError(f"steps of {sampler.batch_size} cannot be cut into batches of {size} in {count} processes")
        self.sampler, self.size, self.count, self.index, self.blank = sampler, size, count, index, blank

    def set_epoch(self, epoch: int) -> None:
        self.sampler.set_epoch(epoch)

    def __len__(self) -> int:
        full, rest = divmod(len(self.sampler), self.sampler.batch_size)
        return full * (self.sampler.batch_size // (self.size * self.count)) + -(-rest // (self.size * self.count))

    def __iter__(self) -> Iterator[list[int]]:
        order = np.array(list(self.sampler))
        for start in range(0, len(order), self.sampler.batch_size):
            step = order[start : start + self.sampler.batch_size]
            rounds = -(-len(step) // (self.size * self.count))
            for part in np.array_split(step, rounds * self.count)[self.index :: self.count]:
                yield part.tolist() or [self.blank]
