"""brat's standoff format: a folder of `NAME.txt` with `NAME.ann` beside it. Source: https://brat.nlplab.org/standoff.html.

An entity is a text-bound annotation (`T`) of its label; an action an event (`E`) of its class, whose trigger is a `T`
of the same type, with its fillers as arguments (`actor:T1 actor2:T4`). `A1 Factuality E1 negated` marks what is not
asserted. Offsets are code points of the text as it stands in the file, line breaks included. A span that holds line
breaks or tabs is written, as brat does, in fragments with those left out (`0 5;6 9`); any other span in several pieces
is an error. The document's id is the file's name, with characters that file names cannot hold as `%2F`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote

from model.annotation import AnnotatedSentence, Fault, Span
from model.labels import ACTION_LABEL, CLASSES, ROLES
from training.exchange.brat_lines import ASSERTED, FACTUALITY, Annotations, parse_lines
from training.exchange.configurations import brat_files
from training.exchange.documents import Document, Finding, Origin, assemble, bad

#: What brat ends a line or a field at, and so cannot stand in an annotation's text.
_BREAKS = re.compile("[\\t\\n\\r\\v\\f\\x1c-\\x1e\\x85\\u2028\\u2029]+")
#: Beyond these, file systems differ: in case of Arabic, over whether «أ» is one character or two.
_PLAIN = re.compile(r"[A-Za-z0-9._-]")
#: Bytes of a file's name that common file systems allow, with room for the ending.
_LONGEST_NAME = 240


def read(path: Path) -> Iterator[Document | Finding]:
    """Yield the documents of a folder, or of one `.txt` or `.ann` file, in the order of their names.

    Findings name the `.ann` file and line; a text without annotations file, or one without text, is a finding too.
    """
    files = [file for file in path.iterdir() if file.suffix in (".txt", ".ann")] if path.is_dir() else [path]
    for stem in sorted({file.with_suffix("") for file in files}):
        text_file, annotations_file = Path(f"{stem}.txt"), Path(f"{stem}.ann")
        missing = [file for file in (text_file, annotations_file) if not file.is_file()]
        if missing:
            yield from bad(str(stem), [Fault("", f"{file.name} is missing") for file in missing])
        else:
            yield from _read_document(text_file, annotations_file)


def _read_document(text_file: Path, annotations_file: Path) -> Iterator[Document | Finding]:
    try:
        # bytes, since line breaks count as they stand
        text, lines = (file.read_bytes().decode("utf-8") for file in (text_file, annotations_file))
    except UnicodeDecodeError as error:
        yield Finding(str(text_file.with_suffix("")), Fault("", f"not UTF-8: {error.reason} at byte {error.start}"))
        return
    found = parse_lines(lines, text)
    spans, relations = _spans(found), _relations(found)
    content, faults = assemble(unquote(text_file.stem), text, spans, relations)
    # a fault's field begins with the number of its line
    faults = found.faults or faults
    if not faults:
        yield Document(content, Origin(str(annotations_file)))
    for fault in faults or found.notes:
        line, _, name = fault.field.partition(" ")
        place = f"{annotations_file}:{line}"
        yield Finding(place, Fault(name, fault.message, fault.text), bad=bool(faults))


def _spans(found: Annotations) -> list[tuple[str, dict[str, object]]]:
    spans: list[tuple[str, dict[str, object]]] = []
    for number, bound in enumerate(found.bounds.values()):
        span: dict[str, object] = {"id": number, "start_offset": bound.start, "end_offset": bound.end}
        if bound.kind in CLASSES:
            factuality = found.factuality_of(bound)
            span |= {"label": ACTION_LABEL, "class": bound.kind, "factuality": factuality}
        else:
            span["label"] = bound.kind
        spans.append((bound.field, span))
    return spans


def _relations(found: Annotations) -> list[tuple[str, dict[str, object]]]:
    numbers = {identity: number for number, identity in enumerate(found.bounds)}
    relations: list[tuple[str, dict[str, object]]] = []
    for link in found.links:
        if link.action in numbers and link.entity in numbers:
            ends = {"from_id": numbers[link.action], "to_id": numbers[link.entity]}
            relations.append((link.field, {"id": len(relations), **ends, "type": link.role}))
    return relations


def write(path: Path, documents: Iterable[Document]) -> list[Finding]:
    """Write a folder of documents with brat's configuration, and return what could not be written.

    Raises FileExistsError if the folder is there and holds documents already.
    """
    path.mkdir(exist_ok=True)
    if any(file.suffix in (".txt", ".ann") for file in path.iterdir()):
        raise FileExistsError(f"{path}: holds documents already; brat would show both")
    findings: list[Finding] = []
    written: set[str] = set()
    for document in documents:
        content = document.content
        name = file_name(content.id)
        faults = list(_refused(content, name, written))
        findings += bad(document.origin.place, faults)
        if not faults:
            written.add(name.casefold())
            (path / f"{name}.txt").write_bytes(content.text.encode("utf-8"))
            (path / f"{name}.ann").write_bytes("".join(f"{line}\n" for line in _lines(content)).encode("utf-8"))
    for name, text in brat_files().items():
        (path / name).write_text(text, encoding="utf-8", newline="\n")
    return findings


def file_name(identity: str) -> str:
    """Return the name, without ending, of the files of a document; `urllib.parse.unquote` gives the id back."""
    quoted = "".join(
        character if _PLAIN.fullmatch(character) else "".join(f"%{byte:02X}" for byte in character.encode("utf-8"))
        for character in identity
    )
    return "%2E" + quoted[1:] if quoted.startswith(".") else quoted


def _refused(content: AnnotatedSentence, name: str, written: set[str]) -> Iterator[Fault]:
    if len(name.encode("utf-8")) > _LONGEST_NAME:
        yield Fault("id", "is too long for the name of a file", content.id)
    if name.casefold() in written:
        yield Fault("id", "another document has it, as file systems see it", content.id)
    spans = {span.id: span for span in content.spans}
    for span in content.spans:
        covered = content.text_of(span)
        if _BREAKS.match(covered[0]) or _BREAKS.match(covered[-1]):
            yield Fault("entities", "a line break or tab at the edge of a span, which brat cannot hold", covered)
    triggers = {(span.start, span.end, span.event_class) for span in content.actions}
    if len(triggers) < len(content.actions):
        yield Fault("entities", "two actions of one class on the same text, which brat takes for one")
    for link in content.relations:
        if not spans[link.action].is_action or spans[link.entity].is_action:
            yield Fault("relations", "the role does not run from an action to an entity", link.role)


def _lines(content: AnnotatedSentence) -> Iterator[str]:
    names = {span.id: f"T{number}" for number, span in enumerate(content.spans, start=1)}
    for span in content.spans:
        kind = span.event_class if span.is_action else span.label
        fragments = _fragments(content.text, span)
        offsets = ";".join(f"{start} {end}" for start, end in fragments)
        yield f"{names[span.id]}\t{kind} {offsets}\t{' '.join(content.text[start:end] for start, end in fragments)}"
    for number, action in enumerate(content.actions, start=1):
        arguments = [
            f"{role}{count if count > 1 else ''}:{names[filler]}"
            for role in ROLES
            for count, filler in enumerate(content.fillers(action.id, role), start=1)
        ]
        yield f"E{number}\t{' '.join([f'{action.event_class}:{names[action.id]}', *arguments])}"
    marked = [(number, action.factuality) for number, action in enumerate(content.actions, start=1)]
    marked = [(number, factuality) for number, factuality in marked if factuality != ASSERTED]
    for count, (number, factuality) in enumerate(marked, start=1):
        yield f"A{count}\t{FACTUALITY} E{number} {factuality}"


def _fragments(text: str, span: Span) -> list[tuple[int, int]]:
    pieces, start = [], span.start
    for gap in _BREAKS.finditer(text, span.start, span.end):
        pieces.append((start, gap.start()))
        start = gap.end()
    return [*pieces, (start, span.end)]
