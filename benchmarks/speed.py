"""Speed and memory of the shipped checkpoint, as ratios to what people use, in one run.

    python -m benchmarks.speed [--sentences 400] [--rounds 5] [--threads 2] [--only musnad,pipeline] [--json FILE]

Each contestant (`benchmarks.contestants`) runs in a process of its own, on the same cores. All are loaded, and warmed
up with other sentences; then they take turns with passes over the same sentences, so that what else the machine does
strikes all alike. The yardstick is a Hugging Face token-classification pipeline, batch size 16, over a BERT of
AraBERT base's shape, which tags entities and nothing more. Memory is the most that a process ever had resident.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from itertools import islice
from multiprocessing.context import SpawnContext
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.contestants import CONTESTANTS, YARDSTICK, build, serve
from benchmarks.news import articles
from model.annotation_files import read_annotations
from model.cores import cores
from model.sentences import split_sentences

ANNOTATIONS = Path(__file__).parents[1] / "annotations" / "train.jsonl"
#: Sentences of the file that tokenizers are trained on.
_TOKENIZER_TEXTS = 3000


@dataclass(frozen=True, slots=True)
class Work:
    """What every contestant reads: texts to warm up with, those of a pass, and articles as lists of texts."""

    warm: list[str]
    sentences: list[str]
    articles: list[list[str]]


@dataclass
class Row:
    """What was measured of a contestant: seconds from its start to its first answer, of each pass, of each sentence
    alone, of each article; and bytes."""

    title: str
    gives: str
    installed: bool = True
    first_answer: float = 0.0
    passes: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    articles: list[float] = field(default_factory=list)
    peak: int = 0


class Child:
    """A contestant in its process; a context that ends with it."""

    def __init__(self, context: SpawnContext, name: str, folder: Path) -> None:
        self._connection, other = context.Pipe()
        self._process = context.Process(target=serve, args=(other, name, str(folder)), daemon=True)
        self._process.start()
        other.close()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()

    def seconds(self, calls: Sequence[Sequence[str]]) -> list[float]:
        """Wall-clock seconds of each call of the contestant with some texts, one after the other."""
        return list(self._asked(calls))

    def peak(self) -> int:
        """The process's peak memory in bytes; it ends with that."""
        return int(self._asked(None))

    def _asked(self, question: object) -> Any:
        self._connection.send(question)
        try:
            return self._connection.recv()
        except EOFError:
            raise RuntimeError("a contestant's process has ended; its error stands above") from None


@contextmanager
def misuse() -> Iterator[None]:
    """Within it a ValueError is a wrong option of the command."""
    try:
        yield
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def use_cores(count: int) -> None:
    """Keep this process, and those that it starts, to so many of its cores (0: all). Raises ValueError."""
    own = sorted(os.sched_getaffinity(0))
    if not 0 <= count <= len(own):
        raise ValueError(f"--threads {count}: this process may use {len(own)} cores")
    os.sched_setaffinity(0, own[: count or None])
    os.environ["OMP_NUM_THREADS"] = str(count or len(own))


def sample(count: int) -> tuple[list[str], list[str]]:
    """So many sentences of all kinds, and as many others. Raises ValueError where there are too few."""
    texts = [own.text for own in read_annotations(ANNOTATIONS)]
    step = len(texts) // (2 * count)
    if step == 0:
        raise ValueError(f"--sentences {count}: there are {len(texts)}, and as many again are to warm up with")
    return texts[::step][: 2 * count : 2], texts[::step][1 : 2 * count : 2]


def measure(names: Sequence[str], work: Work, rounds: int, texts: Sequence[str]) -> dict[str, Row]:
    """Build, load and time contestants."""
    context = multiprocessing.get_context("spawn")
    rows = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="musnad-speed-")))
        children: dict[str, Child] = {}
        for name in names:
            contestant = CONTESTANTS[name]
            rows[name] = Row(contestant.title, contestant.gives, contestant.installed)
            if contestant.installed:
                _build(context, name, folder / name, texts)
                began = time.perf_counter()
                children[name] = stack.enter_context(Child(context, name, folder / name))
                children[name].seconds([work.sentences[:1]])
                rows[name].first_answer = time.perf_counter() - began
                children[name].seconds([work.warm])
        for _ in range(rounds):
            for name, child in children.items():
                rows[name].passes += child.seconds([work.sentences])
        for name, child in children.items():
            rows[name].alone = child.seconds([[text] for text in work.sentences])
            own = work.articles if CONTESTANTS[name].splits else [_split(article) for article in work.articles]
            rows[name].articles = child.seconds(own * rounds)
        for name, child in children.items():
            rows[name].peak = child.peak()
    return rows


def _build(context: SpawnContext, name: str, folder: Path, texts: Sequence[str]) -> None:
    folder.mkdir()
    process = context.Process(target=build, args=(name, str(folder), texts))
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError(f"{name} cannot be built; the error stands above")


def _split(article: Sequence[str]) -> list[str]:
    return [text[start:end] for text in article for start, end in split_sentences(text)]


def _percentile(seconds: Sequence[float], percent: int) -> float:
    return sorted(seconds)[min(len(seconds) - 1, len(seconds) * percent // 100)]


def table(rows: Mapping[str, Row], sentences: int, title: str) -> Table:
    """A line a contestant; ratios to the yardstick where it was measured."""
    shown = Table(
        "contestant",
        *("sentences/s", "ratio", "peak MiB", "ratio"),
        *("alone p50 / p99, ms", "article p50, ms", "first answer, s"),
        title=title,
    )
    yardstick = rows.get(YARDSTICK)
    for row in rows.values():
        what = f"{row.title}: {row.gives}"
        if not row.installed:
            shown.add_row(what, "not installed")
            continue
        seconds = statistics.median(row.passes)
        faster = f"{statistics.median(yardstick.passes) / seconds:.2f}" if yardstick else "-"
        smaller = f"{row.peak / yardstick.peak:.2f}" if yardstick else "-"
        shown.add_row(
            what,
            f"{sentences / seconds:.1f}",
            faster,
            f"{row.peak / 2**20:.0f}",
            smaller,
            f"{1000 * _percentile(row.alone, 50):.1f} / {1000 * _percentile(row.alone, 99):.1f}",
            f"{1000 * statistics.median(row.articles):.0f}",
            f"{row.first_answer:.2f}",
        )
    return shown


def main(
    sentences: Annotated[int, typer.Option(help="How many sentences.", min=16)] = 400,
    rounds: Annotated[int, typer.Option(help="Passes of each, in turn.", min=1)] = 5,
    threads: Annotated[int, typer.Option(help="Cores for each; 0 is all.", min=0)] = 0,
    only: Annotated[str, typer.Option(help="Names with commas between them.")] = ",".join(CONTESTANTS),
    out: Annotated[Path | None, typer.Option("--json", help="All figures, also to a file.")] = None,
) -> None:
    """Measure and print a table."""
    names = only.split(",")
    if unknown := sorted(set(names) - set(CONTESTANTS)):
        raise typer.BadParameter(f"--only: {', '.join(unknown)}: not one of {', '.join(CONTESTANTS)}")
    with misuse():
        use_cores(threads)
        chosen, others = sample(sentences)
    texts = [own.text for own in islice(read_annotations(ANNOTATIONS), _TOKENIZER_TEXTS)]
    work = Work(others, chosen, [[text] for text in articles().texts])
    rows = measure(names, work, rounds, texts)
    words = statistics.mean(len(text.split()) for text in chosen)
    title = f"{len(chosen)} sentences of {words:.0f} words in the mean, {cores()} cores, median of {rounds} passes"
    Console(width=160).print(table(rows, len(chosen), title))
    if out is not None:
        measured = {name: asdict(row) for name, row in rows.items()}
        figures = {"sentences": len(chosen), "cores": cores(), "rows": measured}
        out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
