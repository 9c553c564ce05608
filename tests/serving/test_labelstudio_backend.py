"""Label Studio's protocol, as its version 1.23.2 speaks it (`ml/api_connector.py`); tests/tools has the real one."""

from __future__ import annotations

import base64
import logging
from pathlib import Path
from typing import Any

import pytest
from fake_extractor import SCORE, FakeExtractor
from problem_checks import errors, problem
from starlette.testclient import TestClient

from model.labels import CLASSES
from model.labelstudio import prediction
from model.records import Document
from serving.app import create_app
from serving.examples import DOCUMENT, TEXT
from serving.keys import create_key
from serving.labelstudio.configuration import ConfigurationError, text_field
from serving.labelstudio.examples import CONFIGURATION, SETUP, TASKS
from serving.schemas import Answer
from serving.schemas import Document as AnsweredDocument
from serving.settings import Settings

VERSION = "fake 1.2.3"


@pytest.fixture(scope="module")
def shipped_configuration(root: Path) -> str:
    return (root / "annotations" / "tools" / "labelstudio.xml").read_text(encoding="utf-8")


def task(text: object, **fields: object) -> dict[str, Any]:
    return {"id": 1, "data": {"text": text, **fields}}


def predict(client: TestClient, *tasks: object, **fields: object) -> Any:
    body = {"tasks": tasks, "project": "1.1764000000", "params": {"login": None, "password": "x", "context": None}}
    return client.post("/labelstudio/predict", json={**body, **fields})


# ---------------------------------------------------------------------------------------------------------------------
# Setting up


def test_a_project_is_set_up(client: TestClient, shipped_configuration: str) -> None:
    assert client.get("/labelstudio/health").json() == {"status": "UP", "model_version": VERSION}
    asked = {**SETUP, "schema": shipped_configuration, "hostname": "", "access_token": "secret", "extra_params": None}
    assert client.post("/labelstudio/setup", json=asked).json() == {"model_version": VERSION}
    assert client.get("/labelstudio/versions").json() == {"versions": [VERSION]}


def test_without_a_model_nothing_is_up() -> None:
    def fail() -> FakeExtractor:
        raise RuntimeError

    with TestClient(create_app(fail, Settings(database_url=None))) as client:
        problem(client.get("/labelstudio/health"), "not-ready")
        problem(client.post("/labelstudio/setup", json=SETUP), "not-ready")
        problem(predict(client, task("قال")), "not-ready")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('<Label value="NOM"/>', "", '<Labels name="label" toName="text"> lacks NOM'),
        ('<Labels name="label"', '<Labels name="tag"', 'there is no <Labels name="label" toName="text">'),
        (
            '<Labels name="label" toName="text"',
            '<Labels name="label" toName="x"',
            'there is no <Labels name="label" toName="text">',
        ),
        ('<Choice value="AID"/>', '<Choice value="AID" alias="A"/>', '<Choices name="class" toName="text"> lacks AID'),
        ('<Relation value="place"/>', "", "<Relations> lacks place"),
        ('value="$text"', 'value="text"', 'there is no <Text name="text" value="$...">'),
        (
            'value="$text"',
            'value="$text" valueType="url"',
            '<Text name="text"> has valueType="url": its text must be in the task',
        ),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(
    client: TestClient, caplog: pytest.LogCaptureFixture, old: str, new: str, fault: str
) -> None:
    assert CONFIGURATION.count(old) == 1
    configuration = CONFIGURATION.replace(old, new)
    with caplog.at_level(logging.WARNING, "serving"):
        assert errors(client.post("/labelstudio/setup", json={**SETUP, "schema": configuration})) == {"schema": fault}
    assert fault in caplog.text
    assert errors(predict(client, task("قال"), label_config=configuration)) == {"label_config": fault}


def test_what_else_a_configuration_has_does_no_harm() -> None:
    more = CONFIGURATION.replace("<View>", '<View><Header value="$x"/><Choices name="other" toName="text"/>')
    more = more.replace('<Label value="NOM"/>', '<Label value="NOM"/><Label value="NEW"/>').replace("$text", "$body")
    assert text_field(f'<?xml version="1.0" encoding="latin-1"?>{more}') == "body"


@pytest.mark.parametrize("configuration", ["", "<View>", "{}", "<a>" * 10_000, "<View/><View/>"])
def test_what_is_no_xml_is_said(configuration: str) -> None:
    with pytest.raises(ConfigurationError, match="not XML"):
        text_field(configuration)


def test_entities_are_not_expanded() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]>'
    with pytest.raises(ConfigurationError, match="it declares entities"):
        text_field(bomb + CONFIGURATION)


# ---------------------------------------------------------------------------------------------------------------------
# Predictions


def test_tasks_get_predictions_in_their_order(client: TestClient, shipped_configuration: str) -> None:
    answer = predict(client, task(TEXT, id="1042"), task("قصف الجيش"), task(""), label_config=shipped_configuration)
    assert answer.status_code == 200
    first, second, empty = answer.json()["results"]
    assert first == prediction(DOCUMENT, VERSION)
    actor, act = (4, 9, "الجيش"), (0, 3, "قصف")
    assert second["result"] == [
        {**_item("span-0", "label", "labels", actor, "NOM"), "score": SCORE},
        {**_item("span-1", "label", "labels", act, "ACT"), "score": SCORE},
        _item("span-1", "class", "choices", act, "OTHER"),
        _item("span-1", "factuality", "choices", act, "negated"),
        {"from_id": "span-1", "to_id": "span-0", "type": "relation", "direction": "right", "labels": ["actor"]},
    ]
    assert (second["score"], second["model_version"]) == (SCORE, VERSION)
    assert empty == {"result": [], "score": None, "model_version": VERSION}


def _item(identity: str, tag: str, kind: str, covered: tuple[int, int, str], value: str) -> dict[str, object]:
    start, end, text = covered
    where = {"start": start, "end": end, "text": text, kind: [value]}
    return {"id": identity, "from_name": tag, "to_name": "text", "type": kind, "value": where}


def test_predictions_are_what_predict_answers(client: TestClient, nasty_text: str) -> None:
    answer = Answer.model_validate(client.post("/predict", json={"text": nasty_text}).json())
    [document] = answer.documents
    assert isinstance(document, AnsweredDocument)
    [own] = predict(client, task(nasty_text)).json()["results"]
    regions = [
        (item["value"]["start"], item["value"]["end"], item["value"]["labels"][0])
        for item in own["result"]
        if item.get("from_name") == "label"
    ]
    assert regions == [(e.start, e.end, e.label) for e in document.entities] + [
        (a.start, a.end, "ACT") for a in document.actions
    ]


def test_the_text_is_where_the_configuration_says(client: TestClient) -> None:
    configuration = CONFIGURATION.replace("$text", "$body")
    given = {"data": {"body": "قصف الجيش", "text": "x"}}
    [own] = predict(client, given, label_config=configuration).json()["results"]
    assert own["result"][0]["value"]["text"] == "الجيش"


def test_a_bad_task_does_not_fail_the_others(client: TestClient) -> None:
    answer = predict(client, task(5), task("قال"), {"id": 3}, task("a" * 101))
    assert answer.status_code == 200
    bad, good, without, long = answer.json()["results"]
    assert good["model_version"] == VERSION
    assert [own["error"]["errors"] for own in (bad, without, long)] == [
        [{"field": "tasks[0].data.text", "message": "not a string"}],
        [{"field": "tasks[2].data", "message": "missing"}],
        [{"field": "tasks[3].data.text", "message": "101 characters; a text may have 100"}],
    ]


def test_where_no_task_can_be_taken_that_is_the_answer(client: TestClient) -> None:
    assert errors(predict(client, task("a\u0000"), {"data": {"x": "قال"}})) == {
        "tasks[0].data.text": "U+0000 at character 2: NUL is not text",
        "tasks[1].data.text": "missing",
    }


def test_limits_and_forms_are_those_of_the_service(client: TestClient) -> None:
    assert errors(predict(client, *[task("قال")] * 5)) == {"tasks": "5 tasks; a request may have 4"}
    problem(predict(client, task("a" * 4000)), "too-large")
    problem(client.post("/labelstudio/predict", content=b"{", headers={"content-type": "application/json"}), "not-json")
    problem(client.post("/labelstudio/predict", content=b"{}"), "unsupported-media-type")
    assert errors(client.post("/labelstudio/predict", json={})) == {"tasks": "missing"}
    assert errors(client.post("/labelstudio/predict", json={"tasks": {}})) == {"tasks": "not a list"}
    assert predict(client).json() == {"results": []}
    problem(client.get("/labelstudio/predict"), "method-not-allowed")
    problem(client.post("/labelstudio/train", json={}), "not-found")


def test_a_document_that_fails_is_said(extractor: FakeExtractor, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = extractor.documents

    def fail_on_one(texts: list[str], *rest: Any) -> list[Document]:
        if "فشل" in texts[0]:
            raise RuntimeError("secret")
        return documents(texts, *rest)

    monkeypatch.setattr(extractor, "documents", fail_on_one)
    with TestClient(create_app(extractor, Settings(database_url=None))) as client:
        failed, good = predict(client, task("فشل"), task("قال الوزير")).json()["results"]
        assert failed["error"]["type"] == "urn:musnad:problem:internal-error"
        assert good["result"]
        problem(predict(client, task("فشل")), "internal-error")


# ---------------------------------------------------------------------------------------------------------------------
# Events


def test_events_are_heard_and_not_kept(client: TestClient) -> None:
    answer = client.post("/labelstudio/webhook", json={"action": "ANNOTATION_CREATED", "annotation": {"result": []}})
    assert answer.status_code == 200
    assert (answer.json()["action"], answer.json()["stored"]) == ("ANNOTATION_CREATED", False)


def test_nobody_is_led_to_believe_that_it_trains(client: TestClient) -> None:
    answer = errors(client.post("/labelstudio/webhook", json={"action": "START_TRAINING", "project": {}}))
    assert answer["action"].startswith("this service does not train")
    assert errors(client.post("/labelstudio/webhook", json={})) == {"action": "missing"}


# ---------------------------------------------------------------------------------------------------------------------
# Keys


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A file of keys, and those of scope `predict` and `annotate`."""
    path = tmp_path / "keys.json"
    return path, {scope: create_key(path, scope, [scope]) for scope in ("predict", "annotate")}


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_the_password_is_the_key(extractor: FakeExtractor, keys: tuple[Path, dict[str, str]]) -> None:
    path, secrets = keys
    settings = Settings(keys_file=path, require_keys="yes", database_url=None)
    with TestClient(create_app(extractor, settings)) as client:
        refused = client.get("/labelstudio/health")
        problem(refused, "unauthorized")
        assert refused.headers["www-authenticate"] == 'Bearer, Basic realm="musnad", charset="UTF-8"'
        good = basic("annotators", secrets["predict"])
        assert client.get("/labelstudio/health", headers=good).status_code == 200
        assert client.post("/labelstudio/predict", json=TASKS, headers=good).status_code == 200
        bearer = {"Authorization": f"Bearer {secrets['predict']}"}
        assert client.post("/labelstudio/webhook", json={"action": "x"}, headers=bearer).status_code == 200
        problem(client.get("/labelstudio/health", headers=basic("x", "wrong")), "unauthorized")
        problem(client.get("/labelstudio/health", headers=basic("x", secrets["annotate"])), "forbidden")
        for value in ("Basic", "Basic x", "Basic ????", "Basic " + base64.b64encode(b"nocolon").decode()):
            details = problem(client.get("/labelstudio/health", headers={"Authorization": value}), "unauthorized")
            assert details["detail"] == "The Authorization header has no user and password in base64."


def test_elsewhere_a_password_opens_nothing(extractor: FakeExtractor, keys: tuple[Path, dict[str, str]]) -> None:
    path, secrets = keys
    settings = Settings(keys_file=path, require_keys="yes", database_url=None)
    with TestClient(create_app(extractor, settings)) as client:
        refused = client.post("/predict", json={"text": "قال"}, headers=basic("x", secrets["predict"]))
        assert problem(refused, "unauthorized")["detail"] == "The scheme of the Authorization header is not Bearer."
        assert refused.headers["www-authenticate"] == "Bearer"


def test_the_example_fits_as_the_shipped_configuration_does(shipped_configuration: str) -> None:
    assert text_field(CONFIGURATION) == text_field(shipped_configuration) == "text"
    assert all(name in CONFIGURATION for name in CLASSES)
