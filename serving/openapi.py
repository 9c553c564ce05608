"""What FastAPI's OpenAPI cannot see: bodies that the service reads itself, errors as problem details, examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from serving.authorization import BASIC, is_under, scope_of
from serving.problems import KINDS, MEDIA_TYPE, Problem, ProblemDetails

_COMPONENTS = "#/components/schemas/{model}"


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _COMPONENTS.format(model=model.__name__)}


def json_body(model: type[BaseModel], examples: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `openapi_extra` of a path that reads a JSON body of `model` itself."""
    content = {"application/json": {"schema": _reference(model), "examples": examples}}
    return {"requestBody": {"required": True, "content": content}}


def problem_answers(*examples: Problem) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a path's problems, with an example of each."""
    answers: dict[int | str, dict[str, Any]] = {}
    for problem in examples:
        content = {"schema": _reference(ProblemDetails), "example": problem.details()}
        answers[problem.status_code] = {"description": KINDS[problem.kind][1], "content": {MEDIA_TYPE: content}}
    return answers


def complete(app: FastAPI, models: list[type[BaseModel]], examples: Mapping[str, Any]) -> None:
    """Add to the app's OpenAPI the models that only `json_body` names, the example of each path's answer, and what
    stands before the paths: keys, their problems, and the limit of requests.

    The examples are set last, because FastAPI would leave out the nulls in them.
    """
    described = app.openapi
    guards = problem_answers(
        Problem("unauthorized", "An API key is needed: Authorization: Bearer KEY, or X-API-Key: KEY."),
        Problem("forbidden", "The key has not the scope 'predict'."),
        Problem("rate-limited", "600 requests a minute are allowed."),
        Problem("internal-error", "The failure is in the service's log."),
    )

    def openapi() -> dict[str, Any]:
        schema = described()
        components = schema.setdefault("components", {}).setdefault("schemas", {})
        named: list[type[BaseModel]] = [*models, ProblemDetails]
        for model in named:
            if model.__name__ not in components:
                own = model.model_json_schema(ref_template=_COMPONENTS)
                components.update(own.pop("$defs", {}))
                components[model.__name__] = own
        components_of_keys = schema["components"].setdefault("securitySchemes", {})
        components_of_keys["bearer"] = {"type": "http", "scheme": "bearer"}
        components_of_keys["basic"] = {
            "type": "http",
            "scheme": "basic",
            "description": "Any user's name, and a key as the password.",
        }
        components_of_keys["header"] = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
        for path, operations in schema["paths"].items():
            if scope_of(path) is None:
                continue
            for operation in operations.values():
                basic: list[dict[str, list[str]]] = [{"basic": []}] if is_under(BASIC, path) else []
                operation["security"] = [{}, {"bearer": []}, {"header": []}, *basic]
                for status, guard in guards.items():
                    operation["responses"].setdefault(str(status), guard)
        for path, example in examples.items():
            for operation in schema["paths"][path].values():
                operation["responses"]["200"]["content"]["application/json"]["example"] = example
        return schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way that FastAPI documents
