"""`POST /predict` and `POST /predict/stream`."""

from __future__ import annotations

from typing import Any

import anyio
from anyio import to_thread
from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from serving.answers import FORMS, Outcome, answer, in_place, slot
from serving.bodies import Limits, check_length, check_media_type, parse_predict, read_body, sources
from serving.examples import REQUESTS, TEXT
from serving.inference import Inference
from serving.logs import count_documents
from serving.ndjson import MEDIA_TYPE, json_line
from serving.negotiation import negotiate
from serving.openapi import json_body, problem_answers
from serving.patience import in_time, too_late
from serving.problems import Problem, invalid, invalid_fields, overloaded
from serving.reading import InputError, Source, read_line
from serving.schemas import Answer, Options, PredictRequest
from serving.streaming import LineStream

NOT_READY = Problem("not-ready", "The model is still loading.")

_PROBLEMS = problem_answers(
    Problem("not-json", "not JSON: Expecting ',' delimiter at column 17."),
    Problem("not-acceptable", "Accept is 'text/html'; there is application/json, application/x-ndjson."),
    Problem("request-timeout", "1,024 bytes came in 30 seconds."),
    Problem("too-large", "The body may have 8,388,608 bytes."),
    Problem("unsupported-media-type", "Content-Type is 'text/plain'; it should be 'application/json'."),
    Problem(
        "invalid-request", "1 field is wrong.", [("documents[3].text", "231,004 characters; a text may have 200,000")]
    ),
    overloaded(),
    Problem("deadline", "The answer was not ready within 30 seconds."),
)


def predict_routes(inference: Inference, limits: Limits, seconds: float) -> APIRouter:
    """The routes of an inference; `seconds`: what a request may take when its body is read, and a line of a stream."""
    router = APIRouter()
    # reading a hostile body takes a hundred times its size in memory; writing an answer holds the interpreter
    threads = anyio.CapacityLimiter(2)

    @router.post(
        "/predict",
        summary="Extract entities and triples",
        response_model=Answer,
        response_description="The documents, in the order of the request. One of several that cannot be taken has an "
        "`error` in its place.",
        responses={200: {"content": {form: {"schema": {"type": "string"}} for form in FORMS[1:]}}, **_PROBLEMS},
        openapi_extra=json_body(PredictRequest, REQUESTS),
    )
    async def predict(request: Request) -> Response:
        form = negotiate(_accept(request), FORMS)
        async with read_body(request, limits) as body:

            async def work() -> bytes:
                with inference.admit():
                    asked = await to_thread.run_sync(parse_predict, body, limits, limiter=threads)
                count_documents(len(asked.items))
                info, results = await inference.run(sources(asked.items), asked.options.min_score or 0.0)
                outcomes = in_place(asked.items, results)
                return await to_thread.run_sync(answer, form, info, outcomes, asked.options, limiter=threads)

            return Response(await in_time(request, seconds, work), media_type=form, headers={"Vary": "Accept"})

    @router.post(
        "/predict/stream",
        summary="Extract a stream of documents",
        response_class=Response,
        response_description="A document a line, in the order of the request; a line that cannot be taken, or is not "
        "done in time, gives `line` (its number) and `error`.",
        responses={200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}, **_PROBLEMS},
        openapi_extra={
            "parameters": _query_parameters(),
            "requestBody": {
                "required": True,
                "description": "JSON lines: an object with `text`, and maybe `id`; other fields are ignored.",
                "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": f'{{"id":"1","text":"{TEXT}"}}\n'}},
            },
        },
    )
    async def predict_stream(request: Request) -> Response:
        check_media_type(request, MEDIA_TYPE)
        options = _options(request)
        _ = inference.batcher  # raises `not-ready`

        async def line_of(number: int, line: bytes | None) -> bytes | None:
            if number == 1 and line is not None:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if line is not None and not line.strip():
                return None
            try:
                source = await to_thread.run_sync(_read_line, line, limits, limiter=threads)
                count_documents(1)
                _, [result] = await inference.run([source], options.min_score or 0.0, patient=True)
            except Problem as problem:
                return _error_line(number, problem)
            return await to_thread.run_sync(_line, number, result, options, limiter=threads)

        return LineStream(line_of, limits.body_bytes, lambda number: _error_line(number, too_late(seconds)), seconds)

    return router


def _accept(request: Request) -> str | None:
    values = request.headers.getlist("accept")
    return ", ".join(values) if values else None


def _read_line(line: bytes | None, limits: Limits) -> Source:
    if line is None:
        raise Problem("too-large", f"A line may have {limits.body_bytes:,} bytes.")
    try:
        source = read_line(line)
    except InputError as error:
        field, colon, message = str(error).partition(": ")
        if colon and field in ("text", "id"):
            raise invalid_fields([(field, message)]) from None
        raise Problem("not-json", f"{error}.") from None
    check_length("text", source.text, limits.characters)
    return source


def _error_line(number: int, problem: Problem) -> bytes:
    return json_line({"line": number, "error": problem.details()})


def _line(number: int, result: Outcome, options: Options) -> bytes:
    own = slot(result, options)
    return json_line({"line": number, **own} if "error" in own else own)


def _options(request: Request) -> Options:
    """The options in a request's query: lists as `labels=PER&labels=ORG` or `labels=PER,ORG`; raises Problem."""
    given: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        given.setdefault(name, []).append(value)
    values: dict[str, Any] = {}
    for name, own in given.items():
        if name in ("labels", "classes", "include"):
            values[name] = [part for value in own for part in value.split(",")]
        elif len(own) > 1:
            raise invalid_fields([(name, "comes twice")])
        else:
            values[name] = own[0]
    try:
        if "min_score" in values:
            values["min_score"] = float(values["min_score"])
    except ValueError:
        raise invalid_fields([("min_score", "not a number")]) from None
    try:
        return Options.model_validate(values)
    except ValidationError as error:
        raise invalid(error) from None


def _query_parameters() -> list[dict[str, Any]]:
    """The options as parameters of a query, for OpenAPI."""
    fields = Options.model_json_schema()["properties"]
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": field["description"],
            "schema": next(kind for kind in field["anyOf"] if kind.get("type") != "null"),
        }
        for name, field in fields.items()
    ]
