"""The HTTP service: `POST /predict`, `GET /model`, `GET /healthz`, `GET /readyz`, and its OpenAPI."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import anyio
from anyio import to_thread
from fastapi import FastAPI, Request, Response

from model.extractor import Extractor
from model.labels import CLASSES, ENTITY_LABELS, FACTUALITIES, ROLES
from serving.bodies import Limits, parse_predict, read_body
from serving.examples import ANSWER, MODEL, REQUESTS
from serving.extraction import extract
from serving.inference import Inference
from serving.openapi import complete, json_body, problem_answers
from serving.problems import Problem, install_problems
from serving.schemas import Answer, ModelDescription, PredictRequest, Status

_DESCRIPTION = """\
Who did what to whom, and how many: entities and (actor, action, target) triples from Arabic news.

All offsets are `[start, end)` in Unicode code points of the text that was sent, which comes back unchanged.
Errors are problem details (RFC 9457): `type` names the kind, `errors` the fields at fault.
"""

_NOT_READY = Problem("not-ready", "The model is still loading.")
_PREDICT_PROBLEMS = problem_answers(
    Problem("not-json", "not JSON: Expecting ',' delimiter at column 17."),
    Problem("too-large", "A text is too long.", [("documents[3].text", "231,004 characters; a text may have 200,000")]),
    Problem("unsupported-media-type", "Content-Type is 'text/plain'; it should be 'application/json'."),
    Problem("invalid-request", "1 field is wrong.", [("documents[1].id", "the same as documents[0].id")]),
    _NOT_READY,
)


def create_app(
    extractor: Extractor | Callable[[], Extractor],
    *,
    max_documents: int = 256,
    max_characters: int = 200_000,
    max_body_bytes: int = 8 * 1024 * 1024,
    concurrency: int = 2,
) -> FastAPI:
    """Return the service with an extractor, or with what loads one while the service is up and `GET /readyz` is 503.

    `max_documents` in a request, `max_characters` (code points) in a text, `max_body_bytes` in a body: more is a 413.
    `concurrency`: extractions at a time.
    """
    limits = Limits(max_documents, max_characters, max_body_bytes)
    inference = Inference(extractor, concurrency)
    parsing = anyio.CapacityLimiter(concurrency)  # a hostile body takes a hundred times its size in memory

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        loading = asyncio.create_task(inference.load())
        yield
        await loading

    app = FastAPI(
        title="Musnad",
        version=_own_version(),
        description=_DESCRIPTION,
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
        redirect_slashes=False,
        docs_url=None,  # its scripts come from elsewhere, and no request of ours leaves the host
        redoc_url=None,
    )
    install_problems(app)

    @app.post(
        "/predict",
        summary="Extract entities and triples",
        response_model=Answer,
        response_description="The documents, in the order of the request.",
        responses=_PREDICT_PROBLEMS,
        openapi_extra=json_body(PredictRequest, REQUESTS),
    )
    async def predict(request: Request) -> Response:
        body = await read_body(request, limits.body_bytes)
        requested = await to_thread.run_sync(parse_predict, body, limits, limiter=parsing)
        answer = await inference.run(lambda extractor: _answer(extractor, requested))
        return Response(answer, media_type="application/json")

    @app.get(
        "/model",
        summary="The checkpoint, and what it can find",
        response_model=ModelDescription,
        responses=problem_answers(_NOT_READY),
    )
    async def model() -> dict[str, Any]:
        return _description(inference.extractor)

    @app.get("/healthz", summary="Whether the service is up", response_model=Status)
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get(
        "/readyz",
        summary="Whether the model is loaded",
        response_model=Status,
        responses=problem_answers(_NOT_READY),
    )
    async def readyz() -> dict[str, str]:
        _ = inference.extractor
        return {"status": "ready"}

    answers = {"/predict": ANSWER, "/model": MODEL, "/healthz": {"status": "ok"}, "/readyz": {"status": "ready"}}
    complete(app, [PredictRequest], answers)
    return app


def _answer(extractor: Extractor, request: PredictRequest) -> bytes:
    """Extract what is requested; the JSON of the answer."""
    documents = extract(extractor, request.sources(), request.min_score or 0.0)
    answer = {
        "model": {"name": extractor.info.name, "version": extractor.info.version},
        "documents": [document.to_dict() for document in documents],
    }
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()


def _description(extractor: Extractor) -> dict[str, Any]:
    config = extractor.info.config
    return {
        "name": extractor.info.name,
        "version": extractor.info.version,
        "labels": ENTITY_LABELS,
        "classes": CLASSES,
        "factualities": FACTUALITIES,
        "roles": ROLES,
        "max_pieces": config["max_pieces"],
        "calibration": list(config.get("calibration") or {}),
    }


def _own_version() -> str:
    try:
        return version("musnad")
    except PackageNotFoundError:  # run from a source tree that is not installed
        return "0"
