from __future__ import annotations

import asyncio
import io
import json
import logging
import sqlite3
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from anyio import to_thread
from guard_app import TEXT, guarded
from starlette.testclient import TestClient

from serving.keys import KeyRing, create_key
from serving.logs import configure_logs, count_documents, describe, request_id

FORGED = 'a\n{"event": "forged"}\r\x1b[2J\u2028\u202e\x85\ud800'


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Logging as it was before."""
    root = logging.getLogger()
    names = ("uvicorn", "uvicorn.error", "uvicorn.asgi", "uvicorn.access", "sqlalchemy", "httpx2")
    state = [(logger, logger.level, logger.handlers[:], logger.propagate) for logger in map(logging.getLogger, names)]
    handlers, level, hook = root.handlers[:], root.level, threading.excepthook
    root.handlers = []
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # the tests' own client
    yield
    root.handlers, threading.excepthook = handlers, hook
    root.setLevel(level)
    for logger, least, own, propagate in state:
        logger.setLevel(least)
        logger.handlers = own
        logger.propagate = propagate
    logging.captureWarnings(False)


def configured(format: Literal["json", "console"] = "json", level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    configure_logs(format, level, stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


# ---------------------------------------------------------------------------------------------------------------------
# Requests


def test_a_request_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    secret = create_key(file, "news", ["predict"])
    stream = configured()
    client = TestClient(guarded(KeyRing(file), required=True))
    response = client.post(
        f"/predict?text={TEXT}", content=TEXT, headers={"X-API-Key": secret, "X-Request-ID": "abc-1.2_3"}
    )
    [line] = lines(stream)
    assert line.pop("duration_ms") >= 0
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "request",
        "level": "info",
        "logger": "serving.requests",
        "request_id": "abc-1.2_3",
        "method": "POST",
        "route": "/predict",
        "status": 200,
        "bytes_in": len(TEXT.encode()),
        "bytes_out": len(response.content),
        "key": "news",
        "documents": 2,
    }
    for secretive in (secret, TEXT, "secret-text", "text="):
        assert secretive not in stream.getvalue()


def test_refused_unknown_and_failed_requests_are_lines_too(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    create_key(file, "news", ["predict"])
    stream = configured()
    client = TestClient(guarded(KeyRing(file), required=True))
    client.patch("/annotations/7", headers={"X-API-Key": "wrong"})
    client = TestClient(guarded())
    client.request("BREW", "/secret/path")
    client.get("/fail")
    got = [(line["method"], line["route"], line["status"]) for line in lines(stream) if line["event"] == "request"]
    assert got == [("PATCH", "/annotations/{id}", 401), ("other", "unmatched", 404), ("GET", "/fail", 500)]
    assert "/secret/path" not in stream.getvalue()


def test_a_failure_is_logged_with_the_request_and_without_its_message() -> None:
    stream = configured()
    response = TestClient(guarded()).get("/fail")
    failed, request = lines(stream)
    assert failed["event"] == "a request failed"
    assert failed["level"] == "error"
    assert failed["request_id"] == request["request_id"] == response.headers["x-request-id"]
    [exception] = failed["exception"]
    assert exception["type"] == "builtins.ValueError"
    assert "message" not in exception
    assert exception["frames"][-1].endswith(f"guard_app.py:{line_of('raise ValueError')} _add_routes.<locals>.fail")
    assert "secret-text" not in stream.getvalue()


def line_of(code: str) -> int:
    source = (Path(__file__).parent / "guard_app.py").read_text().splitlines()
    return next(number for number, line in enumerate(source, 1) if code in line)


def test_an_answer_that_is_cut_short_says_so() -> None:
    stream = configured()
    with pytest.raises((ValueError, ExceptionGroup)):
        TestClient(guarded()).get("/fail/late")
    [line] = [line for line in lines(stream) if line["event"] == "request"]
    assert (line["status"], line["aborted"], line["bytes_out"]) == (200, True, 2)


@pytest.mark.parametrize("given", ["a", "A.b_c-9", "x" * 128])
def test_a_good_request_id_is_kept(given: str) -> None:
    response = TestClient(guarded()).post("/predict", headers={"X-Request-ID": given})
    assert response.headers.get_list("x-request-id") == [given]
    assert response.json()["request"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "a\tb", "é", "a/b", 'a"b'])
def test_another_is_replaced(given: str) -> None:
    client = TestClient(guarded())
    headers = {b"X-Request-ID": given.encode("latin-1")}
    responses = [client.post("/predict", headers=headers) for _ in range(2)]
    made = [response.headers["x-request-id"] for response in responses]
    assert all(len(id) == 32 and id.isalnum() for id in made)
    assert len(set(made)) == 2
    assert responses[0].json()["request"] == made[0]


def test_two_request_ids_are_none() -> None:
    response = TestClient(guarded()).post("/predict", headers=[("X-Request-ID", "a"), ("X-Request-ID", "b")])
    assert response.headers["x-request-id"] not in "ab"


def test_the_request_id_is_there_in_threads_and_ends_with_the_request() -> None:
    app = guarded()

    @app.get("/thread")
    async def thread() -> str | None:
        return await to_thread.run_sync(request_id)

    response = TestClient(app).get("/thread", headers={"X-Request-ID": "abc"})
    assert response.json() == "abc"
    assert request_id() is None
    count_documents(1)  # of no request


def test_requests_at_the_same_time_keep_their_ids_and_documents_apart() -> None:
    stream = configured()
    app = guarded()
    both = asyncio.Event()
    here = 0

    @app.post("/wait/{count}")
    async def wait(count: int) -> str | None:
        nonlocal here
        here += 1
        if here == 2:
            both.set()
        await both.wait()
        count_documents(count)
        return request_id()

    async def ask(count: int) -> None:
        headers = [(b"x-request-id", b"id-%d" % count)]
        scope = {"type": "http", "method": "POST", "path": f"/wait/{count}", "headers": headers, "query_string": b""}

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                assert message["body"] == b'"id-%d"' % count

        await app(scope, receive, send)

    async def ask_both() -> None:
        await asyncio.gather(ask(1), ask(2))

    asyncio.run(ask_both())
    assert {line["request_id"]: line["documents"] for line in lines(stream)} == {"id-1": 1, "id-2": 2}


# ---------------------------------------------------------------------------------------------------------------------
# Lines


@pytest.mark.parametrize("format", ["json", "console"])
def test_nothing_logged_forges_a_line(format: Literal["json", "console"]) -> None:
    stream = configured(format)
    log = logging.getLogger("uvicorn.error")
    log.info(FORGED)
    log.info("a %s b", FORGED, extra={"route": FORGED, "key": [FORGED]})
    logging.getLogger(FORGED).info("name")
    try:
        raise OSError(FORGED)
    except OSError:
        log.info("failed", exc_info=True)
    text = stream.getvalue()
    assert set("\r\x1b\u2028\u202e\x85\ud800").isdisjoint(text)
    starts = [line for line in text.split("\n") if line and not line.startswith("  ")]
    assert len(starts) == 4
    assert not [line for line in starts if line.startswith('{"event": "forged"}')]


@pytest.mark.parametrize("format", ["json", "console"])
def test_exceptions_have_no_local_variables_and_no_quoted_input(format: Literal["json", "console"]) -> None:
    stream = configured(format)

    def inner(text: str) -> None:
        local = f"{text} local"
        raise KeyError(local)

    try:
        try:
            inner(TEXT)
        except KeyError as error:
            error.add_note(TEXT)
            raise ExceptionGroup(TEXT, [UnicodeDecodeError("utf-8", TEXT.encode(), 0, 1, TEXT)]) from error
    except ExceptionGroup:
        logging.getLogger("x").exception("failed")
    text = stream.getvalue()
    assert "secret-text" not in text
    for type in ("ExceptionGroup", "UnicodeDecodeError", "KeyError", "inner"):
        assert type in text


def test_messages_that_speak_of_the_system_are_told() -> None:
    try:
        Path("/nonexistent/file").read_text()
    except OSError as error:
        [told] = describe(error)
    assert told["message"] == "[Errno 2] No such file or directory: '/nonexistent/file'"
    [told] = describe(sqlite3.OperationalError("database is locked"))
    assert told["message"] == "database is locked"
    [told] = describe(sqlite3.IntegrityError(TEXT))
    assert "message" not in told


def test_an_exception_whose_causes_go_in_a_circle_ends() -> None:
    one, other = ValueError(1), ValueError(2)
    one.__cause__, other.__cause__ = other, one
    assert len(describe(one)) == 2


def test_console_lines_are_for_people() -> None:
    stream = configured("console")
    logging.getLogger("serving.x").warning("حدث %s", "شيء", extra={"documents": 3})
    [line] = stream.getvalue().splitlines()
    assert "حدث شيء" in line
    assert "documents=3" in line
    assert "warning" in line


def test_uvicorn_and_sqlalchemy_go_through_the_same_and_say_no_texts() -> None:
    for name in ("uvicorn", "uvicorn.access"):
        logging.getLogger(name).addHandler(logging.StreamHandler(io.StringIO()))
    stream = configured(level="debug")
    logging.getLogger("uvicorn.error").info("Started server", extra={"color_message": "\x1b[36mStarted"})
    logging.getLogger("uvicorn.access").info('%s - "%s %s" %d', "1.2.3.4", "GET", f"/?text={TEXT}", 200)
    logging.getLogger("sqlalchemy.engine.Engine").info("[generated in 1 s] (%r,)", TEXT)
    logging.getLogger("sqlalchemy.pool").warning("pool")
    assert [(line["logger"], line["event"]) for line in lines(stream)] == [
        ("uvicorn.error", "Started server"),
        ("sqlalchemy.pool", "pool"),
    ]
    assert not logging.getLogger("uvicorn.access").hasHandlers()
    assert "color_message" not in stream.getvalue()


def test_what_asyncio_says_of_tasks_has_no_text() -> None:
    stream = configured()

    async def fail() -> None:
        raise ValueError(TEXT)

    async def forget() -> None:
        task = asyncio.create_task(fail())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task

    asyncio.run(forget())
    [line] = lines(stream)
    assert line["event"] == "Task exception was never retrieved"
    assert line["exception"][0]["type"] == "builtins.ValueError"
    assert "secret-text" not in stream.getvalue()


def test_a_thread_that_fails_is_logged_without_the_text() -> None:
    stream = configured()

    def fail() -> None:
        raise ValueError(TEXT)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    [line] = lines(stream)
    assert line["event"] == "a thread failed"
    assert "secret-text" not in stream.getvalue()


def test_levels_and_warnings() -> None:
    stream = configured(level="warning")
    logging.getLogger("x").info("no")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", stacklevel=1)
    [line] = lines(stream)
    assert line["logger"] == "py.warnings"
    assert "old" in line["event"]


def test_configured_twice_it_logs_once() -> None:
    configured()
    stream = configured()
    logging.getLogger("x").info("once")
    assert len(lines(stream)) == 1
