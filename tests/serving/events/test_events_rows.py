"""One row an event, names that are one, quad categories, dates."""

from __future__ import annotations

from dataclasses import replace

import pytest
from event_samples import RAID, TALKS, rows

from model.labels import CLASSES, PLOVER_CLASSES
from model.records import RoleFiller, Sentence
from serving.events.dates import DateError, iso_date
from serving.events.keys import merge_key
from serving.events.quads import QUADS, Quad
from serving.events.rows import DocumentError, event_rows


def test_a_row_an_action_with_offsets_of_the_text() -> None:
    meeting, threat = event_rows(TALKS, "2024-05-01")
    assert (meeting.document, meeting.date, meeting.action) == ("talks", "2024-05-01", "a0")
    assert (meeting.sentence, threat.sentence) == (2, 2)
    for row in (meeting, threat):
        assert TALKS.text[row.start : row.end] == row.text
        assert TALKS.text[row.sentence_start : row.sentence_end].startswith("التقى")
        for fillers in row.fillers.values():
            assert all(TALKS.text[own.start : own.end] == own.text for own in fillers)
    assert (meeting.event_class, meeting.quad, meeting.factuality) == ("CONSULT", Quad.VERBAL_COOPERATION, "asserted")
    assert (threat.event_class, threat.quad, threat.factuality) == ("THREATEN", Quad.VERBAL_CONFLICT, "negated")


def test_the_best_filler_and_the_others_after_it() -> None:
    meeting, threat = event_rows(TALKS)
    assert [own.name for own in meeting.fillers["actor"]] == ["بدر عبد العاطي", "أيمن الصفدي"]
    # the same score: the first in the text
    assert [own.name for own in threat.fillers["actor"]] == ["أيمن الصفدي", "بدر عبد العاطي"]
    assert meeting.best("target") is None
    count = threat.best("count")
    assert count is not None
    assert (count.value, count.text, count.label) == (3, "3", "NUM")
    place = meeting.best("place")
    assert place is not None
    assert (place.name, place.score) == ("عمان", 0.6)


def test_the_score_of_the_triple_of_the_best_ends() -> None:
    meeting, threat = event_rows(TALKS)
    assert (meeting.triple_score, threat.triple_score) == (0.45, 0.4)
    assert [row.triple_score for row in event_rows(replace(TALKS, triples=()))] == [None, None]


def test_state_and_other_have_no_quad_category() -> None:
    assert [row.quad for row in rows((RAID, None))] == [Quad.MATERIAL_CONFLICT, None]
    assert set(QUADS) == set(PLOVER_CLASSES) == set(CLASSES) - {"STATE", "OTHER"}


def test_quad_categories_and_codes_as_published() -> None:
    by_code = {quad.code: [name for name, own in QUADS.items() if own is quad] for quad in Quad}
    assert by_code == {
        1: ["AGREE", "CONSULT", "SUPPORT", "CONCEDE"],
        2: ["COOPERATE", "AID", "RETREAT"],
        3: ["REQUEST", "ACCUSE", "REJECT", "THREATEN"],
        4: ["PROTEST", "SANCTION", "MOBILIZE", "COERCE", "ASSAULT"],
    }


def test_an_action_outside_all_sentences_is_an_error() -> None:
    with pytest.raises(DocumentError, match="'raid': action a0 lies in no sentence"):
        event_rows(replace(RAID, sentences=()))
    with pytest.raises(DocumentError, match="action a0 lies in no sentence"):
        event_rows(replace(RAID, sentences=(Sentence(0, 2),)))


def test_a_filler_that_is_no_entity_is_an_error() -> None:
    action = replace(RAID.actions[0], roles={**RAID.actions[0].roles, "place": (RoleFiller("e9", 0.5),)})
    with pytest.raises(DocumentError, match="action a0: place e9 is not one of its entities"):
        event_rows(replace(RAID, actions=(action,)))


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("2024-05-01", "2024-05-01"),
        ("20240501", "2024-05-01"),
        ("2024-W18-3", "2024-05-01"),
        ("2024-05-01T08:30:00+03:00", "2024-05-01T08:30:00+03:00"),
        ("2024-05-01T05:30:00Z", "2024-05-01T05:30:00+00:00"),
        ("20240501T0830", "2024-05-01T08:30:00"),
    ],
)
def test_dates_of_iso_8601(given: str, read: str) -> None:
    assert iso_date(given) == read
    assert {row.date for row in event_rows(RAID, given)} == {read}


@pytest.mark.parametrize("given", ["", "2024-05", "2024", "01/05/2024", "2024-02-30", "1 مايو 2024", "2024-05-01 "])
def test_what_is_no_date_of_iso_8601_is_an_error(given: str) -> None:
    with pytest.raises(DateError, match=r"not a date of ISO 8601"):
        event_rows(RAID, given)


@pytest.mark.parametrize(
    "spellings",
    [
        ("أحمد الشرع", "احمد الشرع", "أحمد  الشّرع", "أحـمد الشرع"),
        ("عبد الله الثاني", "عبدالله الثاني", "عبد اللّٰه الثاني"),
        ("أبو ظبي", "أبوظبي", "ابو ظبى"),
        ("«قوات الدعم السريع»", "قوات الدعم السريع"),
        ("فاطمة", "فاطمه"),
        ("BBC", "bbc"),
        ("ﺑﻐﺪﺍﺩ", "بغداد"),
        ("ایران", "ايران"),
    ],
)
def test_spellings_of_one_name_have_one_key(spellings: tuple[str, ...]) -> None:
    assert len({merge_key(name) for name in spellings}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("بايدن", "جو بايدن"),
        ("الصدر", "صدر"),
        ("عبد الرحمن", "عبد الرحيم"),
        ("حسن", "حسين"),
        ("عمان", "عمار"),
        ("رئيس", "رئيسي"),
        ("معبد الله", "عبد الله"),
    ],
)
def test_other_names_have_other_keys(one: str, other: str) -> None:
    assert merge_key(one) != merge_key(other)


def test_a_name_of_signs_alone_keeps_a_key() -> None:
    assert merge_key("«»") == "«»"
    assert merge_key("؟") != merge_key("!")
