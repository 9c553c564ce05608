"""Near-duplicates by MinHash are those of the exact index."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.annotation import AnnotatedSentence
from model.annotation_files import write_annotations
from training.annotation_split import near_duplicates as exact
from training.exchange.duplicates import MISSED, Placed, banding, near_duplicates, near_duplicates_in

WORDS = st.lists(st.sampled_from(["ا", "ب", "ت", "ث", "ج", "ح", "خ", "د", "ذ", "ر"]), min_size=1, max_size=12)


@given(st.lists(WORDS, max_size=12), st.sampled_from((0.3, 0.5, 0.8, 1.0)))
def test_no_pair_is_wrong_and_equal_ones_are_found(texts: list[list[str]], threshold: float) -> None:
    sentences = [AnnotatedSentence(f"x-{n}", " ".join(words), (), ()) for n, words in enumerate(texts)]
    found = {
        (pair.first.sentence.id, pair.second.sentence.id): pair.similarity
        for pair in near_duplicates([Placed(Path("a"), sentence) for sentence in sentences], threshold)
    }
    wanted = {(pair.first.id, pair.second.id): pair.similarity for pair in exact(sentences, threshold)}
    assert found.items() <= wanted.items()
    assert {pair for pair, similarity in wanted.items() if similarity == 1} <= found.keys()


@pytest.mark.parametrize("threshold", [0.2, 0.3, 0.5, 0.7, 0.9, 1.0])
def test_the_bands_miss_few(threshold: float) -> None:
    bands, rows = banding(threshold)
    assert bands * rows <= 256
    assert (1 - threshold**rows) ** bands < MISSED


def test_pairs_across_files_are_told_from_those_within(tmp_path: Path) -> None:
    text = "أعلن الجيش مقتل خمسة مسلحين في عملية أمنية واسعة شمال المدينة فجر اليوم"
    files = {
        "a": [("a-1", text), ("a-2", text.replace("خمسة", "ستة")), ("a-3", "نص آخر لا يشبه غيره في شيء")],
        "b": [("b-1", f"«{text}»."), ("b-2", "خبر قصير")],
    }
    for name, sentences in files.items():
        write_annotations(tmp_path / name, [AnnotatedSentence(id, content, (), ()) for id, content in sentences])
    pairs = near_duplicates_in([tmp_path / "a", tmp_path / "b"])
    assert [(pair.first.sentence.id, pair.second.sentence.id, pair.across) for pair in pairs] == [
        ("a-1", "b-1", True),
        ("a-1", "a-2", False),
        ("a-2", "b-1", True),
    ]
    assert pairs[0].similarity == 1


@pytest.mark.parametrize("threshold", [0.0, -1.0, 1.1])
def test_a_threshold_out_of_range(threshold: float) -> None:
    with pytest.raises(ValueError, match="threshold"):
        list(near_duplicates([], threshold))
