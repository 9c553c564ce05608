"""The split: near-duplicates found exactly and kept together, domains divided alike, the same every time."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.annotation import AnnotatedSentence
from model.annotation_files import read_annotations, write_annotations
from training.annotation_split import (
    SHARES,
    THRESHOLD,
    domain,
    near_duplicates,
    near_duplicates_across,
    shingles,
    split,
    split_files,
)

ANNOTATIONS = Path(__file__).parents[2] / "annotations"


def sentence(identity: str, text: str) -> AnnotatedSentence:
    return AnnotatedSentence(identity, text, (), ())


def corpus(sizes: dict[str, int]) -> list[AnnotatedSentence]:
    return [
        sentence(f"{name}-{i:04}", f"{name} {i} {i * 7} {i * 11}") for name, size in sizes.items() for i in range(size)
    ]


def test_the_domain_is_what_the_id_begins_with() -> None:
    assert domain(sentence("culture_and_hard-0012", "")) == "culture_and_hard"
    assert domain(sentence("newspaper-sport-0001", "")) == "newspaper-sport"


def test_shingles() -> None:
    assert shingles("زارَ الوزير، بغداد أمس") == {("زار", "الوزير", "بغداد"), ("الوزير", "بغداد", "أمس")}
    assert shingles("زار الوزير") == {("زار", "الوزير")}


@given(st.lists(st.lists(st.sampled_from("ابجده"), max_size=8), max_size=12), st.sampled_from([0.2, 0.5, 0.9]))
def test_near_duplicates_are_those_of_comparing_every_pair(texts: list[list[str]], threshold: float) -> None:
    sentences = [sentence(str(i), " ".join(words)) for i, words in enumerate(texts)]
    expected = set()
    for first, second in combinations(sentences, 2):
        one, two = shingles(first.text), shingles(second.text)
        if len(one & two) / len(one | two) >= threshold:
            expected.add((first.id, second.id))
    assert {(pair.first.id, pair.second.id) for pair in near_duplicates(sentences, threshold)} == expected


def test_new_sentences_are_compared_with_what_is_held_out_only() -> None:
    held = [
        sentence("test-1", "زار الوزير بغداد أمس مع وفد كبير"),
        sentence("test-2", "زار الوزير بغداد أمس مع وفد كبير."),
    ]
    new = [
        sentence("new-1", "زار الوزيرُ بغداد أمس مع وفدٍ كبيرٍ جدا"),
        sentence("new-2", "هطل المطر على دمشق طوال الليل"),
    ]
    pairs = list(near_duplicates_across([*new, new[0]], held))
    assert {(pair.first.id, pair.second.id) for pair in pairs} == {("test-1", "new-1"), ("test-2", "new-1")}
    assert all(pair.similarity == pytest.approx(5 / 6) for pair in pairs)


def test_each_domain_is_divided_by_the_shares() -> None:
    parts = split(corpus({"a": 50, "b": 20, "c": 3}), seed=1)
    counts = {name: Counter(map(domain, part)) for name, part in parts.items()}
    assert counts == {"train": Counter(a=40, b=16, c=3), "dev": Counter(a=5, b=2), "test": Counter(a=5, b=2)}


def test_every_sentence_is_in_one_split_in_its_order() -> None:
    sentences = corpus({"a": 30, "b": 30})
    parts = split(sentences, seed=1)
    assert sorted(found.id for part in parts.values() for found in part) == [found.id for found in sentences]
    for part in parts.values():
        assert [found.id for found in part] == sorted(found.id for found in part)


def test_the_seed_decides() -> None:
    sentences = corpus({"a": 100})
    assert split(sentences, seed=1) == split(sentences, seed=1)
    assert split(sentences, seed=1) != split(sentences, seed=2)


def test_a_chain_of_near_duplicates_is_kept_together() -> None:
    words = [str(number) for number in range(20)]
    chain = [sentence(f"a-{start:04}", " ".join(words[start : start + 12])) for start in range(6)]
    assert not list(near_duplicates([chain[0], chain[-1]]))
    others = corpus({"b": 60})
    for seed in range(20):
        parts = split([*chain, *others], seed, {"train": 0.5, "dev": 0.5})
        found = [name for name, part in parts.items() for member in part if member in chain]
        assert len(set(found)) == 1


def test_shares_that_do_not_sum_to_one_are_refused() -> None:
    with pytest.raises(ValueError, match=r"sum to 1\.1, not to 1"):
        split(corpus({"a": 3}), 1, {"train": 0.9, "test": 0.2})


def test_files_are_split_once(tmp_path: Path) -> None:
    source = tmp_path / "source.jsonl"
    write_annotations(source, corpus({"a": 20}))
    folder = tmp_path / "out"
    folder.mkdir()
    assert split_files([source], folder, seed=1) == {"train": 16, "dev": 2, "test": 2}
    assert len(list(read_annotations(folder / "train.jsonl"))) == 16
    with pytest.raises(FileExistsError, match=r"train\.jsonl: a split is made once"):
        split_files([source], folder, seed=2)


def test_the_projects_splits_share_no_near_duplicates() -> None:
    parts = {name: list(read_annotations(ANNOTATIONS / f"{name}.jsonl")) for name in SHARES}
    assert (len(parts["dev"]), len(parts["test"])) == (330, 330)
    assert len(parts["train"]) >= 2640
    assert not list(near_duplicates_across(parts["train"], [*parts["dev"], *parts["test"]], THRESHOLD))
    assert not list(near_duplicates_across(parts["dev"], parts["test"], THRESHOLD))
