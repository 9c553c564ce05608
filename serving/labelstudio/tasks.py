"""The tasks that Label Studio wants suggestions for: each a text, or why it cannot be taken."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from model.labelstudio import TEXT
from serving.bodies import BadDocument, Limits, by_item, check_any, check_length, parse_body
from serving.labelstudio.configuration import ConfigurationError, text_field
from serving.labelstudio.schemas import SetupRequest, Task, TasksRequest, WebhookRequest
from serving.problems import Problem, invalid, invalid_errors, invalid_fields, quoted
from serving.reading import InputError, Source, check_text

_log = logging.getLogger(__name__)

#: What Label Studio calls for by its button *Start Training*.
_TRAINING = "START_TRAINING"


def check_setup(body: bytes) -> None:
    """Raise Problem where a body of `POST /labelstudio/setup` is none, or its labelling configuration does not fit."""
    try:
        request = SetupRequest.model_validate(parse_body(body))
    except ValidationError as error:
        raise invalid(error) from None
    _field(request.label_config, "schema")


def read_action(body: bytes) -> str:
    """Return what a body of `POST /labelstudio/webhook` says that has happened; raise Problem, also for a training."""
    try:
        action = WebhookRequest.model_validate(parse_body(body)).action
    except ValidationError as error:
        raise invalid(error) from None
    if action == _TRAINING:
        message = (
            "this service does not train: export the project, and see `musnad annotations import` and `musnad train`"
        )
        raise invalid_fields([("action", message)])
    return action


def parse_tasks(body: bytes, limits: Limits) -> list[Source | BadDocument]:
    """Return the text of each task in a body of `POST /labelstudio/predict`; raise Problem.

    One of several tasks that cannot be taken has a BadDocument in its place; where none can, that is the Problem. Takes
    time linear in the body, and belongs in a thread.
    """
    value = parse_body(body)
    tasks = value.get("tasks") if isinstance(value, dict) else None
    if isinstance(tasks, list) and len(tasks) > limits.documents:
        raise invalid_fields([("tasks", f"{len(tasks):,} tasks; a request may have {limits.documents:,}")])
    own: dict[int, list[ErrorDetails]] = {}
    try:
        request = TasksRequest.model_validate(value)
    except ValidationError as error:
        own = by_item(error, "tasks")
        request = TasksRequest.model_validate({**value, "tasks": []})
    field = TEXT if request.label_config is None else _field(request.label_config, "label_config")
    items = [_item(index, task, own.get(index), field, limits.characters) for index, task in enumerate(tasks or [])]
    check_any(items)
    return items


def _item(
    index: int, value: object, errors: Sequence[ErrorDetails] | None, field: str, most: int
) -> Source | BadDocument:
    try:
        if errors is not None:
            raise invalid_errors(errors)
        return Source(None, _text(Task.model_validate(value), f"tasks[{index}].data.{quoted(field, 80)}", field, most))
    except Problem as problem:
        return BadDocument(None, problem)


def _text(task: Task, place: str, field: str, most: int) -> str:
    if field not in task.data:
        raise invalid_fields([(place, "missing")])
    text = task.data[field]
    if not isinstance(text, str):
        raise invalid_fields([(place, "not a string")])
    try:
        check_text(text)
    except InputError as error:
        raise invalid_fields([(place, str(error))]) from None
    check_length(place, text, most)
    return text


def _field(configuration: str, field: str) -> str:
    """The field of a task's data that has its text; raises Problem where suggestions do not fit the configuration."""
    try:
        return text_field(configuration)
    except ConfigurationError as error:
        # Label Studio shows nothing of an answer but its status
        _log.warning("a project of Label Studio cannot be served: %s", error)
        raise invalid_fields([(field, fault) for fault in error.faults]) from None
