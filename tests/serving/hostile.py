"""What the tables of hostile inputs are made of: cases, the wire that they go over, and the replies that they get."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from fake_extractor import FakeExtractor
from live import Live

from serving.problems import MEDIA_TYPE as PROBLEM
from serving.problems import TYPE_PREFIX

JSON = "application/json"
NDJSON = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Target:
    """A running service, and the extractor in it, whose network can be held up."""

    service: Live
    extractor: FakeExtractor

    @property
    def port(self) -> int:
        return self.service.port


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any] | None:
        """The problem details, where the answer is a problem."""
        return json.loads(self.body) if self.body and self.headers.get("content-type") == PROBLEM else None

    @property
    def shown(self) -> str:
        """The status and the kind of problem, as the table has it."""
        if self.problem is not None:
            return f"{self.status} {self.problem['type'].removeprefix(TYPE_PREFIX)}"
        return f"{self.status} plain" if self.status >= 400 else str(self.status)

    @property
    def says(self) -> str:
        """The answer in words: what a problem says, the outcome of each line of a stream, or the body."""
        if self.problem is not None:
            return _told(self.problem)
        if self.headers.get("content-type") == NDJSON:
            return "; ".join(map(_outcome, self.body.split(b"\n")[:-1]))
        return self.body.decode()


def _told(problem: dict[str, Any]) -> str:
    fields = [
        f"{error['field']}: {error['message']}" if error["field"] else error["message"] for error in problem["errors"]
    ]
    return "; ".join(fields) or problem["detail"]


def _outcome(line: bytes) -> str:
    value = json.loads(line)
    if "error" in value:
        return f"line {value['line']}: {value['error']['type'].removeprefix(TYPE_PREFIX)}"
    return f"«{value['text']}» done" if "text" in value else "a record"


Send = Callable[[Target], Sequence[Reply | None]]


@dataclass(frozen=True, slots=True)
class Case:
    """One hostile input. `answer`: what each reply is, `nothing` for a connection that ends without one; `says`: a
    piece of what the last one says; `small`: for the service with low limits."""

    sent: str
    to: str
    send: Send
    answer: str
    says: str = ""
    small: bool = False


def answered(replies: Sequence[Reply | None]) -> str:
    """The replies as the table has them."""
    return ", ".join("nothing" if reply is None else reply.shown for reply in replies)


class Wire:
    """A connection over which anything can be sent, and whose answers are read one by one."""

    def __init__(self, target: Target) -> None:
        self.socket = socket.create_connection(("127.0.0.1", target.port), timeout=40)
        self._file = self.socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def send(self, *pieces: bytes) -> Self:
        """Send what the service takes; it may have answered and left before the end."""
        with suppress(BrokenPipeError, ConnectionResetError):
            for piece in pieces:
                self.socket.sendall(piece)
        return self

    def reply(self, *, bodyless: bool = False) -> Reply | None:
        """The next answer, None where the connection ends instead; `bodyless`: to a HEAD."""
        try:
            status = self._file.readline()
            if not status:
                return None
            headers: dict[str, str] = {}
            while line := self._file.readline().strip():
                name, _, value = line.decode("latin-1").partition(":")
                headers[name.lower()] = value.strip()
            code = int(status.split()[1])
            return Reply(code, headers, b"" if bodyless or code in (100, 304) else self._body(headers))
        except ConnectionResetError:
            return None

    def _body(self, headers: dict[str, str]) -> bytes:
        if "content-length" in headers:
            return self._file.read(int(headers["content-length"]))
        if headers.get("transfer-encoding") != "chunked":
            return self._file.read()
        body = b""
        while size := int(self._file.readline() or b"0", 16):
            body += self._file.read(size)
            self._file.readline()
        self._file.readline()
        return body

    def read(self, size: int) -> bytes:
        """The next bytes of the answer, whatever they are."""
        return self._file.read(size)

    def rest(self) -> bytes:
        """All that comes before the connection ends."""
        data = b""
        with suppress(ConnectionResetError):
            while piece := self._file.read1():
                data += piece
        return data

    def close(self, *, abruptly: bool = False) -> None:
        """Leave; `abruptly`: with a reset in place of an end."""
        if abruptly:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._file.close()
        self.socket.close()


def head(start: str, *headers: str, length: int | None = None) -> bytes:
    """The head of a request, with `Host`, other headers and, where it is given, the length of the body."""
    lines = [f"{start} HTTP/1.1", "Host: musnad", *headers]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def chunked(*pieces: bytes) -> bytes:
    """A whole body in chunks."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def ask(*pieces: bytes, replies: int = 1, bodyless: bool = False) -> Send:
    """Send bytes over one connection, and read that many replies."""

    def send(target: Target) -> list[Reply | None]:
        with Wire(target) as wire:
            wire.send(*pieces)
            return [wire.reply(bodyless=bodyless) for _ in range(replies)]

    return send


def post(path: str, body: bytes, *headers: str, content_type: str | None = JSON) -> Send:
    """A POST of a whole body."""
    own = [] if content_type is None else [f"Content-Type: {content_type}"]
    return ask(head(f"POST {path}", *own, *headers, length=len(body)), body)


def get(path: str, *headers: str) -> Send:
    """A GET."""
    return ask(head(f"GET {path}", *headers))
