"""The body of a request: declared as JSON, not too large, JSON indeed, and what the path takes; or a Problem."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request
from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from serving.problems import Problem, invalid, invalid_fields
from serving.reading import InputError, decode, parse_json
from serving.schemas import DocumentRequest, PredictRequest

#: A body over the limit is read and dropped up to this many times the limit, so that its sender gets to the answer.
_DRAINED = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may hold: documents, code points in a document, bytes in the body."""

    documents: int
    characters: int
    body_bytes: int


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body, of at most `limit` bytes, of a request that declares JSON; raise Problem."""
    _check_media_type(request)
    declared = request.headers.get("content-length", "")
    too_large = declared.isdecimal() and int(declared) > limit
    if too_large and request.headers.get("expect", "").lower() == "100-continue":
        raise _too_large_body(limit)  # the sender waits for leave to send
    body = bytearray()
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                too_large = True
                body.clear()
            if size > _DRAINED * limit:
                break
            if not too_large:
                body += chunk
    except ClientDisconnect:
        raise Problem("not-json", "The body ended early.") from None
    if too_large:
        raise _too_large_body(limit)
    return bytes(body)


def _too_large_body(limit: int) -> Problem:
    return Problem("too-large", f"The body may have {limit:,} bytes.")


def _check_media_type(request: Request) -> None:
    declared = request.headers.get("content-type", "")
    kind, *parameters = (part.strip().lower() for part in declared.split(";"))
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Problem("unsupported-media-type", f"Content-Type is {declared!r}; it should be 'application/json'.")
    for name, _, value in (parameter.partition("=") for parameter in parameters):
        if name == "charset" and value.strip('"') not in ("utf-8", "utf8"):
            raise Problem("unsupported-media-type", f"The charset is {value!r}; JSON is always UTF-8.")
    coding = request.headers.get("content-encoding", "identity")
    if coding.lower() != "identity":
        raise Problem("unsupported-media-type", f"Content-Encoding is {coding!r}; bodies are taken uncompressed only.")


def parse_predict(body: bytes, limits: Limits) -> PredictRequest:
    """Return the request that a body of `POST /predict` makes; raise Problem.

    Takes time linear in the body, and should have a thread of its own.
    """
    try:
        value = parse_json(decode(body.removeprefix(b"\xef\xbb\xbf")))
    except InputError as error:
        raise Problem("not-json", f"{error}.") from None
    if isinstance(value, dict) and isinstance(value.get("documents"), list):
        count = len(value["documents"])
        if count > limits.documents:
            message = f"{count:,} documents; a request may have {limits.documents:,}"
            raise Problem("too-large", "The request has too many documents.", [("documents", message)])
    try:
        request = PredictRequest.model_validate(value)
    except ValidationError as error:
        raise invalid(error) from None
    _check_lengths(request, limits.characters)
    _check_ids(request.documents or [])
    return request


def _check_lengths(request: PredictRequest, limit: int) -> None:
    texts = [("text", request.text or "")]
    texts += [(f"documents[{index}].text", document.text) for index, document in enumerate(request.documents or [])]
    errors = [
        (field, f"{len(text):,} characters; a text may have {limit:,}") for field, text in texts if len(text) > limit
    ]
    if errors:
        raise Problem("too-large", "A text is too long.", errors)


def _check_ids(documents: list[DocumentRequest]) -> None:
    first: dict[str, int] = {}
    errors = []
    for index, document in enumerate(documents):
        if document.id is None:
            continue
        if document.id in first:
            errors.append((f"documents[{index}].id", f"the same as documents[{first[document.id]}].id"))
        first.setdefault(document.id, index)
    if errors:
        raise invalid_fields(errors)
