from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from fake_extractor import FakeExtractor
from rich.console import Console, RenderableType

from serving.examples import DOCUMENT, TEXT
from serving.formats import json_line, pretty, table


def rendered(*renderables: RenderableType) -> str:
    console = Console(file=io.StringIO(), highlight=False, markup=False, width=200)
    for renderable in renderables:
        console.print(renderable, soft_wrap=True)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def plain(text: str) -> str:
    """Without the isolates."""
    return text.replace("\u2068", "").replace("\u2069", "")


def test_json_is_the_document_on_one_line(extractor: FakeExtractor, nasty_text: str) -> None:
    document = extractor.extract(nasty_text, id="1")
    line = json_line(document)
    assert "\n" not in line
    assert json.loads(line) == document.to_dict()
    assert json.loads(line)["text"] == nasty_text
    assert "\\u06" not in json_line(DOCUMENT)


def test_pretty_shows_sentence_entities_and_triples() -> None:
    id_line, sentence, entities, statement, killing, empty = pretty(DOCUMENT)
    assert id_line.plain == "1042"
    assert sentence.plain == TEXT
    assert plain(entities.plain) == "  ORG الجيش العراقي · NUM خمسة · NOM مسلحين · LOC صلاح الدين"
    assert plain(statement.plain) == "  الجيش العراقي —[STATE أعلن]→ ∅  0.94"
    assert plain(killing.plain) == "  ∅ —[ASSAULT مقتل]→ مسلحين · place صلاح الدين · count خمسة  0.87"
    assert empty.plain == ""


def test_pretty_colours_exactly_the_spans() -> None:
    sentence = list(pretty(DOCUMENT))[1]
    styled = {TEXT[span.start : span.end]: str(span.style) for span in sentence.spans}
    assert styled == {
        "أعلن": "bold underline",
        "الجيش العراقي": "bold cyan",
        "مقتل": "bold underline",
        "خمسة": "bold magenta",
        "مسلحين": "blue",
        "صلاح الدين": "bold yellow",
    }


def test_pretty_says_what_is_not_asserted_and_keeps_actions_without_triples(extractor: FakeExtractor) -> None:
    document = replace(extractor.extract("قال الوزير"), triples=())
    assert "  ∅ —[OTHER قال negated]→ ∅  0.50\n" in plain(rendered(*pretty(document)))


def test_pretty_isolates_each_arabic_piece() -> None:
    for line in list(pretty(DOCUMENT))[2:]:
        depth = 0
        for character in line.plain:
            depth += {"\u2068": 1, "\u2069": -1}.get(character, 0)
            assert depth in (0, 1)
            assert depth == 1 or not "\u0600" <= character <= "\u06ff"
        assert depth == 0


@pytest.mark.parametrize("text", ["أ\x1b[31mحمر ب\x9b31m", "أ\rب ت\nث", "أ\x07 \x08ب\x00\x7f"])
def test_people_are_shown_no_controls(extractor: FakeExtractor, text: str) -> None:
    document = extractor.extract(text, id="\x1b]0;title\x07")
    shown = rendered(*pretty(document), table(document)).replace("\n", "")
    assert shown.isprintable() or not any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in shown)
    assert len(list(pretty(document))[1].plain) == len(text)


def test_table_has_a_row_for_each_triple() -> None:
    rows = [
        [cell.strip() for cell in line.split("  ") if cell.strip()]
        for line in plain(rendered(table(DOCUMENT))).split("\n")
    ]
    assert [
        "actor", "label", "action", "class", "factuality", "target", "label", "place", "count", "score"
    ] in rows  # fmt: skip
    assert ["الجيش العراقي", "ORG", "أعلن", "STATE", "asserted", "∅", "0.94"] in rows
    assert ["∅", "مقتل", "ASSAULT", "asserted", "مسلحين", "NOM", "صلاح الدين", "5", "0.87"] in rows


def test_table_shows_a_number_that_cannot_be_read_as_it_is() -> None:
    entities = tuple(replace(entity, value=None) for entity in DOCUMENT.entities)
    assert "خمسة" in rendered(table(replace(DOCUMENT, entities=entities)))
    assert "خمسة" not in rendered(table(DOCUMENT))


def test_table_of_nothing_says_so(extractor: FakeExtractor) -> None:
    assert rendered(table(extractor.extract("", id="7"))) == "7: no triples\n\n"
