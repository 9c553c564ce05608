"""The service under load: throughput and latency with batching, against one sentence at a time, in one run.

    python -m benchmarks.load [--seconds 10] [--rounds 3] [--json FILE]

Two servers (`musnad serve`, with the shipped checkpoint, without a database) run side by side: one with the settings
as they are, one with MUSNAD_BATCH_SENTENCES=1 and MUSNAD_BATCHES_AT_A_TIME=1. This process is the client, over
loopback: it has so many clients, each with a connection of its own, that post a text, wait for the answer, and post the
next. The servers take turns, a round each, so that what else the machine does strikes both. The client's processor time
is not the server's, and is told apart.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Annotated

import aiohttp
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.news import Texts, articles, sentences
from benchmarks.probe import Probe, probe
from benchmarks.service import Service, service

#: The setting of the server without batching.
ONE_AT_A_TIME = {"batch_sentences": 1, "batches_at_a_time": 1, "threads": 0}
#: Sentences that may wait at the server whose queue is to be full, and clients that fill it.
SMALL_QUEUE = 64
FILLERS = 160
#: Clients while the health check is timed.
HEALTH_CLIENTS = 64
#: Share of a round's seconds that pass before it is measured: the first answers come to all clients at once.
_WARM_UP = 0.2
_HEADERS = {"Content-Type": "application/json"}


@dataclass
class Sample:
    """What a round gave, or several: answers in the time measured, seconds of each, and processor time."""

    seconds: float = 0.0
    answers: int = 0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    client_cpu: float = 0.0
    server_cpu: float = 0.0


@dataclass(frozen=True)
class Row:
    """One line of the table; latencies in milliseconds, processor time in cores."""

    what: str
    clients: int
    batching: bool
    answers_per_second: float
    sentences_per_second: float
    rounds: list[float]
    p50_ms: float
    p95_ms: float
    p99_ms: float
    client_cores: float
    server_cores: float
    statuses: dict[str, int]


@dataclass(frozen=True)
class Scenario:
    """What so many clients post."""

    what: str
    texts: Texts
    clients: int


async def drive(server: Service, bodies: list[bytes], clients: int, seconds: float, pause: float = 0.0) -> Sample:
    """Post bodies in turn from so many clients for a while; one that is refused (503) pauses for so many seconds."""
    sample = Sample()
    rotation = cycle(bodies)
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(server.url, connector=connector, timeout=timeout, headers=_HEADERS) as session:
        begin = time.perf_counter() + seconds * _WARM_UP
        end = begin + seconds

        async def client() -> None:
            while (sent := time.perf_counter()) < end:
                async with session.post("/predict", data=next(rotation)) as response:
                    await response.read()
                now = time.perf_counter()
                if begin <= now:
                    sample.statuses[response.status] += 1
                    if response.status == 200:
                        sample.latencies.append(now - sent)
                        sample.answers += now < end
                if response.status == 503:
                    await asyncio.sleep(pause)

        async def measure() -> None:
            await asyncio.sleep(begin - time.perf_counter())
            server_before, client_before, before = server.cpu_seconds(), time.process_time(), time.perf_counter()
            await asyncio.sleep(end - time.perf_counter())
            sample.seconds = time.perf_counter() - before
            sample.server_cpu = server.cpu_seconds() - server_before
            sample.client_cpu = time.process_time() - client_before

        async with asyncio.TaskGroup() as group:
            group.create_task(measure())
            for _ in range(clients):
                group.create_task(client())
    return sample


def _row(scenario: Scenario, batching: bool, samples: list[Sample]) -> Row:
    rates = [sample.answers / sample.seconds for sample in samples]
    latencies = sorted(own for sample in samples for own in sample.latencies)
    seconds = sum(sample.seconds for sample in samples)
    p50, p95, p99 = (1000 * _quantile(latencies, share) for share in (0.5, 0.95, 0.99))
    return Row(
        scenario.what,
        scenario.clients,
        batching,
        statistics.median(rates),
        statistics.median(rates) * scenario.texts.sentences,
        rates,
        p50,
        p95,
        p99,
        sum(sample.client_cpu for sample in samples) / seconds,
        sum(sample.server_cpu for sample in samples) / seconds,
        {str(status): count for status, count in sorted(_statuses(samples).items())},
    )


def _statuses(samples: list[Sample]) -> Counter[int]:
    return sum((sample.statuses for sample in samples), Counter[int]())


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def compare(scenario: Scenario, batched: Service, single: Service, rounds: int, seconds: float) -> tuple[Row, Row]:
    """Rounds of both servers in turn: the row with batching, and the one without."""
    bodies = scenario.texts.bodies
    samples: dict[str, list[Sample]] = {batched.url: [], single.url: []}
    for _ in range(rounds):
        for server in (batched, single):
            samples[server.url].append(asyncio.run(drive(server, bodies, scenario.clients, seconds)))
    return _row(scenario, True, samples[batched.url]), _row(scenario, False, samples[single.url])


@contextmanager
def _probing(url: str, method: str, path: str, body: bytes | None, pause: float) -> Iterator[list[Probe]]:
    """Time one request after the other from another process meanwhile; the list is filled at the end."""
    found: list[Probe] = []
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=probe, args=(theirs, url, method, path, body, pause))
    process.start()
    try:
        ours.recv()  # it is ready
        yield found
        ours.send(None)
        found += ours.recv()
        process.join()
    finally:
        process.kill()


def health_at_full_load(server: Service, texts: Texts, seconds: float) -> list[Probe]:
    """`GET /healthz`, every 20 ms, while HEALTH_CLIENTS post sentences."""
    with _probing(server.url, "GET", "/healthz", None, 0.02) as found:
        asyncio.run(drive(server, texts.bodies, HEALTH_CLIENTS, seconds))
    return found


def refusals(texts: Texts, seconds: float) -> list[Probe]:
    """The 503s that one more client gets where FILLERS keep a queue of SMALL_QUEUE sentences full."""
    with (
        service(database_url="", queue_sentences=SMALL_QUEUE) as server,
        _probing(server.url, "POST", "/predict", texts.bodies[0], 0.02) as found,
    ):
        asyncio.run(drive(server, texts.bodies, FILLERS, seconds, pause=0.05))
    return [own for own in found if own.status == 503]


def _times(probes: list[Probe]) -> dict[str, float]:
    ordered = sorted(own.seconds for own in probes)
    p50, p99 = (1000 * _quantile(ordered, share) for share in (0.5, 0.99))
    return {"count": len(ordered), "p50_ms": p50, "p99_ms": p99, "max_ms": 1000 * max(ordered, default=float("nan"))}


def _print(console: Console, pairs: list[tuple[Row, Row]], title: str) -> None:
    table = Table(title=title)
    columns = ("what", "clients", "batching", "answers/s", "sentences/s", "ratio", "p50 ms", "p95 ms", "p99 ms")
    for number, name in enumerate((*columns, "server, cores", "client, cores", "not 200")):
        table.add_column(name, justify="left" if number in (0, 2) else "right")
    for pair in pairs:
        for row in pair:
            ratio = f"{_ratio(pair):.2f}" if row.batching else ""
            times = (f"{own:.0f}" for own in (row.p50_ms, row.p95_ms, row.p99_ms))
            rates = (f"{row.answers_per_second:.1f}", f"{row.sentences_per_second:.1f}", ratio)
            cores = (f"{row.server_cores:.2f}", f"{row.client_cores:.2f}")
            bad = sum(count for status, count in row.statuses.items() if status != "200")
            batching = "yes" if row.batching else "no"
            table.add_row(row.what, str(row.clients), batching, *rates, *times, *cores, str(bad))
    console.print(table)


def _ratio(pair: tuple[Row, Row]) -> float:
    single = pair[1].answers_per_second
    return pair[0].answers_per_second / single if single else float("nan")


def main(
    seconds: Annotated[float, typer.Option(help="Seconds of a round.", min=0.5)] = 10.0,
    rounds: Annotated[int, typer.Option(help="Rounds of each server, in turn.", min=1)] = 3,
    json_file: Annotated[Path | None, typer.Option("--json", help="Where to write all figures.")] = None,
) -> None:
    """Measure, print tables, and maybe write the figures; exit 1 where an answer was not 200."""
    console = Console(width=max(140, Console().width))
    news, long = sentences(), articles()
    words = statistics.mean(len(text.split()) for text in long.texts)
    article = f"an article has {words:.0f} words in {long.sentences:.1f} sentences"
    scenarios = [Scenario("sentence", news, clients) for clients in (1, 8, 64, 256)]
    scenarios += [Scenario("article", long, clients) for clients in (1, 8)]
    with ExitStack() as stack:
        batched = stack.enter_context(service(database_url=""))
        single = stack.enter_context(service(database_url="", **ONE_AT_A_TIME))
        for server in (batched, single):  # the first passes of a network are slow
            asyncio.run(drive(server, [*news.bodies[:64], *long.bodies], 8, min(3.0, seconds)))
        pairs = []
        for scenario in scenarios:
            pairs.append(compare(scenario, batched, single, rounds, seconds))
            console.print(f"{scenario.what}, {scenario.clients} clients: {_ratio(pairs[-1]):.2f} times as many answers")
        health = health_at_full_load(batched, news, seconds)
    refused = refusals(news, seconds)
    _print(console, pairs, f"{rounds} rounds of {seconds:g} s each, {os.cpu_count()} cores; medians of the rounds")
    console.print(f"{len(news.texts)} different sentences; {article}")
    asked = _times(health)
    told = _times(refused)
    console.print(
        f"GET /healthz at {HEALTH_CLIENTS} clients, {asked['count']:.0f} times: "
        f"p50 {asked['p50_ms']:.1f} ms, p99 {asked['p99_ms']:.1f} ms, at most {asked['max_ms']:.1f} ms"
    )
    console.print(
        f"503 at a full queue, {told['count']:.0f} times: "
        f"p50 {told['p50_ms']:.1f} ms, p99 {told['p99_ms']:.1f} ms, at most {told['max_ms']:.1f} ms"
    )
    if json_file is not None:
        rows = [{**asdict(row), "ratio": _ratio(pair) if row.batching else None} for pair in pairs for row in pair]
        figures = {"cores": os.cpu_count(), "seconds": seconds, "rows": rows, "healthz": asked, "refused": told}
        json_file.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    wrong = [row for pair in pairs for row in pair if set(row.statuses) != {"200"}]
    wrong_health = [own for own in health if own.status != 200]
    raise typer.Exit(1 if wrong or wrong_health else 0)


if __name__ == "__main__":
    typer.run(main)
