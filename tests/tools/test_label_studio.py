"""Round trips through the real Label Studio, by its HTTP API and by its page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from real_tools import EMAIL, PASSWORD, Tool, awkward, contents

from model.annotation import AnnotatedSentence, Relation, Span
from training.exchange import labelstudio
from training.exchange.documents import Document, Finding, canonical
from training.exchange.importing import Choices, Several, import_documents
from training.exchange.registry import FORMATS, FormatName

pytestmark = pytest.mark.tools
CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture
def project(label_studio: Tool, root: Path) -> Iterator[int]:
    """A project with the labelling configuration that we ship."""
    configuration = (root / "annotations" / "tools" / "labelstudio.xml").read_text(encoding="utf-8")
    answer = label_studio.session.post("/api/projects", json={"title": "musnad", "label_config": configuration})
    assert answer.status_code == 201, answer.text
    identity = int(answer.json()["id"])
    yield identity
    label_studio.session.delete(f"/api/projects/{identity}")


@pytest.fixture
def load(label_studio: Tool, project: int, tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """Write sentences with our writer, upload the file, and return the tasks that Label Studio made of it."""

    def upload(given: list[AnnotatedSentence], **options: str) -> list[dict[str, Any]]:
        path = tmp_path / "tasks.json"
        assert labelstudio.write(path, [Document(sentence) for sentence in given], **options) == []
        files = {"file": ("tasks.json", path.read_bytes(), "application/json")}
        answer = label_studio.session.post(f"/api/projects/{project}/import", files=files)
        assert answer.status_code == 201, answer.text
        assert answer.json()["task_count"] == len(given)
        return _export(label_studio, project)

    return upload


def _export(tool: Tool, project: int) -> list[dict[str, Any]]:
    answer = tool.session.get(f"/api/projects/{project}/export", params={"exportType": "JSON", "download_all_tasks": 1})
    assert answer.status_code == 200, answer.text
    tasks: list[dict[str, Any]] = answer.json()
    return tasks


def _read(tool: Tool, project: int, path: Path) -> list[Document | Finding]:
    path.write_text(json.dumps(_export(tool, project), ensure_ascii=False), encoding="utf-8")
    return list(labelstudio.read(path))


def test_annotations_come_back(
    label_studio: Tool, project: int, load: Callable[..., object], given: list[AnnotatedSentence], tmp_path: Path
) -> None:
    load(given)
    items = _read(label_studio, project, tmp_path / "export.json")
    assert contents(items) == sorted(given, key=lambda sentence: sentence.id)
    assert {item.origin.authorship.annotator for item in items if isinstance(item, Document)} == {"1"}
    assert len(items) == len(given)


def test_suggestions_are_annotations_only_when_someone_submits_them(
    label_studio: Tool,
    project: int,
    load: Callable[..., list[dict[str, Any]]],
    given: list[AnnotatedSentence],
    tmp_path: Path,
) -> None:
    tasks = load(given, suggestions_of="default 1")
    untouched = _read(label_studio, project, tmp_path / "untouched.json")
    assert all(isinstance(item, Finding) and not item.bad for item in untouched)
    for number, task in enumerate(tasks):
        prediction = label_studio.session.get(f"/api/predictions/{task['predictions'][0]}/").json()
        body = {"result": prediction["result"], "was_cancelled": number == 0}
        answer = label_studio.session.post(f"/api/tasks/{task['id']}/annotations/", json=body)
        assert answer.status_code == 201, answer.text
    items = _read(label_studio, project, tmp_path / "export.json")
    skipped = tasks[0]["data"]["id"]
    assert contents(items) == sorted((s for s in given if s.id != skipped), key=lambda sentence: sentence.id)
    assert [item.fault.field for item in items if isinstance(item, Finding)] == ["was_cancelled", "annotations"]


def test_of_several_annotations_one_is_chosen(
    label_studio: Tool,
    project: int,
    load: Callable[..., list[dict[str, Any]]],
    given: list[AnnotatedSentence],
    tmp_path: Path,
) -> None:
    sentence = next(s for s in given if s.relations)
    (task,) = load([sentence])
    without = canonical(AnnotatedSentence(sentence.id, sentence.text, (), ()))
    body = {"result": labelstudio.results(without)}
    assert label_studio.session.post(f"/api/tasks/{task['id']}/annotations/", json=body).status_code == 201
    exported, target = tmp_path / "export.json", tmp_path / "out.jsonl"
    assert len(contents(_read(label_studio, project, exported))) == 2
    reader = FORMATS[FormatName.LABELSTUDIO]
    refused = import_documents(reader, exported, target, Choices(split=False))
    assert len(refused.bad) == 1
    assert not target.exists()
    latest = import_documents(reader, exported, target, Choices(split=False, several=Several.LATEST))
    assert [content for _, content in latest.sentences] == [without]


#: The box on the page of a word in the text, in pixels.
_BOX = """word => {
  const walker = document.createTreeWalker(document.querySelector(".lsf-htx-richtext"), NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    const at = node.textContent.indexOf(word);
    if (at < 0) continue;
    const range = document.createRange();
    range.setStart(node, at);
    range.setEnd(node, at + word.length);
    const box = range.getBoundingClientRect();
    return { left: box.left, right: box.right, middle: box.top + box.height / 2 };
  }
}"""


def test_what_a_person_marks_on_the_page_is_where_they_marked_it(
    label_studio: Tool, project: int, load: Callable[..., list[dict[str, Any]]], tmp_path: Path
) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}")
    suggested = awkward()[0]
    (task,) = load([suggested], suggestions_of="default 1")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1500, "height": 1200})
        page.set_default_timeout(180_000)
        page.goto(f"{label_studio.address}/user/login/")
        page.fill("input[name=email]", EMAIL)
        page.fill("input[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_load_state("load")
        page.goto(f"{label_studio.address}/projects/{project}/data?task={task['id']}")
        regions = page.locator(".lsf-htx-richtext .htx-highlight")
        regions.nth(2).wait_for()
        assert regions.all_inner_texts() == [suggested.text_of(span) for span in suggested.spans]
        for count, (word, key) in enumerate((("في", "2"), ("العراق", "3"), ("أمس", "6")), start=4):
            page.keyboard.press("Escape")
            page.keyboard.press(key)
            box = page.evaluate(_BOX, word)
            page.mouse.move(box["right"] - 0.3, box["middle"])
            page.mouse.down()
            page.mouse.move((box["left"] + box["right"]) / 2, box["middle"], steps=4)
            page.mouse.move(box["left"] + 0.3, box["middle"], steps=4)
            page.mouse.up()
            regions.nth(count - 1).wait_for()
        # the last one, an action, is selected: its class and factuality by their keys
        regions.filter(has_text="أمس").click()
        page.locator("text=OTHER").wait_for()
        page.keyboard.press("b")
        page.keyboard.press("i")
        page.keyboard.press("Alt+r")
        regions.filter(has_text="العراق").click()
        page.locator("#Relations-draggable").click()
        arrow = page.locator(".lsf-relations__item").nth(2)
        arrow.hover()
        arrow.get_by_label("Show Relation Labels").click()
        arrow.get_by_text("Select labels").click()
        page.get_by_role("option", name="place").click()
        page.keyboard.press("Escape")
        with page.expect_response(lambda answer: "/annotations" in answer.url and answer.request.method == "POST"):
            page.get_by_role("button", name="Submit").click()
        browser.close()
    items = _read(label_studio, project, tmp_path / "export.json")
    text = suggested.text
    marked = [
        Span(3, "ORG", text.index("في"), text.index("في") + 2),
        Span(4, "LOC", text.index("العراق"), text.index("العراق") + 6),
        Span(5, "ACT", text.index("أمس"), text.index("أمس") + 3, "OTHER", "negated"),
    ]
    links = (*suggested.relations, Relation(2, 5, 4, "place"))
    assert contents(items) == [canonical(AnnotatedSentence(suggested.id, text, (*suggested.spans, *marked), links))]
