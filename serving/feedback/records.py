"""What the feedback store takes and gives: submissions, receipts, filters, and records as lines of the export."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from model.annotation import AnnotatedSentence
from serving.feedback.tables import ID_DIGITS


@dataclass(frozen=True, slots=True)
class Submission:
    """Documents that an annotator has corrected; the model is the one whose output that was.

    A document whose id is empty has no id of the annotator's.
    """

    annotator: str
    model_name: str
    model_version: str
    documents: tuple[AnnotatedSentence, ...]

    def ids(self) -> list[str]:
        """The record id of each document: a digest of who says what of which text, and of whose output.

        Ids and the order of spans and relations make no difference, nor does the document's own id.
        """
        source = [self.annotator, self.model_name, self.model_version]
        return [_digest([*source, *_content(document)]) for document in self.documents]


def _content(document: AnnotatedSentence) -> tuple[object, ...]:
    """The text, its spans and their roles, without ids and in an order of their own; spans do not overlap."""
    starts = {span.id: span.start for span in document.spans}
    spans = sorted(
        (span.start, span.end, span.label, span.event_class or "", span.factuality or "") for span in document.spans
    )
    roles = sorted((starts[link.action], starts[link.entity], link.role) for link in document.relations)
    return document.text, spans, roles


def _digest(content: object) -> str:
    return hashlib.blake2b(json.dumps(content).encode(), digest_size=ID_DIGITS // 2).hexdigest()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a submitted document: its record, and whether it is new."""

    id: str
    status: str
    created: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """Which records are meant: all that fit every field that is not None. `since` inclusive, `until` exclusive."""

    annotator: str | None = None
    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Annotation:
    """A stored record. `entities` and `relations` are JSON arrays, as text: an export need not take them apart."""

    number: int
    id: str
    status: str
    created: datetime
    updated: datetime
    annotator: str
    model_name: str
    model_version: str
    document_id: str | None
    text: str
    entities: str
    relations: str

    def to_json(self) -> str:
        """Return the record as JSON: the annotation format, with the document's own id where it has one, and `meta`."""
        meta = {
            "id": self.id,
            "annotator": self.annotator,
            "model": {"name": self.model_name, "version": self.model_version},
            "created": _moment(self.created),
            "status": self.status,
            "updated": _moment(self.updated),
        }
        fields = (
            ("id", _json(self.id if self.document_id is None else self.document_id)),
            ("text", _json(self.text)),
            ("entities", self.entities),
            ("relations", self.relations),
            ("meta", _json(meta)),
        )
        return "{" + ",".join(f'"{name}":{value}' for name, value in fields) + "}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
