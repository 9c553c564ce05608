"""The best sentences of a stream, in bounded memory, without near-duplicates of one another or of annotated ones."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from datasketch import MinHash, MinHashLSH

from model.text import Offsets
from training.annotation_split import THRESHOLD, shingles
from training.exchange.duplicates import banding
from training.suggesting.choosing import Profile
from training.suggesting.corpus import CorpusSentence
from training.suggesting.uncertainty import Uncertainty


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may be chosen: the `words` of it that the network sees, and its uncertainty by its cost."""

    sentence: CorpusSentence
    words: tuple[Offsets, ...]
    uncertainty: Uncertainty
    profile: Profile
    score: float


class SimilarTexts:
    """Texts by key, found again by near-duplicates: as `training.exchange.duplicates`, but texts can be taken out.

    `threshold`: Jaccard similarity of three-word shingles, above 0 and at most 1 (else ValueError).
    """

    def __init__(self, threshold: float = THRESHOLD) -> None:
        if not 0 < threshold <= 1:
            raise ValueError(f"a threshold of {threshold} is not above 0 and at most 1")
        self.threshold = threshold
        bands, rows = banding(threshold)
        self._permutations = bands * rows
        self._index = MinHashLSH(num_perm=self._permutations, params=(bands, rows))
        self._sets: dict[int, frozenset[bytes]] = {}

    def similar(self, text: str) -> list[int]:
        """Keys of the texts that are near-duplicates of this one, in the order of the keys."""
        own = _shingles(text)
        return [
            key
            for key in sorted(self._index.query(self._sketch(own)))
            if len(own & self._sets[key]) >= self.threshold * len(own | self._sets[key])
        ]

    def add(self, key: int, text: str) -> None:
        """Put a text in under a new key."""
        own = _shingles(text)
        self._index.insert(key, self._sketch(own))
        self._sets[key] = own

    def remove(self, key: int) -> None:
        """Take the text of a key out."""
        self._index.remove(key)
        del self._sets[key]

    def _sketch(self, own: frozenset[bytes]) -> MinHash:
        sketch = MinHash(num_perm=self._permutations, seed=1)
        sketch.update_batch(sorted(own))
        return sketch


def _shingles(text: str) -> frozenset[bytes]:
    return frozenset("\x1f".join(shingle).encode() for shingle in shingles(text))


class Candidates:
    """At most `capacity` candidates: the highest scores that were added, the earlier of equal ones.

    Of near-duplicates the one with the highest score stays (the earlier of equal ones), and none that is like a text
    given to `leave_out`. A copy that comes after its like was pushed out cannot score higher, so it stays out too.
    """

    def __init__(self, capacity: int, threshold: float = THRESHOLD) -> None:
        if capacity < 1:
            raise ValueError(f"room for {capacity} candidates is not enough")
        self.capacity = capacity
        #: Candidates that were like a better one, or like a text left out.
        self.duplicates = 0
        self._texts = SimilarTexts(threshold)
        self._held: dict[int, Candidate] = {}
        self._heap: list[tuple[float, int]] = []  # (score, minus key); the first is the next to go
        self._added = 0
        self._left_out = 0

    def leave_out(self, text: str) -> None:
        """Hold a text that no candidate may be like; for before the first candidate."""
        self._left_out -= 1
        self._texts.add(self._left_out, text)

    def __iter__(self) -> Iterator[Candidate]:
        """The candidates, the highest score first."""
        order = sorted(self._held, key=lambda key: (-self._held[key].score, key))
        return (self._held[key] for key in order)

    def __len__(self) -> int:
        return len(self._held)

    def has_room_for(self, score: float) -> bool:
        """Whether a candidate of that score can still be among the best."""
        return len(self._held) < self.capacity or score > self._lowest().score

    def add(self, candidate: Candidate) -> bool:
        """Take a candidate, if it is among the best and like none better; return whether it was taken."""
        if not self.has_room_for(candidate.score):
            return False
        similar = self._texts.similar(candidate.sentence.text)
        if any(key < 0 or self._held[key].score >= candidate.score for key in similar):
            self.duplicates += 1
            return False
        for key in similar:
            self.duplicates += 1
            self._drop(key)
        self._added += 1
        self._held[self._added] = candidate
        self._texts.add(self._added, candidate.sentence.text)
        heapq.heappush(self._heap, (candidate.score, -self._added))
        if len(self._held) > self.capacity:
            self._lowest()
            self._drop(-self._heap[0][1])
        if len(self._heap) > 2 * self.capacity + 1:  # replaced candidates are still in the heap
            self._heap = [(own.score, -key) for key, own in self._held.items()]
            heapq.heapify(self._heap)
        return True

    def _lowest(self) -> Candidate:
        while -self._heap[0][1] not in self._held:
            heapq.heappop(self._heap)
        return self._held[-self._heap[0][1]]

    def _drop(self, key: int) -> None:
        self._texts.remove(key)
        del self._held[key]
