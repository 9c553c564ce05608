"""Bodies and answers of `/annotations`, as pydantic models.

Offsets are `[start, end)` in Unicode code points of the document's text, which is kept unchanged.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SkipValidation

from model.annotation import SPAN_LABELS
from serving.feedback.tables import NAME_CHARACTERS
from serving.reading import check_text
from serving.schemas import Answered, EventClass, Factuality, ModelName, Requested, RoleName, Text

StatusName = Literal["pending", "accepted", "rejected"]


def check_name(name: str) -> str:
    """Return the name of an annotator or a model, or a version; raise ValueError for what cannot be one."""
    if not name:
        raise ValueError("empty")
    if len(name) > NAME_CHARACTERS:
        raise ValueError(f"{len(name):,} characters; it may have {NAME_CHARACTERS}")
    for index, character in enumerate(check_text(name)):
        # controls, and the separators of lines and paragraphs
        if unicodedata.category(character) in ("Cc", "Zl", "Zp"):
            raise ValueError(f"U+{ord(character):04X} at character {index + 1}: a control character")
    if not name.strip():
        raise ValueError("nothing but white space")
    return name


_CONTROLS = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
#: What `check_name` takes, as JSON schema says it.
NAME_SCHEMA: dict[str, Any] = {
    "minLength": 1,
    "maxLength": NAME_CHARACTERS,
    "pattern": rf"^[^{_CONTROLS}]*[^\s{_CONTROLS}][^{_CONTROLS}]*$",
}
Name = Annotated[str, AfterValidator(check_name), Field(json_schema_extra=NAME_SCHEMA)]
Offset = Annotated[int, Field(ge=0)]


class AnnotatingModel(Requested):
    """The model whose output was corrected, as `POST /predict` names it."""

    name: Name
    version: Name


def _without_defaults(schema: dict[str, Any]) -> None:
    """Leave the empty defaults out of a JSON schema: they are no value that a field may have."""
    for field in schema.get("properties", {}).values():
        if field.get("default") == "":
            del field["default"]


class AnnotatedSpan(BaseModel):
    """An entity or, labelled ACT, an action."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_without_defaults)

    id: int = Field(description="Unlike the other spans' of the document.")
    label: Annotated[str, Field(json_schema_extra={"enum": list(SPAN_LABELS)})]
    event_class: EventClass = Field("", alias="class", description="An action must have it, and nothing else may.")
    factuality: Factuality = Field("", description="An action must have it, and nothing else may.")
    start_offset: Offset = Field(description="First code point of the span in the text.")
    end_offset: Offset = Field(description="The code point after the span's last.")


class AnnotatedRelation(BaseModel):
    """A role: the entity `to_id` fills it in the action `from_id`."""

    model_config = ConfigDict(extra="forbid")

    id: int = Field(description="Unlike the other relations' of the document.")
    from_id: int = Field(description="Id of an action.")
    to_id: int = Field(description="Id of an entity.")
    type: RoleName


class AnnotatedDocument(BaseModel):
    """A sentence, or a whole text of several, with everything in it annotated."""

    model_config = ConfigDict(extra="forbid")

    id: str | int | None = Field(None, description="Your own id, for the export; by default the record's.")
    text: Text
    entities: list[AnnotatedSpan]
    relations: list[AnnotatedRelation]


class AnnotationsRequest(Requested):
    """Corrected documents."""

    annotator: Name = Field(description="Who corrected them: without control characters.")
    model: AnnotatingModel
    # the project's own checker says more than pydantic could
    documents: list[SkipValidation[AnnotatedDocument]]


class StatusRequest(Requested):
    """What a review made of an annotation."""

    status: StatusName


class AnnotationReceipt(Answered):
    """What became of a document."""

    id: str = Field(description="Id of the record.")
    status: StatusName
    created: bool = Field(description="False where the same was there already.")


class AnnotationsAnswer(Answered):
    """Receipts in the order of the documents."""

    annotations: list[AnnotationReceipt]


class AnnotationMeta(Answered):
    """Where an annotation comes from."""

    id: str = Field(description="Id of the record.")
    annotator: str
    model: ModelName
    created: datetime
    status: StatusName
    updated: datetime = Field(description="When the status was last changed; at first the same as `created`.")


class AnnotationRecord(Answered):
    """A stored annotation: the annotation format, and `meta`."""

    id: str = Field(description="The annotator's own id of the document, or else the record's.")
    text: str
    entities: list[AnnotatedSpan]
    relations: list[AnnotatedRelation]
    meta: AnnotationMeta
