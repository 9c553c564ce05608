"""What the service's ASGI middlewares share: routes by their template, one request as it goes by, failures answered.

Order, from the outermost to the innermost: `logs.RequestLog`, `tracing`, `metrics.RequestMetrics`,
`headers.SecurityHeaders`, CORS, `authorization.Authorization`, `ratelimit.RateLimit`, `Failures`, the app. None of them
holds a body: messages pass through as they come.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from re import Pattern
from weakref import WeakKeyDictionary

from fastapi import routing
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Mount, compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.problems import Problem, problem_response

_log = logging.getLogger(__name__)

#: The template of a path that no route has.
UNMATCHED = "unmatched"
#: The key of a scope under which the name of the request's API key is.
KEY_NAME = "musnad.key"
#: The status, as nginx has it, of a request whose client went away before the answer.
CLIENT_GONE = 499

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

#: The number of routes of an app when they were last looked at, and their patterns and templates, in order.
_known: WeakKeyDictionary[Starlette, tuple[int, list[tuple[Pattern[str], str]]]] = WeakKeyDictionary()


def route_path(scope: Scope) -> str:
    """Return the path that routes see: without the prefix under which a server mounts the app."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if root and path.startswith(root) and path[len(root) :][:1] in ("", "/"):
        return path[len(root) :]
    return path


def route_template(scope: Scope) -> str:
    """Return the template of the route that the request's path has, like `/annotations/{id}`, or UNMATCHED.

    Also for a request that is answered before it gets to its route.
    """
    if (app := scope.get("app")) is None:
        return UNMATCHED
    path = route_path(scope)
    return next((template for pattern, template in _patterns(app) if pattern.match(path)), UNMATCHED)


def method_name(scope: Scope) -> str:
    """Return the request's method, or `other`: anything may stand there."""
    method: str = scope["method"]
    return method if method in _METHODS else "other"


def _patterns(app: Starlette) -> list[tuple[Pattern[str], str]]:
    count, patterns = _known.get(app, (-1, []))
    if count != len(app.routes):
        patterns = [(compile_path(template)[0], template) for template in _templates(app.routes)]
        _known[app] = (len(app.routes), patterns)
    return patterns


def _templates(routes: list[BaseRoute]) -> Iterator[str]:
    # FastAPI keeps included routers whole, and says with this what their routes are; before, it copied the routes
    contexts = getattr(routing, "iter_route_contexts", iter)(routes)
    for route in contexts:
        if (path := getattr(route, "path", None)) is not None:
            mounted = isinstance(getattr(route, "original_route", route), Mount)
            yield f"{path}/{{path:path}}" if mounted else path


class Passage:
    """One request as it goes by: `receive` and `send` stand for the server's, and count.

    `status`: of the answer, None before it begins; `complete`: whether all of it was handed over; `bytes_in` and
    `bytes_out`: bytes of the bodies; `error`: the exception that ended the request, if one did.
    """

    def __init__(self, receive: Receive, send: Send, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self._receive = receive
        self._send = send
        self._headers = list(headers)
        self.status: int | None = None
        self.complete = False
        self.bytes_in = 0
        self.bytes_out = 0
        self.error: BaseException | None = None

    async def through(self, app: ASGIApp, scope: Scope) -> None:
        """Let the app answer the request; an exception goes on, and is known."""
        try:
            await app(scope, self.receive, self.send)
        except BaseException as error:
            self.error = error
            raise

    async def receive(self) -> Message:
        """Receive the next message."""
        message = await self._receive()
        self.bytes_in += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        """Send a message; the headers that were given go with its first."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self._headers:
                message = {**message, "headers": [*message.get("headers", ()), *self._headers]}
        elif message["type"] == "http.response.body":
            self.bytes_out += len(message.get("body", b""))
            self.complete = not message.get("more_body", False)
        await self._send(message)

    def outcome(self, error: BaseException | None) -> int:
        """Return the status to account for, given the exception that ended the request, if one did."""
        if self.status is not None:
            return self.status
        return 500 if isinstance(error, Exception) and not isinstance(error, ClientDisconnect) else CLIENT_GONE


class Failures:
    """Innermost middleware: logs an exception that the app let out, and answers 500.

    So that this answer, too, has the headers of the middlewares outside. Where an answer has begun, the exception goes
    on and the server closes the connection: the client sees that the answer is not whole.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        passage = Passage(receive, send)
        try:
            await self._app(scope, passage.receive, passage.send)
        except ClientDisconnect:
            return  # there is nobody to answer
        except Exception:
            if passage.status is not None:
                raise
            _log.exception("a request failed")
            problem = Problem("internal-error", "The failure is in the service's log.")
            await problem_response(problem)(scope, receive, send)
