"""Sub-command `suggest`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from model.console import errors, fail, needs_extra

if TYPE_CHECKING:
    from training.suggesting.corpus import CorpusSentence
    from training.suggesting.suggest import Tally


def suggest(
    corpus: Annotated[
        list[Path], typer.Argument(metavar="CORPUS...", help="Plain text or JSON lines with `text`; .gz, .xz too.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the sentences go, as annotated JSON lines.")],
    count: Annotated[int, typer.Option(min=1, help="How many sentences.")] = 300,
    annotated: Annotated[
        list[Path] | None,
        typer.Option(help="Annotated JSON lines: what is like a sentence of theirs is left out; repeatable."),
    ] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="Checkpoint directory, or `fast`, which ships too.")] = None,
    sample: Annotated[
        int, typer.Option(min=0, help="Most sentences that the model reads, drawn evenly from the corpus; 0: all.")
    ] = 20_000,
    shortest: Annotated[int, typer.Option(min=1, help="Characters of the shortest sentence.")] = 40,
    longest: Annotated[int, typer.Option(min=1, help="Characters of the longest sentence.")] = 320,
    length_cost: Annotated[
        float,
        typer.Option(
            min=0.0, max=1.0, help="What a sentence costs: its words to this power (0: all the same, 1: by the word)."
        ),
    ] = 0.5,
    similarity: Annotated[
        float, typer.Option(min=0.05, max=1.0, help="From which Jaccard similarity sentences are near-duplicates.")
    ] = 0.5,
    seed: Annotated[int, typer.Option(help="Of the draw: the same gives the same sentences.")] = 1,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output if it is there.")] = False,
) -> None:
    """Choose the sentences to annotate next: those the model is least sure of, different from one another."""
    try:
        from training.suggesting.preannotation import write_suggestions
        from training.suggesting.suggest import Settings, Tally, choose_from
    except ImportError as error:
        needs_extra(error, "train")
    from model.annotation import AnnotationError
    from model.extractor import CheckpointError, Extractor
    from training.suggesting.corpus import CorpusError

    if output.exists() and not overwrite:
        fail(f"{output}: is there already (--overwrite replaces it)")
    if shortest > longest:
        fail(f"--shortest {shortest} is more than --longest {longest}")
    settings = Settings(
        count=count,
        shortest=shortest,
        longest=longest,
        sample=sample or None,
        power=length_cost,
        similarity=similarity,
        seed=seed,
    )
    tally = Tally()
    try:
        extractor = Extractor.load(checkpoint)
        with _progress() as bars:
            bar = bars.add_task("the model reads", total=None)
            sentences = _sentences(corpus, bars)
            choices = choose_from(
                sentences,
                extractor,
                settings,
                annotated or (),
                tally,
                lambda read, of: bars.update(bar, completed=read, total=of),
            )
        write_suggestions(output, choices, extractor)
    except (CorpusError, CheckpointError, AnnotationError, OSError) as error:
        fail(error)
    errors.print(_summary(tally))
    fewer = f" ({count} were asked for; there are no more)" if len(choices) < count else ""
    errors.print(f"{len(choices)} sentences in {output}{fewer}")


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=errors, transient=True)


def _sentences(corpus: Sequence[Path], bars: Progress) -> Iterator[CorpusSentence]:
    """Sentences of all files, one after another, with a bar of the bytes read."""
    from training.suggesting.corpus import read_sentences

    sizes = [path.stat().st_size for path in corpus]
    bar = bars.add_task("corpus", total=sum(sizes))
    before = 0

    def show(read: int) -> None:
        bars.update(bar, completed=before + read)

    for path, size in zip(corpus, sizes, strict=True):
        yield from read_sentences(path, show)
        before += size


def _summary(tally: Tally) -> str:
    left_out = ", ".join(f"{count:,} {reason}" for reason, count in tally.left_out.items() if count)
    read = f"{tally.seen:,} sentences; the model read {tally.read:,}"
    return f"{read}; left out: {left_out}" if left_out else read
