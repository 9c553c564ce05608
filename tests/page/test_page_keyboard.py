"""The whole way without a pointer."""

from __future__ import annotations

from playwright.sync_api import expect
from watched_page import WatchedPage

TEXT = "أعلن الجيش العراقي مقتل خمسة مسلحين في صلاح الدين."


def tab_to(tab: WatchedPage, selector: str, backwards: bool = False) -> None:
    """Press the tab key until an element has the focus."""
    for _ in range(60):
        if tab.page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        tab.page.keyboard.press("Shift+Tab" if backwards else "Tab")
    raise AssertionError(f"the tab key does not reach {selector}")


def focused_text(tab: WatchedPage) -> str:
    text: str = tab.page.evaluate("document.activeElement.textContent")
    return text


def test_from_the_text_to_the_export(tab: WatchedPage) -> None:
    press = tab.page.keyboard.press
    press("Tab")
    expect(tab.page.locator(".skip")).to_be_focused()
    tab_to(tab, "#source")
    tab.page.keyboard.insert_text(TEXT)
    press("Control+Enter")
    tab.page.locator("#text .block").first.wait_for()
    expect(tab.page.locator("#results-heading")).to_be_focused()

    # a new action, word by word
    tab_to(tab, "#by-words")
    press("Enter")
    press("ArrowLeft")
    press("Shift+ArrowLeft")
    tab.page.locator("#editor .label-button:not([aria-pressed])").first.wait_for()
    press("Enter")
    expect(tab.control("label-PER")).to_be_focused()
    tab_to(tab, '[data-control="label-ORG"]')
    press("Enter")
    expect(tab.page.locator("#editor .editor-text")).to_have_text("الجيش العراقي")
    expect(tab.control("label-ORG")).to_be_focused()

    # back to the text by Escape, to the action before it by arrow, into its panel by Enter
    press("Escape")
    expect(tab.span("الجيش العراقي")).to_be_focused()
    press("Home")
    if focused_text(tab) != "أعلن":
        tab.add("أعلن", "ACT")
        tab.span("أعلن").focus()
    press("ArrowLeft")
    assert focused_text(tab) == "الجيش العراقي"
    press("ArrowRight")
    press("Enter")
    expect(tab.control("label-PER")).to_be_focused()
    tab_to(tab, '[data-control="class"]')
    press("Home")
    expect(tab.control("class")).to_have_value("AGREE")
    expect(tab.control("class")).to_be_focused()

    # a role, picked in the text
    tab_to(tab, '[data-control="role-pick"]')
    press("Enter")
    assert focused_text(tab) == "أعلن"
    press("ArrowLeft")
    press("Enter")
    roles = tab.page.locator("#editor .roles")
    expect(roles).to_contain_text("الجيش العراقي")

    # delete everything behind, undo one, save
    press("Escape")
    press("End")
    while focused_text(tab) not in ("الجيش العراقي", "أعلن"):
        press("Delete")
    assert [span["text"] for span in tab.spans()] == ["أعلن", "الجيش العراقي"]
    press("Control+z")
    press("Control+y")
    tab_to(tab, "#annotator")
    tab.page.keyboard.insert_text("نور")
    press("Enter")
    expect(tab.page.locator("#save-answer .success")).to_be_visible()
    (record,) = tab.exported("نور")
    assert [link["type"] for link in record["relations"]] == ["actor"]


def test_a_span_is_one_stop_of_the_tab_key(tab: WatchedPage) -> None:
    tab.analyse(TEXT)
    assert tab.page.locator('#text [tabindex="0"]').count() == 1
    tab.page.locator("#by-words").focus()
    tab.page.keyboard.press("Tab")
    first = focused_text(tab)
    tab.page.keyboard.press("End")
    assert focused_text(tab) != first
    tab.page.keyboard.press("Tab")
    expect(tab.page.locator("#triples-tab")).to_be_focused()
    tab.page.keyboard.press("Shift+Tab")
    assert focused_text(tab) != first  # where it was left


def test_tabs_and_what_is_said(tab: WatchedPage) -> None:
    tab.analyse(TEXT)
    expect(tab.page.locator("#live")).to_contain_text("الكيانات")
    tab.page.locator("#triples-tab").focus()
    tab.page.keyboard.press("ArrowLeft")
    expect(tab.page.locator("#graph-tab")).to_be_focused()
    expect(tab.page.locator("#graph-panel")).to_be_visible()
    tab.page.keyboard.press("ArrowRight")
    expect(tab.page.locator("#triples-panel")).to_be_visible()
    tab.page.locator("#text [data-id]").first.focus()
    tab.page.keyboard.press("Delete")
    expect(tab.page.locator("#live")).to_contain_text("حُذف")
