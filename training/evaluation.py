"""Judging a checkpoint end to end against gold annotations.

Per sentence, counts of matched, predicted and gold items for each measure; over sentences, precision, recall and F1
with bootstrap intervals; beside them seqeval's strict IOB2 report on words.

Measures: `entities` and `actions_exact` want label and characters the same; `actions` an overlap; `roles` and
`triples` an overlap of every filled slot (and the same slots empty), `roles_exact` and `triples_exact` the same
characters. `roles_gold` and `triples_gold` predict roles between the gold spans.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from model.annotation import AnnotatedSentence
from model.calibration import KINDS
from model.decoding import DecodedSpan, roles_between
from model.encoding import EncodedSentence
from model.extractor import Extractor
from model.labels import ENTITY_LABELS, NAME_LABELS
from model.outputs import WordLogits
from model.records import Document
from model.text import Offsets, split_words
from training.features import word_range
from training.matching import Counts, match

#: A role edge or triple by the offsets of its slots; None is an empty slot.
Edge = tuple[Offsets, str, Offsets]
TripleSlots = tuple[Offsets | None, Offsets, Offsets | None]

#: Measures that need annotations of everything; a corpus of names has `entities` alone.
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


@dataclass(slots=True)
class Evaluation:
    """Counts a sentence, accuracies, and everything that reports are made of."""

    labels: tuple[str, ...]
    counts: dict[str, list[Counts]] = field(default_factory=dict)
    by_label: dict[str, list[int]] = field(default_factory=dict)  # matched, predicted, gold
    classes: list[tuple[str, str]] = field(default_factory=list)  # (gold, predicted) of matched actions
    factuality: list[tuple[str, str]] = field(default_factory=list)
    clitics: list[bool] = field(default_factory=list)
    scored: dict[str, list[tuple[float, bool]]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    gold_tags: list[list[str]] = field(default_factory=list)
    predicted_tags: list[list[str]] = field(default_factory=list)

    def total(self, measure: str) -> Counts:
        """Counts of a measure over all sentences."""
        return Counts(*(sum(values) for values in zip(*self.counts[measure], strict=True)))

    def interval(self, measure: str, samples: int = 1000, seed: int = 0) -> tuple[float, float]:
        """Bootstrap 95 % interval of a measure's F1: sentences drawn with replacement."""
        table = np.array(self.counts[measure], dtype=np.int64)
        drawn = np.random.default_rng(seed).integers(len(table), size=(samples, len(table)))
        matched, predicted, gold = np.moveaxis(table[drawn].sum(axis=1), -1, 0)
        f1 = 2 * matched / np.maximum(predicted + gold, 1)
        low, high = np.percentile(f1, [2.5, 97.5])
        return float(low), float(high)

    def accuracy(self, pairs: Sequence[tuple[str, str]]) -> float:
        """Share of equal pairs."""
        return sum(gold == predicted for gold, predicted in pairs) / len(pairs) if pairs else 0.0

    def label_counts(self, label: str) -> Counts:
        """Exact-character counts of one label."""
        return Counts(*self.by_label.get(label, [0, 0, 0]))


def evaluate(
    extractor: Extractor, sentences: Sequence[AnnotatedSentence], *, names_only: bool = False, batch_size: int = 32
) -> Evaluation:
    """Extract every sentence as one sentence and compare; `names_only` looks at PER, ORG and LOC alone."""
    texts = [sentence.text for sentence in sentences]
    whole = [[(0, len(text))] if text else [] for text in texts]
    documents = extractor.extract_split(texts, whole, batch_size=batch_size)
    labels = NAME_LABELS if names_only else ENTITY_LABELS
    result = Evaluation(labels=labels, counts={m: [] for m in (MEASURES[:1] if names_only else MEASURES)})
    for sentence, document in zip(sentences, documents, strict=True):
        _compare_entities(result, sentence, document)
        _tag_words(result, sentence, document)
        if not names_only:
            _compare_events(result, sentence, document)
    if not names_only:
        encoded = extractor.encoder.encode_many([(text, (0, len(text))) for text in texts])
        logits = extractor.logits(encoded, batch_size)
        for sentence, words, own in zip(sentences, encoded, logits, strict=True):
            _compare_gold_spans(result, sentence, words, own)
    return result


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
    result.counts["entities"].append(Counts(len(gold & predicted.keys()), len(predicted), len(gold)))
    for index, items in enumerate((gold & predicted.keys(), predicted, gold)):
        for label, _, _ in items:
            result.by_label.setdefault(label, [0, 0, 0])[index] += 1
    result.scored["entity"] += [(entity.score, key in gold) for key, entity in predicted.items()]


def gold_edges(sentence: AnnotatedSentence) -> list[Edge]:
    """The role edges of an annotated sentence, by offsets."""
    place = {span.id: (span.start, span.end) for span in sentence.spans}
    return [(place[link.action], link.role, place[link.entity]) for link in sentence.relations]


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
    gold_actions = sentence.actions
    matches = match(
        gold_actions, document.actions, lambda g, p: _slots([(g.start, g.end)], [(p.start, p.end)], exact=False)
    )
    exact = {(span.start, span.end) for span in gold_actions} & {(a.start, a.end) for a in document.actions}
    sizes = (len(document.actions), len(gold_actions))
    result.counts["actions"].append(Counts(len(matches), *sizes))
    result.counts["actions_exact"].append(Counts(len(exact), *sizes))
    for index, action in enumerate(document.actions):
        right = False
        if index in matches:
            gold = gold_actions[matches[index]]
            result.classes.append((gold.event_class or "", action.event_class))
            result.factuality.append((gold.factuality or "", action.factuality))
            right = gold.event_class == action.event_class and (gold.start, gold.end) == (action.start, action.end)
        result.scored["action"].append((action.score, right))

    place = {entity.id: (entity.start, entity.end) for entity in document.entities}
    of_action = {action.id: (action.start, action.end) for action in document.actions}
    edges: list[Edge] = []
    edge_scores: list[float] = []
    for action in document.actions:
        for role, fillers in action.roles.items():
            for filler in fillers:
                edges.append((of_action[action.id], role, place[filler.entity]))
                edge_scores.append(filler.score)
    gold_roles = gold_edges(sentence)
    matched = _count_edges(result, "roles", gold_roles, edges)
    result.scored["role"] += [(score, index in matched) for index, score in enumerate(edge_scores)]

    triples: list[TripleSlots] = [
        (
            None if t.actor is None else place[t.actor],
            of_action[t.action],
            None if t.target is None else place[t.target],
        )
        for t in document.triples
    ]
    gold_triples = triples_of([(span.start, span.end) for span in gold_actions], gold_roles)
    matched = _count_triples(result, "triples", gold_triples, triples)
    result.scored["triple"] += [(t.score, index in matched) for index, t in enumerate(document.triples)]


def _count_edges(result: Evaluation, measure: str, gold: Sequence[Edge], predicted: Sequence[Edge]) -> dict[int, int]:
    matched: dict[int, int] = {}
    for name, exact in ((measure, False), (f"{measure}_exact", True)):
        if name in result.counts:
            found = match(
                gold, predicted, lambda g, p, e=exact: _slots([g[0], g[2]], [p[0], p[2]], e) if g[1] == p[1] else 0.0
            )
            result.counts[name].append(Counts(len(found), len(predicted), len(gold)))
            matched = matched or found
    return matched


def _count_triples(
    result: Evaluation, measure: str, gold: Sequence[TripleSlots], predicted: Sequence[TripleSlots]
) -> dict[int, int]:
    matched: dict[int, int] = {}
    for name, exact in ((measure, False), (f"{measure}_exact", True)):
        if name in result.counts:
            found = match(gold, predicted, lambda g, p, e=exact: _slots(g, p, e))
            result.counts[name].append(Counts(len(found), len(predicted), len(gold)))
            matched = matched or found
    return matched


def _compare_gold_spans(
    result: Evaluation, sentence: AnnotatedSentence, words: EncodedSentence, logits: WordLogits | None
) -> None:
    """Roles between the gold spans, and the clitics of the words that begin them."""
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
    _count_edges(result, "roles_gold", gold, edges)
    offsets = [(span.start, span.end) for span in sentence.actions]
    _count_triples(result, "triples_gold", triples_of(offsets, gold), triples_of(offsets, edges))


def _tag_words(result: Evaluation, sentence: AnnotatedSentence, document: Document) -> None:
    """Strict IOB2 tags of the words (clitics included), for seqeval, and exactness where a clitic is attached."""
    words = split_words(sentence.text)
    gold = [(span.label, (span.start, span.end)) for span in sentence.spans]
    predicted = [(entity.label, (entity.start, entity.end)) for entity in document.entities]
    if len(result.labels) > len(NAME_LABELS):
        predicted += [("ACT", (action.start, action.end)) for action in document.actions]
    else:
        gold = [item for item in gold if item[0] in result.labels]
        predicted = [item for item in predicted if item[0] in result.labels]
    result.gold_tags.append(tags_of(words, gold))
    result.predicted_tags.append(tags_of(words, predicted))
    starts = {start: index for index, (start, _) in enumerate(words)}
    by_words = {(label, *_touched(words, place)): place for label, place in predicted}
    for label, place in gold:
        found = by_words.get((label, *_touched(words, place)))
        if place[0] not in starts and found is not None:
            result.clitics.append(found == place)


def _touched(words: Sequence[Offsets], place: Offsets) -> tuple[int, int]:
    touched = [index for index, word in enumerate(words) if overlap(word, place)]
    return (touched[0], touched[-1]) if touched else (-1, -1)


def tags_of(words: Sequence[Offsets], spans: Sequence[tuple[str, Offsets]]) -> list[str]:
    """IOB2 tags of words: a span takes every word that it touches."""
    tags = ["O"] * len(words)
    for label, place in spans:
        first, last = _touched(words, place)
        if first >= 0:
            tags[first] = f"B-{label}"
            tags[first + 1 : last + 1] = [f"I-{label}"] * (last - first)
    return tags


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
