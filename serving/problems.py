"""Errors of the service as problem details, `application/problem+json` (RFC 9457).

`type` names the kind of problem and never changes; `title` says it in words; `detail` is about this request; `errors`
says which fields are at fault.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"
#: Problems are named, not addresses to look up.
TYPE_PREFIX = "urn:musnad:problem:"
#: Fields named in one answer; `detail` counts the others.
MAX_ERRORS = 20
#: Characters that a problem quotes of what somebody sent.
QUOTED = 200
#: Seconds after which one who found no room may try again.
RETRY_AFTER = 1

#: Status and title of each kind.
KINDS: dict[str, tuple[int, str]] = {
    "not-json": (400, "The body is not JSON in UTF-8"),
    "unauthorized": (401, "An API key is needed"),
    "forbidden": (403, "The API key does not reach this far"),
    "not-found": (404, "There is nothing at this path"),
    "method-not-allowed": (405, "This path does not answer to this method"),
    "not-acceptable": (406, "The answer has none of the forms that are asked for"),
    "request-timeout": (408, "The body did not arrive in time"),
    "conflict": (409, "Something else is under way"),
    "too-large": (413, "The body is larger than this service takes"),
    "unsupported-media-type": (415, "The body is not declared as what this path takes"),
    "invalid-request": (422, "The request is not what this path takes"),
    "bad-checkpoint": (422, "The checkpoint cannot serve"),
    "rate-limited": (429, "Too many requests"),
    "client-gone": (499, "The client has gone"),
    "internal-error": (500, "The service failed"),
    "not-ready": (503, "The model is not loaded"),
    "overloaded": (503, "The service has more to do than it can take"),
    "deadline": (504, "The answer was not ready in time"),
}
#: Kinds of the errors that the router raises.
_OF_ROUTER = {404: "not-found", 405: "method-not-allowed"}

#: pydantic's kinds of errors, in the words of this project.
_MESSAGES = {
    "missing": "missing",
    "extra_forbidden": "unknown field",
    "string_type": "not a string",
    "string_unicode": "a lone surrogate is not Unicode text",
    "string_too_short": "empty",
    "list_type": "not a list",
    "float_type": "not a number",
    "model_type": "not an object",
}


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="Path of the field in the body; empty for the body itself.")
    message: str


class ProblemDetails(BaseModel):
    """An error of the service (RFC 9457)."""

    type: str = Field(description="Name of the kind of problem.")
    title: str
    status: int
    detail: str
    errors: list[FieldError]


class Problem(HTTPException):
    """An error that answers the request with problem details of one of KINDS."""

    def __init__(
        self,
        kind: str,
        detail: str,
        errors: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(KINDS[kind][0], detail, headers)
        self.kind = kind
        self.errors = errors

    def details(self) -> dict[str, Any]:
        """The problem details as JSON's values."""
        status, title = KINDS[self.kind]
        return _details(f"{TYPE_PREFIX}{self.kind}", title, status, self.detail, self.errors)


def overloaded(detail: str = "The queue is full.", retry_after: int = RETRY_AFTER) -> Problem:
    """The answer to a request that there is no room for now; `retry_after`: seconds."""
    return Problem("overloaded", detail, headers={"Retry-After": str(retry_after)})


def not_found(request: Request) -> Problem:
    """The answer to a request for a path that leads nowhere."""
    return Problem("not-found", _asked_for(request))


def _asked_for(request: Request) -> str:
    """A request's method and path, as a problem quotes them."""
    return quoted(f"{request.method} {request.url.path}")


def quoted(text: str, most: int = QUOTED) -> str:
    """What somebody sent, cut with an ellipsis after `most` characters."""
    return text if len(text) <= most else f"{text[:most]}…"


def invalid(error: ValidationError) -> Problem:
    """Return the problem that a body which does not fit its model is."""
    return invalid_errors(error.errors(include_url=False, include_input=False))


def invalid_errors(errors: Sequence[ErrorDetails]) -> Problem:
    """Return the problem of some of pydantic's errors."""
    return invalid_fields([(_path(item["loc"]), _message(item)) for item in errors])


def _message(error: ErrorDetails) -> str:
    if error["type"] == "value_error":  # raised by a check of this project
        return str(error["ctx"]["error"])
    return _MESSAGES.get(error["type"], error["msg"])


def invalid_fields(errors: Sequence[tuple[str, str]]) -> Problem:
    """Return the problem of fields, by path, with a message each; at least one."""
    count = len(errors)
    detail = "1 field is wrong" if count == 1 else f"{count} fields are wrong"
    if count > MAX_ERRORS:
        detail += f"; the first {MAX_ERRORS} are listed"
    return Problem("invalid-request", f"{detail}.", errors[:MAX_ERRORS])


def _path(location: Sequence[int | str]) -> str:
    """`documents[2].text` for ("documents", 2, "text"); names are cut, as anything may stand there."""
    path = ""
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            name = quoted(step, 80)
            path += f".{name}" if path else name
    return path


def _details(type: str, title: str, status: int, detail: str, errors: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
    fields = [{"field": field, "message": message} for field, message in errors]
    return {"type": type, "title": title, "status": status, "detail": detail, "errors": fields}


def problem_response(problem: Problem) -> Response:
    """Return the answer that a problem is."""
    return _response(problem.details(), problem.headers)


def _response(details: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    # a field's name may hold lone surrogates, which UTF-8 cannot
    body = json.dumps(details, ensure_ascii=False).encode("utf-8", "replace")
    return Response(body, details["status"], headers, MEDIA_TYPE)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error, Problem):
        return problem_response(error)
    if error.status_code in _OF_ROUTER:
        problem = Problem(_OF_ROUTER[error.status_code], _asked_for(request))
        return _response(problem.details(), error.headers)
    title = HTTPStatus(error.status_code).phrase
    return _response(_details("about:blank", title, error.status_code, error.detail), error.headers)


async def _on_failure(_request: Request, _error: Exception) -> Response:
    # the server logs the exception; the caller learns nothing of the inside
    return _response(Problem("internal-error", "The failure is in the service's log.").details())


def install_problems(app: FastAPI) -> None:
    """Answer every error of `app` with problem details."""
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_failure)
