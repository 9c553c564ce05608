"""`GET /model`, `GET /healthz`, `GET /readyz`, and `POST /admin/model`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from pydantic import ValidationError

from model.extractor import Extractor
from model.labels import CLASSES, ENTITY_LABELS, FACTUALITIES, ROLES
from serving.answers import model_name
from serving.bodies import Limits, parse_body, read_body
from serving.inference import Inference
from serving.openapi import json_body, problem_answers
from serving.predict_routes import NOT_READY
from serving.problems import Problem, invalid
from serving.reload import Reloader
from serving.schemas import ModelDescription, Reloaded, ReloadRequest, Status


def status_routes(inference: Inference) -> APIRouter:
    """Health, readiness, and what the model says of itself."""
    router = APIRouter()
    not_ready = problem_answers(NOT_READY)

    @router.get(
        "/model", summary="The checkpoint, and what it can find", response_model=ModelDescription, responses=not_ready
    )
    async def model() -> dict[str, Any]:
        return _description(inference.extractor)

    @router.get("/healthz", summary="Whether the service is up", response_model=Status)
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz", summary="Whether the model is loaded", response_model=Status, responses=not_ready)
    async def readyz() -> dict[str, str]:
        _ = inference.extractor
        return {"status": "ready"}

    return router


def admin_routes(reloader: Reloader, limits: Limits) -> APIRouter:
    """The exchange of the model."""
    router = APIRouter()

    @router.post(
        "/admin/model",
        summary="Let another checkpoint serve",
        response_model=Reloaded,
        response_description="The model that served, and the one that serves now; other workers follow in seconds. It "
        "holds until a link that leads to the service's own checkpoint moves.",
        responses=problem_answers(
            Problem("not-json", "not JSON: Expecting ',' delimiter at column 17."),
            Problem("conflict", "Another checkpoint is being loaded."),
            Problem("too-large", "The body may have 8,388,608 bytes."),
            Problem("unsupported-media-type", "Content-Type is 'text/plain'; it should be 'application/json'."),
            Problem("bad-checkpoint", "runs/new: there is no model.onnx; the model that served goes on."),
            NOT_READY,
        ),
        openapi_extra=json_body(
            ReloadRequest, {"path": {"summary": "A directory", "value": {"path": "runs/new/checkpoint"}}}
        ),
    )
    async def exchange(request: Request) -> dict[str, Any]:
        async with read_body(request, limits) as body:
            path = await to_thread.run_sync(_path, body)
        before, now = await reloader.reload(path)
        return {"before": model_name(before), "now": model_name(now)}

    return router


def _path(body: bytes) -> Path:
    try:
        return Path(ReloadRequest.model_validate(parse_body(body)).path)
    except ValidationError as error:
        raise invalid(error) from None


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
