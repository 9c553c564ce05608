"""Articles a second of `musnad bulk`: in one process, and on a local Ray cluster with one actor and with two.

    python -m benchmarks.bulk [--articles 240] [--rounds 2]

All run in turn on this machine over the same articles of 400 words; an actor has one core. The rate is that between the
first part and the last, so without the start, which is given by itself. Every output is compared with the first. Rates
are of use on an idle machine only: the mean load is printed. CPU seconds (start included) say more on a busy one.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.news import articles as news_articles
from serving.bulk.job import Job
from serving.bulk.plan import make_plan
from serving.bulk.sources import find_input

_COMMAND = "from serving.bulk.commands import app; app()"
_PART_DOCUMENTS = 8

CONTESTANTS: dict[str, list[str]] = {
    "one process, one core": ["--threads", "1"],
    "one process, all cores": [],
    "Ray, one actor": ["--ray", "--actors", "1"],
    "Ray, two actors": ["--ray", "--actors", "2"],
}


@dataclass(frozen=True, slots=True)
class Measured:
    """Articles a second; seconds to the first part; the most MiB, and the CPU seconds, of the command itself.

    Actors are other processes: on Ray, `memory` and `cpu` are the driver's.
    """

    rate: float
    start: float
    memory: float
    cpu: float


def write_archive(folder: Path, count: int) -> tuple[Path, float]:
    """Write so many articles as JSON lines; return the file, and the sentences of an article in the mean."""
    source = news_articles()
    path = folder / "archive.jsonl"
    texts = source.texts
    with path.open("w", encoding="utf-8") as stream:
        for number in range(count):
            row = {"id": str(number), "text": texts[number % len(texts)]}
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path, source.sentences


def measure(archive: Path, output: Path, options: list[str]) -> Measured:
    """Run the command once; raises RuntimeError where it fails."""
    began = time.time()
    command = [sys.executable, "-c", _COMMAND, str(archive), str(output), "--part-documents", str(_PART_DOCUMENTS)]
    process = subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(errors)
    times = sorted(path.stat().st_mtime for path in (output / "finished").glob("*.json"))
    rate = (len(times) - 1) * _PART_DOCUMENTS / (times[-1] - times[0])
    return Measured(rate, times[0] - began, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime)


def documents(output: Path) -> dict[str, bytes]:
    """The parts of an output."""
    return {path.name: path.read_bytes() for path in (output / "documents").iterdir()}


def main(
    articles: Annotated[int, typer.Option(help="How many articles; whole parts of eight.", min=32)] = 240,
    rounds: Annotated[int, typer.Option(help="Runs of each, in turn.", min=1)] = 2,
) -> None:
    """Measure and print a table."""
    articles -= articles % _PART_DOCUMENTS
    console = Console()
    with tempfile.TemporaryDirectory(prefix="musnad-bench-") as name:
        folder = Path(name)
        archive, sentences = write_archive(folder, articles)
        found: dict[str, list[Measured]] = {contestant: [] for contestant in CONTESTANTS}
        first: dict[str, bytes] | None = None
        for turn in range(rounds):
            for number, (contestant, options) in enumerate(CONTESTANTS.items()):
                output = folder / f"{turn}-{number}"
                found[contestant].append(measure(archive, output, options))
                first = first or documents(output)
                if documents(output) != first:
                    raise RuntimeError(f"{contestant}: another output than {next(iter(CONTESTANTS))}")
        began = time.perf_counter()
        make_plan(find_input(str(archive)), Job(), lambda count: None)
        planned = articles / (time.perf_counter() - began)
    console.print(_table(found, articles, rounds, sentences))
    console.print(f"the same bytes from all; planning reads {planned:,.0f} articles a second")
    load = os.getloadavg()[0]
    console.print(f"{len(os.sched_getaffinity(0))} cores; mean load of the last minute {load:.1f}")


def _table(found: dict[str, list[Measured]], articles: int, rounds: int, sentences: float) -> Table:
    table = Table(title=f"{articles} articles of {sentences:.0f} sentences, median of {rounds} runs")
    for column in ("what", "articles/s", "sentences/s", "times the first", "start, s", "MiB", "CPU s an article"):
        table.add_column(column, justify="left" if column == "what" else "right")
    base = statistics.median(own.rate for own in next(iter(found.values())))
    for contestant, measured in found.items():
        rate = statistics.median(own.rate for own in measured)
        start = statistics.median(own.start for own in measured)
        memory = max(own.memory for own in measured)
        cells = [f"{rate:.2f}", f"{rate * sentences:.0f}", f"{rate / base:.2f}", f"{start:.1f}", f"{memory:.0f}"]
        cpu = statistics.median(own.cpu for own in measured) / articles
        table.add_row(contestant, *cells, "" if contestant.startswith("Ray") else f"{cpu:.3f}")
    return table


if __name__ == "__main__":
    typer.run(main)
