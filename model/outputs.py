"""What the network says about one sentence: numpy arrays, whichever runtime made them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from model.encoding import Batch, Window
from model.labels import ROLE_TAGS

Floats = NDArray[np.float32]

#: The network's outputs, in the order of the ONNX graph.
HEADS = ("names", "rest", "clitics", "classes", "factuality", "roles")


class Network(Protocol):
    """Anything that maps a batch to the logits of `HEADS`: a runtime of `model.runtime`, or PyTorch."""

    @property
    def calls(self) -> int:
        """How many calls from as many threads are of use at a time."""

    @property
    def pieces(self) -> int:
        """Padded pieces of a call, at most: as many as stay in a core's cache; a longer sentence is alone in it."""

    def __call__(self, batch: Batch) -> dict[str, Floats]: ...


@dataclass(frozen=True, slots=True)
class PairBlock:
    """Role logits of the words `[first, last)` of a sentence: [last - first, last - first, 5]."""

    first: int
    last: int
    roles: Floats


@dataclass(frozen=True, slots=True)
class WordLogits:
    """Logits of a sentence of `W` words, merged over its windows."""

    names: Floats  # [W, 7]
    rest: Floats  # [W, 7]
    clitics: Floats  # [W, 4]
    classes: Floats  # [W, 18]
    factuality: Floats  # [W, 3]
    blocks: tuple[PairBlock, ...]

    def roles(self, actions: NDArray[np.int64], entities: NDArray[np.int64]) -> Floats:
        """Role logits of every (action word, entity word) pair: [A, E, 5].

        A pair is read from the window in which both words stand farthest from the borders; words that share no
        window (hundreds of words apart) have no role.
        """
        logits = np.full((len(actions), len(entities), len(ROLE_TAGS)), -1e4, dtype=np.float32)
        logits[..., 0] = 0.0
        best = np.zeros((len(actions), len(entities)), dtype=np.int64)
        for block in self.blocks:
            if not ((actions >= block.first) & (actions < block.last)).any():
                continue
            a_margin = _margin(actions, block.first, block.last)
            e_margin = _margin(entities, block.first, block.last)
            margin = np.minimum(a_margin[:, None], e_margin[None, :])
            rows, columns = np.nonzero(margin > best)
            logits[rows, columns] = block.roles[actions[rows] - block.first, entities[columns] - block.first]
            best = np.maximum(best, margin)
        return logits

    def neighbourhoods(
        self, actions: NDArray[np.int64], entities: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Indices of actions that stand in the same windows, with those of the entities that share one with them.

        Every pair of words that has role logits comes up once; `roles` of all pairs would grow with the square of the
        sentence.
        """
        lasts = np.array([block.last for block in self.blocks])
        firsts = np.array([block.first for block in self.blocks])
        begin = np.searchsorted(lasts, actions, side="right")
        end = np.searchsorted(firsts, actions, side="right")
        for low, high in sorted(set(zip(begin.tolist(), end.tolist(), strict=True))):
            if low == high:
                continue
            near = (entities >= firsts[low]) & (entities < lasts[high - 1])
            yield np.nonzero((begin == low) & (end == high))[0], np.nonzero(near)[0]


def _margin(words: NDArray[np.int64], first: int, last: int) -> NDArray[np.int64]:
    """Distance of each word to the nearer border of the window, from 1; not positive outside of it."""
    return np.minimum(words - first, last - 1 - words) + 1


def unpadded(outputs: Mapping[str, Floats], row: int, words: int) -> dict[str, Floats]:
    """Copies of what a padded batch says of one window of `words` words, so that the batch need not stay in memory."""
    own = {head: outputs[head][row, :words].copy() for head in HEADS[:-1]}
    return {**own, "roles": outputs["roles"][row, :words, :words].copy()}


def merge(windows: Sequence[Window], rows: Sequence[dict[str, Floats]]) -> WordLogits:
    """Merge a sentence's windows: each word is read from the window in which it stands farthest from the borders."""
    blocks = []
    merged: dict[str, Floats] = {}
    total = windows[-1].last
    best = np.zeros(total, dtype=np.int64)
    for window, row in zip(windows, rows, strict=True):
        size = window.last - window.first
        blocks.append(PairBlock(window.first, window.last, row["roles"][:size, :size]))
        margin = _margin(np.arange(total), window.first, window.last)
        words = np.nonzero(margin > best)[0]
        for head in HEADS[:-1]:
            merged.setdefault(head, np.zeros((total, row[head].shape[-1]), dtype=np.float32))
            merged[head][words] = row[head][words - window.first]
        best = np.maximum(best, margin)
    return WordLogits(**merged, blocks=tuple(blocks))
