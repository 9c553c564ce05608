"""Readers of training and evaluation data: our JSON lines, CoNLL files with one word a line, and Wojood.

Every reader yields `LabelledSentence`: text, spans with offsets, and which layers of the network the source knows
about. A source that knows names only says nothing about numbers, unnamed participants, actions and roles.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from model.annotation import AnnotatedSentence, Span
from model.annotation_files import read_annotations
from model.labels import NAME_LABELS


class SourceError(ValueError):
    """A data file that cannot be read: says file, line and what is wrong."""


@dataclass(frozen=True, slots=True)
class LabelledSentence:
    """A sentence for training: `names_only` where everything but PER, ORG and LOC is unknown, and clitics too."""

    sentence: AnnotatedSentence
    names_only: bool


@dataclass(frozen=True, slots=True)
class Tagset:
    """Types of a corpus: those that mean a label of ours, and those without a counterpart, which are left out."""

    labels: dict[str, str]
    ignored: frozenset[str]


CONLL = Tagset({"PER": "PER", "PERS": "PER", "PERSON": "PER", "ORG": "ORG", "LOC": "LOC"}, frozenset({"MISC"}))

#: The 21 types of Wojood (Jarrar et al. 2022).
WOJOOD = Tagset(
    {"PERS": "PER", "ORG": "ORG", "GPE": "LOC", "LOC": "LOC", "FAC": "LOC"},
    frozenset(
        {
            *("CARDINAL", "CURR", "DATE", "EVENT", "LANGUAGE", "LAW", "MONEY", "NORP"),
            *("OCC", "ORDINAL", "PERCENT", "PRODUCT", "QUANTITY", "TIME", "UNIT", "WEBSITE"),
        }
    ),
)

TAGSETS = {"conll": CONLL, "wojood": WOJOOD}

#: A word of a column file, with its tags (several in a nested corpus).
Row = tuple[str, tuple[str, ...]]

_TAG = re.compile(r"O|[BI]-\S+")


def read_rows(path: Path) -> Iterator[tuple[int, list[Row]]]:
    """Yield (line of the first word, words) of each block of a column file; blank lines and `$#$` end a block.

    `# document` lines (AQMAR) are passed over. Raises SourceError, naming file and line, for a line that is not
    UTF-8, a word without a tag, and a tag that is not `O`, `B-…` or `I-…`.
    """
    block: list[Row] = []
    first = 1
    with path.open("rb") as lines:
        for number, raw in enumerate(lines, start=1):
            line = _decode(raw, path, number)
            word, *tags = line.split() or [""]
            if word in ("", "$#$") or line.startswith("# document"):
                if block:
                    yield first, block
                block, first = [], number + 1
                continue
            if not tags:
                raise SourceError(f"{path}:{number}: a word without a tag: «{line.strip()}»")
            for tag in tags:
                if not _TAG.fullmatch(tag):
                    raise SourceError(f"{path}:{number}: «{tag}» is not O, B-… or I-…: «{line.strip()}»")
            block.append((word, tuple(tags)))
    if block:
        yield first, block


def _decode(line: bytes, path: Path, number: int) -> str:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(f"{path}:{number}: not UTF-8: {error.reason} at byte {error.start} of the line") from None


def word_spans(rows: Sequence[Row], labels: dict[str, str]) -> list[tuple[str, int, int]]:
    """(label, first word, last word) of the outermost spans with a known label: where two overlap the longer wins."""
    found: list[tuple[str, int, int]] = []
    open_at: dict[str, int] = {}
    for word in range(len(rows) + 1):
        tags = rows[word][1] if word < len(rows) else ()
        for name in list(open_at):
            if f"I-{name}" not in tags:
                found.append((labels[name], open_at.pop(name), word - 1))
        for tag in tags:
            prefix, _, name = tag.partition("-")
            # a `B-` inside an open span of the same label is a nested name: the outer one goes on
            if name in labels and prefix in ("B", "I") and name not in open_at:
                open_at[name] = word
    kept: list[tuple[str, int, int]] = []
    for label, first, last in sorted(found, key=lambda span: (span[1] - span[2], span[1])):
        if all(last < other_first or other_last < first for _, other_first, other_last in kept):
            kept.append((label, first, last))
    return sorted(kept, key=lambda span: span[1])


def read_columns(path: Path, tagset: Tagset) -> Iterator[AnnotatedSentence]:
    """Yield the sentences of a column file, words joined with single spaces; the id is `file:line`.

    Raises SourceError as `read_rows` does, and for a tag of a type that is not in the tagset.
    """
    for line, rows in _checked_rows(path, tagset):
        starts: list[int] = []
        position = 0
        for word, _ in rows:
            starts.append(position)
            position += len(word) + 1
        spans = tuple(
            Span(index, label, starts[first], starts[last] + len(rows[last][0]))
            for index, (label, first, last) in enumerate(word_spans(rows, tagset.labels))
        )
        yield AnnotatedSentence(f"{path.name}:{line}", " ".join(word for word, _ in rows), spans, ())


def labels_in(path: Path, tagset: Tagset) -> tuple[str, ...]:
    """Those of PER, ORG and LOC that some tag of a column file means: what the file can judge."""
    tags = {tag for _, rows in _checked_rows(path, tagset) for _, own in rows for tag in own}
    found = {tagset.labels.get(tag[2:]) for tag in tags}
    return tuple(label for label in NAME_LABELS if label in found)


def _checked_rows(path: Path, tagset: Tagset) -> Iterator[tuple[int, list[Row]]]:
    for line, rows in read_rows(path):
        for number, (_, tags) in enumerate(rows, start=line):
            for tag in tags:
                if tag != "O" and tag[2:] not in tagset.labels and tag[2:] not in tagset.ignored:
                    known = ", ".join((*tagset.labels, *sorted(tagset.ignored)))
                    raise SourceError(f"{path}:{number}: «{tag}» is of an unknown type: known are {known}")
        yield line, rows


def _annotations(path: Path) -> Iterator[LabelledSentence]:
    for sentence in read_annotations(path):
        yield LabelledSentence(sentence, names_only=False)


def _names(tagset: Tagset) -> Callable[[Path], Iterator[LabelledSentence]]:
    def read(path: Path) -> Iterator[LabelledSentence]:
        for sentence in read_columns(path, tagset):
            yield LabelledSentence(sentence, names_only=True)

    return read


#: How to read each format that a configuration or a command line may name.
READERS: dict[str, Callable[[Path], Iterator[LabelledSentence]]] = {
    "annotations": _annotations,
    **{format: _names(tagset) for format, tagset in TAGSETS.items()},
}


def read_source(path: Path, format: str) -> list[LabelledSentence]:
    """Read a whole file; raises SourceError for an unknown format, AnnotationError or SourceError for a bad line."""
    if format not in READERS:
        raise SourceError(f"{path}: unknown format {format!r}: one of {', '.join(READERS)}")
    return list(READERS[format](path))
