"""OpenTelemetry traces of requests, an extra: `pip install 'musnad[tracing]'`. What is traced never holds a text.

Configured by the standard OTEL_* variables: OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER,
OTEL_EXPORTER_OTLP_ENDPOINT and its kin, OTEL_BSP_*, OTEL_PROPAGATORS, OTEL_SDK_DISABLED, and OTEL_TRACES_EXPORTER
(`otlp`, which is the default and speaks http/protobuf; `console`; `none`).

The instrumentation packages of OpenTelemetry are not used: they record queries, and exceptions with their messages.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.middleware import Passage, method_name, route_template

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, Tracer
    from opentelemetry.util.types import AttributeValue

_NAME = "musnad"

#: What traces in this process; OpenTelemetry, too, has one a process.
_tracer: Tracer | None = None


class TracingError(RuntimeError):
    """Traces are asked for and cannot be sent; says what to install or to set."""


def install_tracing(app: FastAPI, version: str, provider: TracerProvider | None = None) -> Callable[[], None]:
    """Trace the requests of `app`, and what is in a `span`, from now on.

    `version`: of the service. `provider`: one that is set up otherwise than by the environment. Returns what sends the
    last spans and ends tracing: to be called, in a thread, at shutdown. Raises TracingError.
    """
    global _tracer
    if provider is None:
        provider = _provider(version)
    tracer = _tracer = provider.get_tracer(_NAME, version)
    app.add_middleware(RequestTracing, tracer=tracer)

    def shut_down() -> None:
        global _tracer
        if _tracer is tracer:
            _tracer = None
        provider.shutdown()

    return shut_down


def _provider(version: str) -> TracerProvider:
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise _missing() from None
    resource = Resource({"service.version": version}).merge(Resource.create())  # the latter reads OTEL_*, and prevails
    if str(resource.attributes["service.name"]).startswith("unknown_service"):
        resource = resource.merge(Resource({"service.name": _NAME}))
    provider = TracerProvider(resource=resource)
    if (exporter := _exporter()) is not None:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _missing() -> TracingError:
    return TracingError("tracing is on, and its packages are not installed: pip install 'musnad[tracing]'")


def _exporter() -> SpanExporter | None:
    name = os.environ.get("OTEL_TRACES_EXPORTER", "") or "otlp"
    if name == "none":
        return None
    if name == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter(out=sys.stdout)
    if name != "otlp":
        raise TracingError(f"OTEL_TRACES_EXPORTER is {name!r}; it should be otlp, console or none")
    for variable in ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        if (protocol := os.environ.get(variable, "http/protobuf")) != "http/protobuf":
            raise TracingError(f"{variable} is {protocol!r}; traces are sent as http/protobuf")
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError:
        raise _missing() from None
    return OTLPSpanExporter()


@contextmanager
def span(name: str, **attributes: int | float | bool) -> Iterator[None]:
    """Trace what is done inside as a span; nothing where tracing is off.

    Attributes are numbers and truth values: no text gets into a trace. Raises TypeError for another.
    """
    for key, value in attributes.items():
        if not isinstance(value, bool | int | float):
            raise TypeError(f"the attribute {key} of the span {name!r} is {type(value).__name__}, not a number")
    if _tracer is None:
        yield
        return
    with _started(_tracer, name, attributes):
        yield


@contextmanager
def _started(tracer: Tracer, name: str, attributes: Mapping[str, AttributeValue], **how: Any) -> Iterator[Span]:
    """Start a span; an exception that ends it leaves its type there, not its message, which may quote a text."""
    from opentelemetry.trace import StatusCode

    with tracer.start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False, **how
    ) as current:
        try:
            yield current
        except Exception as error:
            current.set_attribute("error.type", type(error).__qualname__)
            current.set_status(StatusCode.ERROR)
            raise


class RequestTracing:
    """Middleware: a span for each request, inside the trace that the caller names in its headers, if it does."""

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        from opentelemetry.propagate import extract
        from opentelemetry.trace import SpanKind

        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        method, route = method_name(scope), route_template(scope)
        attributes = {"http.request.method": method, "http.route": route}
        passage = Passage(receive, send)
        with _started(
            self._tracer, f"{method} {route}", attributes, context=extract(headers), kind=SpanKind.SERVER
        ) as current:
            try:
                await passage.through(self._app, scope)
            finally:
                _finish(current, passage.outcome(passage.error), passage)


def _finish(current: Span, status: int, passage: Passage) -> None:
    from opentelemetry.trace import StatusCode

    current.set_attribute("http.response.status_code", status)
    current.set_attribute("http.request.body.size", passage.bytes_in)
    current.set_attribute("http.response.body.size", passage.bytes_out)
    if status >= 500:
        current.set_status(StatusCode.ERROR)
