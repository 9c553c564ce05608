"""Documents in the project's JSON, as `musnad predict --format json` and `musnad bulk` write them, read and checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import ValidationError

from model.labels import CLASSES, ENTITY_LABELS, FACTUALITIES, ROLES
from model.records import Action, Document, Entity, RoleFiller, Sentence, Triple
from serving import schemas
from serving.events.rows import DocumentError
from serving.reading import InputError, LineSplitter, decode, parse_json

#: Bytes of a line, at most: a document is several times its text.
MAX_BYTES = 256 * 1024 * 1024

_CHUNK = 256 * 1024
_BOM = b"\xef\xbb\xbf"
#: What stands beside a document: in a line of bulk output around it, in one of `predict` in it.
_BESIDE = ("date", "source", "line")


@dataclass(frozen=True, slots=True)
class Dated:
    """A document and the date that it was given, as it was given."""

    document: Document
    date: str | None


@dataclass(frozen=True, slots=True)
class BadDocument:
    """What should have been a document: where it stands, and what is wrong with it."""

    place: str
    message: str


def document_from_dict(value: Mapping[str, Any]) -> Document:
    """Return the document whose `to_dict` is `value`; lists that `include` left out of an answer are empty.

    Everything is checked: fields, labels, classes, that offsets lie in the text and spell what they say, that ids are
    unique and are those of entities and actions. Raises DocumentError.
    """
    try:
        parsed = schemas.Document.model_validate(dict(value), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise DocumentError(f"{where}: {first['msg']}") from None
    document = Document(
        id=parsed.id,
        text=parsed.text,
        sentences=tuple(Sentence(own.start, own.end) for own in parsed.sentences),
        entities=tuple(
            Entity(own.id, own.label, own.start, own.end, own.text, own.name, own.value, own.score)
            for own in parsed.entities
        ),
        actions=tuple(_action(own) for own in parsed.actions),
        triples=tuple(Triple(own.actor, own.action, own.target, own.score) for own in parsed.triples),
    )
    _check(document)
    return document


def _action(own: schemas.Action) -> Action:
    fillers = {
        role: tuple(RoleFiller(filler.entity, filler.score) for filler in getattr(own.roles, role)) for role in ROLES
    }
    return Action(own.id, own.start, own.end, own.text, own.event_class, own.factuality, own.score, fillers)


def _check(document: Document) -> None:
    if document.id == "":
        raise DocumentError("id: empty")
    before = 0
    for number, sentence in enumerate(document.sentences):
        if not before <= sentence.start <= sentence.end <= len(document.text):
            raise DocumentError(
                f"sentences.{number}: [{sentence.start}, {sentence.end}) is out of order or of the text"
            )
        before = sentence.end
    spans: list[tuple[str, Entity | Action]] = [
        *((f"entities.{number}", entity) for number, entity in enumerate(document.entities)),
        *((f"actions.{number}", action) for number, action in enumerate(document.actions)),
    ]
    for where, span in spans:
        _check_span(document.text, where, span)
    for name, ids in (
        ("entities", [entity.id for entity in document.entities]),
        ("actions", [action.id for action in document.actions]),
    ):
        if len(set(ids)) < len(ids):
            twice = next(id for number, id in enumerate(ids) if id in ids[:number])
            raise DocumentError(f"{name}: the id {twice!r} comes twice")


def _check_span(text: str, where: str, span: Entity | Action) -> None:
    if not 0 <= span.start <= span.end <= len(text):
        raise DocumentError(f"{where}: [{span.start}, {span.end}) does not lie in the text")
    if text[span.start : span.end] != span.text:
        raise DocumentError(f"{where}.text: not what the document's text says there: are offsets code points?")
    if isinstance(span, Entity):
        _check_name(f"{where}.label", span.label, ENTITY_LABELS)
        return
    _check_name(f"{where}.class", span.event_class, CLASSES)
    _check_name(f"{where}.factuality", span.factuality, FACTUALITIES)


def _check_name(where: str, value: str, names: tuple[str, ...]) -> None:
    if value not in names:
        raise DocumentError(f"{where}: {value!r} is not one of {', '.join(names)}")


# ---------------------------------------------------------------------------------------------------------------------
# Files


def read_documents(stream: BinaryIO, name: str) -> Iterator[Dated | BadDocument]:
    """Yield the documents of JSON lines, one at a time; blank lines and a byte order mark are passed over.

    A line is a document, maybe with a `date` in it, or the object of bulk output, `{"id": …, "date": …, "document":
    {…}}`. A date is a string, or a whole number as 20240501.
    """
    for number, line in enumerate(_lines(stream), 1):
        place = f"{name}: line {number}"
        if line is None:
            yield BadDocument(place, f"longer than {MAX_BYTES // 1024 // 1024} MiB")
            continue
        line = line.removeprefix(_BOM) if number == 1 else line
        if not line.strip():
            continue
        try:
            yield dated_from_dict(parse_json(decode(line)))
        except (InputError, DocumentError) as error:
            yield BadDocument(place, str(error))


def _lines(stream: BinaryIO) -> Iterator[bytes | None]:
    splitter = LineSplitter(MAX_BYTES)
    while chunk := stream.read(_CHUNK):
        yield from splitter.feed(chunk)
    yield from splitter.end()


def dated_from_dict(value: object) -> Dated:
    """Return the document of a line's object, as `read_documents` says; raises DocumentError."""
    if not isinstance(value, dict):
        raise DocumentError("not a JSON object")
    if "error" in value and "text" not in value:
        raise DocumentError("an error that the service answered with, not a document")
    beside = {name: value[name] for name in _BESIDE if name in value}
    inner = value.get("document")
    if inner is None:
        inner = {name: field for name, field in value.items() if name not in _BESIDE}
    elif not isinstance(inner, dict):
        raise DocumentError("document: not a JSON object")
    return Dated(document_from_dict(inner), _date(beside.get("date")))


def _date(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is not None and not isinstance(value, str):
        raise DocumentError("date: not a string or a whole number")
    return value or None


def read_inputs(paths: Iterable[Path]) -> Iterator[Dated | BadDocument]:
    """Yield the documents of files of JSON lines, and of directories that `musnad bulk` finished.

    Raises OSError for what cannot be read, and serving.bulk's RefusedError for a directory that is no finished run.
    """
    for path in paths:
        if path.is_dir():
            yield from read_run(str(path))
        else:
            with path.open("rb") as stream:
                yield from read_documents(stream, str(path))


def read_run(url: str) -> Iterator[Dated | BadDocument]:
    """Yield the documents that a finished run of `musnad bulk` wrote to a path or URL; raises RefusedError."""
    from serving.bulk.output import read_rows

    for row in read_rows(url):
        try:
            yield Dated(document_from_dict(row.document), row.date)
        except DocumentError as error:
            yield BadDocument(f"{url}: document {row.id!r}", str(error))
