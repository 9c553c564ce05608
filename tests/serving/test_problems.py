from __future__ import annotations

import asyncio

import pytest
from fake_extractor import FakeExtractor
from problem_checks import errors, problem
from starlette.requests import Request
from starlette.testclient import TestClient

from model.records import Document
from serving.app import create_app
from serving.bodies import Limits, read_body
from serving.problems import Problem
from serving.schemas import Answer
from serving.settings import Settings

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"": "give either `text` or `documents`"}),
        ({"min_score": 0.5}, {"": "give either `text` or `documents`"}),
        ({"text": "", "documents": []}, {"": "give either `text` or `documents`, not both"}),
        ([], {"": "not an object"}),
        ("قال", {"": "not an object"}),
        ({"text": 5}, {"text": "not a string"}),
        ({"text": ["قال"]}, {"text": "not a string"}),
        ({"text": "قال", "id": "1"}, {"id": "unknown field"}),
        ({"text": "قال", "min_score": "0.5"}, {"min_score": "not a number"}),
        ({"text": "قال", "min_score": True}, {"min_score": "not a number"}),
        ({"text": "قال", "min_score": 1.5}, {"min_score": "Input should be less than or equal to 1"}),
        ({"documents": {"text": "قال"}}, {"documents": "not a list"}),
        ({"documents": ["قال"]}, {"documents[0]": "not an object"}),
        ({"documents": [{"id": "1"}, 5]}, {"documents[0].text": "missing", "documents[1]": "not an object"}),
        ({"documents": [{"text": "", "id": 1}]}, {"documents[0].id": "not a string"}),
        ({"documents": [{"text": "", "id": ""}]}, {"documents[0].id": "empty"}),
        (
            {"documents": [{"text": "", "url": "", "x": 1}]},
            {f"documents[0].{name}": "unknown field" for name in ("url", "x")},
        ),
    ],
)
def test_a_wrong_request_names_the_fields(client: TestClient, body: object, expected: dict[str, str]) -> None:
    assert errors(client.post("/predict", json=body)) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (rb'{"text": "a\ud800"}', {"text": "U+D800 at character 2: a lone surrogate is not Unicode text"}),
        (rb'{"text": "\u0000"}', {"text": "U+0000 at character 1: NUL is not text"}),
        (
            rb'{"documents": [{"text": "\udc00\ud800", "id": "\ud800"}]}',
            {
                "documents[0].id": "a lone surrogate is not Unicode text",
                "documents[0].text": "U+DC00 at character 1: a lone surrogate is not Unicode text",
            },
        ),
        (rb'{"text": "", "\ud800": 1}', {"": "a lone surrogate is not Unicode text"}),
    ],
)
def test_what_is_no_text_is_named(client: TestClient, body: bytes, expected: dict[str, str]) -> None:
    assert errors(client.post("/predict", content=body, headers=JSON)) == expected


def test_a_bad_document_does_not_fail_the_others(client: TestClient) -> None:
    documents = [
        {"id": "a", "text": "قال"},
        {"id": "a", "text": "قال"},
        {"id": "b", "text": "أ" * 101, "x": 1},
        {"id": "c", "text": "أ" * 101},
    ]
    response = client.post("/predict", json={"documents": documents})
    assert response.status_code == 200
    first, *failed = response.json()["documents"]
    assert (first["id"], first["text"]) == ("a", "قال")
    assert [document["id"] for document in failed] == ["a", "b", "c"]
    assert [document["error"]["errors"] for document in failed] == [
        [{"field": "documents[1].id", "message": "the same as documents[0].id"}],
        [{"field": "documents[2].x", "message": "unknown field"}],
        [{"field": "documents[3].text", "message": "101 characters; a text may have 100"}],
    ]
    Answer.model_validate(response.json(), strict=True)


def test_a_surrogate_pair_is_a_character(client: TestClient) -> None:
    response = client.post("/predict", content=rb'{"text": "\ud83d\ude00"}', headers=JSON)
    assert response.json()["documents"][0]["text"] == "😀"


def test_many_wrong_fields_are_counted(client: TestClient) -> None:
    details = problem(client.post("/predict", json=dict.fromkeys(map(str, range(50)), 1)), "invalid-request")
    assert len(details["errors"]) == 20
    assert details["detail"] == "50 fields are wrong; the first 20 are listed."


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "not JSON: Expecting value at column 1."),
        (b'{"text": "', "not JSON: Unterminated string starting at column 10."),
        (b'{"text": "\xc7"}', "not UTF-8: 0xC7 at byte 11."),
        ('{"text": ""}'.encode("utf-16"), "not UTF-8: 0xFF at byte 1."),
        (b'{"text": "", "min_score": NaN}', "not JSON: NaN is not a JSON number."),
        (b'{"text": "", "text": ""}', 'the field "text" comes twice in one object.'),
        (b"[" * 3000, "not JSON that can be read: nested too deep."),
    ],
)
def test_a_body_that_is_not_json(client: TestClient, body: bytes, detail: str) -> None:
    assert problem(client.post("/predict", content=body, headers=JSON), "not-json")["detail"] == detail


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json; charset=windows-1256"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
def test_what_is_not_declared_as_json(client: TestClient, headers: dict[str, str]) -> None:
    problem(client.post("/predict", content=b'{"text": ""}', headers=headers), "unsupported-media-type")


def test_limits(client: TestClient) -> None:
    assert client.post("/predict", json={"documents": [{"text": "أ" * 100}] * 4}).status_code == 200
    assert errors(client.post("/predict", json={"documents": [{"text": ""}] * 5}), "invalid-request") == {
        "documents": "5 documents; a request may have 4"
    }
    assert errors(client.post("/predict", json={"text": "أ" * 101}), "invalid-request") == {
        "text": "101 characters; a text may have 100"
    }
    long = {"documents": [{"text": "أ" * 102}, {"text": "أ" * 103}]}
    assert errors(client.post("/predict", json=long), "invalid-request") == {
        "documents[0].text": "102 characters; a text may have 100",
        "documents[1].text": "103 characters; a text may have 100",
    }


def test_the_longest_body_is_taken_and_no_longer_one(client: TestClient) -> None:
    longest = b'{"text": ""}' + b" " * (4000 - 12)
    assert client.post("/predict", content=longest, headers=JSON).status_code == 200
    details = problem(client.post("/predict", content=longest + b" ", headers=JSON), "too-large")
    assert details["detail"] == "The body may have 4,000 bytes."


async def body_of(request: Request) -> bytes:
    limits = Limits(4, 100, 1000)
    try:
        async with read_body(request, limits) as body:
            assert limits.held == len(body)
            return body
    finally:
        assert limits.held == 0


@pytest.mark.parametrize(
    ("headers", "read"),
    [
        ({}, 5),  # what the sender must get rid of before it looks for an answer
        ({"content-length": "100000"}, 5),
        ({"content-length": "100000", "expect": "100-continue"}, 0),
    ],
)
def test_a_long_body_is_not_read_to_its_end(headers: dict[str, str], read: int) -> None:
    received = 0

    async def receive() -> dict[str, object]:
        nonlocal received
        received += 1
        return {"type": "http.request", "body": b" " * 1000, "more_body": True}

    pairs = [(name.encode(), value.encode()) for name, value in {**JSON, **headers}.items()]
    with pytest.raises(Problem, match="The body may have 1,000 bytes"):
        asyncio.run(body_of(Request({"type": "http", "headers": pairs}, receive)))
    assert received == read


def test_a_body_that_ends_early() -> None:
    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    pairs = [(name.encode(), value.encode()) for name, value in JSON.items()]
    with pytest.raises(Problem, match="The body ended early"):
        asyncio.run(body_of(Request({"type": "http", "headers": pairs}, receive)))


def test_unknown_paths_and_methods(client: TestClient) -> None:
    assert problem(client.get("/predictions"), "not-found")["detail"] == "GET /predictions"
    problem(client.post("/predict/", json={"text": ""}), "not-found")
    response = client.get("/predict")
    problem(response, "method-not-allowed")
    assert response.headers["allow"] == "POST"
    problem(client.delete("/model"), "method-not-allowed")


@pytest.mark.parametrize("path", ["/", "/static/", "/predict/", "/labelstudio/"])
def test_a_long_path_is_not_told_in_full(client: TestClient, path: str) -> None:
    details = problem(client.get(path + "a" * 5000), "not-found")
    assert details["detail"] == f"GET {path}".ljust(200, "a") + "…"
    refused = client.request("Z" * 5000, "/healthz")
    assert problem(refused, "method-not-allowed")["detail"] == "Z" * 200 + "…"


def test_a_failure_tells_nothing_of_the_inside(extractor: FakeExtractor, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> list[Document]:
        raise RuntimeError("/home/secret")

    monkeypatch.setattr(extractor, "documents", fail)
    settings = Settings(database_url=None)
    with TestClient(create_app(extractor, settings), raise_server_exceptions=False) as client:
        response = client.post("/predict", json={"text": "قال"})
    problem(response, "internal-error")
    assert "secret" not in response.text
