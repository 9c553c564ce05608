"""Offsets: the page counts UTF-16, the annotations code points, and the text is the caller's to the letter."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Route
from watched_page import WatchedPage

from model.extractor import Extractor

#: Texts in which UTF-16 units, code points, bytes and what a reader sees all count differently.
TEXTS = {
    "tashkeel": "أَعْلَنَ الجَيْشُ العِراقِيُّ مَقْتَلَ خَمْسَةِ مُسَلَّحينَ في صَلاحِ الدّينِ.",
    "emoji": "😀 أعلن 👨\u200d👩\u200d👧 الجيش العراقي 🇮🇶 مقتل خمسة مسلحين 👍🏽 في صلاح الدين 🔴.",
    "crlf": "أعلن الجيش العراقي مقتل خمسة مسلحين.\r\n\r\nوقال الرئيس جو بايدن ذلك في بغداد.\r\nانتهى\r",
    "mixed": "Joe Biden قال جو بايدن (Biden) في 12.5.2024 إن <b>الجيش</b> &amp; \u2068NATO\u2069 قصف حلب.\nIn English.",
}


@pytest.mark.parametrize("name", TEXTS)
def test_spans_are_the_models(tab: WatchedPage, extractor: Extractor, name: str) -> None:
    text = TEXTS[name]
    tab.analyse(text)
    assert tab.page.evaluate("document.getElementById('text').textContent") == text
    document = extractor.extract(text)
    expected = sorted((span.start, span.end, span.text) for span in (*document.entities, *document.actions))
    assert expected
    units = text.encode("utf-16-le", "surrogatepass")
    found = []
    for span in tab.spans():
        assert units[2 * span["start"] : 2 * span["end"]].decode("utf-16-le") == span["text"]
        start = len(units[: 2 * span["start"]].decode("utf-16-le"))
        found.append((start, start + len(span["text"]), span["text"]))
    assert found == expected


def test_saved_offsets_are_code_points(tab: WatchedPage) -> None:
    text = "👨\u200d👩\u200d👧 قَصَفَ الجَيْشُ 🇮🇶 حَلَبَ.\r\nوقال 😀 جو بايدن ذلك."
    tab.analyse(text)
    tab.add("قَصَفَ", "ACT")
    tab.add("الجَيْشُ", "NOM")
    tab.add("حَلَبَ", "LOC")
    tab.add("جو بايدن", "PER")
    tab.span("قَصَفَ").click()
    for role, entity in [("actor", "الجَيْشُ — طرف غير مسمّى"), ("target", "حَلَبَ — مكان")]:
        tab.control("role-role").select_option(role)
        tab.control("role-entity").select_option(label=entity)
        tab.control("role-add").click()
    tab.save("آدم")
    (record,) = tab.exported("آدم")
    assert record["text"] == text
    covered = {text[span["start_offset"] : span["end_offset"]] for span in record["entities"]}
    assert {"قَصَفَ", "الجَيْشُ", "حَلَبَ", "جو بايدن"} <= covered


def test_borders_never_cut_a_letter_from_its_marks(tab: WatchedPage) -> None:
    text = "زارَ الرَّئيسُ\u00a0 👨\u200d👩\u200d👧 مُحَمَّدٌ بَغدادَ."
    tab.analyse(text)
    tab.select("يسُ\u00a0 👨\u200d👩\u200d👧 مُحَ")
    tab.control("label-ORG").click()
    shown = tab.page.locator("#editor .editor-text")
    assert shown.text_content() == "يسُ\u00a0 👨\u200d👩\u200d👧 مُحَ"
    steps: list[tuple[str, str]] = [
        ("end-letter-later", "يسُ\u00a0 👨\u200d👩\u200d👧 مُحَمَّ"),
        ("end-letter-earlier", "يسُ\u00a0 👨\u200d👩\u200d👧 مُحَ"),
        ("end-word-later", "يسُ\u00a0 👨\u200d👩\u200d👧 مُحَمَّدٌ"),
        ("start-letter-earlier", "ئيسُ\u00a0 👨\u200d👩\u200d👧 مُحَمَّدٌ"),
        ("start-word-earlier", "الرَّئيسُ\u00a0 👨\u200d👩\u200d👧 مُحَمَّدٌ"),
        ("end-word-earlier", "الرَّئيسُ"),
        ("end-letter-later", "الرَّئيسُ\u00a0 👨\u200d👩\u200d👧"),
        ("end-letter-earlier", "الرَّئيسُ"),
        ("start-letter-later", "لرَّئيسُ"),
        ("start-letter-later", "رَّئيسُ"),
        ("start-letter-later", "ئيسُ"),
    ]
    for step, expected in steps:
        tab.control(step).click()
        assert shown.text_content() == expected, step


UNITS: list[tuple[str, Any]] = [
    ("text_units.codePointCounter('a😀ب👍🏽')(8)", 5),
    ("text_units.trimmed('  قال\\u064e  ', 3, 7)", {"start": 3, "end": 6}),
    ("text_units.trimmed('  قال\\u064e  ', 0, 5)", {"start": 2, "end": 6}),
    ("text_units.trimmed(' \\n ', 0, 3)", None),
    ("text_units.trimmed('👍🏽', 1, 2)", {"start": 0, "end": 4}),
    ("exact_text.exactLength('a\\r\\nb\\rc\\r\\n', 4)", 5),
    ("csv.toCsv([['=1+1', ' a', 'x\"y', 'p,q', null, 0.5]])", '\'=1+1," a","x""y","p,q",,0.5\r\n'),
    (
        "csv.toCsv([['-2', '\\u200f+3', '@x', '\\ta', '＝1', 'ا\\nب', '2-1']])",
        "'-2,'\u200f+3,'@x,'\ta,'＝1,\"ا\nب\",2-1\r\n",
    ),
]


def test_units(tab: WatchedPage) -> None:
    for code, expected in UNITS:
        module = code.partition(".")[0]
        got = tab.page.evaluate(
            f"async () => {{ const {module} = await import('./static/{module}.js'); return {code}; }}"
        )
        assert got == expected, code


def test_counting_inside_a_character_is_an_error(tab: WatchedPage) -> None:
    code = "async () => (await import('./static/text_units.js')).codePointCounter('😀')(1)"
    with pytest.raises(Exception, match="inside a character"):
        tab.page.evaluate(code)


def test_the_text_area_keeps_crlf_through_typing(tab: WatchedPage) -> None:
    tab.paste("أول\r\nثانٍ\rثالث\r\n")
    area = tab.page.locator("#source")
    area.press("Control+Home")
    area.press_sequentially("ها ")
    area.press("Control+End")
    area.press_sequentially("رابع")
    area.press("ArrowUp")
    area.press("Backspace")
    requested: list[str] = []

    def refuse(route: Route) -> None:
        requested.append(route.request.post_data_json["documents"][0]["text"])
        route.abort()

    tab.page.route("**/predict", refuse)
    tab.page.locator("#analyse").click()
    tab.page.locator("#analysis-answer p").first.wait_for()
    (sent,) = requested
    assert sent.startswith("ها أول\r\nثانٍ\r")
    assert sent.endswith("\r\nرابع")
    assert sent.replace("\r\n", "\n").replace("\r", "\n") == area.input_value()
