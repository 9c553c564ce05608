"""The report of an evaluation as one HTML file: scores, confusions, calibration, slices, errors, and a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model.annotation import AnnotatedSentence
from training.evaluation import NAMES_WORDS, Evaluation
from training.judging import plots
from training.judging.breakdown import (
    Confusion,
    Slice,
    by_domain,
    by_length,
    class_confusion,
    class_rows,
    label_confusion,
    label_rows,
    slices_of,
)
from training.judging.comparison import MEASURES, OUTCOMES, Change, Comparison
from training.judging.errors import KINDS, Error, analyze, counts_of, details_of
from training.judging.html_pages import (
    chosen,
    found_line,
    gold_line,
    roles_found,
    roles_of,
    shown_error,
    write_page,
)
from training.judging.pairs import Pair, pairs_of_names
from training.judging.runs import SCORE, Run

#: Slices of a kind that are shown: the largest ones.
_SLICES = 40


def write_report(
    path: Path,
    values: dict[str, Any],
    sentences: Sequence[AnnotatedSentence],
    result: Evaluation,
    *,
    comparison: Comparison | None = None,
    against: str = "",
    runs: Sequence[Run] = (),
    examples: int = 20,
) -> None:
    """Write the report to `path`: one file, that needs nothing else and asks the network for nothing.

    `values` are the figures of `training.report`, `result` what `evaluate` or `evaluate_names` made of `sentences`.
    `against` names the second checkpoint of a `comparison`; `examples` is the most shown of each kind of error.
    """
    full = NAMES_WORDS not in result.counts
    pairs: list[Pair] = list(zip(sentences, result.documents, strict=True)) if full else []
    pairs = pairs or pairs_of_names(sentences, result)
    errors = analyze(pairs)
    write_page(
        path,
        "report.html.j2",
        values=values,
        full=full,
        labels=label_rows(pairs, result.labels),
        classes=class_rows(pairs) if full else [],
        confusions=_confusions(pairs, result, full),
        reliability=plots.reliability(_scored(result)) if any(result.scored.values()) else None,
        slices=_slices(result, sentences),
        errors=_errors(errors, full, examples),
        details=details_of(errors),
        comparison=None if comparison is None else _comparison(comparison, against, examples),
        learning=_learning(runs),
    )


def _scored(result: Evaluation) -> dict[str, Sequence[tuple[float, bool]]]:
    return {kind: own for kind, own in result.scored.items() if own}


def _confusions(pairs: Sequence[Pair], result: Evaluation, full: bool) -> list[tuple[str, Confusion]]:
    if not full:
        return [("Labels", label_confusion(pairs, result.labels))]
    return [("Labels", label_confusion(pairs)), ("Event classes", class_confusion(pairs))]


def _slices(result: Evaluation, sentences: Sequence[AnnotatedSentence]) -> list[dict[str, Any]]:
    """Slices with their plots; what has only one slice tells nothing."""
    found = []
    for title, cut in (("length in words", by_length(sentences)), ("domain", by_domain(sentences))):
        largest = sorted(cut, key=lambda name: -len(cut[name]))[:_SLICES]
        own: list[Slice] = slices_of(result, {name: cut[name] for name in cut if name in largest}, MEASURES)
        if len(own) > 1:
            plot = plots.slices(own, title.partition(" ")[0])
            found.append({"title": title, "slices": own, "left_out": len(cut) - len(own), "plot": plot})
    return found


def _errors(errors: Sequence[Error], full: bool, examples: int) -> dict[str, list[dict[str, Any]]]:
    """By layer, each kind with its count and some examples."""
    counts = counts_of(errors)
    return {
        layer: [
            {
                "kind": kind,
                "count": counts[layer][kind],
                "examples": [
                    shown_error(error)
                    for error in chosen([own for own in errors if (own.layer, own.kind) == (layer, kind)], examples)
                ],
            }
            for kind in kinds
        ]
        for layer, kinds in KINDS.items()
        if full or layer == "entities"
    }


def _comparison(comparison: Comparison, against: str, examples: int) -> dict[str, Any]:
    outcomes = {outcome: [change for change in comparison.changes if change.outcome == outcome] for outcome in OUTCOMES}
    return {
        "against": against,
        "percent": f"{100 * (1 - comparison.alpha):g}",
        "alpha": comparison.alpha,
        "differences": comparison.differences,
        "plot": plots.differences(comparison.differences),
        "outcomes": {
            outcome: {"count": len(own), "changes": [_shown_change(change) for change in own[:examples]]}
            for outcome, own in outcomes.items()
        },
        "counts": {
            outcome: [sum(one.outcomes.get(m) == outcome for one in comparison.changes) for m in comparison.differences]
            for outcome in OUTCOMES
        },
    }


def _shown_change(change: Change) -> dict[str, Any]:
    lines = [("gold", gold_line(change.sentence), roles_of(change.sentence))]
    for name, document in (("first", change.first), ("second", change.second)):
        if document is not None:
            lines.append((name, found_line(document), roles_found(document)))
    return {"id": change.sentence.id, "outcomes": change.outcomes, "lines": lines}


def _learning(runs: Sequence[Run]) -> dict[str, Any] | None:
    if not runs:
        return None
    sized = [run for run in runs if run.examples is not None and SCORE in run.best]
    known = {run.dev for run in runs if run.dev}
    return {
        "runs": runs,
        "figures": sorted({name for run in runs for name in run.best} - {SCORE}),
        "score": SCORE,
        "plot": plots.learning_curves(runs),
        "by_size": plots.score_by_size(sized) if len({run.examples for run in sized}) > 1 else None,
        "same_dev": len(known) <= 1,
    }
