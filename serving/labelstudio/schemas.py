"""What Label Studio asks and is answered; it sends more than is read here, such as credentials, which is ignored."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from serving.problems import ProblemDetails
from serving.schemas import Answered, Text


class Asked(BaseModel):
    """What Label Studio sends: exact types; other fields are ignored."""

    model_config = ConfigDict(extra="ignore", strict=True)


class SetupRequest(Asked):
    """A project that is to get suggestions."""

    label_config: Text = Field(alias="schema", description="The project's labelling configuration.")


class Task(Asked):
    """A task of the project."""

    data: dict[str, Any] = Field(description="Its fields, among them the text.")


class TasksRequest(Asked):
    """Tasks that are to get suggestions."""

    tasks: list[Task]
    label_config: Text | None = Field(
        default=None, description="The project's labelling configuration; without one, the text is `text` in the data."
    )


class WebhookRequest(Asked):
    """Something that happened in a project."""

    action: Text = Field(description="What, as `ANNOTATION_CREATED`.")


class Health(Answered):
    """The model is there."""

    status: str = Field(description="UP.")
    model_version: str


class SetUp(Answered):
    """Suggestions fit the project."""

    model_version: str = Field(description="Name and version of the model, as in its predictions.")


class Versions(Answered):
    """The models that can be asked: the one that serves."""

    versions: list[str]


class Prediction(Answered):
    """What the model finds in a task."""

    result: list[dict[str, Any]] = Field(
        description="Regions (with offsets in code points), the choices of actions, and relations, as Label Studio has "
        "them in annotations.",
    )
    score: float | None = Field(ge=0, le=1, description="Mean score of the regions; null where there are none.")
    model_version: str


class FailedTask(Answered):
    """In the place of a task that could not be done."""

    error: ProblemDetails


class Predictions(Answered):
    """A prediction for each task, in their order."""

    results: list[Prediction | FailedTask]


class Heard(Answered):
    """What became of what happened: nothing."""

    action: str
    stored: bool = Field(description="Always false.")
    detail: str
