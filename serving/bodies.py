"""The body of a request: declared as JSON, not too large, in time, JSON indeed, what the path takes; or a Problem."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
from fastapi import Request
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import ClientDisconnect

from serving.problems import Problem, invalid, invalid_errors, invalid_fields, overloaded, quoted
from serving.reading import InputError, Source, decode, parse_json
from serving.schemas import DocumentRequest, Options, PredictRequest

JSON = "application/json"

#: A body over the limit is read and dropped up to this many times the limit, so that its sender gets to the answer.
_DRAINED = 4


@dataclass(slots=True)
class Limits:
    """What one request may hold: documents, code points in a document, bytes in the body, and seconds for it to come.

    `held` of `all_bodies` bytes are taken by the bodies of requests that have no answer yet.
    """

    documents: int
    characters: int
    body_bytes: int
    body_seconds: float = 30.0
    all_bodies: int = 256 * 1024 * 1024
    held: int = 0


@asynccontextmanager
async def read_body(request: Request, limits: Limits) -> AsyncIterator[bytes]:
    """The body of a request that declares JSON, counted as held until the context ends; raises Problem."""
    check_media_type(request, JSON)
    own = 0
    try:
        body = bytearray()
        async for chunk in _chunks(request, limits):
            if limits.held + len(chunk) > limits.all_bodies:
                raise overloaded("Too many bodies wait to be read.")
            limits.held += len(chunk)
            own += len(chunk)
            body += chunk
        yield bytes(body)
    finally:
        limits.held -= own


async def _chunks(request: Request, limits: Limits) -> AsyncIterator[bytes]:
    """The chunks of a body of the right size that comes in time; raises Problem."""
    declared = request.headers.get("content-length", "")
    too_large = declared.isdecimal() and int(declared) > limits.body_bytes
    if too_large and request.headers.get("expect", "").lower() == "100-continue":
        raise _too_large_body(limits.body_bytes)  # the sender waits for leave to send
    size = 0
    deadline = anyio.current_time() + limits.body_seconds
    stream = request.stream()
    while True:
        try:
            with anyio.fail_after(deadline - anyio.current_time()):
                chunk = await anext(stream, None)
        except TimeoutError:
            message = f"{size:,} bytes came in {limits.body_seconds:g} seconds."
            raise Problem("request-timeout", message, headers={"Connection": "close"}) from None
        except ClientDisconnect:
            raise Problem("client-gone", "The body ended early.") from None
        if chunk is None:
            break
        size += len(chunk)
        too_large = too_large or size > limits.body_bytes
        if size > _DRAINED * limits.body_bytes:
            break
        if not too_large:
            yield chunk
    if too_large:
        raise _too_large_body(limits.body_bytes)


def _too_large_body(limit: int) -> Problem:
    return Problem("too-large", f"The body may have {limit:,} bytes.")


def check_media_type(request: Request, wanted: str) -> None:
    """Raise Problem where a body is not declared as `wanted` (or another kind of JSON, for JSON), in UTF-8."""
    declared = request.headers.get("content-type", "")
    kind, *parameters = (part.strip().lower() for part in declared.split(";"))
    if kind != wanted and not (wanted == JSON and kind.startswith("application/") and kind.endswith("+json")):
        raise Problem("unsupported-media-type", f"Content-Type is {_shown(declared)}; it should be {wanted!r}.")
    for name, _, value in (parameter.partition("=") for parameter in parameters):
        if name == "charset" and value.strip('"') not in ("utf-8", "utf8"):
            raise Problem("unsupported-media-type", f"The charset is {_shown(value)}; JSON is always UTF-8.")
    coding = request.headers.get("content-encoding", "identity")
    if coding.lower() != "identity":
        message = f"Content-Encoding is {_shown(coding)}; bodies are taken uncompressed only."
        raise Problem("unsupported-media-type", message)


def _shown(value: str) -> str:
    """A header's value as a problem quotes it."""
    return repr(quoted(value))


def parse_body(body: bytes) -> Any:
    """Return the JSON value of a body; raise Problem. Takes time linear in it, and belongs in a thread."""
    try:
        return parse_json(decode(body.removeprefix(b"\xef\xbb\xbf")))
    except InputError as error:
        raise Problem("not-json", f"{error}.") from None


@dataclass(frozen=True, slots=True)
class BadDocument:
    """A document that cannot be taken: its id, where it has a sound one, and why."""

    id: str | None
    problem: Problem


@dataclass(frozen=True, slots=True)
class Predict:
    """What `POST /predict` is asked: texts, each of them or why it cannot be taken, and what the answer should hold."""

    items: Sequence[Source | BadDocument]
    options: Options


def parse_predict(body: bytes, limits: Limits) -> Predict:
    """Return what a body of `POST /predict` asks; raise Problem.

    One of several documents that cannot be taken has a BadDocument in its place; where none can, that is the Problem.
    Takes time linear in the body, and belongs in a thread.
    """
    value = parse_body(body)
    documents = value.get("documents") if isinstance(value, dict) else None
    if isinstance(documents, list) and len(documents) > limits.documents:
        message = f"{len(documents):,} documents; a request may have {limits.documents:,}"
        raise invalid_fields([("documents", message)])
    try:
        request = PredictRequest.model_validate(value)
    except ValidationError as error:
        own = by_item(error, "documents")
        request = PredictRequest.model_validate({**value, "documents": []})
    else:
        own = {}
    if request.text is not None:
        check_length("text", request.text, limits.characters)
        return Predict([Source(None, request.text)], request)
    items = _items(documents or [], own, limits.characters)
    check_any(items)
    return Predict(items, request)


def sources(items: Sequence[Source | BadDocument]) -> list[Source]:
    """The texts to extract."""
    return [item for item in items if isinstance(item, Source)]


def check_any(items: Sequence[Source | BadDocument]) -> None:
    """Raise the problem of all items where there are some, and none of them can be taken."""
    bad = [item.problem for item in items if isinstance(item, BadDocument)]
    if items and len(bad) == len(items):
        raise invalid_fields([fault for problem in bad for fault in problem.errors])


def by_item(invalid_body: ValidationError, field: str) -> dict[int, list[ErrorDetails]]:
    """Return the errors of each item of the list in a field; raise Problem where something outside of it is wrong."""
    own: dict[int, list[ErrorDetails]] = {}
    for error in invalid_body.errors(include_url=False, include_input=False):
        if len(error["loc"]) < 2 or error["loc"][0] != field or not isinstance(error["loc"][1], int):
            raise invalid(invalid_body)
        own.setdefault(error["loc"][1], []).append(error)
    return own


def _items(documents: Sequence[Any], errors: dict[int, list[ErrorDetails]], most: int) -> list[Source | BadDocument]:
    """Each document, or why it cannot be taken."""
    first: dict[str, int] = {}
    items: list[Source | BadDocument] = []
    for index, value in enumerate(documents):
        try:
            if index in errors:
                raise invalid_errors(errors[index])
            document = DocumentRequest.model_validate(value)
            check_length(f"documents[{index}].text", document.text, most)
            if document.id is not None and first.setdefault(document.id, index) != index:
                raise invalid_fields([(f"documents[{index}].id", f"the same as documents[{first[document.id]}].id")])
        except Problem as problem:
            items.append(BadDocument(_sound_id(value), problem))
        else:
            items.append(Source(document.id, document.text))
    return items


def check_length(field: str, text: str, most: int) -> None:
    """Raise Problem where a text has more than `most` code points."""
    if len(text) > most:
        raise invalid_fields([(field, f"{len(text):,} characters; a text may have {most:,}")])


def _sound_id(value: object) -> str | None:
    """The id of a document that cannot be taken, where it has one."""
    try:
        return DocumentRequest.model_validate({"id": value["id"], "text": ""}).id if isinstance(value, dict) else None
    except (KeyError, ValidationError):
        return None
