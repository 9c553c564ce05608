"""`GET /` and `GET /static/{path}`: the page and its files, read once, so that no path leads out of the package."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fastapi import APIRouter, Request, Response

from serving.problems import not_found

_PACKAGE = Path(__file__).parent
_CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    content_type: str
    etag: str


def page_routes() -> APIRouter:
    """Return the routes of the page; every file is in memory, half a megabyte in all.

    Answers carry a strong `ETag` and `Cache-Control: no-cache`: a browser asks each time, and gets a 304 for what it
    has. A path that is no file of the page is a 404 problem. The routes are not part of the service's OpenAPI.
    """
    page = _read(_PACKAGE / "index.html")
    files = _read_tree(_PACKAGE / "static")
    router = APIRouter(include_in_schema=False)

    async def index(request: Request) -> Response:
        return _answer(request, page)

    async def static(request: Request, path: str) -> Response:
        if path not in files:
            raise not_found(request)
        return _answer(request, files[path])

    for methods in (["GET"], ["HEAD"]):  # a route each: FastAPI gives an operation one name
        router.add_api_route("/", index, methods=methods)
        router.add_api_route("/static/{path:path}", static, methods=methods)
    return router


def _read_tree(folder: Path) -> dict[str, _File]:
    """The files under a folder, by the path that asks for them."""
    return {
        PurePosixPath(path.relative_to(folder)).as_posix(): _read(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in _CONTENT_TYPES
    }


def _read(path: Path) -> _File:
    content = path.read_bytes()
    return _File(content, _CONTENT_TYPES[path.suffix], f'"{hashlib.sha256(content).hexdigest()[:32]}"')


def _answer(request: Request, file: _File) -> Response:
    headers = {"ETag": file.etag, "Cache-Control": "no-cache"}
    if _is_held(request, file.etag):
        return Response(status_code=304, headers=headers)
    return Response(file.content, headers={**headers, "Content-Type": file.content_type})


def _is_held(request: Request, etag: str) -> bool:
    """Whether the caller has the file already, by its `If-None-Match` (RFC 9110, section 13.1.2)."""
    held = request.headers.get("if-none-match", "")
    return held.strip() == "*" or etag in {tag.strip().removeprefix("W/") for tag in held.split(",")}
