from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from problem_checks import errors, problem
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from feedback.annotated import body, document, renumbered, submission
from feedback.annotation_service import service
from model.annotation_check import check
from serving.bodies import Limits
from serving.feedback import examples
from serving.feedback.records import Annotation, Filter, Receipt, Submission
from serving.feedback.schemas import AnnotationRecord, AnnotationsAnswer, AnnotationsRequest, StatusRequest
from serving.feedback.store import FeedbackStore
from serving.problems import ProblemDetails


def lines(client: TestClient, **parameters: str) -> list[dict[str, Any]]:
    response = client.get("/annotations", params=parameters)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in response.content.splitlines()]


def test_submit_and_export(client: TestClient) -> None:
    first, second = document(1, id="خبر-1"), document(2)
    response = client.post("/annotations", json=body(first, second))
    assert response.status_code == 201
    AnnotationsAnswer.model_validate(response.json(), strict=True)
    receipts = response.json()["annotations"]
    assert [(own["status"], own["created"]) for own in receipts] == [("pending", True)] * 2
    exported = lines(client)
    for line in exported:
        AnnotationRecord.model_validate_json(json.dumps(line), strict=True)
    metas = [line.pop("meta") for line in exported]
    assert exported == [first, {"id": receipts[1]["id"], **second}]
    assert [meta["id"] for meta in metas] == [own["id"] for own in receipts]
    assert metas[0]["annotator"] == "سلمى"
    assert metas[0]["model"] == {"name": "musnad", "version": "1"}
    assert metas[0]["created"] == metas[0]["updated"]
    assert datetime.fromisoformat(metas[0]["created"]).utcoffset() == timedelta(0)


def test_again_is_the_same_record(client: TestClient) -> None:
    (first,) = client.post("/annotations", json=body(document(1))).json()["annotations"]
    client.patch(f"/annotations/{first['id']}", json={"status": "accepted"})
    again = client.post("/annotations", json=body(renumbered(document(1, id="7"))))
    assert again.status_code == 200
    assert again.json() == {"annotations": [{"id": first["id"], "status": "accepted", "created": False}]}
    mixed = client.post("/annotations", json=body(document(1), document(2)))
    assert mixed.status_code == 201
    assert [own["created"] for own in mixed.json()["annotations"]] == [False, True]
    assert len(lines(client)) == 2


def test_no_documents_are_no_annotations(client: TestClient) -> None:
    response = client.post("/annotations", json=body())
    assert (response.status_code, response.json()) == (200, {"annotations": []})
    assert client.get("/annotations").content == b""


def test_texts_and_offsets_come_back_unchanged(client: TestClient, nasty_text: str) -> None:
    start, end = len(nasty_text) - len(nasty_text.lstrip()), len(nasty_text.rstrip())
    entities = [{"id": 0, "label": "LOC", "start_offset": start, "end_offset": end}] if start < end else []
    own = {"text": nasty_text, "entities": entities, "relations": []}
    response = client.post("/annotations", json=body(own, annotator="😀 \u202bسلمى"))
    if not entities:
        assert errors(response) == {"documents[0].text": "is empty"}
        return
    assert response.status_code == 201
    (line,) = lines(client, annotator="😀 \u202bسلمى")
    assert {field: line[field] for field in own} == own


def test_the_export_is_an_annotation_file(client: TestClient, tmp_path: Path) -> None:
    documents = [document(0, text=text, entities=[], relations=[]) for text in ("قال الوزير ذلك.", "نفت الوزارة.")]
    client.post("/annotations", json=body({**examples.DOCUMENT}, *documents))
    path = tmp_path / "export.jsonl"
    path.write_bytes(client.get("/annotations").content)
    assert [str(problem) for problem in check([path])] == []


def test_filters(client: TestClient) -> None:
    client.post("/annotations", json=body(document(1), document(2)))
    client.post("/annotations", json=body(document(3), annotator="عمر & ليلى"))
    metas = [line["meta"] for line in lines(client)]
    client.patch(f"/annotations/{metas[1]['id']}", json={"status": "rejected"})

    def found(**parameters: str) -> list[int]:
        ids = [meta["id"] for meta in metas]
        return [ids.index(line["meta"]["id"]) for line in lines(client, **parameters)]

    third = datetime.fromisoformat(metas[2]["created"])
    elsewhere = third.astimezone(UTC).replace(tzinfo=None).isoformat()
    assert found(annotator="عمر & ليلى") == [2]
    assert found(annotator="nobody") == []
    assert found(status="pending") == [0, 2]
    assert found(status="rejected", annotator="سلمى") == [1]
    assert found(since=metas[2]["created"]) == found(since=elsewhere) == [2]
    assert found(until=metas[2]["created"]) == [0, 1]
    assert found(since=(third + timedelta(microseconds=1)).isoformat()) == []
    assert found(since="2020-01-01", until="2999-12-31") == [0, 1, 2]
    assert found(since="2999-01-01") == found(until="2020-01-01T00:00+03:00") == []
    assert found(since="0001-01-01") == found(until="9999-12-31") == [0, 1, 2]


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("status=done", {"status": "not one of pending, accepted, rejected"}),
        ("status=", {"status": "not one of pending, accepted, rejected"}),
        ("annotator=", {"annotator": "empty"}),
        ("annotator=%00", {"annotator": "U+0000 at character 1: NUL is not text"}),
        ("state=pending", {"state": "unknown parameter"}),
        ("status=pending&status=pending", {"status": "given twice"}),
        ("=1&x=2&annotator=", {"": "unknown parameter", "x": "unknown parameter", "annotator": "empty"}),
    ],
)
def test_a_wrong_filter_names_the_parameter(client: TestClient, query: str, fields: dict[str, str]) -> None:
    assert errors(client.get(f"/annotations?{query}")) == fields


@pytest.mark.parametrize(
    "value",
    [
        "",
        "yesterday",
        "2025-13-01",
        "2025-11-22T10:00:00 03:00",
        "0001-01-01T00:00:00%2B03:00",
        "9999-12-31T23:59-01:00",
        "٢٠٢٥-١١-٢٢",
        "1e9",
        "%00",
    ],
)
def test_a_wrong_date_names_the_parameter(client: TestClient, value: str) -> None:
    found = errors(client.get(f"/annotations?since={value}&until={value}"))
    assert set(found) == {"since", "until"}
    assert all(message.startswith("not an ISO 8601 date or date-time") for message in found.values())


def test_review(client: TestClient) -> None:
    (receipt,) = client.post("/annotations", json=body(document(1))).json()["annotations"]
    (before,) = lines(client)
    response = client.patch(f"/annotations/{receipt['id']}", json={"status": "accepted"})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    record = response.json()
    AnnotationRecord.model_validate_json(response.content, strict=True)
    assert record["meta"]["updated"] > record["meta"]["created"]
    meta = {**before["meta"], "status": "accepted", "updated": record["meta"]["updated"]}
    assert record == {**before, "meta": meta}
    assert lines(client) == [record]
    back = client.patch(f"/annotations/{receipt['id']}", json={"status": "pending"}).json()
    assert back["meta"]["status"] == "pending"


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        ({}, {"status": "missing"}),
        ({"status": "done"}, {"status": "Input should be 'pending', 'accepted' or 'rejected'"}),
        ({"status": None}, {"status": "Input should be 'pending', 'accepted' or 'rejected'"}),
        ({"status": "accepted", "text": "", "annotator": ""}, {"text": "unknown field", "annotator": "unknown field"}),
        ([], {"": "not an object"}),
    ],
)
def test_a_wrong_review_names_the_field(client: TestClient, content: object, fields: dict[str, str]) -> None:
    (receipt,) = client.post("/annotations", json=body(document(1))).json()["annotations"]
    assert errors(client.patch(f"/annotations/{receipt['id']}", json=content)) == fields
    assert lines(client)[0]["meta"]["status"] == "pending"


@pytest.mark.parametrize("id", ["0" * 32, "1", "%00", "0" * 5000, "أ", "0" * 31 + "\u0660", "0" * 32 + "%0A"])
def test_an_unknown_id(client: TestClient, id: str) -> None:
    problem(client.patch(f"/annotations/{id}", json={"status": "accepted"}), "not-found")


@pytest.mark.parametrize(("method", "path"), [("POST", "/annotations"), ("PATCH", f"/annotations/{'0' * 32}")])
def test_bodies_that_are_no_json(client: TestClient, limits: Limits, method: str, path: str) -> None:
    def ask(content: bytes, kind: str = "application/json") -> Any:
        return client.request(method, path, content=content, headers={"content-type": kind})

    problem(ask(b"{"), "not-json")
    problem(ask(b"\xff"), "not-json")
    problem(ask(b'{"status": "accepted", "status": "accepted"}'), "not-json")
    problem(ask(b"[" * 100_000), "not-json")
    problem(ask(b"{}", "text/plain"), "unsupported-media-type")
    problem(ask(b" " * (limits.body_bytes + 1)), "too-large")


def test_methods(client: TestClient) -> None:
    problem(client.delete("/annotations"), "method-not-allowed")
    problem(client.get(f"/annotations/{'0' * 32}"), "method-not-allowed")
    problem(client.get("/annotations/"), "not-found")


# ---------------------------------------------------------------------------------------------------------------------
# The database, from the event loop


async def ask(app: FastAPI, path: str) -> list[dict[str, Any]]:
    """The messages that the app sends for GET `path`."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": [],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
    }  # fmt: skip
    await app(scope, receive, send)
    return sent


def test_an_export_is_sent_in_pieces(app: FastAPI, store: FeedbackStore) -> None:
    text = "قال الوزير. " * 200
    documents = [document(0, text=f"{text}{number}", entities=[], relations=[]) for number in range(300)]
    store.submit(submission(*documents))
    messages = asyncio.run(ask(app, "/annotations"))
    chunks = [message["body"] for message in messages if message["type"] == "http.response.body"]
    assert len(b"".join(chunks).splitlines()) == 300
    assert len(chunks) > 10
    assert max(map(len, chunks)) < 2 * 64 * 1024
    assert not messages[-1]["more_body"]


class Failing(FeedbackStore):
    """A store whose database goes away after some records."""

    def __init__(self, records: list[Annotation]) -> None:
        self.records = records

    def _fail(self) -> OperationalError:
        return OperationalError("SELECT", {}, Exception("the server has gone"))

    def submit(self, submission: Submission) -> list[Receipt]:
        raise self._fail()

    def set_status(self, id: str, status: str) -> Annotation | None:
        raise self._fail()

    def export(self, filter: Filter | None = None) -> Iterator[Annotation]:
        yield from self.records
        raise self._fail()


def test_a_database_that_fails_is_a_503(limits: Limits) -> None:
    with TestClient(service(Failing([]), limits), raise_server_exceptions=False) as client:
        answers = (
            client.post("/annotations", json=body(document(1))),
            client.get("/annotations"),
            client.patch(f"/annotations/{'0' * 32}", json={"status": "accepted"}),
        )
    for answer in answers:
        problem(answer, "overloaded")
        assert answer.headers["retry-after"] == "5"


def test_an_export_that_fails_half_way_does_not_end_well(store: FeedbackStore, limits: Limits) -> None:
    store.submit(submission(document(1)))
    app = service(Failing(list(store.export()) * 200), limits)
    messages: list[dict[str, Any]] = []
    with pytest.raises(Exception, match="already started"):
        asyncio.run(ask(app, "/annotations"))
    assert not any(message.get("more_body") is False for message in messages)


def test_the_event_loop_never_waits_for_the_database(
    app: FastAPI, store: FeedbackStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def watched(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            with pytest.raises(RuntimeError, match="no running event loop"):
                asyncio.get_running_loop()
            asked.append(name)
            return method(*arguments)

        return call

    connect = store._engine.connect
    monkeypatch.setattr(store._engine, "connect", watched("connect", connect))
    with TestClient(app) as client:
        (receipt,) = client.post("/annotations", json=body(document(1))).json()["annotations"]
        assert len(lines(client)) == 1
        assert client.patch(f"/annotations/{receipt['id']}", json={"status": "accepted"}).status_code == 200
    assert len(asked) >= 4


# ---------------------------------------------------------------------------------------------------------------------
# OpenAPI


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_openapi(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    names = {f"#/components/schemas/{name}" for name in schema["components"]["schemas"]}
    assert set(references(schema)) <= names
    assert not any("HTTPValidationError" in name for name in names)
    paths = schema["paths"]
    assert {path: set(operations) for path, operations in paths.items()} == {
        "/annotations": {"post", "get"},
        "/annotations/{id}": {"patch"},
    }
    submit, export, review = (
        paths["/annotations"]["post"],
        paths["/annotations"]["get"],
        paths["/annotations/{id}"]["patch"],
    )
    guards = {"401", "403", "429", "500"}
    assert set(submit["responses"]) - guards == {"200", "201", "400", "408", "413", "415", "422", "503"}
    assert set(export["responses"]) - guards == {"200", "422", "503"}
    assert set(review["responses"]) - guards == {"200", "400", "404", "408", "413", "415", "422", "503"}
    assert {own["name"] for own in export["parameters"]} == {"annotator", "status", "since", "until"}
    assert [own["name"] for own in review["parameters"]] == ["id"]
    assert set(export["responses"]["200"]["content"]) == {"application/x-ndjson"}
    for operation in (submit, export, review):
        for status, response in operation["responses"].items():
            if status >= "400":
                details = response["content"]["application/problem+json"]["example"]
                assert ProblemDetails.model_validate(details, strict=True).status == int(status)


def test_openapi_has_real_examples(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    submit, review = paths["/annotations"]["post"], paths["/annotations/{id}"]["patch"]
    (request,) = submit["requestBody"]["content"]["application/json"]["examples"].values()
    AnnotationsRequest.model_validate(request["value"])
    response = client.post("/annotations", json=request["value"])
    assert response.json() == submit["responses"]["201"]["content"]["application/json"]["example"] == examples.ANSWER
    (change,) = review["requestBody"]["content"]["application/json"]["examples"].values()
    StatusRequest.model_validate(change["value"])
    record = client.patch(f"/annotations/{examples.ID}", json=change["value"]).json()
    again = client.post("/annotations", json=request["value"])
    assert again.json() == submit["responses"]["200"]["content"]["application/json"]["example"]
    for shown in (
        review["responses"]["200"]["content"]["application/json"]["example"],
        paths["/annotations"]["get"]["responses"]["200"]["content"]["application/x-ndjson"]["example"],
    ):
        AnnotationRecord.model_validate_json(json.dumps(shown), strict=True)
        moments = {name: record["meta"][name] for name in ("created", "updated")}
        assert {**shown, "meta": {**shown["meta"], **moments}} == record
