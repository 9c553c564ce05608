"""A tab with the page in it, of which every request, and every word on the console, is watched."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import ConsoleMessage, Locator, Page

#: Offsets in UTF-16 code units of what each element with a label covers, counted on the page itself.
_SPANS = """() => {
  const text = document.getElementById("text");
  return [...text.querySelectorAll("[data-id]")].map(span => {
    const before = document.createRange();
    before.setStart(text, 0);
    before.setEndBefore(span);
    const start = before.toString().length;
    return { start, end: start + span.textContent.length, text: span.textContent, label: span.dataset.label };
  });
}"""

_PASTE = """text => {
  const area = document.getElementById("source");
  area.focus();
  area.select();
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  area.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
  document.execCommand("insertText", false, text);
}"""

_SELECT = """([start, end]) => {
  const text = document.getElementById("text");
  const place = offset => {
    const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (offset <= node.length) return [node, offset];
      offset -= node.length;
    }
  };
  document.getSelection().setBaseAndExtent(...place(start), ...place(end));
}"""


@dataclass
class WatchedPage:
    """The page, and what it did."""

    page: Page
    address: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._note)

    def _note(self, message: ConsoleMessage) -> None:
        # Chromium itself reports every answer of 400 and above, which some tests bring about
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def paste(self, text: str) -> None:
        """Paste into the text area, in place of what is there."""
        self.page.evaluate(_PASTE, text)

    def analyse(self, text: str) -> None:
        """Paste a text and wait for what is found in it."""
        self.paste(text)
        self.page.locator("#analyse").click()
        self.page.locator("body:not(.analysing) #text .block").first.wait_for()

    def spans(self) -> list[dict[str, Any]]:
        """What is annotated, in the order of the text: `start`, `end` (UTF-16), `text`, `label`."""
        found: list[dict[str, Any]] = self.page.evaluate(_SPANS)
        return found

    def span(self, text: str) -> Locator:
        """The first span that covers exactly this text."""
        return self.page.locator("#text [data-id]").get_by_text(text, exact=True).or_(self._exact(text)).first

    def _exact(self, text: str) -> Locator:
        return self.page.locator(f"#text [data-id]:text-is({json.dumps(text, ensure_ascii=False)})")

    def select(self, text: str) -> None:
        """Select the first occurrence of a text, and wait until a label is asked for."""
        whole: str = self.page.evaluate("document.getElementById('text').textContent")
        start = len(whole[: whole.index(text)].encode("utf-16-le")) // 2
        self.page.evaluate(_SELECT, [start, start + len(text.encode("utf-16-le")) // 2])
        self.page.locator("#editor .label-button:not([aria-pressed])").first.wait_for()  # not those of a span

    def add(self, text: str, label: str) -> None:
        """Select a text and give it a label, as ACT or PER, instead of what it overlaps."""
        self.select(text)
        self.control(f"label-{label}").click()

    def control(self, name: str) -> Locator:
        """A control of the editor."""
        return self.page.locator(f'#editor [data-control="{name}"]')

    def save(self, annotator: str) -> None:
        """Save, leaving out what the guidelines do not allow, and wait until it is stored."""
        self.page.locator("#annotator").fill(annotator)
        self.page.locator("#save").click()
        leave_out = self.page.locator("#faults > button")
        success = self.page.locator("#save-answer .success")
        leave_out.or_(success).first.wait_for()
        if leave_out.count():
            leave_out.click()
            self.page.locator("#save").click()
        success.wait_for()

    def exported(self, annotator: str) -> list[dict[str, Any]]:
        """What `GET /annotations` gives of an annotator."""
        response = self.page.request.get(f"{self.address}/annotations", params={"annotator": annotator})
        assert response.ok, response.text()
        return [json.loads(line) for line in response.text().splitlines()]
