from __future__ import annotations

import asyncio
import builtins
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from anyio import to_thread
from fastapi import FastAPI
from guard_app import TEXT, guarded
from starlette.testclient import TestClient

pytest.importorskip("opentelemetry.sdk", reason="the extra `tracing` is not installed")

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from serving.tracing import TracingError, install_tracing, span


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("OTEL_"):
            monkeypatch.delenv(name)


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def app(exporter: InMemorySpanExporter) -> Iterator[FastAPI]:
    app = guarded()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    shut_down = install_tracing(app, "1.2.3", provider)
    yield app
    shut_down()


def only(exporter: InMemorySpanExporter) -> ReadableSpan:
    [finished] = exporter.get_finished_spans()
    return finished


def all_of(exporter: InMemorySpanExporter) -> str:
    return "\n".join(finished.to_json() for finished in exporter.get_finished_spans())


def test_a_request_is_a_span(app: FastAPI, exporter: InMemorySpanExporter) -> None:
    TestClient(app).post(f"/predict?text={TEXT}", content=TEXT)
    request = only(exporter)
    assert request.name == "POST /predict"
    assert request.kind is SpanKind.SERVER
    assert request.attributes is not None
    attributes = dict(request.attributes)
    assert attributes.pop("http.response.body.size")
    assert attributes == {
        "http.request.method": "POST",
        "http.route": "/predict",
        "http.response.status_code": 200,
        "http.request.body.size": len(TEXT.encode()),
    }
    assert "secret-text" not in all_of(exporter)


def test_unknown_paths_and_methods_are_not_told(app: FastAPI, exporter: InMemorySpanExporter) -> None:
    TestClient(app).request("BREW", f"/{TEXT}")
    assert only(exporter).name == "other unmatched"
    assert "secret-text" not in all_of(exporter)


def test_the_span_is_inside_the_callers_trace(app: FastAPI, exporter: InMemorySpanExporter) -> None:
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    TestClient(app).get("/healthz", headers={"traceparent": f"00-{trace}-{parent}-01"})
    request = only(exporter)
    assert f"{request.context.trace_id:032x}" == trace
    assert request.parent is not None
    assert f"{request.parent.span_id:016x}" == parent


def test_spans_inside_also_in_threads(app: FastAPI, exporter: InMemorySpanExporter) -> None:
    @app.get("/work")
    async def work() -> None:
        def extract() -> None:
            with span("extract", documents=3, cached=False, share=0.5):
                pass

        await to_thread.run_sync(extract)

    TestClient(app).get("/work")
    inner, request = exporter.get_finished_spans()
    assert (inner.name, request.name) == ("extract", "GET /work")
    assert inner.attributes == {"documents": 3, "cached": False, "share": 0.5}
    assert inner.parent is not None
    assert inner.parent.span_id == request.context.span_id


@pytest.mark.parametrize("path", ["/fail", "/fail/late"])
def test_a_failure_leaves_its_type_and_not_its_message(app: FastAPI, exporter: InMemorySpanExporter, path: str) -> None:
    TestClient(app, raise_server_exceptions=False).get(path)
    request = only(exporter)
    assert request.status.status_code is StatusCode.ERROR
    assert request.status.description is None
    assert not request.events
    assert "secret-text" not in all_of(exporter)


def test_a_span_that_fails_too(app: FastAPI, exporter: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="secret-text"), span("extract"):
        raise ValueError(TEXT)
    inner = only(exporter)
    assert inner.attributes == {"error.type": "ValueError"}
    assert inner.status.status_code is StatusCode.ERROR
    assert "secret-text" not in all_of(exporter)


@pytest.mark.parametrize("value", [TEXT, None, [1], b"x"])
def test_attributes_are_numbers(value: Any) -> None:
    with pytest.raises(TypeError, match="the attribute text of the span 'extract'"), span("extract", text=value):
        pass


def test_an_answer_of_5xx_is_a_failed_span_and_of_4xx_is_not(app: FastAPI, exporter: InMemorySpanExporter) -> None:
    client = TestClient(app)
    client.get("/busy")
    client.get("/missing")
    busy, missing = exporter.get_finished_spans()
    assert busy.status.status_code is StatusCode.ERROR
    assert missing.status.status_code is StatusCode.UNSET


def test_without_tracing_a_span_is_nothing() -> None:
    with span("extract", documents=1):
        pass


# ---------------------------------------------------------------------------------------------------------------------
# Configuration


class Collector(HTTPServer):
    """Takes spans as OTLP over HTTP."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, bytes]] = []
        bodies = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                bodies.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_spans_are_sent_where_the_variables_say(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_port}")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=newsroom")
    app = guarded()
    shut_down = install_tracing(app, "1.2.3")
    TestClient(app).post("/predict", content=TEXT)
    shut_down()
    [(path, body)] = collector.bodies
    assert path == "/v1/traces"
    for expected in (b"POST /predict", b"musnad", b"1.2.3", b"newsroom"):
        assert expected in body
    assert b"secret-text" not in body


@pytest.mark.parametrize(("given", "name"), [(None, "musnad"), ("news-desk", "news-desk")])
def test_the_services_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, given: str | None, name: str
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    if given is not None:
        monkeypatch.setenv("OTEL_SERVICE_NAME", given)
    app = guarded()
    shut_down = install_tracing(app, "1.2.3")
    TestClient(app).get("/healthz")
    shut_down()
    attributes = json.loads(capsys.readouterr().out)["resource"]["attributes"]
    assert (attributes["service.name"], attributes["service.version"]) == (name, "1.2.3")


@pytest.mark.parametrize(
    ("variable", "value"),
    [("OTEL_TRACES_EXPORTER", "none"), ("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_SAMPLER", "always_off")],
)
def test_traces_can_be_turned_off(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_port}")
    monkeypatch.setenv(variable, value)
    app = guarded()
    shut_down = install_tracing(app, "1.2.3")
    assert TestClient(app).get("/healthz").status_code == 200
    shut_down()
    assert not collector.bodies


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("OTEL_TRACES_EXPORTER", "zipkin", "OTEL_TRACES_EXPORTER is 'zipkin'; it should be otlp, console or none"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "OTEL_EXPORTER_OTLP_PROTOCOL is 'grpc'; traces are sent as http"),
    ],
)
def test_what_cannot_be_done_is_said(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(TracingError, match=message):
        install_tracing(guarded(), "1.2.3")


@pytest.mark.parametrize("missing", ["opentelemetry.sdk", "opentelemetry.exporter"])
def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    imported = builtins.__import__

    def refuse(name: str, *arguments: Any, **more: Any) -> Any:
        if name.startswith(missing):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return imported(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(TracingError, match=r"pip install 'musnad\[tracing\]'"):
        install_tracing(guarded(), "1.2.3")
    with span("extract"):
        pass


def test_traces_of_requests_at_the_same_time_are_apart(app: FastAPI, exporter: InMemorySpanExporter) -> None:
    both = asyncio.Event()
    here = 0

    @app.get("/wait")
    async def wait() -> None:
        nonlocal here
        here += 1
        if here == 2:
            both.set()
        await both.wait()
        with span("inner"):
            pass

    async def ask() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(_message: Any) -> None:
            pass

        scope = {"type": "http", "method": "GET", "path": "/wait", "headers": [], "query_string": b""}
        await app(scope, receive, send)

    async def ask_both() -> None:
        await asyncio.gather(ask(), ask())

    asyncio.run(ask_both())
    spans = exporter.get_finished_spans()
    requests = {request.context.span_id for request in spans if request.name == "GET /wait"}
    parents = {inner.parent.span_id for inner in spans if inner.name == "inner" and inner.parent is not None}
    assert len(requests) == 2
    assert parents == requests
