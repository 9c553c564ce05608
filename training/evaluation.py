"""Judging a checkpoint end to end against gold annotations.

Per sentence, counts of matched, predicted and gold items for each measure; over sentences, precision, recall and F1
with bootstrap intervals; beside them seqeval's strict IOB2 report on words.

Measures: `entities` and `actions_exact` want label and characters the same; `actions` an overlap; `roles` and
`triples` an overlap of every filled slot (and the same slots empty), `roles_exact` and `triples_exact` the same
characters. `roles_gold` and `triples_gold` predict roles between the gold spans. A corpus of names has `names_words`
alone: label, first and last of its own words the same, as seqeval counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from model.annotation import AnnotatedSentence
from model.calibration import KINDS
from model.decoding import DecodedSpan, decode, roles_between
from model.encoding import EncodedSentence
from model.extractor import BATCH_SIZE, SENTENCES_AT_ONCE, Extractor
from model.labels import ACTION_LABEL, ENTITY_LABELS, NAME_LABELS, ROLES
from model.outputs import WordLogits
from model.records import Document
from model.text import Offsets, split_words
from training.features import word_range
from training.matching import Counts, interval, match
from training.word_tags import LabelledSpan, spans_of, tags_of, token_offsets, touched

#: A role edge or triple by the offsets of its slots; None is an empty slot.
Edge = tuple[Offsets, str, Offsets]
TripleSlots = tuple[Offsets | None, Offsets, Offsets | None]

Item = TypeVar("Item")

#: Measures of sentences that are annotated with everything.
MEASURES = (
    "entities",
    "actions",
    "actions_exact",
    "roles",
    "roles_exact",
    "triples",
    "triples_exact",
    "roles_gold",
    "triples_gold",
)

#: The measure of a corpus of names.
NAMES_WORDS = "names_words"

#: What is right or wrong of what was found.
ACCURACIES = ("class", "factuality", "clitics")


@dataclass(slots=True)
class Evaluation:
    """Counts a sentence, accuracies, and everything that reports are made of."""

    labels: tuple[str, ...]
    documents: list[Document] = field(default_factory=list)  # what was found; not in a corpus of names
    counts: dict[str, list[Counts]] = field(default_factory=dict)
    by_label: dict[str, list[int]] = field(default_factory=dict)  # matched, predicted, gold
    classes: list[tuple[str, str]] = field(default_factory=list)  # (gold, predicted) of matched actions
    factuality: list[tuple[str, str]] = field(default_factory=list)
    clitics: list[bool] = field(default_factory=list)
    accuracies: dict[str, list[Counts]] = field(default_factory=lambda: {name: [] for name in ACCURACIES})
    scored: dict[str, list[tuple[float, bool]]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    gold_tags: list[list[str]] = field(default_factory=list)
    predicted_tags: list[list[str]] = field(default_factory=list)
    gold_entity_tags: list[list[str]] = field(default_factory=list)  # without actions
    predicted_entity_tags: list[list[str]] = field(default_factory=list)

    def total(self, measure: str) -> Counts:
        """Counts of a measure over all sentences."""
        return Counts(*(sum(counts[place] for counts in self.counts[measure]) for place in range(3)))

    def interval(self, measure: str, samples: int = 1000, seed: int = 0) -> tuple[float, float]:
        """Bootstrap 95 % interval of a measure's F1: sentences drawn with replacement; (0, 0) without sentences."""
        return interval(self.counts[measure], samples, seed)

    def accuracy_interval(self, name: str) -> tuple[float, float]:
        """Bootstrap 95 % interval over sentences of one of ACCURACIES."""
        # with as many predicted as gold items F1 is the share of right ones
        return interval(self.accuracies[name])

    def accuracy(self, pairs: Sequence[tuple[str, str]]) -> float:
        """Share of equal pairs."""
        return sum(gold == predicted for gold, predicted in pairs) / len(pairs) if pairs else 0.0

    def label_counts(self, label: str) -> Counts:
        """Counts of one label: exact characters, or words in a corpus of names."""
        return Counts(*self.by_label.get(label, [0, 0, 0]))


def evaluate(
    extractor: Extractor, sentences: Sequence[AnnotatedSentence], *, batch_size: int = BATCH_SIZE
) -> Evaluation:
    """Extract every sentence as one sentence and compare with its annotations of everything."""
    result = Evaluation(labels=ENTITY_LABELS, counts={measure: [] for measure in MEASURES})
    for sentence, document, words, logits in _extracted(extractor, sentences, batch_size):
        compare(result, sentence, document)
        _compare_gold_spans(result, sentence, words, logits)
    return result


def compare(result: Evaluation, sentence: AnnotatedSentence, document: Document) -> None:
    """Count into `result` what a document of that one sentence has right and wrong."""
    result.documents.append(document)
    _compare_entities(result, sentence, document)
    _tag_words(result, sentence, document)
    _compare_events(result, sentence, document)


def evaluate_names(
    extractor: Extractor,
    files: Sequence[tuple[Sequence[AnnotatedSentence], Sequence[str]]],
    *,
    batch_size: int = BATCH_SIZE,
) -> Evaluation:
    """Compare names with files of (sentences, labels), by words that single spaces divide.

    In each file only its labels count: where it does not know ORG, a predicted one is neither right nor wrong.
    """
    known = {label for _, labels in files for label in labels}
    result = Evaluation(labels=tuple(label for label in NAME_LABELS if label in known), counts={NAMES_WORDS: []})
    for sentences, labels in files:
        for sentence, document, _, _ in _extracted(extractor, sentences, batch_size):
            words = token_offsets(sentence.text)
            gold = tags_of(words, [(s.label, (s.start, s.end)) for s in sentence.entities if s.label in labels])
            found = tags_of(words, [(e.label, (e.start, e.end)) for e in document.entities if e.label in labels])
            result.gold_tags.append(gold)
            result.predicted_tags.append(found)
            _count_spans(result, NAMES_WORDS, spans_of(gold), spans_of(found))
    return result


def _extracted(
    extractor: Extractor, sentences: Sequence[AnnotatedSentence], batch_size: int
) -> Iterator[tuple[AnnotatedSentence, Document, EncodedSentence, WordLogits | None]]:
    """Every sentence with what is found in it, a slice of them at a time."""
    for first in range(0, len(sentences), SENTENCES_AT_ONCE):
        own = sentences[first : first + SENTENCES_AT_ONCE]
        texts = [sentence.text for sentence in own]
        whole = [(0, len(text)) for text in texts]
        encoded = extractor.encoder.encode_many(list(zip(texts, whole, strict=True)))
        logits = extractor.logits(encoded, batch_size)
        documents = extractor.documents(texts, [[offsets] for offsets in whole], encoded, decode(logits))
        yield from zip(own, documents, encoded, logits, strict=True)


def overlap(one: Offsets, other: Offsets) -> int:
    """Code points that two spans share."""
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))


def _slots(gold: Sequence[Offsets | None], predicted: Sequence[Offsets | None], exact: bool) -> float:
    """Affinity of two tuples of slots: 0 unless the same are empty and all filled ones agree."""
    total = 0.0
    for one, other in zip(gold, predicted, strict=True):
        if (one is None) != (other is None):
            return 0.0
        if one is not None and other is not None:
            shared = overlap(one, other)
            if shared == 0 or (exact and one != other):
                return 0.0
            total += shared / max(one[1] - one[0], other[1] - other[0])
    return total


def _compare_entities(result: Evaluation, sentence: AnnotatedSentence, document: Document) -> None:
    gold = {(span.label, span.start, span.end) for span in sentence.entities if span.label in result.labels}
    predicted = {(e.label, e.start, e.end): e for e in document.entities if e.label in result.labels}
    _count_spans(result, "entities", gold, {*predicted})
    result.scored["entity"] += [(entity.score, key in gold) for key, entity in predicted.items()]


def _count_spans(result: Evaluation, measure: str, gold: set[LabelledSpan], predicted: set[LabelledSpan]) -> None:
    """Count spans that must be the same, and count them by label."""
    result.counts[measure].append(Counts(len(gold & predicted), len(predicted), len(gold)))
    for index, items in enumerate((gold & predicted, predicted, gold)):
        for label, _, _ in items:
            result.by_label.setdefault(label, [0, 0, 0])[index] += 1


def _count_right(result: Evaluation, name: str, right: Sequence[bool]) -> None:
    """Count what is right of a sentence's items."""
    result.accuracies[name].append(Counts(sum(right), len(right), len(right)))


def gold_edges(sentence: AnnotatedSentence) -> list[Edge]:
    """The role edges of an annotated sentence, by offsets."""
    place = {span.id: (span.start, span.end) for span in sentence.spans}
    return [(place[link.action], link.role, place[link.entity]) for link in sentence.relations]


def predicted_edges(document: Document) -> list[tuple[Edge, float]]:
    """The role edges that were found, by offsets, with their scores."""
    place = {entity.id: (entity.start, entity.end) for entity in document.entities}
    return [
        (((action.start, action.end), role, place[filler.entity]), filler.score)
        for action in document.actions
        for role in ROLES
        for filler in action.roles[role]
    ]


def predicted_triples(document: Document) -> list[TripleSlots]:
    """The triples that were found, by offsets."""
    place = {entity.id: (entity.start, entity.end) for entity in document.entities}
    of_action = {action.id: (action.start, action.end) for action in document.actions}
    return [
        (
            None if triple.actor is None else place[triple.actor],
            of_action[triple.action],
            None if triple.target is None else place[triple.target],
        )
        for triple in document.triples
    ]


def triples_of(actions: Sequence[Offsets], edges: Sequence[Edge]) -> list[TripleSlots]:
    """Every actor of an action with every target of it; an action with neither gives none."""
    triples: list[TripleSlots] = []
    for action in actions:
        actors: list[Offsets | None] = [entity for a, role, entity in edges if a == action and role == "actor"]
        targets: list[Offsets | None] = [entity for a, role, entity in edges if a == action and role == "target"]
        if actors or targets:
            triples += [(actor, action, target) for actor in actors or [None] for target in targets or [None]]
    return triples


def _compare_events(result: Evaluation, sentence: AnnotatedSentence, document: Document) -> None:
    _compare_actions(result, sentence, document)
    edges = predicted_edges(document)
    gold_roles = gold_edges(sentence)
    matched = _count(result, "roles", gold_roles, [edge for edge, _ in edges], edge_affinity)
    result.scored["role"] += [(score, index in matched) for index, (_, score) in enumerate(edges)]
    triples = predicted_triples(document)
    gold_triples = triples_of([(span.start, span.end) for span in sentence.actions], gold_roles)
    matched = _count(result, "triples", gold_triples, triples, _slots)
    result.scored["triple"] += [(triple.score, index in matched) for index, triple in enumerate(document.triples)]


def _compare_actions(result: Evaluation, sentence: AnnotatedSentence, document: Document) -> None:
    """Count actions; of those that overlap a gold one compare class and factuality, too."""
    gold, predicted = sentence.actions, document.actions
    places = [(action.start, action.end) for action in predicted]
    gold_places = [(span.start, span.end) for span in gold]
    matches = match_actions(sentence, document)
    sizes = (len(predicted), len(gold))
    result.counts["actions"].append(Counts(len(matches), *sizes))
    result.counts["actions_exact"].append(Counts(len({*gold_places} & {*places}), *sizes))
    classes, factuality = len(result.classes), len(result.factuality)
    for index, action in enumerate(predicted):
        right = False
        if index in matches:
            other = gold[matches[index]]
            result.classes.append((other.event_class or "", action.event_class))
            result.factuality.append((other.factuality or "", action.factuality))
            right = other.event_class == action.event_class and gold_places[matches[index]] == places[index]
        result.scored["action"].append((action.score, right))
    _count_right(result, "class", [g == p for g, p in result.classes[classes:]])
    _count_right(result, "factuality", [g == p for g, p in result.factuality[factuality:]])


def match_actions(sentence: AnnotatedSentence, document: Document) -> dict[int, int]:
    """{index of an action found: index of the gold action that it overlaps}, one to one."""
    gold = [(span.start, span.end) for span in sentence.actions]
    predicted = [(action.start, action.end) for action in document.actions]
    return match(gold, predicted, lambda g, p: _slots([g], [p], exact=False))


def edge_affinity(gold: Edge, predicted: Edge, exact: bool) -> float:
    """How far two role edges agree: 0 for another role or an end without overlap (`exact`: not the same characters)."""
    return _slots([gold[0], gold[2]], [predicted[0], predicted[2]], exact) if gold[1] == predicted[1] else 0.0


def _count(
    result: Evaluation,
    measure: str,
    gold: Sequence[Item],
    predicted: Sequence[Item],
    affinity: Callable[[Item, Item, bool], float],
) -> dict[int, int]:
    """Count a measure, and its exact form where there is one; return the matching of the overlapping form."""
    matched = match(gold, predicted, lambda g, p: affinity(g, p, False))
    result.counts[measure].append(Counts(len(matched), len(predicted), len(gold)))
    if f"{measure}_exact" in result.counts:
        exact = match(gold, predicted, lambda g, p: affinity(g, p, True))
        result.counts[f"{measure}_exact"].append(Counts(len(exact), len(predicted), len(gold)))
    return matched


def _compare_gold_spans(
    result: Evaluation, sentence: AnnotatedSentence, words: EncodedSentence, logits: WordLogits | None
) -> None:
    """Roles that the network sees between the gold spans; a span of which it sees no word gets none."""
    spans: dict[int, DecodedSpan] = {}
    for span in sentence.spans:
        place = word_range(words, span)
        if place is not None:
            spans[span.id] = DecodedSpan(span.label, *place, probability=1.0, clitics=0)
    actions = [span for span in sentence.actions if span.id in spans]
    entities = [span for span in sentence.entities if span.id in spans]
    edges: list[Edge] = []
    if logits is not None:
        for role in roles_between(logits, [spans[s.id] for s in actions], [spans[s.id] for s in entities]):
            action, entity = actions[role.action], entities[role.entity]
            edges.append(((action.start, action.end), role.role, (entity.start, entity.end)))
    gold = gold_edges(sentence)
    _count(result, "roles_gold", gold, edges, edge_affinity)
    offsets = [(span.start, span.end) for span in sentence.actions]
    _count(result, "triples_gold", triples_of(offsets, gold), triples_of(offsets, edges), _slots)


def _tag_words(result: Evaluation, sentence: AnnotatedSentence, document: Document) -> None:
    """Strict IOB2 tags of the words (clitics included), for seqeval, and exactness where a clitic is attached."""
    words = split_words(sentence.text)
    gold_entities = [(span.label, (span.start, span.end)) for span in sentence.entities]
    entities = [(entity.label, (entity.start, entity.end)) for entity in document.entities]
    result.gold_entity_tags.append(tags_of(words, gold_entities))
    result.predicted_entity_tags.append(tags_of(words, entities))
    gold = gold_entities + [(ACTION_LABEL, (span.start, span.end)) for span in sentence.actions]
    predicted = entities + [(ACTION_LABEL, (action.start, action.end)) for action in document.actions]
    result.gold_tags.append(tags_of(words, gold))
    result.predicted_tags.append(tags_of(words, predicted))
    starts = {start for start, _ in words}
    by_words = {(label, *touched(words, place)): place for label, place in predicted}
    found = [(place, by_words.get((label, *touched(words, place)))) for label, place in gold if place[0] not in starts]
    right = [place == other for place, other in found if other is not None]
    result.clitics += right
    _count_right(result, "clitics", right)


def expected_calibration_error(scored: Sequence[tuple[float, bool]], bins: int = 10) -> float:
    """Mean gap between score and share right over bins of equal width, weighted by size (Guo et al. 2017)."""
    if not scored:
        return 0.0
    scores: NDArray[np.float64] = np.array([score for score, _ in scored])
    right = np.array([is_right for _, is_right in scored], dtype=np.float64)
    place = np.minimum((scores * bins).astype(int), bins - 1)
    gaps = [abs(scores[place == b].mean() - right[place == b].mean()) * (place == b).mean() for b in set(place)]
    return float(sum(gaps))


def confusion(pairs: Sequence[tuple[str, str]], most: int = 10) -> list[tuple[str, str, int]]:
    """The most frequent (gold, predicted) pairs that differ."""
    wrong = Counter(pair for pair in pairs if pair[0] != pair[1])
    return [(gold, predicted, count) for (gold, predicted), count in wrong.most_common(most)]
