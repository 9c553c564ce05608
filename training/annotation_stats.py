"""Counting what annotated files hold: sentences, words, labels, classes, factualities, roles, sentence lengths."""

from __future__ import annotations

import math
import statistics as averages
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.table import Table

from model.annotation import SPAN_LABELS, AnnotatedSentence
from model.annotation_files import read_annotations
from model.labels import CLASSES, FACTUALITIES, ROLES


@dataclass(frozen=True, slots=True)
class Lengths:
    """How many words, split at white space, the sentences have; `p95` is the 95th percentile by nearest rank."""

    min: int
    median: float
    mean: float
    p95: int
    max: int


@dataclass(slots=True)
class Statistics:
    """The counts of one file, or of several; `name` is the file's, `labels` counts actions as `ACT`."""

    name: str
    labels: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    factualities: Counter[str] = field(default_factory=Counter)
    roles: Counter[str] = field(default_factory=Counter)
    words_of_sentences: list[int] = field(default_factory=list)

    @property
    def sentences(self) -> int:
        """The number of sentences."""
        return len(self.words_of_sentences)

    @property
    def words(self) -> int:
        """The number of words, split at white space."""
        return sum(self.words_of_sentences)

    @property
    def lengths(self) -> Lengths | None:
        """The lengths of the sentences in words; None if there are none."""
        if not self.words_of_sentences:
            return None
        ordered = sorted(self.words_of_sentences)
        rank = math.ceil(0.95 * len(ordered))
        return Lengths(ordered[0], averages.median(ordered), averages.fmean(ordered), ordered[rank - 1], ordered[-1])

    def add(self, sentence: AnnotatedSentence) -> None:
        """Count one sentence."""
        self.words_of_sentences.append(len(sentence.text.split()))
        self.labels.update(span.label for span in sentence.spans)
        for action in sentence.actions:
            self.classes.update([str(action.event_class)])
            self.factualities.update([str(action.factuality)])
        self.roles.update(link.role for link in sentence.relations)


@dataclass(frozen=True, slots=True)
class CorpusStatistics:
    """The counts of each file, in the order given, and of all together."""

    files: tuple[Statistics, ...]
    total: Statistics


def statistics(paths: Iterable[Path]) -> CorpusStatistics:
    """Count what the files hold. Raises AnnotationError, naming file and line, for what is no annotated sentence."""
    total = Statistics("total")
    files = []
    for path in paths:
        counts = Statistics(path.name)
        for sentence in read_annotations(path):
            counts.add(sentence)
            total.add(sentence)
        files.append(counts)
    return CorpusStatistics(tuple(files), total)


def table(corpus: CorpusStatistics) -> Table:
    """Return the counts as a table for the terminal: a row for each count, a column for each file and for the total."""
    columns = corpus.files if len(corpus.files) == 1 else (*corpus.files, corpus.total)
    result = Table(title="Annotated sentences", title_justify="left")
    result.add_column("")
    for column in columns:
        result.add_column(column.name, justify="right")
    result.add_row("sentences", *(f"{column.sentences:,}" for column in columns))
    result.add_row("words", *(f"{column.words:,}" for column in columns), end_section=True)
    for row in ("min", "median", "mean", "p95", "max"):
        result.add_row(f"words a sentence, {row}", *(_length(column.lengths, row) for column in columns))
    result.add_section()
    _add_counts(result, SPAN_LABELS, [column.labels for column in columns])
    _add_counts(result, CLASSES, [column.classes for column in columns])
    _add_counts(result, FACTUALITIES, [column.factualities for column in columns])
    _add_counts(result, ROLES, [column.roles for column in columns])
    return result


def _length(lengths: Lengths | None, row: str) -> str:
    return "–" if lengths is None else f"{getattr(lengths, row):,.1f}".removesuffix(".0")


def _add_counts(result: Table, names: Sequence[str], counts: Sequence[Mapping[str, int]]) -> None:
    for name in names:
        result.add_row(name, *(f"{count.get(name, 0):,}" for count in counts))
    result.add_section()
