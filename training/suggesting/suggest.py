"""From unlabelled files to the sentences to annotate next, pre-annotated, the most useful first."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from pathlib import Path

from model.annotation_files import read_annotations
from model.extractor import Extractor
from training.annotation_split import THRESHOLD
from training.suggesting.candidates import Candidate, Candidates
from training.suggesting.choosing import choose, cost, profile_of
from training.suggesting.corpus import CorpusSentence, is_arabic
from training.suggesting.uncertainty import uncertainties

#: Sentences whose uncertainty is found at once.
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Settings:
    """How sentences are chosen.

    `count`: how many. `shortest` and `longest`: code points of a sentence, both included. `sample`: most sentences that
    the network reads, drawn evenly from all that fit; None for all. `power`: of its length in words, what a sentence is
    taken to cost (see `choosing.cost`). `depth`: candidates for each sentence chosen, the most uncertain for their
    cost. `similarity`: from which two sentences are near-duplicates.
    """

    count: int
    shortest: int = 40
    longest: int = 320
    sample: int | None = 20_000
    power: float = 0.5
    depth: int = 10
    similarity: float = THRESHOLD
    seed: int = 1


@dataclass(slots=True)
class Tally:
    """Sentences seen, and how many were left out for which reason."""

    seen: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    read: int = 0  # by the network


@dataclass(frozen=True, slots=True)
class Choice:
    """A chosen candidate, and what it added to those before it (nats to the power of one half, by cost)."""

    candidate: Candidate
    gain: float


def choose_from(
    sentences: Iterable[CorpusSentence],
    extractor: Extractor,
    settings: Settings,
    annotated: Sequence[Path] = (),
    tally: Tally | None = None,
    progress: Callable[[int, int | None], None] = lambda read, of: None,
) -> list[Choice]:
    """Return the sentences to annotate, the best first: fewer than asked for if no more are fit.

    Memory grows with `count` times `depth`, `sample` and the annotated files, not with the sentences. `progress` is
    told how many sentences the network has read, and of how many (None: not known). Raises AnnotationError for a bad
    line of an annotated file.
    """
    tally = Tally() if tally is None else tally
    candidates = Candidates(settings.count * settings.depth, settings.similarity)
    for path in annotated:
        for own in read_annotations(path):
            candidates.leave_out(own.text)
    fitting = fit(sentences, settings, tally)
    of: int | None = None
    if settings.sample is not None:
        sample = drawn(fitting, settings.sample, settings.seed, tally)
        fitting, of = iter(sample), len(sample)
    while group := list(islice(fitting, _AT_ONCE)):
        consider(group, extractor, settings.power, candidates)
        tally.read += len(group)
        progress(tally.read, of)
    tally.left_out["near-duplicates"] += candidates.duplicates
    return pick(candidates, settings.count, settings.power)


def fit(sentences: Iterable[CorpusSentence], settings: Settings, tally: Tally) -> Iterator[CorpusSentence]:
    """Yield the sentences of a length to be annotated whose letters are mostly Arabic; count the others."""
    for sentence in sentences:
        tally.seen += 1
        if len(sentence.text) < settings.shortest:
            tally.left_out["too short"] += 1
        elif len(sentence.text) > settings.longest:
            tally.left_out["too long"] += 1
        elif not is_arabic(sentence.text):
            tally.left_out["not Arabic"] += 1
        else:
            yield sentence


def drawn(sentences: Iterable[CorpusSentence], count: int, seed: int, tally: Tally) -> list[CorpusSentence]:
    """Return `count` of the different sentences (or all), each as likely as any, in the order given.

    Those with the lowest keyed digests are kept, so that what is drawn depends on the sentences and the seed alone; of
    equal sentences the first.
    """
    heap: list[tuple[int, int]] = []  # (minus digest, minus place); the first is the next to go
    held: dict[int, tuple[int, CorpusSentence]] = {}
    for place, sentence in enumerate(sentences):
        digest = _digest(sentence.text, seed)
        if digest in held:
            tally.left_out["exact duplicates"] += 1
        elif len(heap) < count or digest < -heap[0][0]:
            held[digest] = (place, sentence)
            heapq.heappush(heap, (-digest, -place))
            if len(heap) > count:
                del held[-heapq.heappop(heap)[0]]
                tally.left_out["not drawn"] += 1
        else:
            tally.left_out["not drawn"] += 1
    return [sentence for _, sentence in sorted(held.values(), key=lambda own: own[0])]


def _digest(text: str, seed: int) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8, key=str(seed).encode()).digest())


def consider(sentences: Sequence[CorpusSentence], extractor: Extractor, power: float, candidates: Candidates) -> None:
    """Offer sentences to the candidates, each with the extractor's uncertainty."""
    encoded = extractor.encoder.encode_many([(own.text, (0, len(own.text))) for own in sentences])
    found = uncertainties(extractor.logits(encoded))
    for sentence, words, uncertainty in zip(sentences, encoded, found, strict=True):
        score = uncertainty.total / cost(len(words.words), power)
        if words.words and candidates.has_room_for(score):
            candidates.add(Candidate(sentence, words.words, uncertainty, profile_of(words, uncertainty), score))


def pick(candidates: Candidates, count: int, power: float) -> list[Choice]:
    """The candidates that are uncertain and differ from one another, the best first."""
    held = list(candidates)
    return [Choice(held[index], gain) for index, gain in choose([own.profile for own in held], count, power)]
