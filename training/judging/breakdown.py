"""Scores by label, by event class, by length and by domain, and confusion matrices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from model.annotation import AnnotatedSentence
from model.labels import ACTION_LABEL, CLASSES, ENTITY_LABELS
from model.text import Offsets, split_words
from training.evaluation import Evaluation, match_actions, overlap
from training.judging.pairs import Pair
from training.matching import Counts, interval, match

#: In a confusion matrix: what the other side does not have.
NOTHING = "nothing"

#: The last number of words of each slice by length but the last, which has no end.
LENGTHS = (10, 20, 30, 40)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table of scores: summed counts, and the bootstrap 95 % interval of F1 over sentences."""

    name: str
    counts: Counts
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Slice:
    """Some of the sentences, with a row for each measure."""

    name: str
    sentences: int
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Confusion:
    """`table[i][j]`: how often gold has `names[i]` where `names[j]` was found; the last name is NOTHING."""

    names: tuple[str, ...]
    table: tuple[tuple[int, ...], ...]


def row_of(name: str, sentences: Sequence[Counts]) -> Row:
    """The row of a measure from its counts by sentence."""
    total = Counts(*(sum(own[place] for own in sentences) for place in range(3)))
    return Row(name, total, *interval(sentences))


def label_rows(pairs: Sequence[Pair], labels: Iterable[str] = ENTITY_LABELS) -> list[Row]:
    """A row for each label that occurs: label and characters must be the same, as in the measure `entities`."""
    rows = []
    for label in labels:
        counts = []
        for sentence, document in pairs:
            gold = {(span.start, span.end) for span in sentence.entities if span.label == label}
            found = {(entity.start, entity.end) for entity in document.entities if entity.label == label}
            counts.append(Counts(len(gold & found), len(found), len(gold)))
        rows.append(row_of(label, counts))
    return _occurring(rows)


def class_rows(pairs: Sequence[Pair]) -> list[Row]:
    """A row for each event class that occurs: of actions that overlap, the class must be the same."""
    matches = [match_actions(*pair) for pair in pairs]
    rows = []
    for name in CLASSES:
        counts = []
        for (sentence, document), own in zip(pairs, matches, strict=True):
            gold = [span.event_class == name for span in sentence.actions]
            found = [action.event_class == name for action in document.actions]
            right = sum(found[p] and gold[g] for p, g in own.items())
            counts.append(Counts(right, sum(found), sum(gold)))
        rows.append(row_of(name, counts))
    return _occurring(rows)


def _occurring(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.counts.gold or row.counts.predicted]


def label_confusion(pairs: Iterable[Pair], labels: Iterable[str] = (*ENTITY_LABELS, ACTION_LABEL)) -> Confusion:
    """Labels of spans that overlap, one to one, actions among them."""
    found: Counter[tuple[str, str]] = Counter()
    for sentence, document in pairs:
        gold = [(span.label, (span.start, span.end)) for span in sentence.spans]
        predicted = [(entity.label, (entity.start, entity.end)) for entity in document.entities]
        predicted += [(ACTION_LABEL, (action.start, action.end)) for action in document.actions]
        matches = match(gold, predicted, _affinity)
        _count(found, [name for name, _ in gold], [name for name, _ in predicted], matches)
    return _matrix(found, tuple(labels))


def class_confusion(pairs: Iterable[Pair]) -> Confusion:
    """Event classes of actions that overlap, one to one; only the classes that occur."""
    found: Counter[tuple[str, str]] = Counter()
    for sentence, document in pairs:
        gold = [span.event_class or "" for span in sentence.actions]
        predicted = [action.event_class for action in document.actions]
        _count(found, gold, predicted, match_actions(sentence, document))
    occurring = {name for pair in found for name in pair}
    return _matrix(found, tuple(name for name in CLASSES if name in occurring))


def _affinity(gold: tuple[str, Offsets], predicted: tuple[str, Offsets]) -> float:
    shared = overlap(gold[1], predicted[1])
    return shared + (gold[0] == predicted[0]) / 2 if shared else 0.0


def _count(
    found: Counter[tuple[str, str]], gold: Sequence[str], predicted: Sequence[str], matches: dict[int, int]
) -> None:
    taken = {*matches.values()}
    found.update((name, NOTHING) for index, name in enumerate(gold) if index not in taken)
    found.update((gold[matches[p]] if p in matches else NOTHING, name) for p, name in enumerate(predicted))


def _matrix(found: Counter[tuple[str, str]], names: tuple[str, ...]) -> Confusion:
    names = (*names, NOTHING)
    return Confusion(names, tuple(tuple(found[gold, predicted] for predicted in names) for gold in names))


def by_length(sentences: Sequence[AnnotatedSentence]) -> dict[str, list[int]]:
    """Places of the sentences by their number of words, short ones first; slices without sentences are left out."""
    slices: dict[str, list[int]] = {}
    firsts = (0, *(last + 1 for last in LENGTHS))
    names = [*(f"{first}–{last}" for first, last in zip(firsts, LENGTHS, strict=False)), f"{firsts[-1]}+"]
    for name in names:
        slices[name] = []
    for place, sentence in enumerate(sentences):
        words = len(split_words(sentence.text))
        slices[names[sum(words > last for last in LENGTHS)]].append(place)
    return {name: places for name, places in slices.items() if places}


def by_domain(sentences: Sequence[AnnotatedSentence]) -> dict[str, list[int]]:
    """Places of the sentences by domain, in alphabetical order."""
    slices: dict[str, list[int]] = {}
    for place, sentence in enumerate(sentences):
        slices.setdefault(domain_of(sentence.id), []).append(place)
    return dict(sorted(slices.items()))


def domain_of(name: str) -> str:
    """What an id says of a sentence's origin: before the last dash; of `file:line`, the file; else nothing is known."""
    domain, dash, _ = name.rpartition("-")
    if not dash:
        domain = name.rpartition(":")[0]
    return domain or "unknown"


def slices_of(result: Evaluation, slices: dict[str, list[int]], measures: Sequence[str]) -> list[Slice]:
    """Rows of each slice's sentences for those of the measures that were counted."""
    counted = [measure for measure in measures if measure in result.counts]
    return [
        Slice(
            name,
            len(places),
            tuple(row_of(measure, [result.counts[measure][place] for place in places]) for measure in counted),
        )
        for name, places in slices.items()
    ]
