"""A small app with every guard of the service round it, in the order that the service has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from serving.authorization import Authorization
from serving.headers import SecurityHeaders, install_cors
from serving.keys import KeyRing
from serving.logs import RequestLog, count_documents, request_id
from serving.metrics import Metrics, RequestMetrics, metrics_routes
from serving.middleware import Failures
from serving.problems import Problem, install_problems
from serving.ratelimit import RateLimit, parse_limits

#: What no log, metric or trace may hold.
TEXT = "قصف الجيش مواقع secret-text"


class Echo(Response):
    """Answers each piece of the body with that piece, as it comes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            more = message.get("more_body", False)
            count_documents(1)
            await send({"type": "http.response.body", "body": message.get("body", b""), "more_body": more})


def guarded(
    keys: KeyRing | None = None,
    required: bool = False,
    limit: str | None = None,
    origins: tuple[str, ...] = (),
    metrics: Metrics | None = None,
) -> FastAPI:
    """The app, with the guards that are asked for; headers, logs and failures always."""
    app = FastAPI(redirect_slashes=False, docs_url=None, redoc_url=None)
    install_problems(app)
    _add_routes(app)
    app.add_middleware(Failures)
    if limit is not None:
        app.add_middleware(RateLimit, limits=parse_limits(limit))
    app.add_middleware(Authorization, keys=keys, required=required)
    install_cors(app, origins)
    app.add_middleware(SecurityHeaders)
    if metrics is not None:
        app.include_router(metrics_routes(metrics))
        app.add_middleware(RequestMetrics, metrics=metrics)
    app.add_middleware(RequestLog)
    return app


def _add_routes(app: FastAPI) -> None:
    @app.post("/predict")
    async def predict(request: Request) -> dict[str, Any]:
        body = await request.body()
        count_documents(2)
        return {"bytes": len(body), "request": request_id()}

    @app.post("/predict/stream")
    async def stream() -> Echo:
        return Echo()

    @app.get("/fail")
    async def fail() -> None:
        raise ValueError(TEXT)

    @app.get("/fail/late")
    async def fail_late() -> StreamingResponse:
        async def lines() -> AsyncIterator[bytes]:
            yield b"1\n"
            raise ValueError(TEXT)

        return StreamingResponse(lines())

    @app.get("/busy")
    async def busy() -> None:
        raise Problem("overloaded", "The queue is full.")

    for path in ("/", "/healthz", "/readyz", "/model", "/static/{path:path}"):
        app.get(path)(_ok)
    app.post("/admin/model")(_ok)
    annotations = APIRouter(prefix="/annotations")
    annotations.get("")(_ok)
    annotations.patch("/{id}")(_ok)
    app.include_router(annotations)


async def _ok() -> dict[str, bool]:
    return {"ok": True}
