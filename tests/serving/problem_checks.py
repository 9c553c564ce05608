"""What every problem of the service must be."""

from __future__ import annotations

from typing import Any

from serving.problems import KINDS, ProblemDetails


def problem(response: Any, kind: str) -> dict[str, Any]:
    """The details of a response that is a problem of that kind."""
    assert response.headers["content-type"] == "application/problem+json"
    details: dict[str, Any] = response.json()
    ProblemDetails.model_validate(details, strict=True)
    status, title = KINDS[kind]
    assert response.status_code == details["status"] == status
    assert details["type"] == f"urn:musnad:problem:{kind}"
    assert details["title"] == title
    assert details["detail"]
    return details


def errors(response: Any, kind: str = "invalid-request") -> dict[str, str]:
    return {error["field"]: error["message"] for error in problem(response, kind)["errors"]}
