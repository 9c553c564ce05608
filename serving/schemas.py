"""Requests and answers of the service, as pydantic models: `Document` here is `model.records.Document.to_dict()`.

All offsets are `[start, end)` in Unicode code points of the document's text, which comes back unchanged.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from model.labels import CLASSES, ENTITY_LABELS, FACTUALITIES, ROLES
from serving.reading import Source, check_text


def _one_of(values: tuple[str, ...]) -> object:
    return Field(json_schema_extra={"enum": list(values)})


Label = Annotated[str, _one_of(ENTITY_LABELS)]
EventClass = Annotated[str, _one_of(CLASSES)]
Factuality = Annotated[str, _one_of(FACTUALITIES)]
RoleName = Annotated[str, _one_of(ROLES)]
Text = Annotated[str, AfterValidator(check_text)]
DocumentId = Annotated[str, Field(min_length=1), AfterValidator(check_text)]
Score = Annotated[float, Field(ge=0, le=1, description="Calibrated probability.")]
Start = Annotated[int, Field(ge=0, description="First code point of the span in the document's text.")]
End = Annotated[int, Field(ge=0, description="The code point after the span's last.")]


class Requested(BaseModel):
    """What callers send: exact types, no unknown fields."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class DocumentRequest(Requested):
    """A text to extract."""

    id: DocumentId | None = Field(
        default=None, description="Unlike the others' in the request; by default a digest of the text."
    )
    text: Text = Field(description="Any text, empty too; but no NUL and no lone surrogates.")


class PredictRequest(Requested):
    """One `text`, or several `documents`; null is the same as leaving a field out."""

    text: Text | None = Field(default=None, description="One text: any, empty too; but no NUL and no lone surrogates.")
    documents: list[DocumentRequest] | None = Field(
        default=None, description="Several texts, in the order of the answer."
    )
    min_score: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Leave out entities, actions, roles and triples that score below; default 0.",
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> PredictRequest:
        if (self.text is None) == (self.documents is None):
            raise ValueError("give either `text` or `documents`" + (", not both" if self.text is not None else ""))
        return self

    def sources(self) -> list[Source]:
        """The texts that are asked for; `text` is one without an id."""
        if self.text is not None:
            return [Source(None, self.text)]
        return [Source(document.id, document.text) for document in self.documents or []]


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
    entities: list[Entity]
    actions: list[Action]
    triples: list[Triple]


class ModelName(Answered):
    """The checkpoint that answered."""

    name: str
    version: str


class Answer(Answered):
    """Documents in the order of the request."""

    model: ModelName
    documents: list[Document]


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


class Status(Answered):
    """Health or readiness."""

    status: str
