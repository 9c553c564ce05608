"""Headers that keep browsers from doing what the page never needs, and leave for other origins to call the service."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: What the page may do: load its own scripts, styles and images, and talk to its own service; no inline code.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "font-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

#: The headers of every answer, in lower case; one that a route sets itself stands.
SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_ENCODED = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]

_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
#: Seconds that a browser may remember the leave it got.
_PREFLIGHT_SECONDS = 600


class SecurityHeaders:
    """Middleware: SECURITY_HEADERS on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                given = {name.lower() for name, _ in headers}
                headers += [(name, value) for name, value in _ENCODED if name not in given]
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, send_secured)


def check_origins(origins: Sequence[str]) -> list[str]:
    """Return origins as browsers send them, like `https://news.example:8443`, or the one `*`; raises ValueError."""
    for index, origin in enumerate(origins):
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            raise ValueError(
                f"cors_origins[{index}]: {origin!r} is not an origin; write it as browsers do, in lower case and "
                "without a path: https://news.example"
            )
    if "*" in origins and len(origins) > 1:
        raise ValueError("cors_origins: '*' is every origin; leave out the others")
    return list(origins)


def install_cors(app: FastAPI, origins: Sequence[str]) -> None:
    """Let pages of other origins call the service with a key; without origins, do nothing. Raises ValueError.

    Cookies are not sent along: the service has none.
    """
    if not check_origins(origins):
        return
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=["GET", "POST", "PATCH"],
        allow_headers=["Authorization", "Content-Type", "X-API-Key", "X-Request-ID"],
        expose_headers=["RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"],
        max_age=_PREFLIGHT_SECONDS,
    )
