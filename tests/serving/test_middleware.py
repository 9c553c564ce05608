from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Response
from guard_app import TEXT, guarded
from problem_checks import problem
from starlette.requests import ClientDisconnect
from starlette.routing import Mount
from starlette.testclient import TestClient
from starlette.types import Message

from serving.metrics import Metrics
from serving.middleware import CLIENT_GONE, Failures, Passage, method_name, route_path, route_template


def scope(path: str, app: FastAPI | None = None, **more: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": path,
        "headers": [],
        "query_string": b"",
        "client": None,
    }
    return base | ({} if app is None else {"app": app}) | more


def everything() -> FastAPI:
    return guarded(limit="100/second", origins=("https://news.example",), metrics=Metrics())


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/", "/"),
        ("/predict", "/predict"),
        ("/annotations", "/annotations"),
        ("/annotations/123", "/annotations/{id}"),
        ("/static/a/b.js", "/static/{path:path}"),
        ("/mounted/x/y", "/mounted/{path:path}"),
        ("/deep/er/7", "/deep/er/{n}"),
        ("/late", "/late"),
        ("/openapi.json", "/openapi.json"),
        ("/annotations/1/2", "unmatched"),
        ("/missing", "unmatched"),
        ("", "unmatched"),
    ],
)
def test_templates_of_paths(path: str, template: str) -> None:
    app = guarded()
    inner, outer = APIRouter(prefix="/er"), APIRouter(prefix="/deep")

    @inner.get("/{n}")
    async def deep(n: int) -> int:
        return n

    outer.include_router(inner)
    app.include_router(outer)
    app.routes.append(Mount("/mounted", FastAPI()))
    assert route_template(scope("/predict", app)) == "/predict"
    app.get("/late")(deep)
    assert route_template(scope(path, app)) == template
    assert route_template(scope(f"/api{path}", app, root_path="/api")) == template


def test_templates_where_fastapi_copies_the_routes_of_routers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("fastapi.routing.iter_route_contexts")
    app = FastAPI()
    app.get("/one/{n}")(lambda n: n)
    app.routes.append(Mount("/mounted", FastAPI()))
    assert route_template(scope("/one/2", app)) == "/one/{n}"
    assert route_template(scope("/mounted/a", app)) == "/mounted/{path:path}"


def test_a_scope_without_an_app_has_no_route() -> None:
    assert route_template(scope("/predict")) == "unmatched"


@pytest.mark.parametrize(
    ("path", "root", "expected"),
    [
        ("/predict", "", "/predict"),
        ("/api/predict", "/api", "/predict"),
        ("/api", "/api", ""),
        ("/apiary", "/api", "/apiary"),
        ("/predict", "/api", "/predict"),
    ],
)
def test_paths_under_a_root_path(path: str, root: str, expected: str) -> None:
    from starlette._utils import get_route_path  # what the router goes by

    assert route_path(scope(path, root_path=root)) == expected == get_route_path(scope(path, root_path=root))


def test_methods_are_few() -> None:
    assert method_name(scope("/", method="PATCH")) == "PATCH"
    assert method_name(scope("/", method="BREW")) == "other"


def test_a_failure_is_logged_and_answered_without_its_message(caplog: pytest.LogCaptureFixture) -> None:
    with TestClient(everything()) as client:  # raises what gets out
        response = client.get("/fail")
    assert problem(response, "internal-error")["detail"] == "The failure is in the service's log."
    assert response.headers["x-request-id"]
    assert TEXT not in response.text
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.getMessage() == "a request failed"
    assert record.exc_info is not None
    assert record.exc_info[0] is ValueError


def test_a_failure_in_the_middle_of_an_answer_goes_on_to_the_server() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        await asyncio.sleep(3600)
        raise AssertionError

    with pytest.raises((ValueError, ExceptionGroup)):
        asyncio.run(everything()(scope("/fail/late", method="GET"), receive, send))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[-1]["more_body"] is True


def test_nothing_is_buffered_on_the_way_in_or_out() -> None:
    """Each piece of the answer is with the client before the next piece of the request has come."""
    pieces = 5
    events: list[str] = []

    async def receive() -> Message:
        number = sum(event == "in" for event in events) + 1
        events.append("in")
        return {"type": "http.request", "body": b"%d\n" % number, "more_body": number < pieces}

    async def send(message: Message) -> None:
        events.append("start" if message["type"] == "http.response.start" else "out")

    asyncio.run(everything()(scope("/predict/stream"), receive, send))
    assert events == ["start", *["in", "out"] * pieces]


def test_large_bodies_are_not_copied() -> None:
    body = b"x" * 100_000
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(everything()(scope("/predict/stream"), receive, send))
    assert sent[1]["body"] is body


def run_through(
    app: Callable[..., Awaitable[None]], message: Message | None = None
) -> tuple[Passage, BaseException | None]:
    async def receive() -> Message:
        return message or {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        pass

    passage = Passage(receive, send)
    try:
        asyncio.run(app(scope("/"), passage.receive, passage.send))  # type: ignore[arg-type]
    except BaseException as error:
        return passage, error
    return passage, None


def test_a_client_that_went_away_is_not_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        raise ClientDisconnect

    passage, error = run_through(Failures(app))
    assert error is None
    assert not caplog.records
    assert passage.outcome(error) == CLIENT_GONE
    passage, error = run_through(app)
    assert passage.outcome(error) == CLIENT_GONE


def test_outcomes() -> None:
    async def failing(_scope: Any, _receive: Any, _send: Any) -> None:
        raise KeyError("x")

    async def cancelled(_scope: Any, _receive: Any, _send: Any) -> None:
        raise asyncio.CancelledError

    async def cut(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"12", "more_body": True})
        raise KeyError("x")

    assert run_through(failing)[0].outcome(KeyError()) == 500
    passage, error = run_through(cancelled)
    assert passage.outcome(error) == CLIENT_GONE
    passage, error = run_through(cut, {"type": "http.request", "body": b"123"})
    assert (passage.outcome(error), passage.complete, passage.bytes_in, passage.bytes_out) == (200, False, 3, 2)
    passage, error = run_through(Response("1234"))
    assert (passage.outcome(error), passage.complete, passage.bytes_out) == (200, True, 4)
