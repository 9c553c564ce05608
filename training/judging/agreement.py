"""How far two annotators of the same sentences agree, and where they do not.

F1 of one annotator's items by the other's, with the measures of `training.evaluation`: it is the same whoever comes
first, and, unlike kappa, needs no number of items that neither annotated (Hripcsak and Rothschild 2005). Cohen's kappa
where units are given: the IOB2 tags of words, and class and factuality of actions that overlap.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from model.annotation import AnnotatedSentence, AnnotationError, Fault
from model.annotation_files import read_annotations
from model.labels import ENTITY_LABELS
from training.evaluation import Evaluation, compare
from training.judging.errors import Error, analyze, counts_of, table_of
from training.judging.html_pages import gold_line, roles_of, shown_error, write_page
from training.judging.pairs import Pair, check_relations, document_of

#: What is counted between two annotators; those with an exact form have an overlap of the spans beside it.
MEASURES = ("entities", "actions", "actions_exact", "roles", "roles_exact", "triples", "triples_exact")

#: What a kind of error is called between two annotators, neither of whom is gold.
KIND_NAMES = {
    "missed": "only in A",
    "spurious": "only in B",
    "wrong span": "another span",
    "wrong action": "another action",
    "wrong role": "another role",
}

#: Ids that are printed of sentences that only one file has; the JSON and the page have all.
_IDS = 20


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two annotators' common sentences, judged; and the ids of the sentences that could not be compared."""

    pairs: list[Pair]
    second: list[AnnotatedSentence]  # the second annotator's, in the order of `pairs`
    result: Evaluation
    disagreements: list[Error]
    only_first: list[str]
    only_second: list[str]
    other_text: list[str]

    @property
    def kappas(self) -> dict[str, float | None]:
        """Cohen's kappa of what has units; None where it is not defined."""
        own = self.result
        words = zip(own.gold_tags, own.predicted_tags, strict=True)
        return {
            "word tags": cohen_kappa([pair for one, other in words for pair in zip(one, other, strict=True)]),
            "classes": cohen_kappa(own.classes),
            "factuality": cohen_kappa(own.factuality),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as JSON."""
        values: dict[str, Any] = {"sentences": len(self.pairs), "measures": {}, "labels": {}}
        for measure in MEASURES:
            counts, (low, high) = self.result.total(measure), self.result.interval(measure)
            values["measures"][measure] = {
                "f1": round(counts.f1, 4),
                "f1_low": round(low, 4),
                "f1_high": round(high, 4),
                "matched": counts.matched,
                "first": counts.gold,
                "second": counts.predicted,
            }
        for label in ENTITY_LABELS:
            counts = self.result.label_counts(label)
            values["labels"][label] = {
                "f1": round(counts.f1, 4),
                "matched": counts.matched,
                "first": counts.gold,
                "second": counts.predicted,
            }
        return {
            **values,
            "kappa": {name: None if value is None else round(value, 4) for name, value in self.kappas.items()},
            "disagreements": {
                layer: {KIND_NAMES.get(kind, kind): count for kind, count in kinds.items()}
                for layer, kinds in counts_of(self.disagreements).items()
            },
            "only_first": self.only_first,
            "only_second": self.only_second,
            "other_text": self.other_text,
        }


def cohen_kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> float | None:
    """Agreement beyond chance of two raters of the same units: (observed - expected) / (1 - expected).

    Expected is the chance that two raters with these frequencies of categories agree (Cohen 1960). None without
    units, or where both put all of them into one category and nothing but agreement could be expected.
    """
    if not pairs:
        return None
    first, second = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    observed = sum(one == other for one, other in pairs) / len(pairs)
    expected = sum(first[category] * second[category] for category in first) / len(pairs) ** 2
    return None if expected == 1.0 else (observed - expected) / (1.0 - expected)


def read_by_id(path: Path) -> dict[str, AnnotatedSentence]:
    """The sentences of a file by id. Raises AnnotationError for a bad line, or an id that is given twice."""
    found: dict[str, AnnotatedSentence] = {}
    for sentence in read_annotations(path):
        if sentence.id in found:
            raise AnnotationError(Fault(f"{path}: id", f"two sentences have the id {sentence.id}", sentence.text))
        try:
            check_relations(sentence)
        except AnnotationError as error:
            raise AnnotationError(Fault(str(path), str(error.fault))) from None
        found[sentence.id] = sentence
    return found


def agree(first: dict[str, AnnotatedSentence], second: dict[str, AnnotatedSentence]) -> Agreement:
    """Compare the sentences that have the same id and text in both; the others are named in the result."""
    common = [name for name in first if name in second and first[name].text == second[name].text]
    pairs = [(first[name], document_of(second[name])) for name in common]
    result = Evaluation(labels=ENTITY_LABELS, counts={measure: [] for measure in MEASURES})
    for pair in pairs:
        compare(result, *pair)
    return Agreement(
        pairs,
        [second[name] for name in common],
        result,
        analyze(pairs),
        [name for name in first if name not in second],
        [name for name in second if name not in first],
        [name for name in first if name in second and first[name].text != second[name].text],
    )


def agreement(first: Path, second: Path, html: Path | None, json_file: Path | None, console: Console) -> Agreement:
    """Compare two files, print tables, and write the page to adjudicate from and the figures, where asked for.

    Raises AnnotationError for a file that cannot be compared, and where no sentence is in both.
    """
    found = agree(read_by_id(first), read_by_id(second))
    if not found.pairs:
        raise AnnotationError(Fault(f"{first} and {second}", "no sentence has the same id and text in both"))
    print_agreement(found, str(first), str(second), console)
    if json_file is not None:
        text = json.dumps({"files": [str(first), str(second)], **found.to_dict()}, ensure_ascii=False, indent=2)
        json_file.write_text(text + "\n", encoding="utf-8")
    if html is not None:
        write_adjudication(html, found, str(first), str(second))
    return found


def print_agreement(found: Agreement, first: str, second: str, console: Console) -> None:
    """Print the figures, the disagreements by kind, and which sentences could not be compared."""
    console.print(
        f"A = {first}, B = {second}: {len(found.pairs)} sentences in both\n",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    table = Table(title="Agreement (F1 with bootstrap 95 % interval)", title_justify="left")
    for column in ("measure", "F1", "95 %", "A", "B", "both"):
        table.add_column(column, justify="left" if column == "measure" else "right")
    for measure in MEASURES:
        counts, (low, high) = found.result.total(measure), found.result.interval(measure)
        sizes = (str(counts.gold), str(counts.predicted), str(counts.matched))
        table.add_row(measure, f"{counts.f1:.3f}", f"{low:.3f} – {high:.3f}", *sizes)
    for label in ENTITY_LABELS:
        counts = found.result.label_counts(label)
        table.add_row(f"  {label}", f"{counts.f1:.3f}", "", *map(str, (counts.gold, counts.predicted, counts.matched)))
    console.print(table)
    kappas = ", ".join(
        f"{name} {'not defined' if value is None else f'{value:.3f}'}" for name, value in found.kappas.items()
    )
    console.print(f"Cohen's kappa: {kappas}", highlight=False)
    named = {
        layer: {KIND_NAMES.get(kind, kind): count for kind, count in kinds.items()}
        for layer, kinds in counts_of(found.disagreements).items()
    }
    console.print(table_of(named, "Disagreements"))
    for what, names in _left_out(found).items():
        more = f" and {len(names) - _IDS} more" if len(names) > _IDS else ""
        console.print(
            f"{what} ({len(names)}): {', '.join(names[:_IDS])}{more}", markup=False, highlight=False, soft_wrap=True
        )


def _left_out(found: Agreement) -> dict[str, list[str]]:
    """Why sentences were not compared, with their ids."""
    every = {"only in A": found.only_first, "only in B": found.only_second, "text differs": found.other_text}
    return {what: names for what, names in every.items() if names}


def write_adjudication(path: Path, found: Agreement, first: str, second: str) -> None:
    """Write a page with every disagreement by kind, on which a sentence is decided for A or B and the choice saved.

    The page needs nothing else; what is decided can be downloaded as annotated JSON lines.
    """
    numbers = {sentence.id: number for number, (sentence, _) in enumerate(found.pairs)}
    groups: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for error in found.disagreements:
        shown = {**shown_error(error), "score": None, "link": f"sentence-{numbers[error.sentence.id]}"}
        name = KIND_NAMES.get(error.kind, error.kind)
        groups.setdefault(error.layer, {}).setdefault(name, []).append(shown)
    differing: dict[str, list[Error]] = {}
    for error in found.disagreements:
        differing.setdefault(error.sentence.id, []).append(error)
    both = [(one, other) for (one, _), other in zip(found.pairs, found.second, strict=True)]
    records = [{"a": one.to_dict(), "b": other.to_dict()} for one, other in both]
    digest = hashlib.sha256(json.dumps(records).encode()).hexdigest()
    write_page(
        path,
        "agreement.html.j2",
        first=first,
        second=second,
        values=found.to_dict(),
        groups=groups,
        left_out=_left_out(found),
        sentences=[
            {"number": numbers[one.id], "id": one.id, "sides": _sides(one, other, differing[one.id])}
            for one, other in both
            if one.id in differing
        ],
        # another page, or another version of these files, keeps its own choices
        records={"digest": digest, "sentences": records},
    )


def _sides(first: AnnotatedSentence, second: AnnotatedSentence, errors: Sequence[Error]) -> list[dict[str, Any]]:
    """Both annotations of a sentence for the page, the spans that differ standing out."""
    spans = [error for error in errors if error.layer != "roles"]
    strong = [
        {place for error in spans if error.gold is not None for place in error.gold.places},
        {place for error in spans if error.predicted is not None for place in error.predicted.places},
    ]
    return [
        {"line": gold_line(sentence, places), "roles": roles_of(sentence)}
        for sentence, places in zip((first, second), strong, strict=True)
    ]
