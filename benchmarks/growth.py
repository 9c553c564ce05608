"""Time and memory against the length of the text: `musnad predict` over 1 to 100,000 sentences.

    python -m benchmarks.growth [--most 100000] [--threads 2] [--svg FILE] [--json FILE]

Each length is a run of the command of its own, over a file of JSON lines, one sentence a line: our own sentences, over
and over. Its time is from its start to its end, its memory the most that it had resident. Time should be a constant and
so much a sentence, and memory flat: the table says how far the times are from the line that fits them best.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.speed import ANNOTATIONS, misuse, use_cores
from model.annotation_files import read_annotations
from model.cores import cores


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the command: sentences, seconds, and bytes of memory at its peak."""

    sentences: int
    seconds: float
    peak: int


def predict(sentences: int, folder: Path) -> Run:
    """Run the command over so many sentences. Raises RuntimeError where it fails or leaves one out."""
    given, found = folder / "in.jsonl", folder / "out.jsonl"
    with given.open("w", encoding="utf-8") as file:
        for own in islice(cycle(read_annotations(ANNOTATIONS)), sentences):
            file.write(json.dumps({"text": own.text}, ensure_ascii=False) + "\n")
    command = [str(Path(sys.executable).with_name("musnad")), "predict", str(given)]
    with found.open("wb") as output:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    with found.open("rb") as file:
        documents = sum(1 for _ in file)
    if process.returncode or documents != sentences:
        raise RuntimeError(f"{sentences} sentences: exit status {process.returncode}, {documents} documents")
    return Run(sentences, seconds, usage.ru_maxrss * 1024)


def fit(runs: Sequence[Run]) -> tuple[float, float]:
    """Seconds that a run begins with, and seconds a sentence: the line with the least squares of relative errors."""
    times = np.array([run.seconds for run in runs])
    terms = np.array([[1.0, run.sentences] for run in runs]) / times[:, None]
    (begins, each), *_ = np.linalg.lstsq(terms, np.ones(len(runs)), rcond=None)
    return float(begins), float(each)


def plot(runs: Sequence[Run], line: tuple[float, float], path: Path) -> None:
    """Seconds and MiB over sentences."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    counts = [run.sentences for run in runs]
    many = np.geomspace(counts[0], counts[-1], 200)
    with pyplot.rc_context({"svg.hashsalt": "musnad", "svg.fonttype": "none", "font.size": 9}):
        figure, (left, right) = pyplot.subplots(1, 2, figsize=(8, 3), layout="constrained")
        left.plot(many, line[0] + line[1] * many, color="0.6", label=f"{line[0]:.1f} s + {1000 * line[1]:.2f} ms each")
        left.plot(counts, [run.seconds for run in runs], "o", color="C0", label="musnad predict")
        left.set(xscale="log", yscale="log", xlabel="sentences", ylabel="seconds")
        left.legend()
        right.plot(counts, [run.peak / 2**20 for run in runs], "o-", color="C0")
        right.set(xscale="log", xlabel="sentences", ylabel="peak memory, MiB", ylim=(0, None))
        for panel in (left, right):
            panel.grid(alpha=0.3)
        figure.savefig(path, metadata={"Date": None})
        pyplot.close(figure)


def main(
    most: Annotated[int, typer.Option(help="The longest run, in sentences.", min=10)] = 100_000,
    threads: Annotated[int, typer.Option(help="Cores; 0 is all.", min=0)] = 0,
    svg: Annotated[Path | None, typer.Option(help="Where the curves are drawn.")] = None,
    out: Annotated[Path | None, typer.Option("--json", help="All figures, also to a file.")] = None,
) -> None:
    """Measure, print a table, and draw."""
    with misuse():
        use_cores(threads)
    counts = [10**power for power in range(len(str(most))) if 10**power <= most]
    with tempfile.TemporaryDirectory(prefix="musnad-growth-") as folder:
        runs = [predict(count, Path(folder)) for count in counts]
    begins, each = fit(runs)
    title = f"musnad predict, {cores()} cores: {begins:.2f} s and {1000 * each:.3f} ms a sentence"
    shown = Table("sentences", "seconds", "off the line", "peak MiB", title=title)
    for run in runs:
        off = run.seconds / (begins + each * run.sentences) - 1
        shown.add_row(f"{run.sentences:,}", f"{run.seconds:.2f}", f"{off:+.1%}", f"{run.peak / 2**20:.0f}")
    Console(width=100).print(shown)
    if svg is not None:
        plot(runs, (begins, each), svg)
    if out is not None:
        out.write_text(json.dumps([asdict(run) for run in runs], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
