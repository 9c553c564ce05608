"""The JSON lines that annotated sentences are read from and written to.

One sentence a line, in doccano's relation format::

    {"id": "politics-0001", "text": "...",
     "entities": [{"id": 0, "label": "ACT", "class": "STATE", "factuality": "asserted",
                   "start_offset": 0, "end_offset": 4},
                  {"id": 1, "label": "PER", "start_offset": 5, "end_offset": 12}],
     "relations": [{"id": 0, "from_id": 0, "to_id": 1, "type": "actor"}]}

Offsets are `[start, end)` in Unicode code points of `text`. Only an entity labelled `ACT`, which is an action, has a
`class` and a `factuality`, and it must have both. A relation runs from an action to an entity. The sentence's id may
be an integer, as doccano writes it; it is read as a string. doccano's `Comments` and `cats` beside them are accepted
and not kept; any other field, anywhere, is an error, since nothing would keep it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TypeGuard

from model.annotation import SPAN_LABELS, AnnotatedSentence, AnnotationError, Fault, Relation, Span
from model.labels import ACTION_LABEL, CLASSES, ENTITY_LABELS, FACTUALITIES, ROLES

_SENTENCE_FIELDS = ("id", "text", "entities", "relations")
#: What doccano and the export of our service add to a sentence; accepted, and not kept.
IGNORED_FIELDS = ("Comments", "cats", "meta")
_SPAN_FIELDS = ("id", "label", "start_offset", "end_offset")
_ACTION_FIELDS = ("class", "factuality")
_RELATION_FIELDS = ("id", "from_id", "to_id", "type")


def parse_sentence(record: object) -> AnnotatedSentence:
    """Return the sentence in a decoded JSON object.

    Fields, types, names (of labels, classes, factualities, roles), ids and bounds of offsets are checked, not what
    the guidelines say of spans and roles: that is `model.annotation_check`. Raises AnnotationError for the first fault.
    """
    sentence, faults = parse_what_is_sound(record)
    if faults:
        raise AnnotationError(faults[0])
    return sentence


def parse_what_is_sound(record: object) -> tuple[AnnotatedSentence, list[Fault]]:
    """Return the sentence of all sound spans and relations in a decoded JSON object, and what is wrong with the rest.

    A relation to a span that is there but faulty is left out without a fault of its own.
    """
    faults: list[Fault] = []
    if not isinstance(record, dict):
        return AnnotatedSentence("", "", (), ()), [Fault("", f"a sentence is a JSON object, not {_kind(record)}")]
    faults += _field_faults("", record, _SENTENCE_FIELDS, (*_SENTENCE_FIELDS, *IGNORED_FIELDS))
    text = _text_of(record, faults)
    name = record.get("id", "")
    if isinstance(name, bool) or not isinstance(name, str | int):
        faults.append(Fault("id", f"must be a string or an integer, not {_kind(name)}"))
        name = ""
    elif name == "" and "id" in record:
        faults.append(Fault("id", "is empty"))
    spans = _parse_spans(_list_of(record, "entities", faults), text, faults)
    relations = _parse_relations(_list_of(record, "relations", faults), spans, faults)
    sound = tuple(span for span in spans.values() if span is not None)
    return AnnotatedSentence(str(name), text or "", sound, tuple(relations)), faults


def read_annotations(path: Path) -> Iterator[AnnotatedSentence]:
    """Yield the sentences of a JSON lines file, one at a time; blank lines are passed over.

    Raises AnnotationError, naming file, line and field, at the first line that is not an annotated sentence.
    """
    for line, record in read_records(path):
        if isinstance(record, Fault):
            raise AnnotationError(record, path, line)
        sentence, faults = parse_what_is_sound(record)
        if faults:
            raise AnnotationError(faults[0], path, line)
        yield sentence


def read_records(path: Path) -> Iterator[tuple[int, object]]:
    """Yield (line number from 1, decoded JSON value) of each line that is not blank, a Fault in place of a bad one."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, _decode(line)


def write_annotations(path: Path, sentences: Iterable[AnnotatedSentence]) -> int:
    """Write sentences as JSON lines, as `write_records` does, and return how many."""
    return write_records(path, (sentence.to_dict() for sentence in sentences))


def write_records(path: Path, records: Iterable[dict[str, object]]) -> int:
    """Write JSON lines (UTF-8, characters unescaped) and return how many.

    `path` is replaced only once all are written, so it may be the file that `records` come from.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    count = 0
    try:
        with unfinished.open("w", encoding="utf-8", newline="\n") as file:
            for record in records:
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
                count += 1
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def _decode(line: bytes) -> object:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        return Fault(
            "", f"not UTF-8: {error.reason} at byte {error.start}", line.decode("utf-8", "replace").strip()[:60]
        )
    if text.startswith("\ufeff"):
        return Fault("", "begins with a byte order mark (U+FEFF), which JSON lines do not have", text[1:40].strip())
    try:
        return json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        return Fault("", f"not JSON: {error}", text.strip()[:60])


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f'field "{next(name for name in names if names.count(name) > 1)}" given twice')
    return record


def _text_of(record: dict[str, object], faults: list[Fault]) -> str | None:
    text = record.get("text")
    if isinstance(text, str) and not any("\ud800" <= character <= "\udfff" for character in text):
        return text
    if isinstance(text, str):
        faults.append(Fault("text", "holds half of a surrogate pair, which is no character"))
    elif "text" in record:
        faults.append(Fault("text", f"must be a string, not {_kind(text)}"))
    return None


def _parse_spans(records: list[object], text: str | None, faults: list[Fault]) -> dict[int, Span | None]:
    """Return the spans by id; None where a span has an id but is faulty."""
    spans: dict[int, Span | None] = {}
    for index, record in enumerate(records):
        field = f"entities[{index}]"
        found = _span_faults(field, record, text)
        identity = record.get("id") if isinstance(record, dict) else None
        if not isinstance(record, dict) or not _is_integer(identity):
            faults += found
            continue
        if identity in spans:
            found.append(Fault(f"{field}.id", f"{identity} is given to two entities", _covered(record, text)))
        elif found or text is None:
            spans[identity] = None
        else:
            spans[identity] = Span(
                id=identity,
                label=record["label"],
                start=record["start_offset"],
                end=record["end_offset"],
                event_class=record.get("class"),
                factuality=record.get("factuality"),
            )
        faults += found
    return spans


def _span_faults(field: str, record: object, text: str | None) -> list[Fault]:
    if not isinstance(record, dict):
        return [Fault(field, f"must be a JSON object, not {_kind(record)}")]
    faults = _field_faults(field, record, _SPAN_FIELDS, (*_SPAN_FIELDS, *_ACTION_FIELDS))
    if "id" in record and not _is_integer(record["id"]):
        faults.append(Fault(f"{field}.id", f"must be an integer, not {_kind(record['id'])}"))
    faults += _offset_faults(field, record, text)
    covered = _covered(record, text)
    faults += _name_faults(field, record, "label", SPAN_LABELS, covered)
    faults += _name_faults(field, record, "class", CLASSES, covered)
    faults += _name_faults(field, record, "factuality", FACTUALITIES, covered)
    for name in _ACTION_FIELDS:
        if record.get("label") == ACTION_LABEL and name not in record:
            faults.append(Fault(f"{field}.{name}", "missing: an action must have it", covered))
        elif record.get("label") in ENTITY_LABELS and name in record:
            faults.append(Fault(f"{field}.{name}", f"only an action has it, and this is {record['label']}", covered))
    return faults


def _offset_faults(field: str, record: dict[str, object], text: str | None) -> list[Fault]:
    faults = []
    for name in ("start_offset", "end_offset"):
        value = record.get(name, 0)
        if not _is_integer(value):
            faults.append(Fault(f"{field}.{name}", f"must be an integer, not {_kind(value)}"))
        elif text is not None and not 0 <= value <= len(text):
            faults.append(
                Fault(f"{field}.{name}", f"{value} is outside the text, which has {len(text)} characters", text)
            )
    start, end = record.get("start_offset"), record.get("end_offset")
    if not faults and _is_integer(start) and _is_integer(end) and start >= end:
        faults.append(Fault(field, f"the span [{start}, {end}) has nothing in it", text or ""))
    return faults


def _parse_relations(records: list[object], spans: dict[int, Span | None], faults: list[Fault]) -> list[Relation]:
    relations: list[Relation] = []
    taken: set[int] = set()
    for index, record in enumerate(records):
        field = f"relations[{index}]"
        if not isinstance(record, dict):
            faults.append(Fault(field, f"must be a JSON object, not {_kind(record)}"))
            continue
        found = _field_faults(field, record, _RELATION_FIELDS, _RELATION_FIELDS)
        found += _name_faults(field, record, "type", ROLES, "")
        for name in ("id", "from_id", "to_id"):
            if name in record and not _is_integer(record[name]):
                found.append(Fault(f"{field}.{name}", f"must be an integer, not {_kind(record[name])}"))
            elif name in record and name != "id" and record[name] not in spans:
                found.append(Fault(f"{field}.{name}", f"no entity has the id {record[name]}"))
        if not found and record["id"] in taken:
            found.append(Fault(f"{field}.id", f"{record['id']} is given to two relations"))
        faults += found
        if not found:
            taken.add(record["id"])
            if spans[record["from_id"]] is not None and spans[record["to_id"]] is not None:
                relations.append(Relation(record["id"], record["from_id"], record["to_id"], record["type"]))
    return relations


def _list_of(record: dict[str, object], name: str, faults: list[Fault]) -> list[object]:
    value = record.get(name, [])
    if isinstance(value, list):
        return value
    faults.append(Fault(name, f"must be an array, not {_kind(value)}"))
    return []


def _field_faults(
    field: str, record: dict[str, object], required: Collection[str], allowed: Collection[str]
) -> list[Fault]:
    prefix = f"{field}." if field else ""
    missing = [Fault(f"{prefix}{name}", "missing") for name in required if name not in record]
    return missing + [Fault(f"{prefix}{name}", "unknown field") for name in record if name not in allowed]


def _name_faults(field: str, record: dict[str, object], name: str, known: Collection[str], covered: str) -> list[Fault]:
    if name not in record or record[name] in known:
        return []
    given = json.dumps(record[name], ensure_ascii=False)
    return [Fault(f"{field}.{name}", f"{given} is not one of {', '.join(known)}", covered)]


def _covered(record: dict[str, object], text: str | None) -> str:
    start, end = record.get("start_offset"), record.get("end_offset")
    return text[start:end] if text and _is_integer(start) and _is_integer(end) and 0 <= start <= end else ""


def _is_integer(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _kind(value: object) -> str:
    """Return what JSON calls a value of this type."""
    names = {dict: "an object", list: "an array", bool: "true or false", int: "an integer", float: "a number"}
    return (
        "null" if value is None else "a string" if isinstance(value, str) else names.get(type(value), str(type(value)))
    )
