"""Round trips through the real Label Studio, by its HTTP API and by its page."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from real_tools import EMAIL, PASSWORD, Tool, awkward, contents, free_port, running, wait_for

from model.annotation import AnnotatedSentence, Relation, Span
from model.labelstudio import results
from serving.keys import create_key
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
    body = {"result": results(without)}
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


# ---------------------------------------------------------------------------------------------------------------------
# The service as a machine learning backend


@dataclass(frozen=True)
class Service:
    """`musnad serve` with the shipped checkpoint, which wants keys; and a key of scope `predict`."""

    address: str
    key: str
    log: Path

    def predict(self, texts: Iterable[str]) -> tuple[str, dict[str, dict[str, Any]]]:
        """What `POST /predict` answers for texts: the model's name and version, and the documents by their texts."""
        asked = {"documents": [{"text": text} for text in texts]}
        headers = {"Authorization": f"Bearer {self.key}"}
        answer = httpx2.post(f"{self.address}/predict", json=asked, headers=headers, timeout=120)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        return f"{body['model']['name']} {body['model']['version']}", {own["text"]: own for own in body["documents"]}

    def heard(self) -> list[tuple[str, str]]:
        """The events of Label Studio that have come: the path and the status of the answer, from the log."""
        told = [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines() if line[:1] == "{"]
        return [(own["route"], str(own["status"])) for own in told if "labelstudio" in own.get("route", "")]


@pytest.fixture(scope="module")
def service(root: Path, shipped: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    if not (shipped / "model.onnx").is_file():
        pytest.skip("there is no shipped checkpoint in model/default")
    home, port = tmp_path_factory.mktemp("service"), free_port()
    key = create_key(home / "keys.json", "annotators", ["predict"])
    settings = {"KEYS_FILE": home / "keys.json", "REQUIRE_KEYS": "yes", "DATABASE_URL": "", "LOG_FORMAT": "json"}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MUSNAD_")}
    environment |= {f"MUSNAD_{name}": str(value) for name, value in settings.items()} | {"PYTHONPATH": str(root)}
    command = [sys.executable, "-c", "from model.cli import main; main()", "serve", "--port", str(port)]
    address = f"http://127.0.0.1:{port}"
    with running(command, environment, home / "log") as process:
        wait_for(f"{address}/readyz", process, home / "log")
        yield Service(address, key, home / "log")


def _connect(tool: Tool, project: int, service: Service, password: str | None = None) -> httpx2.Response:
    """Make the service the backend of a project, as the page's *Connect Model* does."""
    login = {"auth_method": "BASIC_AUTH", "basic_auth_user": "annotators", "basic_auth_pass": password or service.key}
    body = {"project": project, "title": "Musnad", "url": f"{service.address}/labelstudio", **login}
    return tool.session.post("/api/ml", json=body)


def _import_texts(tool: Tool, project: int, sentences: list[AnnotatedSentence]) -> dict[int, str]:
    """Import sentences without their annotations; return the texts of the tasks by their ids."""
    tasks = [{"data": {"id": sentence.id, "text": sentence.text}} for sentence in sentences]
    answer = tool.session.post(f"/api/projects/{project}/import", json=tasks)
    assert answer.status_code == 201, answer.text
    return {task["id"]: task["data"]["text"] for task in _export(tool, project)}


def _act(tool: Tool, project: int, action: str, **more: object) -> None:
    """Do something with all tasks of a project, as the page's *Actions* do."""
    body = {"selectedItems": {"all": True, "excluded": []}, **more}
    answer = tool.session.post("/api/dm/actions", params={"id": action, "project": project}, json=body)
    assert answer.status_code == 200, answer.text


def test_annotators_start_from_what_the_service_finds(
    label_studio: Tool, project: int, service: Service, given: list[AnnotatedSentence], tmp_path: Path
) -> None:
    connected = _connect(label_studio, project, service)
    assert connected.status_code == 201, connected.text
    texts = _import_texts(label_studio, project, given)
    assert len(texts) == len(given)
    _act(label_studio, project, "retrieve_tasks_predictions")
    model, expected = service.predict(texts.values())
    assert sum(len(own["entities"]) + len(own["actions"]) for own in expected.values()) > len(given)
    for task, text in texts.items():
        (prediction,) = label_studio.session.get("/api/predictions/", params={"task": task}).json()
        assert prediction["model_version"] == model
        _compare(prediction, expected[text])
    backend = label_studio.session.get(f"/api/ml/{connected.json()['id']}").json()
    assert (backend["state"], backend["model_version"]) == ("CO", model)
    assert label_studio.session.get(f"/api/ml/{backend['id']}/versions").json() == {"versions": [model]}

    # what an annotator submits unchanged is, when it is imported, what the service found
    _act(label_studio, project, "predictions_to_annotations", model_version=model)
    items = _read(label_studio, project, tmp_path / "export.json")
    assert len(contents(items)) == len(given)
    for content in contents(items):
        assert content == canonical(_annotation(content.id, expected[content.text]))


#: What a score may differ by from one batch to another.
_NOISE = 0.01


def _compare(prediction: dict[str, Any], expected: dict[str, Any]) -> None:
    """Check a prediction that Label Studio keeps against what `POST /predict` answers."""
    spans = [*expected["entities"], *expected["actions"]]
    regions = [own for own in prediction["result"] if own.get("from_name") == "label"]
    assert [(own["value"]["start"], own["value"]["end"]) for own in regions] == [
        (span["start"], span["end"]) for span in spans
    ]
    assert [own["value"]["labels"] for own in regions] == [[span.get("label", "ACT")] for span in spans]
    for own, span in zip(regions, spans, strict=True):
        assert own["value"]["text"] == re.sub(r"[\r\n]", r"\\n", span["text"])
        assert own["score"] == pytest.approx(span["score"], abs=_NOISE)
    mean = sum(span["score"] for span in spans) / len(spans) if spans else None
    assert prediction["score"] == (None if mean is None else pytest.approx(mean, abs=_NOISE))


def _annotation(identity: str, document: dict[str, Any]) -> AnnotatedSentence:
    """A document of `POST /predict` as an annotation."""
    names = [own["id"] for own in (*document["entities"], *document["actions"])]
    spans = [Span(names.index(own["id"]), own["label"], own["start"], own["end"]) for own in document["entities"]]
    links = []
    for own in document["actions"]:
        number = names.index(own["id"])
        spans.append(Span(number, "ACT", own["start"], own["end"], own["class"], own["factuality"]))
        for role, fillers in own["roles"].items():
            links += [Relation(len(links) + i, number, names.index(f["entity"]), role) for i, f in enumerate(fillers)]
    return AnnotatedSentence(identity, document["text"], tuple(spans), tuple(links))


def test_a_wrong_key_and_a_configuration_that_does_not_fit_are_told(
    label_studio: Tool, project: int, service: Service, root: Path
) -> None:
    refused = _connect(label_studio, project, service, "wrong")
    assert refused.status_code == 400
    assert "authentication parameters were either not provided or are incorrect" in refused.text
    configuration = (root / "annotations" / "tools" / "labelstudio.xml").read_text(encoding="utf-8")
    without = re.sub(r'    <Label value="NOM".*\n', "", configuration)
    changed = label_studio.session.patch(f"/api/projects/{project}", json={"label_config": without})
    assert changed.status_code == 200, changed.text
    refused = _connect(label_studio, project, service)
    assert refused.status_code == 400
    assert "422" in refused.text
    assert 'toName=\\"text\\"> lacks NOM' in service.log.read_text(encoding="utf-8")


def test_nobody_is_led_to_believe_that_the_service_trains(label_studio: Tool, project: int, service: Service) -> None:
    backend = _connect(label_studio, project, service).json()["id"]
    before = len(service.heard())
    assert label_studio.session.post(f"/api/ml/{backend}/train", json={}).status_code == 200
    _until(lambda: len(service.heard()) > before)
    assert service.heard()[before:] == [("/labelstudio/webhook", "422")]


def test_events_reach_the_service_when_the_webhook_has_a_key(
    label_studio: Tool, project: int, service: Service, given: list[AnnotatedSentence]
) -> None:
    assert _connect(label_studio, project, service).status_code == 201
    (webhook,) = label_studio.session.get("/api/webhooks/", params={"project": project}).json()
    assert webhook["url"] == f"{service.address}/labelstudio/webhook"
    (task,) = _import_texts(label_studio, project, given[:1])
    for headers, status in (({}, "401"), ({"Authorization": f"Bearer {service.key}"}, "200")):
        body = {"url": webhook["url"], "headers": headers}
        changed = label_studio.session.patch(f"/api/webhooks/{webhook['id']}/", json=body)
        assert changed.status_code == 200, changed.text
        before = len(service.heard())
        answer = label_studio.session.post(f"/api/tasks/{task}/annotations/", json={"result": results(given[0])})
        assert answer.status_code == 201, answer.text
        _until(lambda begin=before: len(service.heard()) > begin)  # type: ignore[misc]
        assert set(service.heard()[before:]) == {("/labelstudio/webhook", status)}


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.1)
