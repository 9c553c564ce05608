from __future__ import annotations

from typing import Any

import pytest
from fake_extractor import FakeExtractor
from hypothesis import given
from hypothesis import strategies as st

from serving.examples import DOCUMENT
from serving.offsets import OFFSET_UNITS, OffsetUnit, convert, unit_offsets

#: What counts differently in code points, UTF-16 units, bytes and signs.
PIECES = [
    "أعلن",
    "ق\u064eصـف",
    " ",
    "\r\n",
    "\n",
    "Biden",
    "é",
    "e\u0301",
    "😀",
    "👨\u200d👩\u200d👧",
    "🇮🇶",
    "👍🏽",
    "\u202b",
    "\u2067",
    "\ufeff",
    "𐎠",
    "\U0010ffff",
    "\uffff",
    "\x85",
    "\u2028",
]
TEXTS = st.lists(
    st.sampled_from(PIECES) | st.text(st.characters(exclude_categories=["Cs"]), max_size=3), max_size=12
).map("".join)


def cut(text: str, span: dict[str, Any], unit: OffsetUnit) -> str:
    """The text of a span as a program that counts in `unit` cuts it."""
    start, end = span["start"], span["end"]
    if unit is OffsetUnit.UTF16:
        return text.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le")
    if unit is OffsetUnit.BYTE:
        return text.encode("utf-8")[start:end].decode("utf-8")
    return text[start:end]


@st.composite
def answers(draw: st.DrawFn) -> dict[str, Any]:
    text = draw(TEXTS)
    ends = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(sorted)
    spans = [{"start": start, "end": end, "text": text[start:end]} for start, end in draw(st.lists(ends, max_size=5))]
    return {"id": "1", "text": text, "sentences": spans[:1], "entities": spans[1:3], "actions": spans[3:]}


@given(answers(), st.sampled_from(OffsetUnit))
def test_every_unit_cuts_the_same_text(answer: dict[str, Any], unit: OffsetUnit) -> None:
    converted = convert(answer, unit)
    for part in ("sentences", "entities", "actions"):
        assert len(converted[part]) == len(answer[part])
        for span, original in zip(converted[part], answer[part], strict=True):
            assert cut(answer["text"], span, unit) == original["text"]
            assert span == original | {"start": span["start"], "end": span["end"]}
            assert type(span["start"]) is int


@given(TEXTS, st.sampled_from(OffsetUnit))
def test_offsets_count_the_encoded_text_before_them(text: str, unit: OffsetUnit) -> None:
    offsets = unit_offsets(text, unit)
    encoding, size = {"codepoint": ("utf-32-le", 4), "utf16": ("utf-16-le", 2), "byte": ("utf-8", 1)}[unit]
    expected = [len(text[:index].encode(encoding)) // size for index in range(len(text) + 1)]
    assert (list(range(len(text) + 1)) if offsets is None else offsets.tolist()) == expected


def test_emoji_by_hand() -> None:
    answer = {"text": "😀 بغداد", "sentences": [], "entities": [{"start": 2, "end": 7}], "actions": []}
    assert convert(answer, OffsetUnit.UTF16)["entities"] == [{"start": 3, "end": 8}]
    assert convert(answer, OffsetUnit.BYTE)["entities"] == [{"start": 5, "end": 15}]
    assert answer["entities"] == [{"start": 2, "end": 7}]


@pytest.mark.parametrize("unit", OffsetUnit)
def test_a_document_with_every_unit(extractor: FakeExtractor, nasty_text: str, unit: OffsetUnit) -> None:
    answer = extractor.extract(nasty_text).to_dict()
    converted = convert(answer, unit)
    assert {**converted, **{part: answer[part] for part in ("sentences", "entities", "actions")}} == answer
    for span in converted["entities"] + converted["actions"]:
        assert cut(nasty_text, span, unit) == span["text"]


@pytest.mark.parametrize("unit", [OffsetUnit.CODEPOINT, OffsetUnit.UTF16])
def test_arabic_alone_counts_the_same(unit: OffsetUnit) -> None:
    assert unit_offsets(DOCUMENT.text, unit) is None
    assert convert(DOCUMENT.to_dict(), unit) == DOCUMENT.to_dict()


@pytest.mark.parametrize("unit", OffsetUnit)
def test_lists_that_are_left_out_stay_out_and_failures_stay_as_they_are(unit: OffsetUnit) -> None:
    assert convert({"id": "1", "text": "😀", "sentences": []}, unit) == {"id": "1", "text": "😀", "sentences": []}
    assert convert({"id": None, "error": {"status": 422}}, unit) == {"id": None, "error": {"status": 422}}


def test_the_units_are_named_as_in_the_request() -> None:
    assert OFFSET_UNITS == ("codepoint", "utf16", "byte")
    assert OffsetUnit("utf16") is OffsetUnit.UTF16
