"""What passes between the formats: a document, where it comes from, and what was found wrong with it.

A document is an `AnnotatedSentence` of any length: text, spans, and relations from one span to another, which may lie
in different sentences. Readers number spans from 0 in the order of the text (`canonical`), whatever ids a tool gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from model.annotation import AnnotatedSentence, Fault, Relation, Span
from model.annotation_files import parse_what_is_sound
from model.labels import ROLES

#: A field of the annotation format, and how the tool's file calls it.
_INDEXED = re.compile(r"(entities|relations)\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Authorship:
    """Who annotated a document and when, as far as its file says: the `meta` object of the service's export.

    `id` is the annotation's own; `created` and `updated` are times in ISO 8601; `status` is pending, accepted or
    rejected; `model` is the model whose output was corrected, as the file has it.
    """

    id: str | None = None
    annotator: str | None = None
    model: object = None
    created: str | None = None
    status: str | None = None
    updated: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a document was read; documents of one `task` (if not empty) are annotations of the same text.

    The one with the last `dated`, a time in ISO 8601, is the latest.
    """

    place: str = ""
    task: str = ""
    dated: str = ""
    authorship: Authorship = field(default_factory=Authorship)


@dataclass(frozen=True, slots=True)
class Document:
    """A text of one sentence or several with its spans and relations, and where it comes from."""

    content: AnnotatedSentence
    origin: Origin = field(default_factory=Origin)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a record that a person must know, with its place (file and line, task or annotation).

    If `bad`, the record as a whole is left out; else it is there without what the fault names.
    """

    place: str
    fault: Fault
    bad: bool = True

    def __str__(self) -> str:
        return f"{self.place}: {self.fault}" if self.place else str(self.fault)


def bad(place: str, faults: Iterable[Fault]) -> list[Finding]:
    """Return the findings that keep a record out."""
    return [Finding(place, fault) for fault in faults]


def notes(place: str, faults: Iterable[Fault]) -> list[Finding]:
    """Return the findings of a record that is read or written without what they name."""
    return [Finding(place, fault, bad=False) for fault in faults]


def canonical(sentence: AnnotatedSentence) -> AnnotatedSentence:
    """Return the same annotation with spans in the order of the text, relations in that of actions, roles and fillers,
    and both numbered from 0. Raises KeyError for a relation to a span that is not there."""
    spans = sorted(
        sentence.spans,
        key=lambda span: (span.start, span.end, span.label, span.event_class or "", span.factuality or ""),
    )
    numbers = {span.id: number for number, span in enumerate(spans)}
    links = sorted(
        (numbers[link.action], ROLES.index(link.role), numbers[link.entity], link.role) for link in sentence.relations
    )
    return AnnotatedSentence(
        sentence.id,
        sentence.text,
        tuple(
            Span(number, span.label, span.start, span.end, span.event_class, span.factuality)
            for number, span in enumerate(spans)
        ),
        tuple(Relation(number, action, entity, role) for number, (action, _, entity, role) in enumerate(links)),
    )


def assemble(
    identity: object,
    text: object,
    spans: Sequence[tuple[str, Mapping[str, object]]],
    relations: Sequence[tuple[str, Mapping[str, object]]],
) -> tuple[AnnotatedSentence, list[Fault]]:
    """Return the document of (field in the tool's file, object of the annotation format) pairs, and all its faults.

    Fields, names, ids and bounds are checked by `model.annotation_files`; faults name the tool's own fields. The
    document is canonical; with faults it holds only what is sound.
    """
    record = {
        "id": identity,
        "text": text,
        "entities": [dict(span) for _, span in spans],
        "relations": [dict(relation) for _, relation in relations],
    }
    names = {"entities": [name for name, _ in spans], "relations": [name for name, _ in relations]}
    sentence, faults = parse_what_is_sound(record)

    def renamed(fault: Fault) -> Fault:
        return Fault(_INDEXED.sub(lambda match: names[match[1]][int(match[2])], fault.field), fault.message, fault.text)

    return canonical(sentence), [renamed(fault) for fault in faults]


def shown(text: str, limit: int = 60) -> str:
    """Return the beginning of a text for a message, cut with an ellipsis at `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
