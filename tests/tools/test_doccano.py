"""Round trips through the real doccano, by its HTTP API and by its page."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from real_tools import PASSWORD, START, Tool, awkward, contents

from model.annotation import AnnotatedSentence, Span
from training.exchange import doccano as doccano_format
from training.exchange.documents import Document, Finding, canonical

pytestmark = pytest.mark.tools
CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture
def project(doccano: Tool, root: Path) -> Iterator[int]:
    """A project of sequence labelling with relations, and with the label types that we ship."""
    settings = {"name": "musnad", "description": "-", "guideline": "", "tags": [], "project_type": "SequenceLabeling"}
    switches = {"collaborative_annotation": True, "use_relation": True, "allow_overlapping": False}
    body = {**settings, **switches, "grapheme_mode": False, "resourcetype": "SequenceLabelingProject"}
    answer = doccano.session.post("/v1/projects", json=body)
    assert answer.status_code == 201, answer.text
    identity = int(answer.json()["id"])
    for kind, name in (("span", "spans.json"), ("relation", "relations.json")):
        content = (root / "annotations" / "tools" / "doccano" / name).read_bytes()
        files = {"file": (name, content, "application/json")}
        answer = doccano.session.post(f"/v1/projects/{identity}/{kind}-type-upload", files=files)
        assert answer.status_code == 201, answer.text
    yield identity
    doccano.session.request("DELETE", "/v1/projects", json={"ids": [identity]})


def _finished(tool: Tool, task: str) -> Any:
    """The result of a task of doccano's queue."""
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        status = tool.session.get(f"/v1/tasks/status/{task}").json()
        if status["ready"]:
            assert not status["error"], status
            return status["result"]
        time.sleep(1)
    raise AssertionError(f"task {task} did not end in {START} s")


def _load(tool: Tool, project: int, given: list[AnnotatedSentence], path: Path) -> None:
    assert doccano_format.write(path, [Document(sentence) for sentence in given]) == []
    files = {"filepond": (path.name, path.read_bytes(), "application/octet-stream")}
    upload = tool.session.post("/v1/fp/process/", files=files)
    assert upload.status_code == 200, upload.text
    # what its own page sends for JSONL(Relation)
    body = {"format": "JSONL", "task": "RelationExtraction", "uploadIds": [upload.text], "encoding": "Auto"}
    answer = tool.session.post(f"/v1/projects/{project}/upload", json={**body, "column_data": "text"})
    assert answer.status_code == 200, answer.text
    assert _finished(tool, answer.json()["task_id"]) == {"error": []}


def _read(tool: Tool, project: int, path: Path) -> list[Document | Finding]:
    answer = tool.session.post(f"/v1/projects/{project}/download", json={"format": "JSONL", "exportApproved": False})
    assert answer.status_code == 200, answer.text
    task = answer.json()["task_id"]
    _finished(tool, task)
    archive = tool.session.get(f"/v1/projects/{project}/download", params={"taskId": task}).content
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        assert files.namelist() == ["all.jsonl"]
        path.write_bytes(files.read("all.jsonl"))
    return list(doccano_format.read(path))


def test_annotations_come_back(doccano: Tool, project: int, given: list[AnnotatedSentence], tmp_path: Path) -> None:
    _load(doccano, project, given, tmp_path / "in.jsonl")
    items = _read(doccano, project, tmp_path / "all.jsonl")
    assert contents(items) == sorted(given, key=lambda sentence: sentence.id)
    assert len(items) == len(given)


def test_comments_are_reported(doccano: Tool, project: int, given: list[AnnotatedSentence], tmp_path: Path) -> None:
    _load(doccano, project, given[:1], tmp_path / "in.jsonl")
    (example,) = doccano.session.get(f"/v1/projects/{project}/examples").json()["results"]
    path = f"/v1/projects/{project}/comments?example={example['id']}"
    assert doccano.session.post(path, json={"text": "لماذا؟"}).status_code == 201
    items = _read(doccano, project, tmp_path / "all.jsonl")
    assert contents(items) == given[:1]
    assert [(item.fault.field, item.fault.text) for item in items if isinstance(item, Finding)] == [
        ("Comments", "لماذا؟")
    ]


#: The box on the page of a word in the text, in pixels.
_BOX = """word => {
  for (const text of document.querySelectorAll("svg text")) {
    const node = text.firstChild;
    const at = node ? node.textContent.indexOf(word) : -1;
    if (at < 0) continue;
    const range = document.createRange();
    range.setStart(node, at);
    range.setEnd(node, at + word.length);
    const box = range.getBoundingClientRect();
    return { left: box.left, right: box.right, middle: box.top + box.height / 2 };
  }
}"""


def test_what_a_person_marks_on_the_page_is_where_they_marked_it(doccano: Tool, project: int, tmp_path: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}")
    sentence = awkward()[0]
    _load(doccano, project, [sentence], tmp_path / "in.jsonl")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1500, "height": 1000})
        page.set_default_timeout(180_000)
        page.goto(f"{doccano.address}/auth")
        page.locator("input").nth(0).fill("admin")
        page.locator("input").nth(1).fill(PASSWORD)
        with page.expect_response(lambda answer: "/auth/login" in answer.url and answer.ok):
            page.keyboard.press("Enter")
        page.wait_for_url("**/projects")
        page.goto(f"{doccano.address}/projects/{project}/sequence-labeling?page=1")
        page.locator("svg text", has_text="العراق").wait_for()
        box = page.evaluate(_BOX, "العراق")
        page.mouse.move(box["right"] - 0.5, box["middle"])
        page.mouse.down()
        page.mouse.move((box["left"] + box["right"]) / 2, box["middle"], steps=5)
        page.mouse.move(box["left"] + 0.5, box["middle"], steps=5)
        page.mouse.up()
        menu = page.get_by_label("Select a label")
        menu.wait_for()
        menu.fill("ACT:OTHER:neg")
        page.get_by_role("option", name="ACT:OTHER:negated").wait_for()
        page.keyboard.press("ArrowDown")
        with page.expect_response(lambda answer: answer.url.endswith("/spans") and answer.request.method == "POST"):
            page.keyboard.press("Enter")
        browser.close()
    start = sentence.text.index("العراق")
    marked = Span(3, "ACT", start, start + 6, "OTHER", "negated")
    expected = AnnotatedSentence(sentence.id, sentence.text, (*sentence.spans, marked), sentence.relations)
    assert contents(_read(doccano, project, tmp_path / "all.jsonl")) == [canonical(expected)]
