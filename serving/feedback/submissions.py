"""What the bodies of `POST /annotations` and `PATCH /annotations/{id}` say, checked as files are; or a Problem."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from model.annotation import AnnotatedSentence, Fault
from model.annotation_check import check_sentence
from model.annotation_files import parse_sentence
from serving.bodies import Limits, parse_body
from serving.feedback.records import Submission
from serving.feedback.schemas import AnnotationsRequest, StatusRequest
from serving.problems import invalid, invalid_fields
from serving.reading import InputError, check_text

#: Characters of a span. No name and no action is longer; and what is said of faults quotes the spans.
MAX_SPAN = 1000
#: Roles that a document may have for each of its spans; no two spans have more than a few.
MAX_ROLES = 10
#: Characters that spans which overlap may have beyond those of the text, before they are not looked at one by one.
_OVERLAPPING = 100 * MAX_SPAN
#: What the service writes into its export, and would not keep.
_OWN_FIELD = "meta"

#: Characters quoted in an error: of a field, of a message, of the text.
_FIELD, _MESSAGE, _PIECE = 200, 300, 80

Errors = list[tuple[str, str]]


def parse_submission(body: bytes, limits: Limits) -> Submission:
    """Return what a body of `POST /annotations` submits; raise Problem, naming every fault of every document.

    Takes time linear in the body, and belongs in a thread.
    """
    value = parse_body(body)
    given = value.get("documents") if isinstance(value, dict) else None
    if isinstance(given, list) and len(given) > limits.documents:
        raise invalid_fields([("documents", f"{len(given):,} documents; a request may have {limits.documents:,}")])
    request = None
    errors: Errors = []
    try:
        request = AnnotationsRequest.model_validate(value)
    except ValidationError as error:
        errors += invalid(error).errors
    documents = []
    for index, record in enumerate(given if isinstance(given, list) else []):
        document, found = _parse_document(record, f"documents[{index}]", limits.characters)
        errors += found
        documents.append(document)
    if request is None or errors:
        raise invalid_fields(errors)
    sound = tuple(document for document in documents if document is not None)
    return Submission(request.annotator, request.model.name, request.model.version, sound)


def parse_status(body: bytes) -> str:
    """Return the status that a body of `PATCH /annotations/{id}` asks for; raise Problem."""
    try:
        return StatusRequest.model_validate(parse_body(body)).status
    except ValidationError as error:
        raise invalid(error) from None


def _parse_document(value: object, field: str, most: int) -> tuple[AnnotatedSentence | None, Errors]:
    """Return a document, its id empty where it has none, or what is wrong with it."""
    if not isinstance(value, dict):
        return None, [(field, "not an object")]
    faults = list(_own_faults(value, most))
    record = {name: inner for name, inner in value.items() if name != _OWN_FIELD}
    has_id = record.get("id") is not None
    if not has_id:
        record["id"] = "-"
    beyond = list(_crowds(record)) or list(_long_spans(record)) or list(_heaps(record))
    if beyond:
        faults += beyond
    elif len(value["text"] if isinstance(value.get("text"), str) else "") <= most:
        known = {fault.field for fault in faults}
        faults += [fault for fault in _checked(record) if fault.field not in known]
    if faults:
        return None, [_error(field, fault) for fault in faults]
    document = parse_sentence(record)
    return (document if has_id else replace(document, id="")), []


def _own_faults(record: dict[str, Any], most: int) -> Iterator[Fault]:
    """What the checker of annotation files does not look for, or would not mind."""
    if _OWN_FIELD in record:
        yield Fault(_OWN_FIELD, "unknown field: only the export has it")
    for name in ("id", "text"):
        try:
            check_text(record[name] if isinstance(record.get(name), str) else "")
        except InputError as error:
            yield Fault(name, str(error))
    text = record.get("text")
    if isinstance(text, str) and len(text) > most:
        yield Fault("text", f"{len(text):,} characters; a text may have {most:,}")


def _crowds(record: dict[str, Any]) -> Iterator[Fault]:
    """Lists of so many that each cannot have its fault: spans are not empty, and do not overlap."""
    text, spans, roles = record.get("text"), record.get("entities"), record.get("relations")
    if not isinstance(text, str) or not isinstance(spans, list):
        return
    if len(spans) > len(text):
        yield Fault("entities", f"{len(spans):,} spans; a text of {len(text):,} characters can have {len(text):,}")
    elif isinstance(roles, list) and len(roles) > max(MAX_ROLES, MAX_ROLES * len(spans)):
        most = max(MAX_ROLES, MAX_ROLES * len(spans))
        yield Fault("relations", f"{len(roles):,} roles; a document of {len(spans):,} spans may have {most:,}")


def _heaps(record: dict[str, Any]) -> Iterator[Fault]:
    """Spans, none of them too long, that have far more characters in all than the text."""
    text, spans = record.get("text"), record.get("entities")
    if not isinstance(text, str) or not isinstance(spans, list):
        return
    ends = [(span.get("start_offset"), span.get("end_offset")) for span in spans if isinstance(span, dict)]
    sound = [(start, end) for start, end in ends if isinstance(start, int) and isinstance(end, int)]
    total = sum(max(0, min(end, len(text)) - max(start, 0)) for start, end in sound)
    if total > len(text) + _OVERLAPPING:
        yield Fault("entities", f"the spans overlap: they have {total:,} characters, and the text has {len(text):,}")


def _long_spans(record: dict[str, Any]) -> Iterator[Fault]:
    text, spans = record.get("text"), record.get("entities")
    if not isinstance(text, str) or not isinstance(spans, list):
        return
    for index, span in enumerate(spans):
        start, end = (span.get("start_offset"), span.get("end_offset")) if isinstance(span, dict) else (None, None)
        if not isinstance(start, int) or not isinstance(end, int) or min(end, len(text)) - max(start, 0) <= MAX_SPAN:
            continue
        first = max(start, 0)  # a number has thousands of digits, maybe, and a difference more than Python writes
        if end > len(text):
            message = f"{end} is outside the text, which has {len(text)} characters"
        else:
            message = f"the span has {end - first:,} characters; it may have {MAX_SPAN:,}"
        yield Fault(f"entities[{index}].end_offset", message, text[first : first + _PIECE + 1])


def _checked(record: dict[str, Any]) -> list[Fault]:
    try:
        return check_sentence(record)
    except RecursionError:  # the checker quotes what it was given, however deep
        return [Fault("", "nested too deep")]


def _error(document: str, fault: Fault) -> tuple[str, str]:
    """The path of a fault in the request, and what it is, with the piece of text that it is about."""
    field = f"{document}.{fault.field}" if fault.field else document
    message = _cut(fault.message, _MESSAGE)
    return _cut(field, _FIELD), f"{message}: «{_cut(fault.text, _PIECE)}»" if fault.text else message


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
