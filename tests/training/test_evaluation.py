from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import classification_report
from seqeval.scheme import IOB2

from model.annotation import AnnotatedSentence, Relation, Span
from model.extractor import Extractor
from training.evaluation import (
    MEASURES,
    Evaluation,
    confusion,
    evaluate,
    evaluate_names,
    expected_calibration_error,
    gold_edges,
    overlap,
    triples_of,
)
from training.matching import Counts, interval
from training.word_tags import spans_of, tags_of, token_offsets

Scripted = Callable[..., Extractor]


def sentence(text: str, *spans: str, roles: str = "") -> AnnotatedSentence:
    """Spans as «LABEL covered» (an action as «CLASS/factuality covered»), roles as «actor:0-1 …»."""
    found = []
    for number, written in enumerate(spans):
        label, covered = written.split(" ", 1)
        start = text.index(covered)
        event_class, _, factuality = label.partition("/")
        if factuality:
            found.append(Span(number, "ACT", start, start + len(covered), event_class, factuality))
        else:
            found.append(Span(number, label, start, start + len(covered)))
    links = []
    for number, written in enumerate(roles.split()):
        role, _, ends = written.partition(":")
        action, entity = ends.split("-")
        links.append(Relation(number, int(action), int(entity), role))
    return AnnotatedSentence("1", text, tuple(found), tuple(links))


TEXT = "شن هجوما الجيش العراقي داعش في بغداد"
SPANS = ("ASSAULT/asserted شن هجوما", "ORG الجيش العراقي", "ORG داعش", "LOC بغداد")
ROLES = "actor:0-1 target:0-2 place:0-3"
GOLD = sentence(TEXT, *SPANS, roles=ROLES)


def judged(scripted: Scripted, predicted: AnnotatedSentence, gold: AnnotatedSentence = GOLD) -> Evaluation:
    return evaluate(scripted([predicted]), [gold])


def counts(result: Evaluation) -> dict[str, tuple[int, ...]]:
    return {measure: tuple(result.total(measure)) for measure in MEASURES}


def test_what_is_all_right(scripted: Scripted) -> None:
    result = judged(scripted, GOLD)
    assert counts(result) == {
        "entities": (3, 3, 3),
        "actions": (1, 1, 1),
        "actions_exact": (1, 1, 1),
        "roles": (3, 3, 3),
        "roles_exact": (3, 3, 3),
        "triples": (1, 1, 1),
        "triples_exact": (1, 1, 1),
        "roles_gold": (3, 3, 3),
        "triples_gold": (1, 1, 1),
    }
    assert all(result.total(measure).f1 == 1.0 for measure in MEASURES)
    assert result.gold_tags == result.predicted_tags
    assert result.gold_tags == [["B-ACT", "I-ACT", "B-ORG", "I-ORG", "B-ORG", "O", "B-LOC"]]
    assert result.gold_entity_tags == result.predicted_entity_tags
    assert result.gold_entity_tags == [["O", "O", "B-ORG", "I-ORG", "B-ORG", "O", "B-LOC"]]
    assert result.accuracy(result.classes) == result.accuracy(result.factuality) == 1.0
    assert result.accuracies == {"class": [(1, 1, 1)], "factuality": [(1, 1, 1)], "clitics": [(0, 0, 0)]}
    assert {kind: [right for _, right in scored] for kind, scored in result.scored.items()} == {
        "entity": [True] * 3,
        "action": [True],
        "role": [True] * 3,
        "triple": [True],
    }


def test_nothing_predicted(scripted: Scripted) -> None:
    result = judged(scripted, sentence(TEXT))
    assert counts(result) == {
        "entities": (0, 0, 3),
        "actions": (0, 0, 1),
        "actions_exact": (0, 0, 1),
        "roles": (0, 0, 3),
        "roles_exact": (0, 0, 3),
        "triples": (0, 0, 1),
        "triples_exact": (0, 0, 1),
        "roles_gold": (0, 0, 3),
        "triples_gold": (0, 0, 1),
    }
    assert all(result.total(measure).f1 == 0.0 for measure in MEASURES)
    assert result.accuracy(result.classes) == 0.0


def test_nothing_there(scripted: Scripted) -> None:
    result = judged(scripted, GOLD, sentence(TEXT))
    assert counts(result)["entities"] == (0, 3, 0)
    assert counts(result)["roles"] == (0, 3, 0)
    assert counts(result)["triples_gold"] == (0, 0, 0)
    assert result.classes == []
    assert [right for _, right in result.scored["triple"]] == [False]


def test_entities_want_label_and_characters(scripted: Scripted) -> None:
    spans = (SPANS[0], "ORG الجيش", "PER داعش", SPANS[3])
    result = judged(scripted, sentence(TEXT, *spans, roles=ROLES))
    assert result.total("entities") == Counts(1, 3, 3)
    assert result.total("entities").precision == result.total("entities").recall == pytest.approx(1 / 3)
    assert result.label_counts("ORG") == Counts(0, 1, 2)
    assert result.label_counts("PER") == Counts(0, 1, 0)
    assert result.label_counts("LOC") == Counts(1, 1, 1)
    assert result.label_counts("NUM") == Counts(0, 0, 0)
    assert [right for _, right in result.scored["entity"]] == [False, False, True]
    # roles and triples look at the characters: «الجيش» overlaps, «داعش» is the same
    assert result.total("roles") == Counts(3, 3, 3)
    assert result.total("roles_exact") == Counts(2, 3, 3)
    assert result.total("triples") == Counts(1, 1, 1)
    assert result.total("triples_exact") == Counts(0, 1, 1)


def test_an_action_that_overlaps(scripted: Scripted) -> None:
    result = judged(scripted, sentence(TEXT, "COERCE/negated هجوما", *SPANS[1:], roles=ROLES))
    assert counts(result) == {
        "entities": (3, 3, 3),
        "actions": (1, 1, 1),
        "actions_exact": (0, 1, 1),
        "roles": (3, 3, 3),
        "roles_exact": (0, 3, 3),
        "triples": (1, 1, 1),
        "triples_exact": (0, 1, 1),
        "roles_gold": (0, 0, 3),  # between the gold spans the network says nothing: its action is the word behind
        "triples_gold": (0, 0, 1),
    }
    assert result.classes == [("ASSAULT", "COERCE")]
    assert result.factuality == [("asserted", "negated")]
    assert result.accuracies == {"class": [(0, 1, 1)], "factuality": [(0, 1, 1)], "clitics": [(0, 0, 0)]}
    assert [right for _, right in result.scored["action"]] == [False]


def test_an_action_is_right_with_its_class(scripted: Scripted) -> None:
    result = judged(scripted, sentence(TEXT, "COERCE/asserted شن هجوما"))
    assert result.total("actions_exact") == Counts(1, 1, 1)
    assert [right for _, right in result.scored["action"]] == [False]
    result = judged(scripted, sentence(TEXT, "ASSAULT/potential شن هجوما"))
    assert [right for _, right in result.scored["action"]] == [True]


def test_two_predicted_actions_in_one_gold_count_once(scripted: Scripted) -> None:
    result = judged(scripted, sentence(TEXT, "ASSAULT/asserted شن", "OTHER/asserted هجوما"))
    assert result.total("actions") == Counts(1, 2, 1)
    assert result.classes == [("ASSAULT", "OTHER")]  # the longer overlap


def test_a_wrong_role(scripted: Scripted) -> None:
    result = judged(scripted, sentence(TEXT, *SPANS, roles="actor:0-1 actor:0-2 place:0-3"))
    assert result.total("roles") == Counts(2, 3, 3)
    assert result.total("triples") == Counts(0, 2, 1)  # (army, attack, -) and (daesh, attack, -)
    assert result.total("roles_gold") == Counts(2, 3, 3)
    assert result.total("triples_gold") == Counts(0, 2, 1)
    assert [right for _, right in result.scored["role"]] == [True, False, True]
    assert [right for _, right in result.scored["triple"]] == [False, False]


@pytest.mark.parametrize(
    ("gold_roles", "predicted_roles", "expected"),
    [
        ("target:0-2", "target:0-2", (1, 1, 1)),
        ("actor:0-1", "actor:0-1", (1, 1, 1)),
        ("target:0-2", "actor:0-1 target:0-2", (0, 1, 1)),  # an end that should be empty
        ("actor:0-1 target:0-2", "target:0-2", (0, 1, 1)),  # an end that should not
        ("actor:0-1", "target:0-1", (0, 1, 1)),
        ("place:0-3", "place:0-3", (0, 0, 0)),
        ("actor:0-1 target:0-2 target:0-3", "actor:0-1 target:0-2", (1, 1, 2)),
    ],
)
def test_triples_with_empty_ends(
    scripted: Scripted, gold_roles: str, predicted_roles: str, expected: tuple[int, int, int]
) -> None:
    result = judged(scripted, sentence(TEXT, *SPANS, roles=predicted_roles), sentence(TEXT, *SPANS, roles=gold_roles))
    for measure in ("triples", "triples_exact", "triples_gold"):
        assert tuple(result.total(measure)) == expected


def test_clitics(scripted: Scripted) -> None:
    text = "هجوم بالأنبار ولبنان"
    gold = sentence(text, "LOC الأنبار", "LOC لبنان")
    result = judged(scripted, sentence(text, "LOC بالأنبار", "LOC لبنان"), gold)
    assert result.clitics == [False, True]
    assert result.accuracies["clitics"] == [(1, 2, 2)]
    assert result.total("entities") == Counts(1, 2, 2)
    assert result.gold_tags == result.predicted_tags == [["O", "B-LOC", "B-LOC"]]


def test_names_are_judged_by_the_labels_of_their_file(scripted: Scripted) -> None:
    text = "قتل أحمد خمسة في بغداد"
    gold = sentence(text, "PER أحمد", "LOC بغداد")
    predicted = sentence(text, "ASSAULT/asserted قتل", "PER أحمد", "NUM خمسة", "ORG بغداد")
    result = evaluate_names(scripted([predicted]), [([gold], ("PER", "LOC"))])
    assert (result.labels, set(result.counts)) == (("PER", "LOC"), {"names_words"})
    assert result.total("names_words") == Counts(1, 1, 2)  # ORG, NUM and ACT are not looked at
    assert result.gold_tags == [["O", "B-PER", "O", "O", "B-LOC"]]
    assert result.predicted_tags == [["O", "B-PER", "O", "O", "O"]]
    assert result.label_counts("LOC") == Counts(0, 0, 1)
    assert not any(result.scored.values())
    assert result.clitics == []
    both = evaluate_names(scripted([predicted]), [([gold], ("PER", "LOC")), ([gold], ("PER", "ORG", "LOC"))])
    assert both.labels == ("PER", "ORG", "LOC")
    assert both.counts == {"names_words": [(1, 1, 2), (1, 2, 2)]}
    assert both.label_counts("ORG") == Counts(0, 1, 0)


def test_names_are_judged_by_the_words_of_the_file(scripted: Scripted) -> None:
    text = "زار باراك-أوباما بالأنبار . ."
    gold = sentence(text, "PER باراك-أوباما", "LOC بالأنبار")
    predicted = sentence(text, "PER أوباما", "LOC الأنبار")
    result = evaluate_names(scripted([predicted]), [([gold], ("PER", "LOC"))])
    assert result.gold_tags == result.predicted_tags == [["O", "B-PER", "B-LOC", "O", "O"]]
    assert result.total("names_words") == Counts(2, 2, 2)
    two = sentence(text, "PER باراك", "PER أوباما")  # in one word of the file: one span
    assert evaluate_names(scripted([two]), [([gold], ("PER", "LOC"))]).total("names_words") == Counts(1, 1, 2)


def test_words_of_a_file_are_divided_by_spaces_alone() -> None:
    text = "قال «جو-بايدن» 3.5% ."
    assert [text[start:end] for start, end in token_offsets(text)] == text.split(" ")


@given(
    st.lists(st.lists(st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]), min_size=1, max_size=7), min_size=2)
)
def test_spans_of_tags_agree_with_seqeval(sentences: list[list[str]]) -> None:
    gold = [["B-PER", *own] for own in sentences]
    predicted = [["B-PER", *own[::-1]] for own in sentences]
    pairs = [(spans_of(one), spans_of(other)) for one, other in zip(gold, predicted, strict=True)]
    total = Counts(sum(len(g & p) for g, p in pairs), sum(len(p) for _, p in pairs), sum(len(g) for g, _ in pairs))
    figures = classification_report(gold, predicted, mode="strict", scheme=IOB2, output_dict=True, zero_division=0)
    micro = figures["micro avg"]
    assert micro["support"] == total.gold
    assert (micro["precision"], micro["recall"]) == pytest.approx((total.precision, total.recall))
    assert micro["f1-score"] == pytest.approx(total.f1)


def test_the_network_runs_once_a_sentence(scripted: Scripted) -> None:
    other = sentence("قتل أحمد", "PER أحمد")
    extractor = scripted([GOLD, other])
    result = evaluate(extractor, [GOLD, other, GOLD], batch_size=2)
    assert extractor.network.rows == 3  # type: ignore[attr-defined]
    assert [len(own) for own in result.counts.values()] == [3] * len(MEASURES)
    assert result.total("entities") == Counts(7, 7, 7)


def test_sentences_that_are_not_seen(scripted: Scripted) -> None:
    blank = AnnotatedSentence("1", "", (), ())
    unseen = AnnotatedSentence("2", "ـ", (Span(0, "PER", 0, 1),), ())
    result = evaluate(scripted([]), [blank, unseen])
    assert result.total("entities") == Counts(0, 0, 1)
    assert result.gold_tags == [[], ["B-PER"]]


def test_no_sentences(scripted: Scripted) -> None:
    result = evaluate(scripted([]), [])
    assert result.total("triples") == Counts(0, 0, 0)
    assert result.interval("triples") == (0.0, 0.0)


def test_interval() -> None:
    same = Evaluation(labels=("PER",), counts={"entities": [Counts(1, 2, 2)] * 30})
    assert same.interval("entities") == (0.5, 0.5)
    mixed = Evaluation(labels=("PER",), counts={"entities": [Counts(1, 1, 1)] * 50 + [Counts(0, 1, 1)] * 50})
    low, high = mixed.interval("entities", samples=4000)
    # F1 is the share of right sentences: binomial, with a standard error of 0.05
    assert low == pytest.approx(0.5 - 1.96 * 0.05, abs=0.015)
    assert high == pytest.approx(0.5 + 1.96 * 0.05, abs=0.015)
    assert mixed.interval("entities", seed=1) == mixed.interval("entities", seed=1)


def test_interval_draws_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    table = [Counts(1, 1, 2)] * 20 + [Counts(0, 1, 1)] * 17
    whole = interval(table)
    monkeypatch.setattr("training.matching._DRAWN_AT_ONCE", 1)  # a sample at a time
    low, high = interval(table)
    assert 0.2 < low < high < 0.6
    assert (low, high) == pytest.approx(whole, abs=0.03)


def test_samples_without_items_have_no_share() -> None:
    assert interval([Counts(1, 1, 1), *[Counts(0, 0, 0)] * 9]) == (1.0, 1.0)
    assert interval([Counts(0, 0, 0)] * 9) == (0.0, 0.0)
    assert interval([]) == (0.0, 0.0)


def test_expected_calibration_error() -> None:
    assert expected_calibration_error([]) == 0.0
    assert expected_calibration_error([(1.0, True), (0.0, False)]) == 0.0
    assert expected_calibration_error([(0.75, True), (0.75, True), (0.75, True), (0.75, False)]) == 0.0
    # two in [0.9, 1] of which one is right, one in [0.2, 0.3) that is right
    scored = [(0.95, True), (0.91, False), (0.25, True)]
    assert expected_calibration_error(scored) == pytest.approx(2 / 3 * abs(0.93 - 0.5) + 1 / 3 * 0.75)
    random = np.random.default_rng(0)
    scores = random.random(20_000)
    calibrated = list(zip(scores.tolist(), (random.random(20_000) < scores).tolist(), strict=True))
    assert expected_calibration_error(calibrated) < 0.02


def test_confusion() -> None:
    pairs = [("A", "A"), ("A", "B"), ("B", "A"), ("A", "B")]
    assert confusion(pairs) == [("A", "B", 2), ("B", "A", 1)]
    assert confusion(pairs, most=1) == [("A", "B", 2)]


def test_overlap() -> None:
    assert [overlap((2, 5), other) for other in ((0, 2), (0, 3), (3, 4), (5, 9), (0, 9))] == [0, 1, 1, 0, 3]


def test_triples_of_edges() -> None:
    edges = gold_edges(GOLD)
    action, army, daesh = (0, 8), (9, 22), (23, 27)
    assert [(start, role) for start, role, _ in edges] == [(action, "actor"), (action, "target"), (action, "place")]
    assert triples_of([action], edges) == [(army, action, daesh)]
    assert triples_of([action, (23, 27)], edges[:1]) == [(army, action, None)]
    assert triples_of([action], edges[2:]) == []


def test_tags_take_every_word_that_a_span_touches() -> None:
    words = [(0, 3), (4, 9), (9, 10), (11, 15)]
    assert tags_of(words, [("PER", (5, 12))]) == ["O", "B-PER", "I-PER", "I-PER"]
    assert tags_of(words, [("LOC", (3, 4)), ("NUM", (9, 10))]) == ["O", "O", "B-NUM", "O"]
