from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fake_extractor import FakeExtractor
from problem_checks import problem
from starlette.testclient import TestClient

from model.extractor import CheckpointError, Extractor, text_id
from model.labels import CLASSES, ENTITY_LABELS, FACTUALITIES, ROLES
from model.records import Document
from serving.app import create_app
from serving.examples import DOCUMENT, TEXT
from serving.schemas import Answer
from serving.settings import Settings


def test_one_text(client: TestClient) -> None:
    response = client.post("/predict", json={"text": TEXT})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "model": {"name": "fake", "version": "1.2.3"},
        "offsets": "codepoint",
        "documents": [{**DOCUMENT.to_dict(), "id": text_id(TEXT)}],
    }


def test_documents_come_back_in_order_with_their_ids(client: TestClient, extractor: FakeExtractor) -> None:
    documents = [{"id": "ب", "text": "قال الوزير"}, {"text": "قال الوزير"}, {"id": "أ", "text": TEXT}]
    answer = client.post("/predict", json={"documents": documents}).json()
    assert [document["id"] for document in answer["documents"]] == ["ب", text_id("قال الوزير"), "أ"]
    assert [document["text"] for document in answer["documents"]] == ["قال الوزير", "قال الوزير", TEXT]
    assert sum(rows for rows, _ in extractor.fake.batches) == 3


def test_no_documents_are_no_documents(client: TestClient) -> None:
    assert client.post("/predict", json={"documents": []}).json()["documents"] == []


def test_offsets_are_of_the_callers_text(client: TestClient, nasty_text: str) -> None:
    response = client.post("/predict", json={"text": nasty_text})
    (document,) = response.json()["documents"]
    assert document["text"] == nasty_text
    for span in (*document["entities"], *document["actions"]):
        assert nasty_text[span["start"] : span["end"]] == span["text"]
    Answer.model_validate(response.json(), strict=True)


def test_empty_text_has_no_sentences(client: TestClient) -> None:
    (document,) = client.post("/predict", json={"text": " \n"}).json()["documents"]
    assert document == {**Document(text_id(" \n"), " \n").to_dict()}


def test_min_score(client: TestClient) -> None:
    body = {"text": "قال الوزير", "min_score": 0.6}
    assert client.post("/predict", json=body).json()["documents"][0]["entities"] == []
    body["min_score"] = 0.5
    assert len(client.post("/predict", json=body).json()["documents"][0]["entities"]) == 1


def test_null_is_the_same_as_absent(client: TestClient) -> None:
    body = {"text": None, "documents": [{"id": None, "text": "قال"}], "min_score": None}
    assert client.post("/predict", json=body).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=UTF-8", 'Application/JSON;charset="utf-8"', "application/vnd.api+json"],
)
def test_json_is_declared_in_several_ways(client: TestClient, content_type: str) -> None:
    response = client.post("/predict", content=b'\xef\xbb\xbf{"text": ""}', headers={"content-type": content_type})
    assert response.status_code == 200


def test_model(client: TestClient) -> None:
    answer = client.get("/model").json()
    assert answer == {
        "name": "fake",
        "version": "1.2.3",
        "labels": list(ENTITY_LABELS),
        "classes": list(CLASSES),
        "factualities": list(FACTUALITIES),
        "roles": list(ROLES),
        "max_pieces": 512,
        "calibration": ["entity"],
    }


def test_health(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}


def poll(client: TestClient, word: str) -> Any:
    """The answer of `GET /readyz` once it holds a word."""
    for _ in range(3000):
        if word in (response := client.get("/readyz")).text.replace("not-ready", ""):
            return response
        time.sleep(0.01)
    raise AssertionError(response.text)


def test_the_service_is_up_before_the_model_is_loaded(extractor: FakeExtractor) -> None:
    loadable = threading.Event()
    asked = threading.Event()

    def load() -> Extractor:
        asked.set()
        assert loadable.wait(60)
        return extractor

    with TestClient(create_app(load, Settings(database_url=None))) as client:
        assert asked.wait(60)
        assert client.get("/healthz").status_code == 200
        for response in (client.get("/readyz"), client.get("/model"), client.post("/predict", json={"text": ""})):
            assert problem(response, "not-ready")["detail"] == "The model is still loading."
        loadable.set()
        ready = poll(client, "ready")
        assert ready.json() == {"status": "ready"}
        assert client.get("/model").json()["name"] == "fake"


def test_a_model_that_cannot_be_loaded_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def load() -> Extractor:
        raise CheckpointError("runs/x: there is no model.onnx")

    with TestClient(create_app(load, Settings(database_url=None))) as client:
        response = poll(client, "cannot")
        assert problem(response, "not-ready")["detail"] == "The model cannot be loaded; the service's log says why."
    assert "runs/x: there is no model.onnx" in caplog.text


def test_extraction_does_not_block_the_service(extractor: FakeExtractor) -> None:
    extractor.fake.open.clear()
    app = create_app(extractor, Settings(database_url=None))
    with TestClient(app) as client, ThreadPoolExecutor(6) as pool:
        answers = [pool.submit(client.post, "/predict", json={"text": str(index)}) for index in range(6)]
        assert extractor.fake.entered.acquire(timeout=60)
        assert client.get("/healthz").json() == {"status": "ok"}
        problem(client.post("/predict", json={}), "invalid-request")
        extractor.fake.open.set()
        assert [answer.result().json()["documents"][0]["text"] for answer in answers] == list("012345")
