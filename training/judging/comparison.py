"""Two checkpoints on the same sentences: F1 of both, what their difference is worth, and which sentences changed.

The first is the one that is judged, say a new checkpoint, the second the one that it is held against.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from model.annotation import AnnotatedSentence
from model.records import Document
from training.evaluation import NAMES_WORDS, Evaluation, predicted_edges, predicted_triples
from training.judging.significance import Difference, Verdict, compare_f1
from training.matching import Counts
from training.word_tags import spans_of

#: What is compared; a corpus of names has but its own measure.
MEASURES = ("entities", "actions", "roles", "triples", NAMES_WORDS)

#: What may have become of a sentence that changed: all right now; all right before; fewer, more or other errors.
OUTCOMES = ("fixed", "broken", "fewer errors", "more errors", "other errors")

#: Ids that are printed; the JSON and the page have all.
_IDS = 20


@dataclass(frozen=True, slots=True)
class Change:
    """A sentence of which the second system had another result: in which measures, and what became of each."""

    sentence: AnnotatedSentence
    outcomes: dict[str, str]
    first: Document | None  # None in a corpus of names
    second: Document | None

    @property
    def outcome(self) -> str:
        """The one word for all measures: `fixed` or `broken` where some are and none the other way round, …"""
        own = {*self.outcomes.values()}
        good, bad = own & {"fixed", "fewer errors"}, own & {"broken", "more errors"}
        if good and bad:
            return "other errors"
        return next(outcome for outcome in OUTCOMES if outcome in own)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Differences by measure, and the sentences that changed, in their order."""

    differences: dict[str, Difference]
    changes: list[Change]
    alpha: float

    def to_dict(self) -> dict[str, Any]:
        """Return all figures, and the ids of the sentences that changed, as JSON."""
        return {
            "alpha": self.alpha,
            "measures": {measure: own.to_dict() for measure, own in self.differences.items()},
            "changed": [{"id": change.sentence.id, **change.outcomes} for change in self.changes],
        }

    @property
    def worse(self) -> list[str]:
        """The measures in which the first system is significantly worse."""
        return [measure for measure, own in self.differences.items() if own.verdict is Verdict.WORSE]


def compare(
    sentences: Sequence[AnnotatedSentence],
    first: Evaluation,
    second: Evaluation,
    *,
    alpha: float = 0.05,
    resamples: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """Compare what `evaluate` (or `evaluate_names`) made of two systems on these sentences.

    Raises ValueError as `compare_f1` does.
    """
    measures = [measure for measure in MEASURES if measure in first.counts and measure in second.counts]
    differences = {
        measure: compare_f1(first.counts[measure], second.counts[measure], alpha=alpha, resamples=resamples, seed=seed)
        for measure in measures
    }
    found = {measure: (_found(first, measure), _found(second, measure)) for measure in measures}
    changes = []
    for place, sentence in enumerate(sentences):
        outcomes: dict[str, str] = {}
        for measure, (own, other) in found.items():
            if own[place] != other[place]:
                outcome = outcome_of(first.counts[measure][place], second.counts[measure][place])
                outcomes |= {} if outcome is None else {measure: outcome}
        if outcomes:
            changes.append(Change(sentence, outcomes, _document(first, place), _document(second, place)))
    return Comparison(differences, changes, alpha)


def _found(result: Evaluation, measure: str) -> list[Collection[object]]:
    """What a measure looks at in each sentence."""
    if measure == NAMES_WORDS:
        return [spans_of(tags) for tags in result.predicted_tags]
    if measure == "entities":
        return [{(entity.label, entity.start, entity.end) for entity in own.entities} for own in result.documents]
    if measure == "actions":
        return [{(action.start, action.end) for action in own.actions} for own in result.documents]
    if measure == "roles":
        return [{edge for edge, _ in predicted_edges(own)} for own in result.documents]
    return [{*predicted_triples(own)} for own in result.documents]


def outcome_of(first: Counts, second: Counts) -> str | None:
    """What became of a sentence with other findings, by the counts of a measure; None where both are all right."""
    now, before = _errors(first), _errors(second)
    if now == before:
        return "other errors" if now else None
    if now == 0 or before == 0:
        return "fixed" if now == 0 else "broken"
    return "fewer errors" if now < before else "more errors"


def _errors(counts: Counts) -> int:
    """What is missed and what is spurious."""
    return counts.predicted + counts.gold - 2 * counts.matched


def _document(result: Evaluation, place: int) -> Document | None:
    return result.documents[place] if result.documents else None


def print_comparison(comparison: Comparison, first: str, second: str, console: Console) -> None:
    """Print the verdicts, how many sentences changed, and the ids of those that are fixed or broken in all."""
    console.print(f"\nA = {first}, B = {second}", markup=False, highlight=False, soft_wrap=True)
    console.print(table_of(comparison))
    console.print(changes_table(comparison))
    for outcome in ("fixed", "broken"):
        own = [change.sentence.id for change in comparison.changes if change.outcome == outcome]
        more = f" and {len(own) - _IDS} more" if len(own) > _IDS else ""
        console.print(
            f"{outcome} ({len(own)}): {', '.join(own[:_IDS]) or 'none'}{more}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


def table_of(comparison: Comparison) -> Table:
    """F1 of both, the difference with its interval, the larger p-value and the verdict, for the terminal."""
    percent = round(100 * (1 - comparison.alpha), 1)
    table = Table(title="Comparison (F1; p: the larger of both tests)", title_justify="left")
    for column in ("measure", "A", "B", "A - B", f"{percent:g} %", "p"):
        table.add_column(column, justify="left" if column == "measure" else "right", no_wrap=True)
    table.add_column("A is", no_wrap=True)
    for measure, own in comparison.differences.items():
        table.add_row(
            measure,
            f"{own.first:.3f}",
            f"{own.second:.3f}",
            f"{own.difference:+.3f}",
            f"{own.low:+.3f} – {own.high:+.3f}",
            f"{own.p:.4f}",
            str(own.verdict),
        )
    return table


def changes_table(comparison: Comparison) -> Table:
    """How many sentences changed, by measure and outcome, for the terminal."""
    table = Table("sentences", title="Sentences that changed", title_justify="left")
    for measure in comparison.differences:
        table.add_column(measure, justify="right")
    for outcome in OUTCOMES:
        counts = (
            sum(change.outcomes.get(measure) == outcome for change in comparison.changes)
            for measure in comparison.differences
        )
        table.add_row(outcome, *map(str, counts))
    return table
