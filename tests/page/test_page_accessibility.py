"""axe-core finds nothing serious, in either language and theme, with everything open."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from watched_page import WatchedPage


def grave(tab: WatchedPage) -> list[str]:
    """Findings that axe-core calls serious or critical, each with the elements."""
    found = Axe().run(tab.page).response["violations"]
    return [
        f"{each['id']}: {[node['html'][:120] for node in each['nodes'][:4]]}"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_serious_findings(opened: Callable[..., WatchedPage], language: str, theme: str) -> None:
    tab = opened(color_scheme=theme, bypass_csp=False)
    if language == "en":
        tab.page.locator("#language").click()
    assert grave(tab) == []
    tab.page.locator("#samples button").nth(1).click()
    tab.page.locator("#analyse").click()
    tab.page.locator("#text .action").first.click()
    tab.page.locator("#annotator").fill("x")
    tab.page.locator("#save").click()
    tab.page.locator("#faults li").first.wait_for()
    assert grave(tab) == []
    tab.page.locator("#text .entity").first.click()
    tab.page.locator("#graph-tab").click()
    tab.page.locator("#graph canvas").first.wait_for()
    tab.page.locator("#text .action").nth(2).hover()
    assert grave(tab) == []


def test_no_serious_findings_on_a_phone(opened: Callable[..., WatchedPage]) -> None:
    tab = opened(viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    tab.page.locator("#samples button").first.tap()
    tab.page.locator("#analyse").tap()
    tab.page.locator("#text .entity").first.tap()
    assert grave(tab) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_labels_under_spans_meet_aa(opened: Callable[..., WatchedPage], theme: str) -> None:
    """axe-core does not see generated content: the contrast of each label's colour is counted here."""
    tab = opened(color_scheme=theme)
    ratios = tab.page.evaluate("""() => {
      const probe = document.createElement("span");
      document.body.append(probe);
      const rgb = name => {
        probe.style.color = `var(${name})`;
        const canvas = document.createElement("canvas").getContext("2d");
        canvas.fillStyle = getComputedStyle(probe).color;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
      };
      const luminance = name => {
        const [r, g, b] = rgb(name).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const ratio = (one, other) => {
        const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
        return (high + 0.05) / (low + 0.05);
      };
      const found = {};
      for (const label of ["per", "org", "loc", "num", "nom", "act"]) {
        const own = `--label-${label}`;
        for (const ground of ["--card", `--tint-${label}`]) found[`${label} on ${ground}`] = ratio(own, ground);
        found[`ink on ${label}`] = ratio("--ink", `--tint-${label}`);
      }
      found["proposed"] = ratio("--accent-strong", "--accent-tint");
      found["accent"] = ratio("--accent", "--card");
      return found;
    }""")
    assert {name: ratio for name, ratio in ratios.items() if ratio < 4.5} == {}
