from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from starlette.testclient import TestClient

from model.calibration import KINDS as SCORE_KINDS
from model.labels import ENTITY_LABELS
from model.records import Action, Entity
from serving.examples import ANSWER, DOCUMENT, MODEL, REQUESTS, TEXT
from serving.problems import ProblemDetails
from serving.schemas import Answer, ModelDescription, PredictRequest


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "$ref":
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_openapi_is_whole(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    paths = {"/predict", "/predict/stream", "/model", "/healthz", "/readyz", "/metrics", "/admin/model"}
    paths |= {f"/labelstudio/{name}" for name in ("health", "setup", "predict", "versions", "webhook")}
    assert set(schema["paths"]) == paths
    names = {f"#/components/schemas/{name}" for name in schema["components"]["schemas"]}
    assert set(references(schema)) <= names
    assert not any("HTTPValidationError" in name for name in names)
    predict = schema["paths"]["/predict"]["post"]
    statuses = ["200", "400", "401", "403", "406", "408", "413", "415", "422", "429", "500", "503", "504"]
    assert set(predict["responses"]) == set(statuses)
    assert not {"401", "403", "429"} & set(schema["paths"]["/healthz"]["get"]["responses"])
    assert schema["components"]["schemas"]["Entity"]["properties"]["label"]["enum"] == list(ENTITY_LABELS)


def test_openapi_has_real_examples(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    content = {
        path: paths[path][method]["responses"]["200"]["content"]["application/json"]["example"]
        for path, method in (("/predict", "post"), ("/model", "get"), ("/healthz", "get"), ("/readyz", "get"))
    }
    assert content == {
        "/predict": ANSWER,
        "/model": MODEL,
        "/healthz": {"status": "ok"},
        "/readyz": {"status": "ready"},
    }
    Answer.model_validate(content["/predict"], strict=True)
    ModelDescription.model_validate(content["/model"], strict=True)
    assert set(MODEL["calibration"]) == set(SCORE_KINDS)
    requests = paths["/predict"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    assert requests == REQUESTS
    for example in requests.values():
        PredictRequest.model_validate(example["value"])
        assert client.post("/predict", json=example["value"]).status_code == 200
    for status, response in paths["/predict"]["post"]["responses"].items():
        if status >= "400":
            details = response["content"]["application/problem+json"]["example"]
            assert ProblemDetails.model_validate(details, strict=True).status == int(status)


def test_the_examples_offsets_are_exact() -> None:
    spans: list[Entity | Action] = [*DOCUMENT.entities, *DOCUMENT.actions]
    for span in spans:
        assert TEXT[span.start : span.end] == span.text
    assert json.loads(json.dumps(ANSWER))["documents"][0]["text"] == TEXT


def test_serving_imports_neither_training_nor_torch(root: Path) -> None:
    import subprocess
    import sys

    code = "import sys, serving.app, serving.prediction, serving.commands; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True).stdout
    assert not {"torch", "transformers", "training"} & set(modules.split())
