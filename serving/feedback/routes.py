"""`POST /annotations`, `GET /annotations` and `PATCH /annotations/{id}`."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import asdict
from typing import Any, TypeVar

import anyio
from anyio import to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError

from serving.bodies import JSON, Limits, read_body
from serving.feedback import examples
from serving.feedback.databases import CONNECTIONS, reason
from serving.feedback.filters import PARAMETERS, parse_filter
from serving.feedback.records import Annotation
from serving.feedback.schemas import AnnotationRecord, AnnotationsAnswer, AnnotationsRequest, StatusRequest
from serving.feedback.store import FeedbackStore
from serving.feedback.submissions import parse_status, parse_submission
from serving.feedback.tables import ID_DIGITS
from serving.ndjson import MEDIA_TYPE
from serving.openapi import json_body, problem_answers
from serving.problems import Problem, overloaded, quoted

#: The bodies that these routes read themselves, for `serving.openapi.complete`.
REQUEST_MODELS: list[type[BaseModel]] = [AnnotationsRequest, StatusRequest]

#: Bytes of the export that are sent at a time; a record of more makes a longer chunk.
CHUNK = 64 * 1024

_OTHER_METHODS = ["CONNECT", "DELETE", "HEAD", "OPTIONS", "PATCH", "PUT", "QUERY", "TRACE"]

_log = logging.getLogger(__name__)
_ID = re.compile(f"[0-9a-f]{{{ID_DIGITS}}}")
_Result = TypeVar("_Result")


def _no_database() -> Problem:
    return overloaded("The database of annotations does not answer; send this again.", 5)


_BODY_PROBLEMS = (
    Problem("not-json", "not JSON: Expecting ',' delimiter at column 17."),
    Problem("request-timeout", "1,024 bytes came in 30 seconds."),
    Problem("too-large", "The body may have 8,388,608 bytes."),
    Problem("unsupported-media-type", "Content-Type is 'text/plain'; it should be 'application/json'."),
)
_OUTSIDE = "60 is outside the text, which has 50 characters: «أعلن الجيش العراقي مقتل خمسة مسلحين في صلاح الدين.»"
_SUBMIT_PROBLEMS = problem_answers(
    *_BODY_PROBLEMS,
    Problem("invalid-request", "1 field is wrong.", [("documents[0].entities[2].end_offset", _OUTSIDE)]),
    _no_database(),
)
_EXPORT_PROBLEMS = problem_answers(
    Problem("invalid-request", "1 field is wrong.", [("status", "not one of pending, accepted, rejected")]),
    _no_database(),
)
_REVIEW_PROBLEMS = problem_answers(
    *_BODY_PROBLEMS,
    Problem("not-found", f"There is no annotation with the id {'0' * ID_DIGITS}."),
    Problem(
        "invalid-request", "1 field is wrong.", [("status", "Input should be 'pending', 'accepted' or 'rejected'")]
    ),
    _no_database(),
)


def annotation_routes(store: FeedbackStore, limits: Limits) -> APIRouter:
    """Return the routes of annotations in a store, which the caller closes; the database is asked in threads."""
    router = APIRouter()
    parsing = anyio.CapacityLimiter(2)  # a hostile body takes a hundred times its size in memory
    asking = anyio.CapacityLimiter(CONNECTIONS)

    async def ask(work: Callable[..., _Result], *arguments: object) -> _Result:
        try:
            return await to_thread.run_sync(work, *arguments, limiter=asking)
        except (OperationalError, InterfaceError, TimeoutError) as error:
            _log.error("the database of annotations failed: %s", reason(error))
            raise _no_database() from None

    @router.post(
        "/annotations",
        summary="Store corrected documents",
        status_code=201,
        response_model=AnnotationsAnswer,
        response_description="Stored, and on disk: some of them are new.",
        responses={
            200: {
                "description": "All of them were there already.",
                "model": AnnotationsAnswer,
                "content": {JSON: {"example": examples.ANSWER_AGAIN}},
            },
            201: {"content": {JSON: {"example": examples.ANSWER}}},
            **_SUBMIT_PROBLEMS,
        },
        openapi_extra=json_body(
            AnnotationsRequest, {"document": {"summary": "A corrected document", "value": examples.REQUEST}}
        ),
    )
    async def submit_annotations(request: Request) -> Response:
        async with read_body(request, limits) as body:
            submission = await to_thread.run_sync(parse_submission, body, limits, limiter=parsing)
            receipts = await ask(store.submit, submission)
        answer = {"annotations": [asdict(receipt) for receipt in receipts]}
        new = any(receipt.created for receipt in receipts)
        return Response(json.dumps(answer, separators=(",", ":")), 201 if new else 200, media_type=JSON)

    @router.get(
        "/annotations",
        summary="Export annotations",
        response_class=StreamingResponse,
        responses={
            200: {
                "description": "The annotations that fit, one a line, in the order of their creation.",
                "content": {MEDIA_TYPE: {"schema": _reference(AnnotationRecord), "example": examples.RECORD}},
            },
            **_EXPORT_PROBLEMS,
        },
        openapi_extra={"parameters": PARAMETERS},
    )
    async def export_annotations(request: Request) -> Response:
        wanted = parse_filter(request.query_params.multi_items())
        chunks = _chunks(store.export(wanted))
        first = await ask(next, chunks, b"")  # a database that fails is still answered with a problem

        async def body() -> AsyncIterator[bytes]:
            chunk = first
            while chunk:
                yield chunk
                chunk = await ask(next, chunks, b"")

        return StreamingResponse(body(), media_type=MEDIA_TYPE)

    # without this, `Allow` would only have the methods of the first route
    @router.api_route("/annotations", methods=_OTHER_METHODS, include_in_schema=False)
    async def refuse_method(request: Request) -> Response:
        raise Problem("method-not-allowed", f"{quoted(request.method)} /annotations", headers={"Allow": "GET, POST"})

    @router.patch(
        "/annotations/{id}",
        summary="Accept or reject an annotation",
        response_model=AnnotationRecord,
        response_description="The annotation as it now is.",
        responses={200: {"content": {JSON: {"example": examples.RECORD}}}, **_REVIEW_PROBLEMS},
        openapi_extra=json_body(
            StatusRequest, {"accepted": {"summary": "Fit to train on", "value": {"status": "accepted"}}}
        ),
    )
    async def review_annotation(id: str, request: Request) -> Response:
        async with read_body(request, limits) as body:
            status = await to_thread.run_sync(parse_status, body, limiter=parsing)
        found = await ask(store.set_status, id, status) if _ID.fullmatch(id) else None
        if found is None:
            raise Problem("not-found", f"There is no annotation with the id {quoted(id, ID_DIGITS)}.")
        return Response(found.to_json(), media_type=JSON)

    return router


def _reference(model: type[BaseModel]) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _chunks(annotations: Iterable[Annotation]) -> Iterator[bytes]:
    """Annotations as JSON lines, about CHUNK bytes of them at a time."""
    chunk = bytearray()
    for annotation in annotations:
        chunk += annotation.to_json().encode()
        chunk += b"\n"
        if len(chunk) >= CHUNK:
            yield bytes(chunk)
            chunk.clear()
    if chunk:
        yield bytes(chunk)
