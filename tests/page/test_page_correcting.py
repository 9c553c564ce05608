"""Paste, look, correct, save, and find it all in the export."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect
from watched_page import WatchedPage

from model.annotation_check import check_sentence
from model.extractor import Extractor

TEXT = "أعلن الجيش العراقي مقتل خمسة مسلحين في صلاح الدين."


def covered(record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The spans of an exported record by the text that they cover."""
    return {record["text"][span["start_offset"] : span["end_offset"]]: span for span in record["entities"]}


def roles(record: dict[str, Any]) -> set[tuple[str, str, str]]:
    text = {span["id"]: record["text"][span["start_offset"] : span["end_offset"]] for span in record["entities"]}
    return {(text[link["from_id"]], link["type"], text[link["to_id"]]) for link in record["relations"]}


def annotated(tab: WatchedPage) -> None:
    """Bring TEXT to spans that are known, whatever the model found."""
    tab.analyse(TEXT)
    for text, label in [("أعلن", "ACT"), ("الجيش العراقي", "ORG"), ("مقتل", "ACT"), ("مسلحين", "NOM"), ("خمسة", "NUM")]:
        tab.add(text, label)
    for span in tab.spans():
        if span["text"] not in ("أعلن", "الجيش العراقي", "مقتل", "مسلحين", "خمسة"):
            tab.span(span["text"]).focus()
            tab.page.keyboard.press("Delete")


def test_what_the_model_finds_is_shown(tab: WatchedPage, extractor: Extractor) -> None:
    tab.analyse(TEXT)
    document = extractor.extract(TEXT)
    found = [(span["text"], span["label"]) for span in tab.spans()]
    labels = [(entity.start, entity.text, entity.label) for entity in document.entities]
    labels += [(action.start, action.text, "ACT") for action in document.actions]
    assert found == [(text, label) for _, text, label in sorted(labels)]
    assert len(found) >= 4
    expect(tab.page.locator("#triples-body tr")).to_have_count(len(document.triples))
    assert tab.page.locator("#model").inner_text().count(extractor.info.version) == 1


def test_correct_save_export(tab: WatchedPage) -> None:
    annotated(tab)
    # label
    tab.span("الجيش العراقي").click()
    tab.control("label-PER").click()
    expect(tab.control("label-PER")).to_have_attribute("aria-pressed", "true")
    # borders: a word less, and a letter less at the beginning, as where a clitic is cut off
    tab.control("end-word-earlier").click()
    tab.control("start-letter-later").click()
    expect(tab.page.locator("#editor .editor-text")).to_have_text("لجيش")
    # class and factuality
    tab.span("مقتل").click()
    tab.control("class").select_option("ASSAULT")
    tab.control("factuality-potential").click()
    # roles: by menu, and by picking in the text
    tab.control("role-role").select_option("count")
    tab.control("role-entity").select_option(label="خمسة — عدد")
    tab.control("role-add").click()
    tab.control("role-role").select_option("target")
    tab.control("role-pick").click()
    tab.span("مسلحين").click()
    tab.span("أعلن").click()
    tab.control("class").select_option("STATE")
    tab.control("role-role").select_option("actor")
    tab.control("role-entity").select_option(label="لجيش — شخص")
    tab.control("role-add").click()
    expect(tab.page.locator("#unsaved")).to_be_visible()
    expect(tab.page.locator("#triples-body tr")).to_have_count(2)

    tab.save("سلمى")
    expect(tab.page.locator("#unsaved")).to_be_hidden()
    (record,) = tab.exported("سلمى")
    assert record["text"] == TEXT
    spans = covered(record)
    assert set(spans) == {"أعلن", "لجيش", "مقتل", "مسلحين", "خمسة"}
    assert spans["لجيش"]["label"] == "PER"
    assert (spans["مقتل"]["class"], spans["مقتل"]["factuality"]) == ("ASSAULT", "potential")
    assert roles(record) == {("مقتل", "count", "خمسة"), ("مقتل", "target", "مسلحين"), ("أعلن", "actor", "لجيش")}
    assert check_sentence({field: record[field] for field in ("id", "text", "entities", "relations")}) == []
    assert record["meta"]["annotator"] == "سلمى"

    tab.page.locator("#save").click()
    expect(tab.page.locator("#save-answer .success")).to_contain_text("من قبل")
    assert len(tab.exported("سلمى")) == 1


def test_roles_from_the_entitys_side_and_removing_them(tab: WatchedPage) -> None:
    annotated(tab)
    tab.span("مسلحين").click()
    tab.control("role-role").select_option("target")
    tab.control("role-action").select_option(label="مقتل — آخر")
    tab.control("role-add").click()
    expect(tab.page.locator("#editor .chip-text")).to_have_text("الهدف: مقتل")
    tab.control("role-action").select_option(label="مقتل — آخر")
    tab.control("role-add").click()
    expect(tab.page.locator("#status")).to_have_text("له هذا الدور من قبل.")
    tab.page.locator("#editor .chip-text").click()
    expect(tab.page.locator("#editor .editor-text")).to_have_text("مقتل")
    tab.page.locator("#editor .chip-remove").click()
    expect(tab.page.locator("#editor .chip")).to_have_count(0)


def test_a_label_that_cannot_have_its_roles_loses_them_and_says_so(tab: WatchedPage) -> None:
    annotated(tab)
    tab.span("مسلحين").click()
    tab.control("role-role").select_option("target")
    tab.control("role-action").select_option(label="أعلن — آخر")
    tab.control("role-add").click()
    tab.control("label-NUM").click()  # may be a target
    expect(tab.page.locator("#editor .chip")).to_have_count(1)
    tab.control("label-ACT").click()
    expect(tab.page.locator("#status")).to_contain_text("١")
    tab.page.locator("#undo").click()
    expect(tab.page.locator("#editor .chip")).to_have_count(1)


def test_undo_and_redo(tab: WatchedPage) -> None:
    annotated(tab)
    before = tab.spans()
    tab.span("مقتل").click()
    tab.control("delete").click()
    tab.span("خمسة").click()
    tab.control("label-ORG").click()
    after = tab.spans()
    assert len(after) == len(before) - 1
    tab.page.locator("#undo").click()
    tab.page.keyboard.press("Control+z")
    assert tab.spans() == before
    tab.page.locator("#redo").click()
    tab.page.keyboard.press("Control+Shift+Z")
    assert tab.spans() == after
    expect(tab.page.locator("#redo")).to_have_attribute("aria-disabled", "true")


def test_new_spans_never_overlap(tab: WatchedPage) -> None:
    annotated(tab)
    tab.select("العراقي مقتل ")
    expect(tab.page.locator("#editor .warning")).to_contain_text("«الجيش العراقي»، «مقتل»")
    tab.control("label-ACT").click()
    assert [span["text"] for span in tab.spans()] == ["أعلن", "العراقي مقتل", "خمسة", "مسلحين"]
    tab.control("end-word-later").click()
    expect(tab.page.locator("#status")).to_contain_text("خمسة")
    assert [span["text"] for span in tab.spans()] == ["أعلن", "العراقي مقتل", "خمسة", "مسلحين"]


def test_what_the_guidelines_do_not_allow_is_named_before_it_is_sent(tab: WatchedPage) -> None:
    annotated(tab)
    tab.page.locator("#annotator").fill("خالد")
    tab.page.locator("#save").click()
    expect(tab.page.locator("#faults li")).to_have_count(3)  # two actions and a NOM, without roles
    tab.page.locator("#faults li button").first.click()
    expect(tab.page.locator("#editor .editor-text")).to_have_text("أعلن")
    assert not any("/annotations" in url for url in tab.requests)
    tab.page.locator("#faults > button").click()
    assert [span["text"] for span in tab.spans()] == ["الجيش العراقي", "خمسة"]
    tab.page.locator("#undo").click()
    assert len(tab.spans()) == 5


def test_a_name_is_needed_and_kept(opened: Callable[..., WatchedPage]) -> None:
    tab = opened()
    annotated(tab)
    tab.page.locator("#save").click()
    expect(tab.page.locator("#annotator-problem")).to_be_visible()
    expect(tab.page.locator("#annotator")).to_be_focused()
    tab.save("ليلى")
    tab.page.reload()
    expect(tab.page.locator("#annotator")).to_have_value("ليلى")


def test_unsaved_corrections_are_not_lost(tab: WatchedPage) -> None:
    annotated(tab)
    tab.page.locator("#analyse").click()
    dialog = tab.page.locator("#discard-dialog")
    dialog.locator('[value="keep"]').click()
    assert len(tab.spans()) == 5
    asked = []
    tab.page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    tab.page.close(run_before_unload=True)
    tab.page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    assert len(tab.spans()) == 5
    tab.page.locator("#analyse").click()
    dialog.locator('[value="discard"]').click()
    expect(tab.page.locator("#unsaved")).to_be_hidden()


def test_the_text_survives_a_reload(tab: WatchedPage) -> None:
    tab.paste(TEXT)
    tab.page.wait_for_function("() => sessionStorage.getItem('musnad.text') !== null")
    tab.page.reload()
    expect(tab.page.locator("#source")).to_have_value(TEXT)


def test_copies(opened: Callable[..., WatchedPage]) -> None:
    tab = opened(permissions=["clipboard-read", "clipboard-write"])
    annotated(tab)
    tab.span("أعلن").click()
    tab.control("role-role").select_option("actor")
    tab.control("role-entity").select_option(label="الجيش العراقي — منظمة")
    tab.control("role-add").click()
    tab.page.locator("#copy-json").click()
    expect(tab.page.locator("#status")).to_have_text("نُسخ إلى الحافظة.")
    copied = json.loads(tab.page.evaluate("navigator.clipboard.readText()"))
    (document,) = copied["documents"]
    assert copied["offsets"] == "codepoint"
    for span in (*document["entities"], *document["actions"]):
        assert TEXT[span["start"] : span["end"]] == span["text"]
    assert document["triples"] == [{"actor": "e0", "action": "a0", "target": None, "score": None}]
    tab.page.locator("#copy-csv").click()
    tab.page.wait_for_function("() => navigator.clipboard.readText().then(text => text.startsWith('actor,'))")
    csv = tab.page.evaluate("navigator.clipboard.readText()")
    assert csv.splitlines()[1] == "الجيش العراقي,ORG,أعلن,OTHER,asserted,,,,,0,4,"
