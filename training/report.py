"""`musnad evaluate`: measure a checkpoint on gold files, print the figures, write them as JSON."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from seqeval.metrics import classification_report
from seqeval.scheme import IOB2

from model.annotation import AnnotatedSentence
from model.extractor import BATCH_SIZE, Extractor
from model.runtime import Runtime
from training.evaluation import (
    NAMES_WORDS,
    Evaluation,
    confusion,
    evaluate,
    evaluate_names,
    expected_calibration_error,
)
from training.judging import comparison, errors
from training.judging.runs import read_run
from training.sources import TAGSETS, SourceError, labels_in, read_source


def report(
    checkpoint: Path,
    data: Sequence[Path],
    format: str,
    json: Path | None,
    batch_size: int,
    console: Console,
    *,
    runtime: Runtime = "openvino",
    against: Path | None = None,
    html: Path | None = None,
    runs: Sequence[Path] = (),
    alpha: float = 0.05,
    resamples: int = 10_000,
    examples: int = 20,
) -> dict[str, Any]:
    """Evaluate, print tables to `console`, write all figures to the file `json` if given, and return them.

    With another checkpoint, `against`, both are compared (`training.judging.comparison`, to which `alpha` and
    `resamples` go). With `html`, a page of everything is written there, with the learning curves of `runs` and at most
    `examples` of each kind of error.
    """
    sentences, courses = read_data(data, format), [read_run(path) for path in runs]
    extractor = Extractor.load(checkpoint, runtime=runtime)
    other = None if against is None else Extractor.load(against, runtime=runtime)
    result = evaluate_files(extractor, data, sentences, format, batch_size)
    together = [sentence for own in sentences for sentence in own]
    values = {
        "checkpoint": {"name": extractor.info.name, "version": extractor.info.version},
        "data": [str(path) for path in data],
        "sentences": len(together),
        **figures(result),
    }
    print_figures(values, result, console)
    if result.documents:
        values["errors"] = errors.counts_of(errors.analyze(zip(together, result.documents, strict=True)))
        console.print(errors.table_of(values["errors"]))
    compared = None
    if other is not None:
        second = evaluate_files(other, data, sentences, format, batch_size)
        compared = comparison.compare(together, result, second, alpha=alpha, resamples=resamples)
        info = {"path": str(against), "name": other.info.name, "version": other.info.version}
        values["comparison"] = {"against": info, **compared.to_dict()}
        comparison.print_comparison(compared, str(checkpoint), str(against), console)
    if json is not None:
        text = jsonlib.dumps(values, ensure_ascii=False, indent=2, allow_nan=False)
        json.write_text(text + "\n", encoding="utf-8")
    if html is not None:
        # matplotlib takes a second to import
        from training.judging.html_report import write_report

        options: dict[str, Any] = {"comparison": compared, "against": str(against or ""), "runs": courses}
        write_report(html, values, together, result, examples=examples, **options)
    return values


def read_data(data: Sequence[Path], format: str) -> list[list[AnnotatedSentence]]:
    """The sentences of each file; raises SourceError or AnnotationError, for a file without sentences, too."""
    return [_read(path, format) for path in data]


def evaluate_files(
    extractor: Extractor,
    data: Sequence[Path],
    sentences: Sequence[Sequence[AnnotatedSentence]],
    format: str,
    batch_size: int = BATCH_SIZE,
) -> Evaluation:
    """Evaluate on the sentences that `read_data` has read from `data`, all files together."""
    if format in TAGSETS:
        labels = [labels_in(path, TAGSETS[format]) for path in data]
        return evaluate_names(extractor, list(zip(sentences, labels, strict=True)), batch_size=batch_size)
    return evaluate(extractor, [sentence for own in sentences for sentence in own], batch_size=batch_size)


def _read(path: Path, format: str) -> list[AnnotatedSentence]:
    sentences = [own.sentence for own in read_source(path, format)]
    if not sentences:
        raise SourceError(f"{path}: no sentences")
    return sentences


def figures(result: Evaluation) -> dict[str, Any]:
    """Every figure of an evaluation, as JSON."""
    values: dict[str, Any] = {"measures": {}, "labels": {}}
    for measure in result.counts:
        counts = result.total(measure)
        low, high = result.interval(measure)
        values["measures"][measure] = {
            "precision": round(counts.precision, 4),
            "recall": round(counts.recall, 4),
            "f1": round(counts.f1, 4),
            "f1_low": round(low, 4),
            "f1_high": round(high, 4),
            "gold": counts.gold,
            "predicted": counts.predicted,
        }
    for label in result.labels:
        counts = result.label_counts(label)
        values["labels"][label] = {
            "precision": round(counts.precision, 4),
            "recall": round(counts.recall, 4),
            "f1": round(counts.f1, 4),
            "gold": counts.gold,
        }
    values["seqeval"] = seqeval_figures(result.gold_tags, result.predicted_tags)
    if NAMES_WORDS in result.counts:
        return values
    values["seqeval_entities"] = seqeval_figures(result.gold_entity_tags, result.predicted_entity_tags)
    if result.clitics:
        values["clitics"] = {
            "accuracy": round(sum(result.clitics) / len(result.clitics), 4),
            **_interval(result, "clitics", "accuracy"),
            "spans": len(result.clitics),
        }
    if result.classes:
        values["class_accuracy"] = round(result.accuracy(result.classes), 4)
        values |= _interval(result, "class", "class_accuracy")
        values["factuality_accuracy"] = round(result.accuracy(result.factuality), 4)
        values |= _interval(result, "factuality", "factuality_accuracy")
        values["matched_actions"] = len(result.classes)
    values["calibration_error"] = {
        kind: round(expected_calibration_error(scored), 4) for kind, scored in result.scored.items() if scored
    }
    return values


def _interval(result: Evaluation, name: str, key: str) -> dict[str, float]:
    low, high = result.accuracy_interval(name)
    return {f"{key}_low": round(low, 4), f"{key}_high": round(high, 4)}


def seqeval_figures(gold: list[list[str]], predicted: list[list[str]]) -> dict[str, dict[str, float]]:
    """seqeval's strict IOB2 report on words: precision, recall, f1-score and support by label and on average.

    Where no word has a tag but `O`, which seqeval cannot average, there is a `micro avg` of zeros alone.
    """
    if not any(tag != "O" for tags in (*gold, *predicted) for tag in tags):
        return {"micro avg": {"precision": 0.0, "recall": 0.0, "f1-score": 0.0, "support": 0.0}}
    report = classification_report(gold, predicted, mode="strict", scheme=IOB2, output_dict=True, zero_division=0)
    return {row: {name: round(float(value), 4) for name, value in own.items()} for row, own in report.items()}


def seqeval_table(title: str, figures: dict[str, dict[str, float]]) -> Table:
    """The rows of seqeval's report."""
    table = Table(title=title, title_justify="left")
    for column in ("label", "precision", "recall", "F1", "gold"):
        table.add_column(column, justify="left" if column == "label" else "right")
    for row, own in figures.items():
        shown = (f"{own[name]:.4f}" for name in ("precision", "recall", "f1-score"))
        table.add_row(row, *shown, f"{own['support']:.0f}")
    return table


def print_figures(values: dict[str, Any], result: Evaluation, console: Console) -> None:
    """Print the tables that a reader wants first."""
    made = values["checkpoint"]
    console.print(f"{made['name']} {made['version']}, {values['sentences']} sentences\n")
    console.print(seqeval_table("Words, strict IOB2 (seqeval)", values["seqeval"]))
    if "seqeval_entities" in values:
        micro = {"micro avg": values["seqeval_entities"]["micro avg"]}
        console.print(seqeval_table("Entities without actions, words, strict IOB2 (seqeval)", micro))
    table = Table(title="End to end (F1 with bootstrap 95 % interval)", title_justify="left")
    for column in ("measure", "precision", "recall", "F1", "95 %", "gold"):
        table.add_column(column, justify="left" if column == "measure" else "right")
    for measure, own in values["measures"].items():
        table.add_row(
            measure,
            *(f"{own[name]:.3f}" for name in ("precision", "recall", "f1")),
            f"{own['f1_low']:.3f} – {own['f1_high']:.3f}",
            str(own["gold"]),
        )
    unit = "words" if NAMES_WORDS in values["measures"] else "exact characters"
    for label, own in values["labels"].items():
        table.add_row(
            f"  {label}, {unit}",
            *(f"{own[name]:.3f}" for name in ("precision", "recall", "f1")),
            "",
            str(own["gold"]),
        )
    console.print(table)
    if "class_accuracy" in values:
        console.print(
            f"On {values['matched_actions']} matched actions: class {values['class_accuracy']:.3f}, "
            f"factuality {values['factuality_accuracy']:.3f}"
        )
        wrong = ", ".join(f"{gold}→{predicted} {count}" for gold, predicted, count in confusion(result.classes))
        console.print(f"Most confused classes: {wrong or 'none'}")
    if "clitics" in values:
        console.print(
            f"Spans after a clitic with the right words and label ({values['clitics']['spans']}): "
            f"exact characters {values['clitics']['accuracy']:.3f}"
        )
    if "calibration_error" in values:
        errors = ", ".join(f"{kind} {value:.3f}" for kind, value in values["calibration_error"].items())
        console.print(f"Expected calibration error: {errors or 'nothing is predicted'}")
