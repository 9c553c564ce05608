"""The paths that Label Studio calls under the address that it is given for a machine learning backend."""

from __future__ import annotations

import json
from typing import Any

import anyio
from anyio import to_thread
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from model.extractor import CheckpointInfo
from model.labelstudio import prediction
from model.records import Document
from serving.answers import Outcome, failure, in_place
from serving.bodies import JSON, BadDocument, Limits, read_body, sources
from serving.inference import Failed, Inference
from serving.labelstudio import examples
from serving.labelstudio.schemas import (
    Health,
    Heard,
    Predictions,
    SetUp,
    SetupRequest,
    TasksRequest,
    Versions,
    WebhookRequest,
)
from serving.labelstudio.tasks import check_setup, parse_tasks, read_action
from serving.logs import count_documents
from serving.openapi import json_body, problem_answers
from serving.patience import in_time
from serving.predict_routes import NOT_READY
from serving.problems import Problem, overloaded

#: The bodies that these routes read themselves, for `serving.openapi.complete`.
REQUEST_MODELS: list[type[BaseModel]] = [SetupRequest, TasksRequest, WebhookRequest]

_HEARD = examples.ANSWERS["/labelstudio/webhook"]["detail"]
_BODY_PROBLEMS = (
    Problem("not-json", "not JSON: Expecting ',' delimiter at column 17."),
    Problem("request-timeout", "1,024 bytes came in 30 seconds."),
    Problem("too-large", "The body may have 8,388,608 bytes."),
    Problem("unsupported-media-type", "Content-Type is 'text/plain'; it should be 'application/json'."),
    overloaded("Too many bodies wait to be read."),
)


def _wrong(field: str, message: str) -> Problem:
    return Problem("invalid-request", "1 field is wrong.", [(field, message)])


def labelstudio_routes(inference: Inference, limits: Limits, seconds: float) -> APIRouter:
    """The routes of an inference; `seconds`: what a prediction may take when its body is read."""
    router = APIRouter(prefix="/labelstudio")
    threads = anyio.CapacityLimiter(2)
    not_ready = problem_answers(NOT_READY)

    @router.get(
        "/health", summary="Label Studio: whether the model is there", response_model=Health, responses=not_ready
    )
    async def labelstudio_health() -> dict[str, str]:
        return {"status": "UP", "model_version": version_of(inference.extractor.info)}

    @router.get("/versions", summary="Label Studio: the models", response_model=Versions, responses=not_ready)
    async def labelstudio_versions() -> dict[str, list[str]]:
        return {"versions": [version_of(inference.extractor.info)]}

    @router.post(
        "/setup",
        summary="Label Studio: whether suggestions fit a project",
        response_model=SetUp,
        responses=problem_answers(
            *_BODY_PROBLEMS, _wrong("schema", '<Labels name="label" toName="text"> lacks NOM'), NOT_READY
        ),
        openapi_extra=json_body(SetupRequest, {"project": {"summary": "A project", "value": examples.SETUP}}),
    )
    async def labelstudio_setup(request: Request) -> dict[str, str]:
        async with read_body(request, limits) as body:
            await to_thread.run_sync(check_setup, body, limiter=threads)
        return {"model_version": version_of(inference.extractor.info)}

    @router.post(
        "/predict",
        summary="Label Studio: suggestions for tasks",
        response_model=Predictions,
        responses=problem_answers(
            *_BODY_PROBLEMS,
            _wrong("tasks[0].data.text", "missing"),
            Problem("deadline", "The answer was not ready within 30 seconds."),
        ),
        openapi_extra=json_body(TasksRequest, {"tasks": {"summary": "A task", "value": examples.TASKS}}),
    )
    async def labelstudio_predict(request: Request) -> Response:
        async with read_body(request, limits) as body:

            async def work() -> bytes:
                with inference.admit():
                    asked = await to_thread.run_sync(parse_tasks, body, limits, limiter=threads)
                count_documents(len(asked))
                info, results = await inference.run(sources(asked))
                return await to_thread.run_sync(_answer, in_place(asked, results), version_of(info), limiter=threads)

            return Response(await in_time(request, seconds, work), media_type=JSON)

    @router.post(
        "/webhook",
        summary="Label Studio: something happened in a project",
        response_model=Heard,
        response_description="It is heard, and not kept. The button *Start Training* gets a 422: this service does "
        "not train.",
        responses=problem_answers(*_BODY_PROBLEMS, _wrong("action", "this service does not train")),
        openapi_extra=json_body(WebhookRequest, {"annotation": {"summary": "An event", "value": examples.WEBHOOK}}),
    )
    async def labelstudio_webhook(request: Request) -> dict[str, Any]:
        async with read_body(request, limits) as body:
            action = await to_thread.run_sync(read_action, body, limiter=threads)
        return {"action": action, "stored": False, "detail": _HEARD}

    return router


def version_of(info: CheckpointInfo) -> str:
    """A model's name and version, as Label Studio keeps them with its predictions."""
    return f"{info.name} {info.version}"


def _answer(outcomes: list[Outcome], model_version: str) -> bytes:
    """The body of an answer; raises Problem `internal-error` where not one of the texts could be extracted."""
    if outcomes and all(isinstance(outcome, Failed) for outcome in outcomes):
        raise failure()
    results = [_result(outcome, model_version) for outcome in outcomes]
    return json.dumps({"results": results}, ensure_ascii=False, separators=(",", ":")).encode()


def _result(outcome: Outcome, model_version: str) -> dict[str, Any]:
    if isinstance(outcome, Document):
        return prediction(outcome, model_version)
    # Label Studio passes over what has no `result`, and puts it in its log
    return {"error": (outcome.problem if isinstance(outcome, BadDocument) else failure()).details()}
