from __future__ import annotations

import pytest
import torch
from tokenizers import Tokenizer

from model.annotation import AnnotatedSentence, Relation, Span
from model.encoding import SentenceEncoder
from model.labels import CLASSES, FACTUALITIES, NAME_TAGS, REST_TAGS, ROLE_TAGS
from model.network import IGNORED
from training.features import Collator, Example, examples, word_range
from training.sources import LabelledSentence


def sentence(text: str, *spans: tuple[str, str], roles: tuple[tuple[int, int, str], ...] = ()) -> AnnotatedSentence:
    """Spans by label and covered text, each looked for behind the one before."""
    found = []
    start = 0
    for number, (label, covered) in enumerate(spans):
        start = text.index(covered, start)
        own = ("ASSAULT", "negated") if label == "ACT" else (None, None)
        found.append(Span(number, label, start, start + len(covered), *own))
        start += len(covered)
    links = tuple(Relation(number, *link) for number, link in enumerate(roles))
    return AnnotatedSentence("1", text, tuple(found), links)


def one(own: AnnotatedSentence, encoder: SentenceEncoder, names_only: bool = False) -> Example:
    (example,) = examples([LabelledSentence(own, names_only)], encoder)
    return example


def tag_names(example: Example) -> tuple[list[str], list[str]]:
    return [NAME_TAGS[tag] for tag in example["names"]], [REST_TAGS[tag] for tag in example["rest"]]


ATTACK = sentence(
    "لم يقصف الجيش العراقي ٤٥ موقعا لداعش",
    ("ACT", "يقصف"),
    ("ORG", "الجيش العراقي"),
    ("NUM", "٤٥"),
    ("NOM", "موقعا"),
    ("ORG", "داعش"),
    roles=((0, 1, "actor"), (0, 2, "count"), (0, 3, "target")),
)


def test_labels_of_an_annotated_sentence(encoder: SentenceEncoder) -> None:
    example = one(ATTACK, encoder)
    names, rest = tag_names(example)
    assert names == ["O", "O", "B-ORG", "I-ORG", "O", "O", "B-ORG"]
    assert rest == ["O", "B-ACT", "O", "O", "B-NUM", "B-NOM", "O"]
    assert example["clitics"] == [IGNORED, 0, 0, IGNORED, 0, 0, 1]
    assert example["classes"] == [IGNORED, CLASSES.index("ASSAULT"), *[IGNORED] * 5]
    assert example["factuality"] == [IGNORED, FACTUALITIES.index("negated"), *[IGNORED] * 5]
    assert example["actions"] == [1]
    assert sorted(example["entities"]) == [2, 4, 5, 6]
    roles = [(action, entity, ROLE_TAGS[role]) for action, entity, role in example["roles"]]
    assert roles == [(1, 2, "actor"), (1, 4, "count"), (1, 5, "target")]
    assert example["length"] == len(example["input_ids"])


def test_a_sentence_of_names_says_nothing_of_the_rest(encoder: SentenceEncoder) -> None:
    own = sentence("قال بايدن في لبنان", ("PER", "بايدن"), ("LOC", "لبنان"))
    example = one(own, encoder, names_only=True)
    assert [NAME_TAGS[tag] for tag in example["names"]] == ["O", "B-PER", "O", "B-LOC"]
    for layer in ("rest", "clitics", "classes", "factuality"):
        assert example[layer] == [IGNORED] * 4
    assert (example["actions"], example["roles"]) == ([], [])


@pytest.mark.parametrize(
    ("text", "covered", "word", "letters"),
    [
        ("هجوم وَبِالأنبار", "الأنبار", 1, 2),
        ("هجوم لـداعش", "داعش", 1, 1),
        ("قال لـ«داعش»", "داعش", 3, 0),
        ("هجوم للعراق", "لعراق", 1, 1),
        ("هجوم فبالعراق أمس", "العراق", 1, 2),
        ("هجوم وسيلبالعراق", "العراق", 1, IGNORED),  # five letters are no clitic
    ],
)
def test_clitics(encoder: SentenceEncoder, text: str, covered: str, word: int, letters: int) -> None:
    example = one(sentence(text, ("LOC", covered)), encoder)
    assert NAME_TAGS[example["names"][word]] == "B-LOC"
    assert example["clitics"][word] == letters
    assert sum(example["names"]) == NAME_TAGS.index("B-LOC")


def test_words_that_the_network_does_not_see(encoder: SentenceEncoder) -> None:
    text = "قال ـ حزب ـ الله ـ أمس"
    own = sentence(text, ("ORG", "ـ حزب ـ الله ـ"))
    (words,) = encoder.encode(text, [(0, len(text))])
    assert word_range(words, own.spans[0]) == (1, 2)
    assert tag_names(one(own, encoder))[0] == ["O", "B-ORG", "I-ORG", "O"]
    unseen = sentence(text, ("ORG", "ـ"), ("ACT", "أمس"), roles=((1, 0, "actor"),))
    assert word_range(words, unseen.spans[0]) is None
    example = one(unseen, encoder)
    assert set(example["names"]) == {0}
    assert (example["actions"], example["entities"], example["roles"]) == ([3], [], [])


def test_word_range_of_sentence_without_words(encoder: SentenceEncoder) -> None:
    (words,) = encoder.encode("ـ", [(0, 1)])
    assert word_range(words, Span(0, "PER", 0, 1)) is None
    assert list(examples([LabelledSentence(sentence("ـ"), False)], encoder)) == []


def test_windows_hold_the_labels_of_their_words(tokenizer: Tokenizer) -> None:
    encoder = SentenceEncoder(tokenizer, 42, 0)
    text = " ".join(["كلمة"] * 9 + ["قصف", "الجيش"] + ["كلمة"] * 9 + ["بغداد"])
    own = sentence(text, ("ACT", "قصف"), ("ORG", "الجيش"), ("LOC", "بغداد"), roles=((0, 1, "actor"), (0, 2, "place")))
    windows = list(examples([LabelledSentence(own, False)], encoder))
    assert len(windows) > 2
    seen: set[tuple[str, ...]] = set()
    for example in windows:
        assert len(example["input_ids"]) <= 42
        assert len({len(example[layer]) for layer in ("names", "rest", "clitics", "classes", "word_pieces")}) == 1
        first_pieces = [tokenizer.id_to_token(example["input_ids"][place]) for place in example["word_pieces"]]
        names, rest = tag_names(example)
        for piece, name, other in zip(first_pieces, names, rest, strict=True):
            assert (piece == "ا") == (name == "B-ORG")
            assert (piece == "ب") == (name == "B-LOC")
            assert (piece == "ق") == (other == "B-ACT")
        for action, entity, role in example["roles"]:
            seen.add((first_pieces[action], first_pieces[entity], ROLE_TAGS[role]))
            assert action in example["actions"]
            assert entity in example["entities"]
    assert seen == {("ق", "ا", "actor")}  # «بغداد» shares no window with «قصف»


def test_the_collator_pads(encoder: SentenceEncoder) -> None:
    names = sentence("بايدن قال", ("PER", "بايدن"))
    batch = Collator(pad_id=7)([one(ATTACK, encoder), one(names, encoder, names_only=True)])
    rows, pieces = batch["input_ids"].shape
    assert (rows, pieces) == (2, len(one(ATTACK, encoder)["input_ids"]))
    short = len(one(names, encoder)["input_ids"])
    assert batch["attention_mask"].sum(dim=1).tolist() == [pieces, short]
    assert set(batch["input_ids"][1, short:].tolist()) == {7}
    assert batch["word_pieces"].shape == (2, 7)
    labels = batch["labels"]
    assert labels["names"][1].tolist() == [NAME_TAGS.index("B-PER"), 0, *[IGNORED] * 5]
    assert set(labels["rest"][1].tolist()) == {IGNORED}
    assert labels["role_pairs"].tolist() == [4, 0]
    roles = labels["roles"]
    assert roles.shape == (2, 7, 7)
    expected = [ROLE_TAGS.index(name) for name in ("none", "none", "actor", "none", "count", "target", "none")]
    assert roles[0, 1].tolist() == expected
    others = torch.cat([roles[0, :1], roles[0, 2:], roles[1]])
    assert (others == IGNORED).all()


def test_role_pairs_end_with_the_sentence(encoder: SentenceEncoder) -> None:
    short = sentence("قصف داعش", ("ACT", "قصف"), ("ORG", "داعش"), roles=((0, 1, "target"),))
    roles = Collator(0)([one(ATTACK, encoder), one(short, encoder)])["labels"]["roles"]
    assert roles[1, 0].tolist() == [0, ROLE_TAGS.index("target"), *[IGNORED] * 5]
