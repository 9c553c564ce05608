"""Splitting annotated sentences into train, dev and test, with near-duplicates kept on one side.

Two sentences are near-duplicates if the Jaccard similarity of their sets of three-word shingles reaches a threshold;
words are compared without marks, tatweel, punctuation and the difference of digits (`comparable_words`). The
comparison is exact: an inverted index gives every pair that shares a shingle.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from model.annotation import AnnotatedSentence
from model.annotation_check import comparable_words
from model.annotation_files import read_annotations, write_annotations

SHARES = {"train": 0.8, "dev": 0.1, "test": 0.1}
#: At 0.5 two sentences of twenty words differ in some four places.
THRESHOLD = 0.5
_SHINGLE = 3

Shingle = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """Two sentences that are all but the same, and the Jaccard similarity of their shingles."""

    first: AnnotatedSentence
    second: AnnotatedSentence
    similarity: float


def domain(sentence: AnnotatedSentence) -> str:
    """Return the domain that the sentence's id begins with: "economy" of "economy-0012"."""
    return sentence.id.rpartition("-")[0]


def shingles(text: str) -> frozenset[Shingle]:
    """Return the runs of three words of a text; one shorter run of all words if it has fewer than three."""
    words = comparable_words(text)
    return frozenset(tuple(words[i : i + _SHINGLE]) for i in range(max(1, len(words) - _SHINGLE + 1)))


def near_duplicates(sentences: Sequence[AnnotatedSentence], threshold: float = THRESHOLD) -> Iterator[NearDuplicates]:
    """Yield the pairs of sentences whose similarity reaches `threshold`, each once, in the order of the second."""
    for first, second, similarity in _similar(sentences, threshold):
        yield NearDuplicates(sentences[first], sentences[second], similarity)


def near_duplicates_across(
    new: Sequence[AnnotatedSentence], held_out: Sequence[AnnotatedSentence], threshold: float = THRESHOLD
) -> Iterator[NearDuplicates]:
    """Yield the pairs (held-out sentence, new sentence) whose similarity reaches `threshold`.

    What is added to the training split is to be compared with dev and test so.
    """
    for first, second, similarity in _similar([*held_out, *new], threshold):
        if first < len(held_out) <= second:
            yield NearDuplicates(held_out[first], new[second - len(held_out)], similarity)


def split(
    sentences: Sequence[AnnotatedSentence],
    seed: int,
    shares: Mapping[str, float] = SHARES,
    threshold: float = THRESHOLD,
) -> dict[str, list[AnnotatedSentence]]:
    """Return the sentences by split, each domain divided by `shares`, in the order given.

    Sentences linked by a chain of near-duplicates are one group, which goes into one split, counted for the domain
    of its first sentence. The same sentences, seed and shares give the same splits. The first split takes what
    rounding leaves. Raises ValueError if the shares do not sum to one.
    """
    if abs(sum(shares.values()) - 1) > 1e-9:
        raise ValueError(f"the shares of the splits sum to {sum(shares.values())}, not to 1")
    by_domain: defaultdict[str, list[list[int]]] = defaultdict(list)
    for group in _groups(sentences, threshold):
        by_domain[domain(sentences[group[0]])].append(group)
    assigned: dict[int, str] = {}
    largest, *others = shares
    for name in sorted(by_domain):
        groups = by_domain[name]
        random.Random(f"{seed} {name}").shuffle(groups)
        total = sum(map(len, groups))
        wanted = {other: round(shares[other] * total) for other in others}
        for group in groups:
            target = next((other for other in others if wanted[other] >= len(group)), largest)
            if target != largest:
                wanted[target] -= len(group)
            assigned.update(dict.fromkeys(group, target))
    return {name: [sentences[i] for i in range(len(sentences)) if assigned[i] == name] for name in shares}


def split_files(paths: Iterable[Path], folder: Path, seed: int) -> dict[str, int]:
    """Split the sentences of all files into `train.jsonl`, `dev.jsonl`, `test.jsonl` of a folder; return their sizes.

    Raises FileExistsError if one is there already: a split is made once.
    """
    targets = {name: folder / f"{name}.jsonl" for name in SHARES}
    for target in targets.values():
        if target.exists():
            raise FileExistsError(f"{target}: a split is made once; delete it to make another")
    sentences = [sentence for path in paths for sentence in read_annotations(path)]
    return {name: write_annotations(targets[name], part) for name, part in split(sentences, seed).items()}


def _similar(sentences: Sequence[AnnotatedSentence], threshold: float) -> Iterator[tuple[int, int, float]]:
    """Yield (index, later index, similarity) of the pairs whose similarity reaches `threshold`."""
    sets = [shingles(sentence.text) for sentence in sentences]
    having: defaultdict[Shingle, list[int]] = defaultdict(list)
    for index, found in enumerate(sets):
        shared = Counter(earlier for shingle in found for earlier in having[shingle])
        for earlier, count in sorted(shared.items()):
            similarity = count / (len(found) + len(sets[earlier]) - count)
            if similarity >= threshold:
                yield earlier, index, similarity
        for shingle in found:
            having[shingle].append(index)


def _groups(sentences: Sequence[AnnotatedSentence], threshold: float) -> list[list[int]]:
    """Return the indices of the sentences by chains of near-duplicates (union-find), in the order of their first."""
    parent = list(range(len(sentences)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for earlier, later, _ in _similar(sentences, threshold):
        first, second = sorted((root(earlier), root(later)))
        parent[second] = first
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for index in range(len(sentences)):
        groups[root(index)].append(index)
    return list(groups.values())
