"""The service at saturation for minutes: every answer as expected or 503, and resident memory flat.

    python -m benchmarks.soak [--minutes 10] [--json FILE]

Clients of `musnad serve` (the shipped checkpoint, a temporary SQLite) that post sentences, articles, streams of JSON
lines, bad requests and annotations, export annotations, read the metrics, and disconnect in the middle, all at once. It
fails (exit status 1) where an answer has any status but the one expected or 503, where a connection breaks, where the
service logs an error or does not end well, or where the median of its resident memory in the last tenth of the time is
more than 5 % above that in the second tenth (of ten minutes: the last minute, and the second).
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count, cycle
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import aiohttp
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.news import ANNOTATIONS, articles, sentences
from benchmarks.service import Service, service

#: Clients of each kind.
CLIENTS = {"sentence": 32, "article": 4, "stream": 2, "bad": 2, "annotate": 2, "export": 1, "leave": 2, "watch": 1}
#: How much resident memory may grow.
GROWTH = 0.05
#: Share of the time that each of the two medians is taken over.
_SPAN = 0.1
_JSON = {"Content-Type": "application/json"}
_LINES = {"Content-Type": "application/x-ndjson"}
_STREAM_LINES = 200
_PAUSE = 0.1

#: Bodies that are refused, the headers they come with, and the status of the answer.
BAD: list[tuple[bytes, dict[str, str], int]] = [
    (b"", _JSON, 400),
    (b'{"text": "', _JSON, 400),
    (b'{"text": "\xff\xfe"}', _JSON, 400),
    (b"[" * 100_000, _JSON, 400),
    (b"[]", _JSON, 422),
    (b'{"text": 1}', _JSON, 422),
    (b'{"text": "\\ud800"}', _JSON, 422),
    (b'{"text": "", "colour": "red"}', _JSON, 422),
    (b'{"text": "", "min_score": 2}', _JSON, 422),
    (b'{"documents": [' + b",".join([b'{"text": ""}'] * 257) + b"]}", _JSON, 422),
    (b'{"text": "' + b"a" * 200_001 + b'"}', _JSON, 422),
    (b" " * (9 * 1024 * 1024), _JSON, 413),
    (b"text", {"Content-Type": "text/plain"}, 415),
]


@dataclass
class Tally:
    """What came of everything so far."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    resident: list[tuple[float, int]] = field(default_factory=list)

    def note(self, kind: str, status: int, *expected: int) -> None:
        """Count an answer, and whether it was to be expected."""
        self.answers[kind, status] += 1
        if status != 503 and status not in expected:
            self.faults[f"{kind}: status {status}"] += 1


class Load:
    """The clients of a service, until a moment of `time.monotonic`."""

    def __init__(self, server: Service, tally: Tally, end: float) -> None:
        self._server = server
        self._tally = tally
        self._end = end
        self._news = cycle(sentences().bodies)
        self._articles = cycle(articles().bodies)
        self._bad = cycle(BAD)
        self._annotations = cycle(ANNOTATIONS.read_text(encoding="utf-8").splitlines())
        self._numbers = count()

    async def run(self) -> None:
        """All clients, and the watch over the memory."""
        timeout = aiohttp.ClientTimeout(total=300)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(self._server.url, connector=connector, timeout=timeout) as session:
            kinds: dict[str, Callable[[aiohttp.ClientSession], Awaitable[None]]] = {
                "sentence": self._sentence,
                "article": self._article,
                "stream": self._stream,
                "bad": self._refused,
                "annotate": self._annotate,
                "export": self._export,
                "leave": self._leave,
                "watch": self._watch,
            }
            async with asyncio.TaskGroup() as group:
                for kind, once in kinds.items():
                    for _ in range(CLIENTS[kind]):
                        group.create_task(self._repeat(kind, once, session))

    async def _repeat(
        self, kind: str, once: Callable[[aiohttp.ClientSession], Awaitable[None]], session: aiohttp.ClientSession
    ) -> None:
        while time.monotonic() < self._end:
            try:
                await once(session)
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                self._tally.faults[f"{kind}: {type(error).__name__}: {error}"] += 1
                await asyncio.sleep(_PAUSE)

    async def _post(
        self, session: aiohttp.ClientSession, kind: str, body: bytes, headers: dict[str, str], *expected: int
    ) -> None:
        async with session.post("/predict", data=body, headers=headers) as response:
            await response.read()
        self._tally.note(kind, response.status, *expected)
        if response.status == 503:
            await asyncio.sleep(_PAUSE)

    async def _sentence(self, session: aiohttp.ClientSession) -> None:
        await self._post(session, "sentence", next(self._news), _JSON, 200)

    async def _article(self, session: aiohttp.ClientSession) -> None:
        await self._post(session, "article", next(self._articles), _JSON, 200)

    async def _refused(self, session: aiohttp.ClientSession) -> None:
        body, headers, expected = next(self._bad)
        await self._post(session, "bad", body, headers, expected)
        await asyncio.sleep(_PAUSE)

    async def _stream(self, session: aiohttp.ClientSession) -> None:
        body = b"\n".join(next(self._news) for _ in range(_STREAM_LINES))
        async with session.post("/predict/stream", data=body, headers=_LINES) as response:
            lines = (await response.read()).splitlines()
        self._tally.note("stream", response.status, 200)
        if response.status == 200:
            bad = sum(b'"error"' in line and "error" in json.loads(line) for line in lines)
            if bad or len(lines) != _STREAM_LINES:
                self._tally.faults[f"stream: {len(lines)} of {_STREAM_LINES} lines, {bad} of them errors"] += 1

    async def _annotate(self, session: aiohttp.ClientSession) -> None:
        """A document that no other request has, and the same once more."""
        document: dict[str, Any] = json.loads(next(self._annotations))
        document["text"] += f" {next(self._numbers)}"
        model = {"name": "soak", "version": "1"}
        body = json.dumps({"annotator": "soak", "model": model, "documents": [document]}).encode()
        for expected in ((201,), (200,)):
            async with session.post("/annotations", data=body, headers=_JSON) as response:
                await response.read()
            self._tally.note("annotate", response.status, *expected)
            if response.status == 503:
                break
            await asyncio.sleep(_PAUSE)

    async def _export(self, session: aiohttp.ClientSession) -> None:
        async with session.get("/annotations") as response:
            async for _ in response.content.iter_chunked(64 * 1024):
                pass
        self._tally.note("export", response.status, 200)
        await asyncio.sleep(10)

    async def _leave(self, _session: aiohttp.ClientSession) -> None:
        """Send a request, or half of one, and go without waiting for the answer."""
        body = next(self._articles)
        number = next(self._numbers)
        address = urlsplit(self._server.url)
        _, writer = await asyncio.open_connection(address.hostname, address.port)
        head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        writer.write(head % len(body) + (body if number % 2 else body[: len(body) // 2]))
        with suppress(ConnectionError):
            await writer.drain()
            await asyncio.sleep(_PAUSE)
        writer.transport.abort()
        self._tally.answers["leave", 0] += 1
        await asyncio.sleep(1)  # what is read and cut into sentences for nobody is work as well

    async def _watch(self, session: aiohttp.ClientSession) -> None:
        """Every second: the memory, the health and the metrics."""
        self._tally.resident.append((time.monotonic(), self._server.resident_bytes()))
        for path in ("/healthz", "/metrics"):
            async with session.get(path) as response:
                await response.read()
            self._tally.note(path, response.status, 200)
        await asyncio.sleep(1)


def medians(resident: list[tuple[float, int]], begun: float, seconds: float) -> tuple[float, float]:
    """Median of the resident bytes in the second and in the last tenth of the time."""
    span = seconds * _SPAN
    second = [size for moment, size in resident if span <= moment - begun < 2 * span]
    last = [size for moment, size in resident if seconds - span <= moment - begun < seconds]
    return _median(second), _median(last)


def _median(sizes: list[int]) -> float:
    return statistics.median(sizes) if sizes else float("nan")


def _errors_in(log: Path) -> int:
    """Lines that report an error; the service writes one object a line."""
    found = 0
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            found += line.startswith("{") and json.loads(line)["level"] in ("error", "critical")
    return found


def main(
    minutes: Annotated[float, typer.Option(help="How long.", min=0.1)] = 10.0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Where to write all figures.")] = None,
) -> None:
    """Load the service, print what came of it, and exit with 1 where it was not as it should be."""
    console = Console()
    tally = Tally()
    seconds = minutes * 60
    with (
        tempfile.TemporaryDirectory(prefix="musnad-soak-") as folder,
        service(database_url=f"sqlite:///{folder}/soak.db", log_format="json") as server,
    ):
        begun = time.monotonic()
        asyncio.run(Load(server, tally, begun + seconds).run())
        if errors := _errors_in(server.log):
            tally.faults["lines of errors in the log"] += errors
    # `service` raises where the process does not end well
    early, late = medians(tally.resident, begun, seconds)
    growth = late / early - 1
    if not growth <= GROWTH:
        tally.faults[f"resident memory grew by {growth:.1%}"] += 1
    _report(console, tally, early, late, minutes)
    if json_file is not None:
        answers = [{"kind": kind, "status": status, "count": n} for (kind, status), n in sorted(tally.answers.items())]
        memory = {"second_tenth": early, "last_tenth": late, "growth": growth}
        samples = [{"second": round(moment - begun, 1), "bytes": size} for moment, size in tally.resident]
        figures = {
            "minutes": minutes,
            "answers": answers,
            "faults": tally.faults,
            "resident": memory,
            "samples": samples,
        }
        json_file.write_text(json.dumps({**figures, "samples": samples}, indent=2) + "\n", encoding="utf-8")
    raise typer.Exit(1 if tally.faults else 0)


def _report(console: Console, tally: Tally, early: float, late: float, minutes: float) -> None:
    table = Table(title=f"{minutes:g} minutes, {sum(CLIENTS.values())} clients")
    for name in ("kind", "status", "answers"):
        table.add_column(name, justify="left" if name == "kind" else "right")
    for (kind, status), number in sorted(tally.answers.items()):
        table.add_row(kind, str(status or "none"), f"{number:,}")
    console.print(table)
    mib = 2**20
    console.print(
        f"resident memory, median: {early / mib:.1f} MiB in the second tenth, {late / mib:.1f} MiB in the last "
        f"({late / early - 1:+.1%}); at most {max(size for _, size in tally.resident) / mib:.1f} MiB"
    )
    for fault, number in tally.faults.items():
        console.print(f"FAULT {fault} ({number} times)", markup=False)
    console.print("as it should be" if not tally.faults else "not as it should be")


if __name__ == "__main__":
    typer.run(main)
