"""Where the time of the shipped checkpoint goes: from a command's start to its first answer, and in a long run.

    python -m benchmarks.phases [--sentences 1000] [--rounds 5] [--threads 2]

A cold start is from the start of a process to the first byte of its answer to one sentence on standard input. In a
long run, sentences go through the same steps as in `Extractor.extract_batch`, each of them timed; the network's
step has all cores, the others one.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.speed import misuse, sample, use_cores
from model.cores import cores

#: What is started, by name; all read a text from standard input.
_CODE = (
    "import sys; from model.extractor import Extractor; "
    "print(Extractor.load().extract(sys.stdin.read()).to_dict(), flush=True)"
)
COMMANDS = {
    "musnad predict": (str(Path(sys.executable).with_name("musnad")), "predict", "-"),
    "Extractor in Python": (sys.executable, "-c", _CODE),
    "python, nothing imported": (sys.executable, "-c", "import sys; print(sys.stdin.read(), flush=True)"),
}


def first_answer(command: Sequence[str], text: str) -> float:
    """Seconds from a command's start to the first byte of its output. Raises RuntimeError where there is none."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"text": text}, ensure_ascii=False).encode() + b"\n")
        process.stdin.close()
        answered = process.stdout.read(1)
        seconds = time.perf_counter() - began
        process.stdout.read()
    if not answered:
        raise RuntimeError(f"{' '.join(command)}: no answer, exit status {process.returncode}")
    return seconds


def steps(texts: Sequence[str], warm: Sequence[str], rounds: int) -> dict[str, list[float]]:
    """Seconds of each step, in each of some rounds."""
    from model.decoding import decode
    from model.extractor import SENTENCES_AT_ONCE, Extractor
    from model.sentences import split_sentences

    if len(texts) > SENTENCES_AT_ONCE:
        raise ValueError(f"{len(texts)} sentences: the extractor itself would take them in parts")
    extractor = Extractor.load()
    extractor.extract_batch(warm)
    found: dict[str, list[float]] = {}

    def lap(name: str, began: float) -> float:
        now = time.perf_counter()
        found.setdefault(name, []).append(now - began)
        return now

    for _ in range(rounds):
        clock = time.perf_counter()
        sentences = [split_sentences(text) for text in texts]
        clock = lap("sentences", clock)
        places = [(text, offsets) for text, own in zip(texts, sentences, strict=True) for offsets in own]
        encoded = extractor.encoder.encode_many(places)
        clock = lap("words and pieces", clock)
        logits = extractor.logits(encoded)
        clock = lap("network, with windows and batches", clock)
        decoded = decode(logits)
        clock = lap("decoding", clock)
        extractor.documents(texts, sentences, encoded, decoded)
        lap("assembly of documents", clock)
    return found


def main(
    sentences: Annotated[int, typer.Option(help="How many sentences.", min=16, max=1000)] = 1000,
    rounds: Annotated[int, typer.Option(help="Repetitions.", min=1)] = 5,
    threads: Annotated[int, typer.Option(help="Cores; 0 is all.", min=0)] = 0,
) -> None:
    """Measure and print two tables."""
    with misuse():
        use_cores(threads)
        texts, warm = sample(sentences)
    console = Console(width=120)
    cold = Table("from start to first answer", "median, s", "all, s", title=f"{cores()} cores")
    for name, command in COMMANDS.items():
        seconds = [first_answer(command, texts[0]) for _ in range(rounds)]
        cold.add_row(name, f"{statistics.median(seconds):.2f}", " ".join(f"{own:.2f}" for own in seconds))
    console.print(cold)
    found = {name: statistics.median(own) for name, own in steps(texts, warm, rounds).items()}
    total = sum(found.values())
    shown = Table("step", "ms a sentence", "share", title=f"{len(texts)} sentences, {len(texts) / total:.0f} a second")
    for name, own in found.items():
        shown.add_row(name, f"{1000 * own / len(texts):.3f}", f"{own / total:.1%}")
    console.print(shown)


if __name__ == "__main__":
    typer.run(main)
