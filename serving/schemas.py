"""Requests and answers of the service, as pydantic models: `Document` here is `model.records.Document.to_dict()`.

All offsets are `[start, end)` in the document's text, which comes back unchanged; they count Unicode code points
unless the request asks for other units.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator

from model.labels import CLASSES, ENTITY_LABELS, FACTUALITIES, ROLES
from serving.offsets import OFFSET_UNITS, OffsetUnit
from serving.problems import ProblemDetails
from serving.reading import check_text
from serving.selection import PARTS, Selection


def _one_of(values: tuple[str, ...]) -> object:
    return Field(json_schema_extra={"enum": list(values)})


Label = Annotated[str, _one_of(ENTITY_LABELS)]
EventClass = Annotated[str, _one_of(CLASSES)]
Factuality = Annotated[str, _one_of(FACTUALITIES)]
RoleName = Annotated[str, _one_of(ROLES)]


def _in(values: tuple[str, ...]) -> AfterValidator:
    def check(value: str) -> str:
        if value not in values:
            raise ValueError(f"not one of {', '.join(values)}")
        return value

    return AfterValidator(check)


AskedLabel = Annotated[str, _in(ENTITY_LABELS), _one_of(ENTITY_LABELS)]
AskedClass = Annotated[str, _in(CLASSES), _one_of(CLASSES)]
AskedPart = Annotated[str, _in(PARTS), _one_of(PARTS)]
AskedOffsets = Annotated[str, _in(OFFSET_UNITS), _one_of(OFFSET_UNITS)]
#: JSON schema's way to say that there is no NUL; of lone surrogates it knows nothing.
_NO_NUL = Field(json_schema_extra={"pattern": r"^[^\u0000]*$"})
Text = Annotated[str, AfterValidator(check_text), _NO_NUL]
DocumentId = Annotated[str, Field(min_length=1), AfterValidator(check_text), _NO_NUL]
Score = Annotated[float, Field(ge=0, le=1, description="Calibrated probability.")]
Start = Annotated[int, Field(ge=0, description="Where the span begins in the document's text.")]
End = Annotated[int, Field(ge=0, description="Where it ends: after its last character.")]


class Requested(BaseModel):
    """What callers send: exact types, no unknown fields."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class DocumentRequest(Requested):
    """A text to extract."""

    id: DocumentId | None = Field(
        default=None, description="Unlike the others' in the request; by default a digest of the text."
    )
    text: Text = Field(description="Any text, empty too; but no NUL and no lone surrogates.")


class Options(Requested):
    """What an answer holds; null is the same as leaving a field out."""

    min_score: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Leave out entities, actions, roles and triples that score below; default 0.",
    )
    labels: list[AskedLabel] | None = Field(
        default=None,
        description="Only entities with these labels; roles and triples lose the ends that are left out. Default all.",
    )
    classes: list[AskedClass] | None = Field(
        default=None, description="Only actions of these classes, with their triples. Default all."
    )
    include: list[AskedPart] | None = Field(
        default=None, description="Which lists a document has, beside its sentences. Default all."
    )
    offsets: AskedOffsets | None = Field(
        default=None,
        description="What offsets count: Unicode code points (default), UTF-16 units (as JavaScript and Java do), or "
        "bytes of UTF-8.",
    )

    @property
    def unit(self) -> OffsetUnit:
        """What offsets count."""
        return OffsetUnit(self.offsets or OffsetUnit.CODEPOINT)

    @property
    def selection(self) -> Selection:
        """What is kept of a document."""
        return Selection(_asked(self.labels), _asked(self.classes), _asked(self.include))


def _asked(values: list[str] | None) -> frozenset[str] | None:
    return None if values is None else frozenset(values)


_TEXT_OR_DOCUMENTS: list[JsonValue] = [
    {"required": ["text"], "properties": {"text": {"type": "string"}}},
    {"required": ["documents"], "properties": {"documents": {"type": "array"}}},
]


class PredictRequest(Options):
    """One `text`, or several `documents`; null is the same as leaving a field out."""

    model_config = ConfigDict(json_schema_extra={"oneOf": _TEXT_OR_DOCUMENTS})

    text: Text | None = Field(default=None, description="One text: any, empty too; but no NUL and no lone surrogates.")
    documents: list[DocumentRequest] | None = Field(
        default=None, description="Several texts, in the order of the answer."
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> PredictRequest:
        if (self.text is None) == (self.documents is None):
            raise ValueError("give either `text` or `documents`" + (", not both" if self.text is not None else ""))
        return self


class Answered(BaseModel):
    """What the service answers."""

    model_config = ConfigDict(extra="forbid")


class Sentence(Answered):
    """A sentence of the document."""

    start: Start
    end: End


class Entity(Answered):
    """A participant, place or number."""

    id: str = Field(description="Its name inside the document.")
    label: Label
    start: Start
    end: End
    text: str = Field(description="Exactly the document's text from `start` to `end`.")
    name: str = Field(
        description="The text without tashkeel and tatweel, with the article restored after an attached ل."
    )
    value: int | float | None = Field(description="The number that a NUM says; null where it cannot be read.")
    score: Score


class RoleFiller(Answered):
    """An entity in a role of an action."""

    entity: str = Field(description="Id of the entity.")
    score: Score


class Roles(Answered):
    """The entities in the roles of an action."""

    actor: list[RoleFiller]
    target: list[RoleFiller]
    place: list[RoleFiller]
    count: list[RoleFiller]


class Action(Answered):
    """What happened."""

    id: str = Field(description="Its name inside the document.")
    start: Start
    end: End
    text: str = Field(description="Exactly the document's text from `start` to `end`.")
    event_class: EventClass = Field(alias="class", description="A PLOVER event type, or STATE or OTHER.")
    factuality: Factuality
    score: Score
    roles: Roles


class Triple(Answered):
    """Who did what to whom; an end that the sentence does not name is null."""

    actor: str | None = Field(description="Id of an entity.")
    action: str = Field(description="Id of an action.")
    target: str | None = Field(description="Id of an entity.")
    score: Score


class Document(Answered):
    """A text with everything found in it."""

    id: str
    text: str = Field(description="The caller's text, unchanged.")
    sentences: list[Sentence]
    entities: list[Entity] = Field(default=[], description="Absent where `include` leaves it out.")
    actions: list[Action] = Field(default=[], description="Absent where `include` leaves it out.")
    triples: list[Triple] = Field(default=[], description="Absent where `include` leaves it out.")


class ModelName(Answered):
    """The checkpoint that answered."""

    name: str
    version: str


class FailedDocument(Answered):
    """In the place of a document that could not be done."""

    id: str | None
    error: ProblemDetails


class Answer(Answered):
    """Documents in the order of the request."""

    model: ModelName
    offsets: AskedOffsets = Field(description="What offsets count.")
    documents: list[Document | FailedDocument]


class ModelDescription(Answered):
    """What the checkpoint says of itself, and what it can find."""

    name: str
    version: str
    labels: list[Label] = Field(description="Labels of entities.")
    classes: list[EventClass] = Field(description="Event classes of actions.")
    factualities: list[Factuality]
    roles: list[RoleName]
    max_pieces: int = Field(description="Pieces in one pass of the network; longer sentences are windowed, not cut.")
    calibration: list[str] = Field(description="The kinds of scores that are calibrated.")


class ReloadRequest(Requested):
    """Which checkpoint should serve."""

    path: Text = Field(
        min_length=1,
        description="A checkpoint directory on the service's machine; or a registry, for its current version.",
    )


class Reloaded(Answered):
    """The model that served, and the one that serves now."""

    before: ModelName
    now: ModelName


class Status(Answered):
    """Health or readiness."""

    status: str
