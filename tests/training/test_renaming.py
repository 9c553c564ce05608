from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.annotation import AnnotatedSentence, Relation, Span
from model.annotation_check import check
from model.annotation_files import read_annotations, write_annotations
from training.config import Renaming, Source, TrainingConfig
from training.renaming import collect_names, pool_of, rename, renamed_copies
from training.sources import LabelledSentence
from training.train import renamed

TEXT = "قال علي إن علي زار بغداد والبصرة وعاد للعراق."
POOL = {"PER": ["سعاد حسني"], "ORG": [], "LOC": ["الخرطوم"]}


def span(id: int, label: str, text: str, place: int = 0) -> Span:
    start = TEXT.index(text, place)
    return Span(id, label, start, start + len(text), *(("STATE", "asserted") if label == "ACT" else ()))


SENTENCE = AnnotatedSentence(
    "1",
    TEXT,
    (
        span(0, "ACT", "قال"),
        span(1, "PER", "علي"),
        span(2, "PER", "علي", 8),
        span(3, "LOC", "بغداد"),
        span(4, "LOC", "البصرة"),
        span(5, "LOC", "لعراق"),
    ),
    (Relation(0, 0, 1, "actor"),),
)


def test_names_are_replaced_and_nothing_else() -> None:
    other = rename(SENTENCE, POOL, 1.0, np.random.default_rng(0))
    assert other.text == "قال سعاد حسني إن سعاد حسني زار الخرطوم والخرطوم وعاد للعراق."
    assert [other.text_of(own) for own in other.spans] == [
        "قال", "سعاد حسني", "سعاد حسني", "الخرطوم", "الخرطوم", "لعراق",
    ]  # fmt: skip
    assert [(own.id, own.label, own.event_class) for own in other.spans] == [
        (own.id, own.label, own.event_class) for own in SENTENCE.spans
    ]
    assert (other.id, other.relations) == (SENTENCE.id, SENTENCE.relations)


def test_a_label_without_names_keeps_its_own() -> None:
    empty: dict[str, list[str]] = {"PER": [], "ORG": [], "LOC": []}
    assert rename(SENTENCE, empty, 1.0, np.random.default_rng(0)) == SENTENCE


def test_persons_also_get_the_parts_of_two_names() -> None:
    pool = {"PER": ["جو بايدن", "أنور السادات"], "ORG": [], "LOC": []}
    texts = {rename(SENTENCE, pool, 1.0, np.random.default_rng(seed)).text.split()[1:3][1] for seed in range(50)}
    both = {" ".join(rename(SENTENCE, pool, 1.0, np.random.default_rng(seed)).text.split()[1:3]) for seed in range(50)}
    assert texts == {"بايدن", "السادات"}
    assert {"جو السادات", "أنور بايدن", "جو بايدن", "أنور السادات"} == both


def test_a_share_of_the_names_is_replaced() -> None:
    rng = np.random.default_rng(1)
    changed = [rename(SENTENCE, POOL, 0.3, rng).text_of(SENTENCE.spans[0]) for _ in range(3)]
    assert changed == ["قال"] * 3
    count = sum("سعاد" in rename(SENTENCE, POOL, 0.3, rng).text for _ in range(1000))
    assert 240 < count < 360


def test_which_names_are_collected() -> None:
    assert collect_names([SENTENCE], False) == {"PER": ["علي"], "ORG": [], "LOC": ["البصرة", "بغداد"]}
    words = AnnotatedSentence("2", "وزير بيروت دمشق", (Span(0, "LOC", 5, 10), Span(1, "LOC", 11, 15)), ())
    assert collect_names([words], True)["LOC"] == ["دمشق"]  # «بيروت» might be «يروت» with a clitic
    assert pool_of([LabelledSentence(SENTENCE, False), LabelledSentence(words, True)])["LOC"] == [
        "البصرة",
        "بغداد",
        "دمشق",
    ]


def test_an_epoch_draws_as_many_copies_as_asked() -> None:
    source = Source(path="a", renamed=Renaming(copies=4, share=1.0, weight=0.5))
    config = TrainingConfig(encoder="e", sources=[source, Source(path="b")], dev=[Source(path="c")])
    own = [LabelledSentence(SENTENCE, False)] * 10
    [(copies, weight)] = renamed(config, [own, own])
    assert len(copies) * weight == pytest.approx(5)
    assert renamed_copies(own, pool_of(own), 4, 1.0, 1) == copies
    assert renamed(config.model_copy(update={"sources": [Source(path="b")]}), [own]) == []


def test_copies_of_the_project_s_sentences_are_sound(root: Path, tmp_path: Path) -> None:
    own = [LabelledSentence(one, False) for one in read_annotations(root / "annotations" / "dev.jsonl")]
    copies = renamed_copies(own, pool_of(own), 1, 0.6, 1)
    assert len(copies) > 200
    path = tmp_path / "copies.jsonl"
    write_annotations(path, (one.sentence for one in copies))
    assert [str(problem) for problem in check([path])] == []
