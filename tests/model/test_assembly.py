from __future__ import annotations

import pytest

from model.assembly import assemble, span_offsets
from model.calibration import Calibration
from model.decoding import DecodedRole, DecodedSentence, DecodedSpan
from model.encoding import EncodedSentence
from model.records import Document, RoleFiller, Sentence, Triple
from model.text import split_words

TEXT = "قصف الجيش داعش في ٤٥ موقعا"  # words 0 to 5


def encoded(text: str, start: int = 0, end: int | None = None, without: tuple[int, ...] = ()) -> EncodedSentence:
    words = [word for index, word in enumerate(split_words(text, start, end)) if index not in without]
    return EncodedSentence(tuple(words), tuple((1,) for _ in words))


def entity(label: str, first: int, last: int | None = None, probability: float = 1.0, clitics: int = 0) -> DecodedSpan:
    return DecodedSpan(label, first, first if last is None else last, probability, clitics)


def action(first: int, probability: float = 1.0, class_probability: float = 1.0) -> DecodedSpan:
    return DecodedSpan("ACT", first, first, probability, 0, "ASSAULT", class_probability, "asserted")


def built(found: DecodedSentence, min_score: float = 0.0, calibration: Calibration | None = None) -> Document:
    whole = (0, len(TEXT))
    return assemble("d", TEXT, [whole], [encoded(TEXT)], [found], calibration or Calibration(), min_score)


def attack(roles: tuple[tuple[int, str, float], ...], **probabilities: float) -> DecodedSentence:
    """«قصف» with probability 0.8 and class 0.5; «الجيش» 0.9, «داعش» 0.6, «٤٥» 0.7; roles by entity, of action 0."""
    entities = (
        entity("ORG", 1, probability=probabilities.get("army", 0.9)),
        entity("ORG", 2, probability=probabilities.get("daesh", 0.6)),
        entity("NUM", 4, probability=0.7),
    )
    links = tuple(DecodedRole(0, index, role, probability) for index, role, probability in roles)
    return DecodedSentence(entities, (action(0, 0.8, 0.5),), links)


FULL = attack(((0, "actor", 0.7), (1, "target", 0.5), (2, "count", 0.9)))


@pytest.mark.parametrize(
    ("text", "word", "letters", "expected"),
    [
        ("وَبِالأنبار", 0, 2, "الأنبار"),
        ("وَبِالأنبار", 0, 1, "بِالأنبار"),
        ("وَبِالأنبار", 0, 0, "وَبِالأنبار"),
        ("لـداعش", 0, 1, "داعش"),
        ("فلـ\u064e\u200fداعش", 0, 2, "داعش"),
        ("قال لـ«داعش»", 3, 0, "داعش"),
        ("قال لـ«داعش»", 3, 1, "داعش"),  # «د» is no clitic
        ("سوبغداد", 0, 2, "وبغداد"),  # «سو» are none together
        ("في للعراق", 1, 1, "لعراق"),
        ("لـ", 0, 1, "لـ"),  # all of the word is clitic: its last letter is kept
        ("وب", 0, 3, "ب"),
        ("و", 0, 2, "و"),
        ("٤٥", 0, 3, "٤٥"),
    ],
)
def test_clitics_are_trimmed_from_the_first_word(text: str, word: int, letters: int, expected: str) -> None:
    start, end = span_offsets(text, encoded(text), entity("ORG", word, clitics=letters))
    assert text[start:end] == expected


def test_a_span_over_a_word_without_pieces_holds_it() -> None:
    text = "وحزب ـ الله قال"
    start, end = span_offsets(text, encoded(text, without=(1,)), entity("ORG", 0, 1, clitics=1))
    assert text[start:end] == "حزب ـ الله"


def test_everything_in_a_document() -> None:
    document = built(FULL)
    assert (document.id, document.text, document.sentences) == ("d", TEXT, (Sentence(0, len(TEXT)),))
    assert [(e.id, e.label, e.text, e.value) for e in document.entities] == [
        ("e0", "ORG", "الجيش", None),
        ("e1", "ORG", "داعش", None),
        ("e2", "NUM", "٤٥", 45),
    ]
    (own,) = document.actions
    assert (own.id, own.text, own.event_class, own.factuality) == ("a0", "قصف", "ASSAULT", "asserted")
    assert list(own.roles) == ["actor", "target", "place", "count"]
    assert own.roles["place"] == ()


def test_raw_scores_are_products() -> None:
    document = built(FULL)
    assert [e.score for e in document.entities] == [0.9, 0.6, 0.7]
    (own,) = document.actions
    assert own.score == 0.8 * 0.5
    assert own.roles["actor"] == (RoleFiller("e0", round(0.8 * 0.9 * 0.7, 4)),)
    assert own.roles["target"] == (RoleFiller("e1", round(0.8 * 0.6 * 0.5, 4)),)
    assert own.roles["count"] == (RoleFiller("e2", round(0.8 * 0.7 * 0.9, 4)),)
    (triple,) = document.triples
    assert triple == Triple("e0", "a0", "e1", round(0.8 * 0.5 * 0.9 * 0.7 * 0.6 * 0.5, 4))


def test_each_kind_of_score_has_its_own_calibration() -> None:
    shift = {"entity": (1.0, 1.0), "action": (1.0, 2.0), "role": (0.0, 3.0), "triple": (0.0, -3.0)}
    document = built(FULL, calibration=Calibration(shift))
    assert document.entities[0].score == Calibration(shift).score("entity", 0.9) > 0.9
    assert document.actions[0].score == Calibration(shift).score("action", 0.4) > 0.4
    assert document.actions[0].roles["actor"][0].score == 0.9526
    assert document.triples[0].score == 0.0474


def test_an_empty_end_of_a_triple() -> None:
    actor_only = built(attack(((0, "actor", 0.7),)))
    assert actor_only.triples == (Triple("e0", "a0", None, round(0.4 * 0.9 * 0.7, 4)),)
    target_only = built(attack(((1, "target", 0.5),)))
    assert target_only.triples == (Triple(None, "a0", "e1", round(0.4 * 0.6 * 0.5, 4)),)
    assert built(attack(((2, "count", 0.9),))).triples == ()
    assert built(attack(())).triples == ()


def test_every_actor_with_every_target() -> None:
    entities = tuple(entity("ORG", word) for word in range(1, 5))
    roles = [DecodedRole(0, index, role, 1.0) for index, role in enumerate(["actor", "target", "actor", "target"])]
    document = built(DecodedSentence(entities, (action(0),), tuple(roles)))
    assert [(t.actor, t.target) for t in document.triples] == [("e0", "e1"), ("e0", "e3"), ("e2", "e1"), ("e2", "e3")]


def test_what_scores_below_min_score_is_left_out() -> None:
    high = {"role": (0.0, 9.0), "triple": (0.0, 9.0), "action": (0.0, 9.0)}
    document = built(FULL, 0.65, Calibration(high))  # «داعش» falls, and what stands on it
    assert [(e.id, e.text) for e in document.entities] == [("e0", "الجيش"), ("e1", "٤٥")]
    (own,) = document.actions
    assert {role: [filler.entity for filler in fillers] for role, fillers in own.roles.items()} == {
        "actor": ["e0"],
        "target": [],
        "place": [],
        "count": ["e1"],
    }
    assert document.triples == ()  # never (army, attack, nobody)


def test_a_triple_needs_both_its_roles() -> None:
    high = Calibration({"triple": (0.0, 9.0), "action": (0.0, 9.0)})
    document = built(FULL, 0.3, high)  # the target's role has 0.24
    assert [e.id for e in document.entities] == ["e0", "e1", "e2"]
    assert document.actions[0].roles["target"] == ()
    assert document.triples == ()


def test_a_triple_has_a_score_of_its_own() -> None:
    document = built(FULL, 0.2)
    assert document.actions[0].roles["target"] != ()
    assert document.triples == ()  # 0.0756


def test_an_action_that_is_left_out_takes_its_triples_with_it() -> None:
    high = Calibration({"triple": (0.0, 9.0), "role": (0.0, 9.0)})
    document = built(FULL, 0.5, high)
    assert (document.actions, document.triples) == ((), ())
    assert len(document.entities) == 3


def test_a_score_equal_to_min_score_stays() -> None:
    assert [e.score for e in built(FULL, 0.9).entities] == [0.9]
    assert built(FULL, 0.9001).entities == ()


def test_ids_run_through_the_sentences() -> None:
    text = "قصف الجيش داعش. قتل الجيش أحمد"
    sentences = [(0, 15), (16, len(text))]
    roles = (DecodedRole(0, 0, "actor", 1.0), DecodedRole(0, 1, "target", 1.0))
    own = DecodedSentence((entity("ORG", 1), entity("PER", 2)), (action(0),), roles)
    words = [encoded(text, *sentence) for sentence in sentences]
    document = assemble("d", text, sentences, words, [own, own], Calibration(), 0.0)
    assert [(e.id, e.text) for e in document.entities] == [
        ("e0", "الجيش"),
        ("e1", "داعش"),
        ("e2", "الجيش"),
        ("e3", "أحمد"),
    ]
    assert [(t.actor, t.action, t.target) for t in document.triples] == [("e0", "a0", "e1"), ("e2", "a1", "e3")]


def test_the_name_of_an_entity_behind_lam() -> None:
    text = "هجوم للعراق"
    found = DecodedSentence((entity("LOC", 1, clitics=1),), (), ())
    document = assemble("d", text, [(0, len(text))], [encoded(text)], [found], Calibration(), 0.0)
    assert [(e.text, e.name) for e in document.entities] == [("لعراق", "العراق")]
