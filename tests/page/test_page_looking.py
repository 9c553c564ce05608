"""Languages, themes, narrow windows, the card of an action, files, samples, long texts, the graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect
from watched_page import WatchedPage

TEXT = "أعلن الجيش العراقي مقتل خمسة مسلحين في صلاح الدين."


def test_arabic_first_then_english_and_the_choice_is_kept(tab: WatchedPage) -> None:
    html = tab.page.locator("html")
    expect(html).to_have_attribute("dir", "rtl")
    expect(html).to_have_attribute("lang", "ar")
    tab.analyse(TEXT)
    before = tab.spans()
    tab.page.locator("#language").click()
    expect(html).to_have_attribute("dir", "ltr")
    expect(tab.page.locator("#results-heading")).to_have_text("What was found")
    assert tab.page.title().startswith("Musnad")
    assert tab.spans() == before
    tags = tab.page.locator("#text .entity").evaluate_all("spans => spans.map(span => span.dataset.tag)")
    assert tags
    assert all(tag.isascii() for tag in tags)
    tab.page.reload()
    expect(html).to_have_attribute("lang", "en")
    expect(tab.page.locator("#analyse")).to_have_text("Analyse")
    tab.page.locator("#language").click()
    expect(tab.page.locator("#analyse")).to_have_text("حلّل")


def test_an_action_lights_its_participants(tab: WatchedPage) -> None:
    tab.analyse(TEXT)
    tab.add("أعلن", "ACT")
    tab.add("الجيش العراقي", "ORG")
    tab.span("أعلن").click()
    tab.control("role-entity").select_option(label="الجيش العراقي — منظمة")
    tab.control("role-add").click()
    tab.control("close").click()
    tab.page.locator("#results-heading").hover()
    tab.span("أعلن").hover()
    card = tab.page.locator("#card")
    expect(card).to_contain_text("الجيش العراقي")
    expect(tab.span("الجيش العراقي")).to_have_class("span entity lit")
    expect(tab.span("الجيش العراقي")).to_have_attribute("data-role", "الفاعل")
    card.hover()  # it stays while the pointer is on it
    expect(card).to_be_visible()
    tab.page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    tab.page.locator("#results-heading").hover()
    tab.span("الجيش العراقي").focus()
    expect(card).to_contain_text("أعلن")


@pytest.mark.parametrize("language", ["ar", "en"])
def test_phone(opened: Callable[..., WatchedPage], language: str) -> None:
    tab = opened(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    if language == "en":
        tab.page.locator("#language").tap()
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not tab.page.evaluate(wide)
    tab.page.locator("#samples button").first.tap()
    tab.page.locator("#analyse").tap()
    tab.page.locator("#text .action").nth(3).tap()
    sheet = tab.page.locator("#editor")
    expect(sheet).to_be_in_viewport()
    assert not tab.page.evaluate(wide)
    above_the_sheet = """() => document.querySelector("#text [aria-current]").getBoundingClientRect().bottom
      < document.getElementById("editor").getBoundingClientRect().top"""
    tab.page.wait_for_function(above_the_sheet)  # the page scrolls there
    tab.control("close").tap()
    expect(sheet).to_be_hidden()
    tab.page.locator("#graph-tab").tap()
    tab.page.locator("#graph canvas").first.wait_for()
    assert not tab.page.evaluate(wide)


def test_dark_by_system_and_by_switch(opened: Callable[..., WatchedPage]) -> None:
    tab = opened(color_scheme="dark")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    dark = tab.page.evaluate(ground)
    tab.page.locator("#theme").click()
    light = tab.page.evaluate(ground)
    assert dark != light
    tab.page.reload()
    assert tab.page.evaluate(ground) == light
    tab.page.locator("#theme").click()
    assert tab.page.evaluate(ground) == dark
    tab.page.emulate_media(color_scheme="light")  # the switch is back to what the system says
    assert tab.page.evaluate(ground) == light


def test_reduced_motion(opened: Callable[..., WatchedPage]) -> None:
    tab = opened(reduced_motion="reduce")
    duration = "getComputedStyle(document.querySelector('.spinner')).animationDuration"
    assert tab.page.evaluate(duration) == "0.001s"


def test_files(tab: WatchedPage, tmp_path: Path) -> None:
    sound, latin = tmp_path / "خبر.txt", tmp_path / "latin.txt"
    sound.write_bytes("\ufeffقال الرئيس.\r\nانتهى".encode())
    latin.write_bytes("قال الرئيس".encode("windows-1256"))
    tab.page.locator("#file").set_input_files(latin)
    expect(tab.page.locator("#source-problem")).to_contain_text("UTF-8")
    tab.page.locator("#file").set_input_files(sound)
    expect(tab.page.locator("#source")).to_have_value("قال الرئيس.\nانتهى")
    expect(tab.page.locator("#source-problem")).to_be_hidden()


def test_dropped_text(tab: WatchedPage) -> None:
    tab.page.evaluate("""() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.setData("text/plain", "قال الرئيس");
      const drop = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
      document.getElementById("source").dispatchEvent(drop);
    }""")
    expect(tab.page.locator("#source")).to_have_value("قال الرئيس")


def test_samples(tab: WatchedPage) -> None:
    buttons = tab.page.locator("#samples button")
    assert buttons.count() >= 4
    buttons.nth(1).click()
    assert len(tab.page.locator("#source").input_value()) > 500


def test_markup_in_a_text_is_text(tab: WatchedPage) -> None:
    text = "قال <img src=x onerror=alert(1)> الرئيس </script><b>جو بايدن</b> في بغداد."
    tab.analyse(text)
    tab.add("<img src=x onerror=alert(1)>", "PER")
    assert tab.page.evaluate("document.getElementById('text').textContent") == text
    assert tab.page.locator("#text img, #text b, #editor img").count() == 0


def test_graph(tab: WatchedPage) -> None:
    tab.page.locator("#samples button").first.click()
    tab.page.locator("#analyse").click()
    tab.page.locator("#triples-body tr").first.wait_for()
    tab.page.locator("#graph-tab").click()
    graph = tab.page.locator("#graph")
    tab.page.locator("#graph canvas").first.wait_for()
    assert "الأفعال" in (graph.get_attribute("aria-label") or "")
    drawn = """() => [...document.querySelectorAll("#graph canvas")].some(canvas =>
      canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some(value => value !== 0))"""
    tab.page.wait_for_function(drawn)
    tab.page.locator("#graph-closer").click()
    tab.page.locator("#graph-fit").click()
    tab.page.locator("#theme").click()


def test_a_graph_merges_entities_of_one_name_and_label(tab: WatchedPage) -> None:
    graph = tab.page.evaluate("""async () => {
      const { graphOf } = await import("./static/graph_elements.js");
      const text = "قصف الجيش حلب ثم قصف الجَيش حلب";
      const span = (id, label, start, end) => ({ id, label, start, end, eventClass: label === "ACT" ? "ASSAULT" : null,
        factuality: label === "ACT" ? "asserted" : null, name: null, value: null, score: 1 });
      const spans = [span(0, "ACT", 0, 3), span(1, "ORG", 4, 9), span(2, "LOC", 10, 13), span(3, "ACT", 17, 20),
        span(4, "ORG", 21, 27), span(5, "PER", 28, 31)];
      const roles = [[0, 1, "actor"], [0, 2, "target"], [3, 4, "actor"], [3, 5, "target"]];
      const links = roles.map(([action, entity, role], id) => ({ id, action, entity, role }));
      return graphOf({ text, spans, links }, 9);
    }""")
    entities = [(node["text"], node["label"]) for node in graph["nodes"] if node["label"] != "ACT"]
    assert entities == [("الجيش", "ORG"), ("حلب", "LOC"), ("حلب", "PER")]
    assert len(graph["edges"]) == 4


def test_blocks_hold_the_whole_text_and_cut_no_span(tab: WatchedPage) -> None:
    """Lines, a long line with and without white space, and more lines than get a block each."""
    faults = tab.page.evaluate("""async () => {
      const { cutBlocks } = await import("./static/blocks.js");
      const span = (start, end) => ({ id: start, label: "PER", start, end });
      const texts = ["", "قال", "قال\\r\\n\\nثم", "قال الرئيس. ".repeat(8000), "ق".repeat(20000), "قال\\n".repeat(9000),
        "Long line. ".repeat(900) + "\\n" + "قال الرئيس. ".repeat(900) + "\\nend"];
      const faults = [];
      for (const text of texts) {
        const spans = [];
        for (let start = 1; start + 9 < text.length; start += 23) spans.push(span(start, start + 9));
        const blocks = cutBlocks({ text, spans, links: [] });
        if (blocks.map(block => text.slice(block.start, block.end)).join("") !== text) faults.push("text");
        if (blocks.flatMap(block => block.spans).length !== spans.length) faults.push("spans");
        const cut = blocks.some(block => block.spans.some(span => span.start < block.start || span.end > block.end));
        if (cut) faults.push("cut");
        if (/\\s/.test(text) && blocks.some(block => block.end - block.start > 12000)) faults.push("long");
        if (blocks.length > 2001) faults.push("many");
      }
      const directions = cutBlocks({ text: texts.at(-1), spans: [], links: [] }).map(block => block.dir);
      return [faults, [...new Set(directions)]];
    }""")
    assert faults == [[], ["ltr", "rtl", "auto"]]


def test_long_documents_stay_usable(tab: WatchedPage) -> None:
    sentence = "أعلن الجيش العراقي مقتل خمسة مسلحين في صلاح الدين. "
    text = (sentence * 20 + "\n") * 60
    answer = {"model": {"name": "m", "version": "1"}, "offsets": "utf16", "documents": [_document(text, sentence)]}
    tab.page.route("**/predict", lambda route: route.fulfill(json=answer))
    tab.analyse(text)
    expect(tab.page.locator("#text [data-id]")).to_have_count(4 * 1200)
    blocks = tab.page.locator("#text .block")
    expect(blocks).to_have_count(60)
    tab.page.evaluate("window.untouched = [...document.querySelectorAll('#text .block')].slice(1)")
    tab.page.locator("#text .entity").first.click()
    tab.control("label-PER").click()
    assert tab.page.evaluate("window.untouched.every(block => block.isConnected)")  # only one paragraph is redrawn
    expect(tab.page.locator("#triples-body tr")).to_have_count(200)
    tab.page.locator("#triples-more").click()
    expect(tab.page.locator("#triples-body tr")).to_have_count(400)
    tab.page.locator("#graph-tab").click()
    expect(tab.page.locator("#graph-part")).to_be_visible()


def _document(text: str, sentence: str) -> dict[str, object]:
    entities, actions, triples = [], [], []
    start = text.find(sentence)
    while start != -1:
        number = len(actions)
        for word, label in [("الجيش العراقي", "ORG"), ("خمسة", "NUM"), ("مسلحين", "NOM")]:
            at = start + sentence.index(word)
            entity = {"id": f"e{len(entities)}", "label": label, "start": at, "end": at + len(word), "text": word}
            entities.append({**entity, "name": word, "value": None, "score": 0.9})
        roles = {"actor": [], "target": [{"entity": f"e{3 * number + 2}", "score": 0.9}], "place": [], "count": []}
        at = start + sentence.index("مقتل")
        action = {"id": f"a{number}", "start": at, "end": at + 4, "text": "مقتل", "class": "ASSAULT"}
        actions.append({**action, "factuality": "asserted", "score": 0.9, "roles": roles})
        triples.append({"actor": None, "action": f"a{number}", "target": f"e{3 * number + 2}", "score": 0.8})
        start = text.find(sentence, start + len(sentence))
    return {"id": "x", "text": text, "entities": entities, "actions": actions, "triples": triples}
