"""doccano's relation extraction files: JSON lines with `id`, `text`, `entities`, `relations` and `Comments`.

doccano has no attributes on spans, so the label of an action carries its class and factuality:
`ACT:ASSAULT:asserted`. Offsets are `[start, end)` in UTF-16 code units, since its page counts so (measured with 1.8.4:
`tests/tools`); with «Count grapheme clusters as one character» it counts otherwise, and nothing in the file says so:
leave that off. The id of a sentence passes through as a metadata column. Source: doccano 1.8.4,
`backend/data_import/pipeline` and `backend/data_export`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path

from model.annotation import AnnotatedSentence, Fault, Span
from model.annotation_files import read_records
from model.labels import ACTION_LABEL
from training.exchange.documents import Document, Finding, Origin, assemble, bad, notes, shown
from training.exchange.utf16 import code_points, code_units

_FIELDS = ("id", "text", "entities", "relations", "Comments")
_SPAN_FIELDS = ("id", "label", "start_offset", "end_offset")


def label_of(span: Span) -> str:
    """Return the label that a span has in doccano: its own, or `ACT:CLASS:FACTUALITY`."""
    return f"{ACTION_LABEL}:{span.event_class}:{span.factuality}" if span.is_action else span.label


def read(path: Path) -> Iterator[Document | Finding]:
    """Yield the documents of a doccano export (unpacked), and a finding for all that cannot be read or kept."""
    for number, record in read_records(path):
        place = f"{path}:{number}"
        if isinstance(record, Fault):
            yield Finding(place, record)
        elif not isinstance(record, dict):
            yield Finding(place, Fault("", "not a JSON object"))
        else:
            yield from _read_record(record, place)


def _read_record(record: dict[str, object], place: str) -> Iterator[Document | Finding]:
    faults: list[Fault] = []
    if "entities" not in record and "label" in record:
        faults.append(Fault("label", "an export without relations: switch on relation labelling in the project"))
    missing = [name for name in _FIELDS[:4] if name not in record]
    faults += [Fault(name, "missing") for name in missing if not faults or name not in ("entities", "relations")]
    text = record.get("text")
    offsets = code_points(text) if isinstance(text, str) else {}
    spans = [
        (f"entities[{index}]", _span(f"entities[{index}]", span, offsets, faults))
        for index, span in enumerate(_list(record, "entities", faults))
    ]
    relations = [
        (f"relations[{index}]", _object(f"relations[{index}]", relation, faults))
        for index, relation in enumerate(_list(record, "relations", faults))
    ]
    if faults:
        yield from bad(place, faults)
        return
    content, faults = assemble(record["id"], record["text"], spans, relations)
    if faults:
        yield from bad(place, faults)
        return
    yield Document(content, Origin(place))
    yield from notes(place, _not_kept(record))


def _not_kept(record: dict[str, object]) -> Iterator[Fault]:
    comments = record.get("Comments")
    for comment in comments if isinstance(comments, list) else []:
        text = comment.get("comment") if isinstance(comment, dict) else comment
        yield Fault("Comments", "a comment is not kept", shown(str(text)))
    for name, value in record.items():
        if name not in _FIELDS and value is not None:
            yield Fault(name, "metadata is not kept", shown(json.dumps(value, ensure_ascii=False)))


def _list(record: dict[str, object], name: str, faults: list[Fault]) -> list[object]:
    value = record.get(name, [])
    if isinstance(value, list):
        return value
    faults.append(Fault(name, "must be an array"))
    return []


def _object(field: str, value: object, faults: list[Fault]) -> Mapping[str, object]:
    if isinstance(value, dict):
        return value
    faults.append(Fault(field, "must be a JSON object"))
    return {}


def _span(field: str, value: object, offsets: Mapping[int, int], faults: list[Fault]) -> dict[str, object]:
    """Return a span in the annotation format; `offsets` are code points by code units."""
    span = dict(_object(field, value, faults))
    faults += [Fault(f"{field}.{name}", "unknown field") for name in span if name not in _SPAN_FIELDS]
    for name in ("start_offset", "end_offset"):
        unit = span.get(name)
        if isinstance(unit, int) and unit in offsets:
            span[name] = offsets[unit]
        elif isinstance(unit, int) and offsets:
            faults.append(Fault(f"{field}.{name}", f"{unit} is inside a character, or beyond the text's UTF-16 units"))
    label = span.get("label")
    if isinstance(label, str) and label.partition(":")[0] == ACTION_LABEL:
        parts = label.split(":")
        if len(parts) == 3:
            return {**span, "label": parts[0], "class": parts[1], "factuality": parts[2]}
        faults.append(Fault(f"{field}.label", "the label of an action is ACT:CLASS:FACTUALITY", label))
    return span


def write(path: Path, documents: Iterable[Document]) -> list[Finding]:
    """Write documents for doccano's import as `JSONL(Relation)`, and return what could not be written.

    Characters beyond ASCII are escaped, so that doccano's guess of the encoding is right on any file.
    """
    findings: list[Finding] = []
    with path.open("w", encoding="ascii", newline="\n") as file:
        for document in documents:
            found = bad(document.origin.place, _refused(document.content))
            if not found:
                file.write(json.dumps(_record(document.content)) + "\n")
            findings += found
    return findings


def _refused(content: AnnotatedSentence) -> Iterator[Fault]:
    """What doccano's import would leave out without a word."""
    if not content.text:
        yield Fault("text", "is empty, which doccano does not take")
    for first, second in pairwise(sorted(content.spans, key=lambda span: (span.start, span.end))):
        if second.start < first.end:
            yield Fault("entities", "overlaps another span, which doccano does not take", content.text_of(second))


def _record(content: AnnotatedSentence) -> dict[str, object]:
    units = code_units(content.text)
    spans = [
        {
            "id": span.id,
            "label": label_of(span),
            "start_offset": units[span.start],
            "end_offset": units[span.end],
        }
        for span in content.spans
    ]
    return {
        "id": content.id,
        "text": content.text,
        "entities": spans,
        "relations": [relation.to_dict() for relation in content.relations],
    }
