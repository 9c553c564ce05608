"""Leaving sentences out of a source that other files have too, so that nothing is tested on what was trained on.

Two sentences are the same where they are near-duplicates as `training.annotation_split` defines them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from model.annotation import AnnotatedSentence
from model.annotation_files import read_annotations, read_records
from training.annotation_split import near_duplicates_across
from training.config import ConfigError, Source
from training.sources import LabelledSentence


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A sentence that was left out, and the most similar one of the files that it must not be in; lines from 1."""

    file: str
    line: int
    like: str
    like_line: int
    #: Jaccard similarity of their three-word shingles.
    similarity: float

    def __str__(self) -> str:
        return (
            f"{self.file}:{self.line}: left out: {self.similarity:.0%} the same as {self.like}:{self.like_line}"
            if self.similarity < 1
            else f"{self.file}:{self.line}: left out: the same as {self.like}:{self.like_line}"
        )

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Placed:
    file: str
    line: int
    sentence: AnnotatedSentence


def kept(source: Source, folder: Path) -> tuple[list[LabelledSentence], list[LeftOut]]:
    """The sentences of a source in our own format, without those that `source.without` names, and these.

    Files are named by their paths from `folder`. Raises AnnotationError for a line that is no annotated sentence,
    OSError for a file that cannot be read, and ConfigError where nothing is left.
    """
    own = [placed for path in source.files(folder) for placed in _placed(path, folder)]
    others = [placed for name in source.without for placed in _placed(folder / name, folder)]
    found = _most_similar(own, others)
    if own and len(found) == len(own):
        raise ConfigError(f"{source.path}: no sentence is left: all are in {', '.join(source.without)}")
    sentences = [LabelledSentence(placed.sentence, False) for placed in own if (placed.file, placed.line) not in found]
    return sentences, list(found.values())


def _most_similar(own: Sequence[_Placed], others: Sequence[_Placed]) -> dict[tuple[str, int], LeftOut]:
    """By file and line, in their order, the sentences of `own` that are near-duplicates of one of `others`."""
    places = {id(placed.sentence): placed for placed in (*own, *others)}
    found: dict[tuple[str, int], LeftOut] = {}
    pairs = near_duplicates_across([one.sentence for one in own], [one.sentence for one in others])
    for pair in pairs:
        other, mine = places[id(pair.first)], places[id(pair.second)]
        key = (mine.file, mine.line)
        if key not in found or found[key].similarity < pair.similarity:
            found[key] = LeftOut(*key, other.file, other.line, round(pair.similarity, 4))
    return found


def _placed(path: Path, folder: Path) -> Iterator[_Placed]:
    lines = [line for line, _ in read_records(path)]
    name = os.path.relpath(path, folder)
    for line, sentence in zip(lines, read_annotations(path), strict=True):
        yield _Placed(name, line, sentence)
