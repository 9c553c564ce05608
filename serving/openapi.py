"""What FastAPI's OpenAPI cannot see: bodies that the service reads itself, and errors as problem details."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from serving.problems import KINDS, MEDIA_TYPE, TYPE_PREFIX, ProblemDetails

_COMPONENTS = "#/components/schemas/{model}"


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _COMPONENTS.format(model=model.__name__)}


def json_body(model: type[BaseModel], examples: dict[str, Any]) -> dict[str, Any]:
    """Return the `openapi_extra` of a path that reads a JSON body of `model` itself."""
    content = {"application/json": {"schema": _reference(model), "examples": examples}}
    return {"requestBody": {"required": True, "content": content}}


def json_answer(description: str, example: Any) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a path's success, with a description and an example."""
    return {200: {"description": description, "content": {"application/json": {"example": example}}}}


def problem_answers(**details: str) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a path's problems: a kind, with `_` for `-`, and an example of its detail.

    Kinds of one status become examples of one response.
    """
    answers: dict[int | str, dict[str, Any]] = {}
    for name, detail in details.items():
        kind = name.replace("_", "-")
        status, title = KINDS[kind]
        content = {"schema": _reference(ProblemDetails), "examples": {}}
        answer = answers.setdefault(status, {"description": title, "content": {MEDIA_TYPE: content}})
        value = {"type": f"{TYPE_PREFIX}{kind}", "title": title, "status": status, "detail": detail, "errors": []}
        answer["content"][MEDIA_TYPE]["examples"][kind] = {"value": value}
    return answers


def add_schemas(app: FastAPI, *models: type[BaseModel]) -> None:
    """Put models that only `json_body` and `problem_answers` name among the components of the app's OpenAPI."""
    described = app.openapi

    def openapi() -> dict[str, Any]:
        schema = described()
        components = schema.setdefault("components", {}).setdefault("schemas", {})
        model: type[BaseModel]
        for model in (*models, ProblemDetails):
            if model.__name__ not in components:
                own = model.model_json_schema(ref_template=_COMPONENTS)
                components.update(own.pop("$defs", {}))
                components[model.__name__] = own
        return schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way that FastAPI documents
