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

from model.extractor import Extractor
from training.evaluation import Evaluation, confusion, evaluate, expected_calibration_error
from training.sources import read_source


def report(
    checkpoint: Path, data: Sequence[Path], format: str, json: Path | None, batch_size: int, console: Console
) -> dict[str, Any]:
    """Evaluate, print tables to `console`, write all figures to the file `json` if given, and return them."""
    labelled = [own for path in data for own in read_source(path, format)]
    extractor = Extractor.load(checkpoint)
    names_only = any(own.names_only for own in labelled)
    result = evaluate(extractor, [own.sentence for own in labelled], names_only=names_only, batch_size=batch_size)
    values = figures(result)
    values = {
        "checkpoint": {"name": extractor.info.name, "version": extractor.info.version},
        "data": [str(path) for path in data],
        "sentences": len(labelled),
        **values,
    }
    print_figures(values, result, console)
    if json is not None:
        json.write_text(jsonlib.dumps(values, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return values


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
    values["seqeval"] = seqeval_report(result, as_dict=True)
    if result.clitics:
        values["clitics"] = {
            "accuracy": round(sum(result.clitics) / len(result.clitics), 4),
            "spans": len(result.clitics),
        }
    if result.classes:
        values["class_accuracy"] = round(result.accuracy(result.classes), 4)
        values["factuality_accuracy"] = round(result.accuracy(result.factuality), 4)
        values["matched_actions"] = len(result.classes)
    values["calibration_error"] = {
        kind: round(expected_calibration_error(scored), 4) for kind, scored in result.scored.items() if scored
    }
    return values


def seqeval_report(result: Evaluation, as_dict: bool) -> Any:
    """seqeval's classification report on words: strict IOB2."""
    report = classification_report(
        result.gold_tags,
        result.predicted_tags,
        mode="strict",
        scheme=IOB2,
        digits=4,
        output_dict=as_dict,
        zero_division=0,
    )
    if not as_dict:
        return report
    return {row: {name: round(float(value), 4) for name, value in own.items()} for row, own in report.items()}


def print_figures(values: dict[str, Any], result: Evaluation, console: Console) -> None:
    """Print the tables that a reader wants first."""
    made = values["checkpoint"]
    console.print(f"{made['name']} {made['version']}, {values['sentences']} sentences\n")
    console.print("Words, strict IOB2 (seqeval):")
    console.print(seqeval_report(result, as_dict=False), highlight=False)
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
    for label, own in values["labels"].items():
        table.add_row(
            f"  {label}, exact characters",
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
    errors = ", ".join(f"{kind} {value:.3f}" for kind, value in values["calibration_error"].items())
    console.print(f"Expected calibration error: {errors}")
