"""Annotated sentences: the records, and what is wrong with one that cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from model.labels import ACTION_LABEL, ENTITY_LABELS

SPAN_LABELS = (*ENTITY_LABELS, ACTION_LABEL)


@dataclass(frozen=True, slots=True)
class Span:
    """An entity or, labelled `ACT`, an action: `[start, end)` in code points of the sentence's text.

    `event_class` and `factuality` are None unless the label is `ACT`.
    """

    id: int
    label: str
    start: int
    end: int
    event_class: str | None = None
    factuality: str | None = None

    @property
    def is_action(self) -> bool:
        """Whether the span is an action."""
        return self.label == ACTION_LABEL

    def to_dict(self) -> dict[str, int | str]:
        """Return the JSON object of the annotation format."""
        record: dict[str, int | str] = {"id": self.id, "label": self.label}
        if self.event_class is not None:
            record["class"] = self.event_class
        if self.factuality is not None:
            record["factuality"] = self.factuality
        return {**record, "start_offset": self.start, "end_offset": self.end}


@dataclass(frozen=True, slots=True)
class Relation:
    """A role: the span with id `entity` fills `role` of the span with id `action`."""

    id: int
    action: int
    entity: int
    role: str

    def to_dict(self) -> dict[str, int | str]:
        """Return the JSON object of the annotation format."""
        return {"id": self.id, "from_id": self.action, "to_id": self.entity, "type": self.role}


@dataclass(frozen=True, slots=True)
class AnnotatedSentence:
    """One sentence with its spans and the roles between them."""

    id: str
    text: str
    spans: tuple[Span, ...]
    relations: tuple[Relation, ...]

    @property
    def entities(self) -> tuple[Span, ...]:
        """The spans that are not actions."""
        return tuple(span for span in self.spans if not span.is_action)

    @property
    def actions(self) -> tuple[Span, ...]:
        """The spans that are actions."""
        return tuple(span for span in self.spans if span.is_action)

    def text_of(self, span: Span) -> str:
        """Return the piece of the text that a span covers."""
        return self.text[span.start : span.end]

    def fillers(self, action: int, role: str) -> tuple[int, ...]:
        """Return the ids of the entities that fill `role` of the action with that id, in the order written."""
        return tuple(link.entity for link in self.relations if link.action == action and link.role == role)

    def to_dict(self) -> dict[str, object]:
        """Return the JSON object of the annotation format."""
        return {
            "id": self.id,
            "text": self.text,
            "entities": [span.to_dict() for span in self.spans],
            "relations": [link.to_dict() for link in self.relations],
        }


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a sentence: in which field, what, and the piece of text that it is about (may be empty)."""

    field: str
    message: str
    text: str = ""

    def __str__(self) -> str:
        message = f"{self.field}: {self.message}" if self.field else self.message
        return f"{message}: «{self.text}»" if self.text else message


class AnnotationError(ValueError):
    """A sentence that cannot be read; its text is "file:line: field: what", as far as these are known."""

    def __init__(self, fault: Fault, path: Path | None = None, line: int | None = None) -> None:
        self.fault = fault
        self.path = path
        self.line = line
        place = "" if path is None else f"{path}:{line}: "
        super().__init__(f"{place}{fault}")
