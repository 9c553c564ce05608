"""Who may ask for what: the middleware that wants an API key with the scope of the path."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from serving.keys import Key, KeyRing, KeysError
from serving.middleware import KEY_NAME, route_path
from serving.problems import Problem, problem_response

_OPEN = frozenset({"/", "/healthz", "/readyz", "/openapi.json"})
_STATIC = "/static/"
#: Label Studio can send a user's name and password, and nothing else: under this path the password is the key.
BASIC = "/labelstudio"
#: The scope of a path, and of what is under it; of any other path it is `admin`.
_SCOPES = {"/predict": "predict", "/model": "predict", BASIC: "predict", "/annotations": "annotate"}


def scope_of(path: str) -> str | None:
    """Return the scope that a path wants; None where it is open to all. A path that nobody knows wants `admin`."""
    if path in _OPEN or path.startswith(_STATIC):
        return None
    return next((scope for root, scope in _SCOPES.items() if is_under(root, path)), "admin")


def is_under(root: str, path: str) -> bool:
    """Whether a path is `root`, or under it."""
    return path == root or path.startswith(f"{root}/")


def key_ring(keys_file: Path | None, required: bool) -> KeyRing | None:
    """Return the keys of the file that the settings name, or None.

    Raises KeysError, also where keys are required and no file is named.
    """
    if keys_file is not None:
        return KeyRing(keys_file)
    if required:
        raise KeysError(
            "requests need API keys where the service listens beyond loopback: make one with `musnad keys create` and "
            "set MUSNAD_KEYS_FILE, or set MUSNAD_REQUIRE_KEYS=no to let everybody in"
        )
    return None


class Authorization:
    """Middleware: 401 without a key of the file, 403 without the scope of the path; the scope's KEY_NAME has its name.

    Where keys are not `required`, nobody is refused, and a key is only known by its name.
    """

    def __init__(self, app: ASGIApp, keys: KeyRing | None, required: bool) -> None:
        if required and keys is None:
            raise ValueError("keys are required, and there are none")
        self._app = app
        self._keys = keys
        self._required = required

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self._keys is None:
            await self._app(scope, receive, send)
            return
        try:
            await self._authorize(scope, self._keys)
        except Problem as problem:
            if scope["type"] == "http":
                await problem_response(problem)(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})
        else:
            await self._app(scope, receive, send)

    async def _authorize(self, scope: Scope, keys: KeyRing) -> None:
        wanted = None
        if self._required:
            wanted = scope_of(route_path(scope)) if scope["type"] == "http" else "admin"
        try:
            key = await _identify(scope, keys)
            if wanted is not None and wanted not in key.scopes:
                raise Problem("forbidden", f"The key {key.name!r} lacks the scope {wanted!r}.")
        except Problem:
            if wanted is not None:
                raise
        else:
            scope[KEY_NAME] = key.name


async def _identify(scope: Scope, keys: KeyRing) -> Key:
    """Return the key that a request comes with; raise Problem where there is none, or not one."""
    basic = scope["type"] == "http" and is_under(BASIC, route_path(scope))
    try:
        secret = _secret(scope, basic)
        if secret is None:
            raise _NoKeyError("Send a key as `Authorization: Bearer KEY` or `X-API-Key: KEY`.")
        if (key := await keys.find(secret)) is None:
            raise _NoKeyError("This is not a key of this service.")
    except _NoKeyError as refused:
        schemes = 'Bearer, Basic realm="musnad", charset="UTF-8"' if basic else "Bearer"
        raise Problem("unauthorized", str(refused), headers={"WWW-Authenticate": schemes}) from None
    return key


class _NoKeyError(Exception):
    """Why a request has no key."""


def _secret(scope: Scope, basic: bool) -> bytes | None:
    """Return what a request gives as its key, None for nothing.

    Raises _NoKeyError where it gives two, or gives one in another way. `basic`: whether it may be the password of basic
    authentication (RFC 7617), with any user's name.
    """
    secrets: set[bytes] = set()
    strange = False
    for name, value in scope["headers"]:
        if name == b"x-api-key":
            secrets.add(value.strip())
        elif name == b"authorization":
            scheme, _, rest = value.strip().partition(b" ")
            if scheme.lower() == b"bearer":
                secrets.add(rest.strip())
            elif scheme.lower() == b"basic" and basic:
                secrets.add(_password(rest.strip()))
            else:
                strange = True
    if len(secrets) > 1:
        raise _NoKeyError("The request has two different keys; send one.")
    if not secrets:
        if strange:
            raise _NoKeyError(f"The scheme of the Authorization header is not Bearer{' or Basic' if basic else ''}.")
        return None
    return secrets.pop()


def _password(credentials: bytes) -> bytes:
    try:
        _, colon, password = base64.b64decode(credentials, validate=True).partition(b":")
    except binascii.Error:
        colon = b""
    if not colon:
        raise _NoKeyError("The Authorization header has no user and password in base64.")
    return password
