"""The HTML of a graph in Debian's Chromium: from a file, without a network, in both languages and themes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from event_samples import RAID, TALKS, between, rows
from playwright import sync_api
from playwright.sync_api import Page, expect

from serving.events.graph import build
from serving.events.graph_page import graph_page, page_data

CHROMIUM = Path("/usr/bin/chromium")
HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"><!--"

EVENTS = [
    *(between("روسيا", "أوكرانيا", date=f"2024-05-0{day}", id=f"war-{day}") for day in range(1, 6)),
    between("روسيا", "أوكرانيا", id="undated"),
    between("الأمم المتحدة", "أوكرانيا", label="ORG", date="2024-06-01", event_class="AID", id="aid"),
    between("محمد", "كريم علي", label="PER", date="2024-07-01", event_class="ACCUSE", id="court"),
    between(HOSTILE, HOSTILE + "2", date="2024-07-02", event_class="STATE", id=HOSTILE),
    *rows((TALKS, "2024-05-03"), (RAID, "2024-05-04")),
]


@pytest.fixture(scope="module")  # while it is open, its event loop runs, and no other test could run one
def browser() -> Iterator[sync_api.Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM} (Debian's package `chromium`)")
    with sync_api.sync_playwright() as playwright:
        sync_api.expect.set_options(timeout=60_000)
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: sync_api.Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Opens the page of EVENTS; nothing but the file itself may be asked for, and nothing may complain."""
    path = tmp_path / "graph.html"
    path.write_text(graph_page(build(EVENTS), f"أحداث {HOSTILE}"), encoding="utf-8")
    contexts: list[sync_api.BrowserContext] = []
    requests: list[str] = []
    complaints: list[str] = []

    def open_page(**options: object) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})  # type: ignore[arg-type]
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(path.as_uri())
        page.locator("#entities button").first.wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert set(requests) == {path.as_uri()}
    assert complaints == []


def names(page: Page) -> list[str]:
    return page.locator("#entities .name").all_inner_texts()


def test_the_list_has_all_entities_and_the_picture_is_drawn(opened: Callable[..., Page]) -> None:
    page = opened()
    assert names(page)[:2] == ["أوكرانيا", "روسيا"]
    assert page.locator("html").get_attribute("dir") == "rtl"
    assert page.locator("#graph canvas").count() == 3
    assert page.locator("#summary").inner_text().endswith("الأحداث 12 من 12")
    drawn = page.evaluate("cy.nodes().map(node => node.data('name'))")
    assert sorted(drawn) == sorted(names(page))
    overlap = page.evaluate(
        "cy.nodes().some((a, i) => cy.nodes().some((b, j) => i < j && a.position('x') === b.position('x')"
        " && a.position('y') === b.position('y')))"
    )
    assert overlap is False


def test_hostile_names_are_text(opened: Callable[..., Page]) -> None:
    page = opened()
    assert HOSTILE in names(page)
    page.get_by_role("button", name=HOSTILE, exact=False).first.click()
    page.locator("#details .links button").first.click()
    assert HOSTILE in page.locator("#details .events").inner_text()
    assert page.title() == f"أحداث {HOSTILE}"
    assert page.locator("img").count() == 0


def test_hostile_names_never_leave_their_element() -> None:
    html = graph_page(build(EVENTS), HOSTILE)
    assert html.count("<script") == html.count("</script>") == 3
    assert "<img" not in html
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert "<" not in data
    assert json.loads(data) == page_data(build(EVENTS), HOSTILE)
    assert not re.search(r"""(?:src|href)=["'](?!data:,|\#)""", html.partition("<script>")[0])


def test_braces_of_a_template_in_a_name_stay() -> None:
    html = graph_page(build([between("{{LIBRARY}}", "{{x}}")]), "{{POLICY}} }}")
    assert "<title>{{POLICY}} }}</title>" in html
    assert '"name":"{{LIBRARY}}"' in html


def test_the_same_graph_is_the_same_page() -> None:
    assert graph_page(build(EVENTS), "x") == graph_page(build(EVENTS), "x")


def test_search_finds_other_spellings_and_shows_neighbours(opened: Callable[..., Page]) -> None:
    page = opened()
    page.locator("#search").fill("الامم")
    expect(page.locator("#entities li")).to_have_count(1)
    assert names(page) == ["الأمم المتحدة"]
    assert page.evaluate("cy.nodes().map(node => node.data('name')).sort()") == ["أوكرانيا", "الأمم المتحدة"]
    page.locator("#search").fill("لا أحد بهذا الاسم")
    expect(page.locator("#entities")).to_have_text("لا أحداث لهذه التصفية.")


def test_the_time_filter_by_keyboard(opened: Callable[..., Page]) -> None:
    page = opened()
    expect(page.locator("#from-day")).to_have_text("2024-05-01")
    page.locator("#to").focus()
    page.keyboard.press("Home")
    expect(page.locator("#to-day")).to_have_text("2024-05-01")
    expect(page.locator("#entities .number").first).to_have_text("2")  # of May 1, and undated
    page.locator("#undated").press("Space")
    expect(page.locator("#entities .number").first).to_have_text("1")
    page.locator("#from").focus()
    page.keyboard.press("End")
    expect(page.locator("#to-day")).to_have_text("2024-07-02")
    expect(page.locator("#entities li")).to_have_count(2)
    page.locator("#reset").press("Enter")
    expect(page.locator("#summary")).to_contain_text("الأحداث 12 من 12")


def test_classes_factuality_and_numbers(opened: Callable[..., Page]) -> None:
    page = opened()
    page.get_by_label("اعتداء").uncheck()
    expect(page.locator("#summary")).not_to_contain_text("الأحداث 12")
    assert "روسيا" not in names(page)
    page.locator("#reset").click()
    page.locator("#minimum").fill("2")
    expect(page.locator("#entities li")).to_have_count(2)
    page.locator("#reset").click()
    page.get_by_label("مُثبَت").uncheck()
    expect(page.locator("#entities .name")).to_have_text(
        ["أيمن الصفدي", "بدر عبد العاطي", "مسلحين"], use_inner_text=True
    )


def test_entities_links_and_events_by_keyboard(opened: Callable[..., Page]) -> None:
    page = opened()
    page.locator("#entities button", has_text="روسيا").press("Enter")
    expect(page.locator("#details")).to_be_focused()
    page.locator("#details .links button").first.press("Enter")
    expect(page.locator("#details .events li")).to_have_count(6)
    first, last = page.locator("#details .events li").first, page.locator("#details .events li").last
    expect(first).to_contain_text("2024-05-01")
    expect(last).to_contain_text("بلا تاريخ")
    assert page.evaluate("cy.$('.chosen').length") == 1
    page.keyboard.press("Escape")
    expect(page.locator("#entities")).to_be_visible()
    page.locator("#entities button", has_text="محمد").press("Enter")
    expect(page.locator("#details .note").first).to_have_text("اسم من كلمة واحدة: قد يكون لأكثر من شخص.")
    page.locator("#details .back").press("Enter")
    expect(page.locator("#entities button", has_text="محمد")).to_be_focused()


def test_a_click_on_a_node_of_the_picture(opened: Callable[..., Page]) -> None:
    page = opened()
    place = page.evaluate("cy.nodes('[name = \"مسلحين\"]').renderedPosition()")
    page.locator("#graph").click(position=place)
    expect(page.locator("#details h2")).to_contain_text("مسلحين")
    expect(page.locator("#details .note").first).to_contain_text("talks")


def test_english(opened: Callable[..., Page]) -> None:
    page = opened()
    page.locator("#language").click()
    expect(page.locator("html")).to_have_attribute("dir", "ltr")
    expect(page.locator("#entities-heading")).to_have_text("Entities")
    page.locator("#entities button", has_text="روسيا").click()
    expect(page.locator("#details .links button").first).to_contain_text("Material conflict 6")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_no_serious_findings_and_nothing_sticks_out(opened: Callable[..., Page], theme: str, width: int) -> None:
    page = opened(color_scheme=theme, viewport={"width": width, "height": 800}, bypass_csp=True)
    for step in ("#entities button", "#details .links button"):
        found = Axe().run(page).response["violations"]
        assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.locator(step).first.click()
    found = Axe().run(page).response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []


def test_the_theme_changes_the_picture_too(opened: Callable[..., Page]) -> None:
    page = opened(color_scheme="light")
    before = page.evaluate("cy.nodes()[0].style('color')")
    page.locator("#theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("cy.nodes()[0].style('color')") != before
