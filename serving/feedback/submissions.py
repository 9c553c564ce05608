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
    too_long = list(_long_spans(record))
    if too_long:
        faults += too_long
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


def _long_spans(record: dict[str, Any]) -> Iterator[Fault]:
    text, spans = record.get("text"), record.get("entities")
    if not isinstance(text, str) or not isinstance(spans, list):
        return
    for index, span in enumerate(spans):
        start, end = (span.get("start_offset"), span.get("end_offset")) if isinstance(span, dict) else (None, None)
        if not isinstance(start, int) or not isinstance(end, int) or min(end, len(text)) - max(start, 0) <= MAX_SPAN:
            continue
        if end > len(text):
            message = f"{end} is outside the text, which has {len(text)} characters"
        else:
            message = f"the span has {end - start:,} characters; it may have {MAX_SPAN:,}"
        yield Fault(f"entities[{index}].end_offset", message, text[max(start, 0) : max(start, 0) + _PIECE + 1])


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
