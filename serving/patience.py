"""How long a request is worked on: until its deadline, and no longer than its client waits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
from fastapi import Request

from serving.problems import RETRY_AFTER, Problem

_Result = TypeVar("_Result")


async def in_time(request: Request, seconds: float, work: Callable[[], Awaitable[_Result]]) -> _Result:
    """Return what `work` returns; it is cancelled, with Problem `deadline` or `client-gone`, after `seconds` or when
    the client disconnects. To be called when the body has been read."""
    results: list[_Result] = []
    problems: list[Problem] = []

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        group.cancel_scope.cancel()

    with anyio.move_on_after(seconds) as deadline:
        async with anyio.create_task_group() as group:
            group.start_soon(watch)
            try:
                results.append(await work())
            except Problem as problem:  # outside of the group it would be one of an exception group
                problems.append(problem)
            group.cancel_scope.cancel()
    if problems:
        raise problems[0]
    if results:
        return results[0]
    if deadline.cancelled_caught:
        raise too_late(seconds)
    raise Problem("client-gone", "The client left before the answer was ready.")


def too_late(seconds: float) -> Problem:
    """The answer to what was not done within so many seconds."""
    return Problem(
        "deadline", f"The answer was not ready within {seconds:g} seconds.", headers={"Retry-After": str(RETRY_AFTER)}
    )
