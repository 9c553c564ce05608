"""Near-duplicate sentences, found with MinHash and locality-sensitive hashing (`datasketch`), then measured exactly.

Near-duplicates share the Jaccard similarity of their three-word shingles (`training.annotation_split.shingles`).
Hashing proposes pairs; what it proposes is measured, so no pair is wrong; it misses one at the threshold with a
probability below `MISSED`, and one above it with a smaller one. Unlike the exact index of `annotation_split`, its cost
does not grow with phrases that very many sentences share.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from datasketch import MinHash, MinHashLSH

from model.annotation import AnnotatedSentence
from model.annotation_files import read_annotations
from training.annotation_split import THRESHOLD, shingles

#: The highest probability to miss a pair whose similarity is the threshold.
MISSED = 0.001
_PERMUTATIONS = 256


@dataclass(frozen=True, slots=True)
class Placed:
    """A sentence and the file that it is in."""

    file: Path
    sentence: AnnotatedSentence


@dataclass(frozen=True, slots=True)
class Pair:
    """Two near-duplicates, in the order of the files, and the Jaccard similarity of their shingles."""

    first: Placed
    second: Placed
    similarity: float

    @property
    def across(self) -> bool:
        """Whether they are in different files."""
        return self.first.file != self.second.file


def near_duplicates_in(paths: Iterable[Path], threshold: float = THRESHOLD) -> list[Pair]:
    """Return the near-duplicates within and across annotated files, the most similar first.

    Raises AnnotationError, naming file and line, for what is no annotated sentence.
    """
    placed = [Placed(path, sentence) for path in paths for sentence in read_annotations(path)]
    return sorted(near_duplicates(placed, threshold), key=lambda pair: -pair.similarity)


def near_duplicates(placed: Sequence[Placed], threshold: float = THRESHOLD) -> Iterator[Pair]:
    """Yield the pairs whose similarity reaches `threshold` (above 0, at most 1), each once. Raises ValueError."""
    if not 0 < threshold <= 1:
        raise ValueError(f"a threshold of {threshold} is not above 0 and at most 1")
    bands, rows = banding(threshold)
    index = MinHashLSH(num_perm=bands * rows, params=(bands, rows))
    sets: list[frozenset[bytes]] = []
    for number, item in enumerate(placed):
        own = frozenset("\x1f".join(shingle).encode() for shingle in shingles(item.sentence.text))
        sketch = MinHash(num_perm=bands * rows, seed=1)
        sketch.update_batch(sorted(own))
        for earlier in sorted(index.query(sketch)):
            similarity = len(own & sets[earlier]) / len(own | sets[earlier])
            if similarity >= threshold:
                yield Pair(placed[earlier], item, similarity)
        index.insert(number, sketch)
        sets.append(own)


def banding(threshold: float) -> tuple[int, int]:
    """Return (bands, rows of each): the longest bands that miss a pair at `threshold` with less than `MISSED`."""
    for rows in range(_PERMUTATIONS // 2, 1, -1):
        bands = _PERMUTATIONS // rows
        if (1 - threshold**rows) ** bands < MISSED:
            return bands, rows
    return _PERMUTATIONS, 1
