"""Logs: one line a request and one an event, as JSON or for a terminal, never with a text, a key or a body in it.

Modules log with `logging`; structlog renders what they log, and what uvicorn, SQLAlchemy and others do. Of a record's
extra fields only FIELDS are logged. An exception is logged as its type and the places in the code it went through, and
with its message only where that speaks of the system (see `_speaks`): others quote what they were given. Control
characters, line ends among them, are escaped wherever they come from.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
import uuid
from contextvars import ContextVar
from dataclasses import dataclass
from traceback import walk_tb
from typing import Any, Literal, TextIO

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from serving.middleware import KEY_NAME, Passage, method_name, route_template

_log = logging.getLogger("serving.requests")

#: The extra fields of records that are logged.
FIELDS = (
    "method",
    "route",
    "status",
    "aborted",
    "duration_ms",
    "bytes_in",
    "bytes_out",
    "key",
    "documents",
)
#: Frames logged of an exception: the innermost ones.
MAX_FRAMES = 50

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
#: What could begin a line, move a terminal's cursor, or turn the direction of the text round it; and what UTF-8 cannot.
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
#: Loggers that say texts below this level: SQLAlchemy the parameters of its statements.
_QUIET = {"sqlalchemy": logging.WARNING}


# ---------------------------------------------------------------------------------------------------------------------
# Requests


@dataclass(slots=True)
class _Facts:
    """What the handlers of one request tell its line in the log."""

    id: str
    documents: int = 0


_facts: ContextVar[_Facts | None] = ContextVar("musnad_request", default=None)


def request_id() -> str | None:
    """Return the id of the request that is being answered, also in its threads; None outside of any."""
    facts = _facts.get()
    return None if facts is None else facts.id


def count_documents(count: int) -> None:
    """Add to the documents of the request that is being answered, for its line in the log; nothing outside of any."""
    if (facts := _facts.get()) is not None:
        facts.documents += count


class RequestLog:
    """Outermost middleware: gives a request its id, answers it in `X-Request-ID`, and logs the request when it is done.

    The id is the caller's `X-Request-ID` where that is 1 to 128 of the characters A-Z a-z 0-9 . _ -.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        facts = _Facts(_id_of(scope))
        passage = Passage(receive, send, [(b"x-request-id", facts.id.encode())])
        token = _facts.set(facts)
        begun = time.perf_counter()
        try:
            await passage.through(self._app, scope)
        finally:
            _log_request(scope, passage, facts, passage.error, time.perf_counter() - begun)
            _facts.reset(token)


def _id_of(scope: Scope) -> str:
    given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-request-id"]
    return given[0] if len(given) == 1 and _REQUEST_ID.fullmatch(given[0]) else uuid.uuid4().hex


def _log_request(scope: Scope, passage: Passage, facts: _Facts, error: BaseException | None, seconds: float) -> None:
    fields = {
        "method": method_name(scope),
        "route": route_template(scope),
        "status": passage.outcome(error),
        "aborted": None if passage.complete else True,
        "duration_ms": round(seconds * 1000, 1),
        "bytes_in": passage.bytes_in,
        "bytes_out": passage.bytes_out,
        "key": scope.get(KEY_NAME),
        "documents": facts.documents or None,
    }
    _log.info("request", extra={name: value for name, value in fields.items() if value is not None})


# ---------------------------------------------------------------------------------------------------------------------
# Exceptions


def describe(error: BaseException) -> list[dict[str, Any]]:
    """Return an exception and what led to it, the last first, without local variables and without quoted input.

    Each has its `type`, its `frames` (`file:line function`, innermost last), where it may be told its `message`, and a
    group its `exceptions`.
    """
    return _describe(error, set())


def _describe(error: BaseException | None, seen: set[int]) -> list[dict[str, Any]]:
    described = []
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        description: dict[str, Any] = {"type": f"{type(error).__module__}.{type(error).__qualname__}"}
        if _speaks(error):
            description["message"] = str(error)
        description["frames"] = [
            f"{frame.f_code.co_filename}:{line} {frame.f_code.co_qualname}"
            for frame, line in walk_tb(error.__traceback__)
        ][-MAX_FRAMES:]
        if isinstance(error, BaseExceptionGroup):
            description["exceptions"] = [_describe(inner, seen) for inner in error.exceptions]
        described.append(description)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return described


def _speaks(error: BaseException) -> bool:
    """Whether an exception's message is about files, connections or modules, and cannot quote a text."""
    if isinstance(error, OSError | ImportError | MemoryError):
        return True
    # SQLAlchemy's own of that name quotes statements; a driver's says that the database is locked or cannot be reached
    root = type(error).__module__.partition(".")[0]
    return type(error).__name__ == "OperationalError" and root in ("sqlite3", "psycopg")


def _exception(exc_info: ExcInfo) -> list[dict[str, Any]]:
    return describe(exc_info[1])


# ---------------------------------------------------------------------------------------------------------------------
# Lines


def _identify(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if (id := request_id()) is not None:
        event["request_id"] = id
    return event


def _trim(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """asyncio shows, after its first line, objects with all that is in them; uvicorn ends some lines itself."""
    said = str(event["event"]).rstrip("\n")
    event["event"] = said.partition("\n")[0] if event.get("logger") == "asyncio" else said
    return event


def _escape(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {name: _escaped(value) for name, value in event.items()}


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return _CONTROL.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), value)
    if isinstance(value, dict):
        return {name: _escaped(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float) else type(value).__name__


def _indent_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """For a terminal: an exception on lines of its own, each of them indented, as no other line is."""
    if exceptions := event.pop("exception", None):
        event["exception"] = "\n".join(_lines(exceptions, "  "))
    return event


def _lines(exceptions: list[dict[str, Any]], indent: str) -> list[str]:
    lines = []
    for exception in exceptions:
        message = f": {exception['message']}" if "message" in exception else ""
        lines.append(f"{indent}{exception['type']}{message}")
        lines += [f"{indent}  at {frame}" for frame in exception["frames"]]
        for inner in exception.get("exceptions", ()):
            lines += _lines(inner, f"{indent}  | ")
    return lines


def _formatter(format: Literal["json", "console"], colors: bool) -> logging.Formatter:
    shared: list[Processor] = [
        structlog.stdlib.ExtraAdder(allow=FIELDS),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _identify,
        _trim,
        structlog.processors.ExceptionRenderer(_exception),
    ]
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    last: list[Processor]
    if format == "json":
        last = [remove, _escape, structlog.processors.JSONRenderer()]
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=colors, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
        )
        last = [remove, _escape, _indent_exception, renderer]
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last)


def configure_logs(format: Literal["json", "console"], level: str, stream: TextIO | None = None) -> None:
    """Have everything that this process logs at `level` and above go to `stream`, by default standard error.

    uvicorn's own lines of requests, which hold queries, are off. To be called once a process, before the server starts;
    uvicorn is to be given `log_config=None`.
    """
    stream = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(format, stream.isatty()))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    logging.captureWarnings(True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    access = logging.getLogger("uvicorn.access")
    access.handlers.clear()
    access.propagate = False
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, logging.getLogger().level))
    threading.excepthook = _thread_failed


def _thread_failed(failed: threading.ExceptHookArgs) -> None:
    error = failed.exc_value
    if error is not None and not isinstance(error, SystemExit):
        logging.getLogger(__name__).critical("a thread failed", exc_info=(failed.exc_type, error, failed.exc_traceback))
