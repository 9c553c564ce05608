"""What kind of errors were made, one by one, so that they can be counted and shown in their sentences.

Entities, after the kinds of Manning 2006 ("Doing Named Entity Recognition? Don't optimize for F1"): `boundary` (right
label, overlapping characters), `label` (same characters), `boundary and label`, `missed`, `spurious`. Actions:
`boundary`, `class` and `factuality` of those that overlap (one may have several), `missed`, `spurious`.

Roles, of the edges that the measure `roles` counts as wrong, by the cause that is nearest: `wrong role` (the same
action and entity), `wrong action` (the entity has the role, but of another action), `wrong span` (the action has the
role, but filled by another span), else `missed` or `spurious`, each with what is lacking on the other side. An edge
whose ends overlap the right ones is right, as in the measure: wrong boundaries are errors of entities and actions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rich.table import Table

from model.annotation import AnnotatedSentence, Span
from model.records import Action, Document, Entity
from model.text import Offsets
from training.evaluation import Edge, edge_affinity, gold_edges, match_actions, overlap, predicted_edges
from training.judging.pairs import Pair
from training.matching import match

#: The kinds of errors of each layer, in the order in which they are shown.
KINDS: dict[str, tuple[str, ...]] = {
    "entities": ("boundary", "label", "boundary and label", "missed", "spurious"),
    "actions": ("boundary", "class", "factuality", "missed", "spurious"),
    "roles": ("wrong span", "wrong action", "wrong role", "missed", "spurious"),
}

# what is lacking on the other side of a missed or spurious role
NO_ACTION = "no such action"
NO_ENTITY = "no such entity"
NOT_LINKED = "both there, not linked"
TWICE = "one edge for two"


@dataclass(frozen=True, slots=True)
class Mark:
    """A span as it is judged: `name` is its label, class or factuality; of a role edge, the role, with both ends.

    `places` are the `[start, end)` offsets of the span, or of the edge's action and entity. `score` is 1 in gold.
    """

    name: str
    places: tuple[Offsets, ...]
    score: float = 1.0


@dataclass(frozen=True, slots=True)
class Error:
    """One error: what gold has and what was found instead; None where the one or the other has nothing."""

    layer: str
    kind: str
    sentence: AnnotatedSentence
    document: Document
    gold: Mark | None
    predicted: Mark | None
    detail: str = ""

    @property
    def score(self) -> float:
        """How sure the system was of what it found wrongly; 0 where it found nothing."""
        return 0.0 if self.predicted is None else self.predicted.score


def analyze(pairs: Iterable[Pair]) -> list[Error]:
    """Every error of every pair, in order."""
    return [error for pair in pairs for error in errors_of(*pair)]


def errors_of(sentence: AnnotatedSentence, document: Document) -> list[Error]:
    """The errors in one sentence: of its entities, its actions, its roles."""
    found = [*_entity_errors(sentence, document), *_action_errors(sentence, document)]
    roles = _role_errors(sentence, document)
    return [
        *(Error(layer, kind, sentence, document, gold, predicted) for layer, kind, gold, predicted in found),
        *(Error("roles", kind, sentence, document, gold, predicted, detail) for kind, gold, predicted, detail in roles),
    ]


def counts_of(errors: Iterable[Error]) -> dict[str, dict[str, int]]:
    """Number of errors by layer and kind; 0 for a kind that does not occur."""
    found = Counter((error.layer, error.kind) for error in errors)
    return {layer: {kind: found[layer, kind] for kind in kinds} for layer, kinds in KINDS.items()}


def details_of(errors: Iterable[Error]) -> dict[str, dict[str, int]]:
    """Number of missed and of spurious roles by what is lacking on the other side."""
    found: dict[str, Counter[str]] = {"missed": Counter(), "spurious": Counter()}
    for error in errors:
        if error.detail:
            found[error.kind][error.detail] += 1
    return {kind: dict(own.most_common()) for kind, own in found.items()}


def table_of(counts: dict[str, dict[str, int]], title: str = "Errors") -> Table:
    """The counts as a table for the terminal."""
    table = Table("layer", "kind", title=title, title_justify="left")
    table.add_column("count", justify="right")
    for layer, kinds in counts.items():
        for index, (kind, count) in enumerate(kinds.items()):
            table.add_row(layer if index == 0 else "", kind, str(count))
    return table


_Found = tuple[str, str, Mark | None, Mark | None]


def _entity_errors(sentence: AnnotatedSentence, document: Document) -> list[_Found]:
    gold_all = [Mark(span.label, ((span.start, span.end),)) for span in sentence.entities]
    found_all = [Mark(entity.label, ((entity.start, entity.end),), entity.score) for entity in document.entities]
    right = {(mark.name, mark.places) for mark in gold_all} & {(mark.name, mark.places) for mark in found_all}
    gold = [mark for mark in gold_all if (mark.name, mark.places) not in right]
    found = [mark for mark in found_all if (mark.name, mark.places) not in right]
    pairs = match(gold, found, _span_affinity)
    return [
        *(("entities", _span_kind(gold[g], found[p]), gold[g], found[p]) for p, g in sorted(pairs.items())),
        *_unpaired("entities", gold, found, pairs),
    ]


def _span_affinity(gold: Mark, predicted: Mark) -> float:
    """Share of characters in common; the same label counts as much as all of them."""
    one, other = gold.places[0], predicted.places[0]
    shared = overlap(one, other)
    return shared / max(one[1] - one[0], other[1] - other[0]) + (gold.name == predicted.name) if shared else 0.0


def _span_kind(gold: Mark, predicted: Mark) -> str:
    if gold.name == predicted.name:
        return "boundary"
    return "label" if gold.places == predicted.places else "boundary and label"


def _action_errors(sentence: AnnotatedSentence, document: Document) -> list[_Found]:
    gold = [Mark(span.event_class or "", ((span.start, span.end),)) for span in sentence.actions]
    found = [Mark(action.event_class, ((action.start, action.end),), action.score) for action in document.actions]
    pairs = match_actions(sentence, document)
    errors: list[_Found] = []
    for p, g in sorted(pairs.items()):
        if gold[g].places != found[p].places:
            errors.append(("actions", "boundary", gold[g], found[p]))
        if gold[g].name != found[p].name:
            errors.append(("actions", "class", gold[g], found[p]))
        wanted, given = sentence.actions[g].factuality or "", document.actions[p].factuality
        if wanted != given:
            own = Mark(wanted, gold[g].places), Mark(given, found[p].places, found[p].score)
            errors.append(("actions", "factuality", *own))
    return [*errors, *_unpaired("actions", gold, found, pairs)]


def _unpaired(layer: str, gold: Sequence[Mark], found: Sequence[Mark], pairs: dict[int, int]) -> list[_Found]:
    taken = {*pairs.values()}
    return [
        *((layer, "missed", mark, None) for g, mark in enumerate(gold) if g not in taken),
        *((layer, "spurious", None, mark) for p, mark in enumerate(found) if p not in pairs),
    ]


_FoundRole = tuple[str, Mark | None, Mark | None, str]
_Scored = tuple[Edge, float]


def _role_errors(sentence: AnnotatedSentence, document: Document) -> list[_FoundRole]:
    gold, found = gold_edges(sentence), predicted_edges(document)
    errors: list[_FoundRole] = []
    open_gold, open_found, _ = _paired(gold, found, lambda g, p: edge_affinity(g, p, False))
    for kind, affinity in _CAUSES:
        open_gold, open_found, pairs = _paired(open_gold, open_found, affinity)
        errors += [(kind, _edge_mark(edge), _edge_mark(*other), "") for edge, other in pairs]
    actions, entities = _places(document.actions), _places(document.entities)
    edges = [edge for edge, _ in found]
    errors += [("missed", _edge_mark(edge), None, _lacking(edge, actions, entities, edges)) for edge in open_gold]
    actions, entities = _places(sentence.actions), _places(sentence.entities)
    return errors + [
        ("spurious", None, _edge_mark(edge, score), _lacking(edge, actions, entities, gold))
        for edge, score in open_found
    ]


def _paired(
    gold: Sequence[Edge], found: Sequence[_Scored], affinity: Callable[[Edge, Edge], float]
) -> tuple[list[Edge], list[_Scored], list[tuple[Edge, _Scored]]]:
    """Gold and found edges without a partner, and the pairs."""
    pairs = match(gold, found, lambda g, p: affinity(g, p[0]))
    taken = {*pairs.values()}
    return (
        [edge for g, edge in enumerate(gold) if g not in taken],
        [edge for p, edge in enumerate(found) if p not in pairs],
        [(gold[g], found[p]) for p, g in sorted(pairs.items())],
    )


def _wrong_role(gold: Edge, predicted: Edge) -> float:
    other = (predicted[0], gold[1], predicted[2])
    return edge_affinity(gold, other, False) if gold[1] != predicted[1] else 0.0


def _wrong_action(gold: Edge, predicted: Edge) -> float:
    same = gold[1] == predicted[1] and not overlap(gold[0], predicted[0])
    return float(overlap(gold[2], predicted[2])) if same else 0.0


def _wrong_span(gold: Edge, predicted: Edge) -> float:
    same = gold[1] == predicted[1] and not overlap(gold[2], predicted[2])
    return float(overlap(gold[0], predicted[0])) if same else 0.0


_CAUSES = (("wrong role", _wrong_role), ("wrong action", _wrong_action), ("wrong span", _wrong_span))


def _edge_mark(edge: Edge, score: float = 1.0) -> Mark:
    action, role, entity = edge
    return Mark(role, (action, entity), score)


def _places(items: Sequence[Span] | Sequence[Action] | Sequence[Entity]) -> list[Offsets]:
    return [(item.start, item.end) for item in items]


def _lacking(edge: Edge, actions: Sequence[Offsets], entities: Sequence[Offsets], edges: Sequence[Edge]) -> str:
    """Why the other side, with these actions, entities and edges, does not have an edge."""
    if not any(overlap(edge[0], place) for place in actions):
        return NO_ACTION
    if not any(overlap(edge[2], place) for place in entities):
        return NO_ENTITY
    return TWICE if any(edge_affinity(edge, other, False) for other in edges) else NOT_LINKED
