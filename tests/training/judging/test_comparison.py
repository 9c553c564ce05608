from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from rich.console import Console

from model.annotation import AnnotatedSentence
from model.extractor import Extractor
from training.evaluation import Evaluation, evaluate, evaluate_names
from training.judging.comparison import Change, Comparison, compare, outcome_of, print_comparison
from training.judging.significance import Verdict
from training.matching import Counts

Annotate = Callable[..., AnnotatedSentence]
Scripted = Callable[..., Extractor]

SPANS = ("ASSAULT/asserted قصف", "ORG الجيش", "LOC بغداد")
ROLES = "actor:0-1 target:0-2"


def gold_of(annotate: Annotate, count: int) -> list[AnnotatedSentence]:
    return [annotate(f"قصف الجيش بغداد {n}", *SPANS, roles=ROLES, id=f"news-{n}") for n in range(count)]


def poor_of(annotate: Annotate, count: int) -> list[AnnotatedSentence]:
    """Without the place, and with another role."""
    return [annotate(f"قصف الجيش بغداد {n}", *SPANS[:2], roles="target:0-1", id=f"news-{n}") for n in range(count)]


def test_a_better_system(scripted: Scripted, annotate: Annotate) -> None:
    gold, poor = gold_of(annotate, 12), poor_of(annotate, 12)
    good, bad = evaluate(scripted(gold), gold), evaluate(scripted([*gold[:2], *poor[2:]]), gold)
    found = compare(gold, good, bad, resamples=500)
    assert {measure: own.verdict for measure, own in found.differences.items()} == {
        "entities": Verdict.BETTER,
        "actions": Verdict.UNKNOWN,  # both find them all
        "roles": Verdict.BETTER,
        "triples": Verdict.BETTER,
    }
    assert found.worse == []
    assert found.differences["entities"].first == 1.0
    assert found.differences["entities"].second == bad.total("entities").f1
    assert [change.sentence.id for change in found.changes] == [f"news-{n}" for n in range(2, 12)]
    assert all(change.outcomes == dict.fromkeys(("entities", "roles", "triples"), "fixed") for change in found.changes)
    assert found.changes[0].first == good.documents[2]
    assert found.changes[0].second == bad.documents[2]
    back = compare(gold, bad, good, resamples=500)
    assert back.worse == ["entities", "roles", "triples"]
    assert {change.outcome for change in back.changes} == {"broken"}


def test_the_same_system(scripted: Scripted, annotate: Annotate) -> None:
    gold, poor = gold_of(annotate, 5), poor_of(annotate, 5)
    result = evaluate(scripted(poor), gold)
    found = compare(gold, result, result, resamples=100)
    assert found.changes == []
    assert {own.verdict for own in found.differences.values()} == {Verdict.UNKNOWN}


def test_other_errors_of_the_same_number(scripted: Scripted, annotate: Annotate) -> None:
    gold = annotate("زار سالم بغداد", "PER سالم", "LOC بغداد")
    first, second = annotate("زار سالم بغداد", "PER سالم"), annotate("زار سالم بغداد", "LOC بغداد")
    found = compare([gold], evaluate(scripted([first]), [gold]), evaluate(scripted([second]), [gold]), resamples=100)
    assert [change.outcomes for change in found.changes] == [{"entities": "other errors"}]


def test_other_boundaries_that_are_all_right_are_no_change(scripted: Scripted, annotate: Annotate) -> None:
    gold = annotate("شن هجوما الجيش", "ASSAULT/asserted شن هجوما", "ORG الجيش", roles="actor:0-1")
    other = annotate("شن هجوما الجيش", "ASSAULT/asserted شن", "ORG الجيش", roles="actor:0-1")
    found = compare([gold], evaluate(scripted([gold]), [gold]), evaluate(scripted([other]), [gold]), resamples=100)
    assert found.changes == []


def test_names(scripted: Scripted, annotate: Annotate) -> None:
    gold = [annotate(f"زار سالم بغداد {n}", "PER سالم", "LOC بغداد", id=f"file:{n}") for n in range(10)]
    poor = [annotate(f"زار سالم بغداد {n}", "PER سالم") for n in range(10)]
    files = [(gold, ("PER", "LOC"))]
    good, bad = evaluate_names(scripted(gold), files), evaluate_names(scripted(poor), files)
    found = compare(gold, good, bad, resamples=500)
    assert {measure: own.verdict for measure, own in found.differences.items()} == {"names_words": Verdict.BETTER}
    assert [change.outcome for change in found.changes] == ["fixed"] * 10
    assert found.changes[0].first is None


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        (Counts(2, 2, 2), Counts(1, 1, 2), "fixed"),
        (Counts(1, 1, 2), Counts(2, 2, 2), "broken"),
        (Counts(1, 1, 3), Counts(0, 1, 3), "fewer errors"),
        (Counts(0, 1, 3), Counts(1, 1, 3), "more errors"),
        (Counts(1, 1, 2), Counts(1, 1, 2), "other errors"),
        (Counts(2, 2, 2), Counts(2, 2, 2), None),
    ],
)
def test_outcomes(first: Counts, second: Counts, outcome: str | None) -> None:
    assert outcome_of(first, second) == outcome


@pytest.mark.parametrize(
    ("outcomes", "outcome"),
    [
        (["fixed", "fewer errors"], "fixed"),
        (["more errors", "broken"], "broken"),
        (["fixed", "more errors"], "other errors"),
        (["other errors", "more errors"], "more errors"),
        (["other errors"], "other errors"),
    ],
)
def test_the_outcome_of_all_measures(annotate: Annotate, outcomes: list[str], outcome: str) -> None:
    assert Change(annotate("نص"), {str(n): own for n, own in enumerate(outcomes)}, None, None).outcome == outcome


def test_what_is_printed_and_the_figures(scripted: Scripted, annotate: Annotate) -> None:
    gold = gold_of(annotate, 30)
    good, bad = evaluate(scripted(gold), gold), evaluate(scripted(poor_of(annotate, 30)), gold)
    found = compare(gold, good, bad, alpha=0.01, resamples=500)
    printed = StringIO()
    print_comparison(found, "new", "[old]", Console(file=printed, width=80))
    text = printed.getvalue()
    every = (
        "A = new, B = [old]",
        "99 %",
        "better",
        "can't tell",
        "fixed (30): news-0",
        "and 10 more",
        "broken (0): none",
    )
    for wanted in every:
        assert wanted in text
    figures = found.to_dict()
    assert figures["measures"]["roles"]["verdict"] == "better"
    assert figures["changed"][0] == {"id": "news-0", "entities": "fixed", "roles": "fixed", "triples": "fixed"}
    assert figures["alpha"] == 0.01


def test_different_sentences_are_an_error() -> None:
    one = Evaluation(labels=("PER",), counts={"entities": [Counts(1, 1, 1)]})
    two = Evaluation(labels=("PER",), counts={"entities": [Counts(1, 1, 1)] * 2})
    with pytest.raises(ValueError, match="1 sentences of the first system and 2"):
        compare([], one, two)
    assert isinstance(compare([], Evaluation(labels=()), Evaluation(labels=())), Comparison)
