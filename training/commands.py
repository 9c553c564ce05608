"""Sub-commands `train`, `evaluate`, `suggest`, `annotations` and `models`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from model.console import errors, fail, needs_extra, say
from training.exchange.commands import app as exchange_commands
from training.judging.commands import agreement, evaluate, model_commands
from training.suggesting.commands import suggest

app = typer.Typer()
annotation_commands = typer.Typer(help="Check, count, exchange and split annotated sentences.", no_args_is_help=True)
annotation_commands.add_typer(exchange_commands)
app.add_typer(annotation_commands, name="annotations")


@app.command()
def train(
    output: Annotated[Path, typer.Option("--output", "-o", help="Directory for the checkpoint.")],
    config: Annotated[
        Path | None,
        typer.Argument(help="YAML file: what is trained on what; with --from, how (default: configs/continue.yaml)."),
    ] = None,
    start: Annotated[
        Path | None, typer.Option("--from", help="Checkpoint directory to go on from, with new annotations.")
    ] = None,
    add: Annotated[
        list[Path] | None, typer.Option(help="With --from: new annotated JSON lines; may be repeated.")
    ] = None,
    replay: Annotated[
        list[Path] | None,
        typer.Option(help="With --from: what must not be forgotten (default: annotations/train.jsonl); repeatable."),
    ] = None,
    dev: Annotated[
        list[Path] | None,
        typer.Option(help="With --from: what chooses between epochs (default: annotations/dev.jsonl); repeatable."),
    ] = None,
    test: Annotated[
        list[Path] | None,
        typer.Option(
            help="With --from: whose near-duplicates are kept out of the training, as those of --dev are "
            "(default: annotations/test.jsonl); repeatable."
        ),
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="With --from: of the new checkpoint (default: the patch number raised).")
    ] = None,
    encoder: Annotated[str | None, typer.Option(help="Directory or hub name, instead of the file's.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of the file's.")] = None,
    seed: Annotated[int | None, typer.Option(help="Instead of the file's.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Drop what an earlier run left in the output.")] = False,
) -> None:
    """Train a checkpoint, from scratch or going on from one; a run that was stopped goes on where it was."""
    try:
        from training.config import ConfigError
        from training.continuing import Files, Overrides, configuration
        from training.processes import is_main
        from training.sources import SourceError
        from training.suggesting.corpus import CorpusError
        from training.train import train as run
    except ImportError as error:
        needs_extra(error, "train")
    from model.annotation import AnnotationError
    from model.extractor import CheckpointError

    files = Files(add or (), replay or (), dev or (), test or ())
    try:
        settings, folder = configuration(config, start, files, version, Overrides(encoder, epochs, seed))
        metrics = run(
            settings,
            folder,
            output,
            resume=not fresh,
            report=say,
        )
    except (ConfigError, SourceError, CorpusError, AnnotationError, CheckpointError, OSError) as error:
        fail(error)
    if is_main():
        Console().print(metrics)


app.command()(evaluate)
app.command()(suggest)
annotation_commands.command("agreement")(agreement)
app.add_typer(model_commands, name="models")


@annotation_commands.command("check")
def check_files(files: Annotated[list[Path], typer.Argument(help="Annotated JSON lines.")]) -> None:
    """Validate annotated sentences: every problem with file, line and the text at fault; exit status 1 if any."""
    from model.annotation_check import check

    count = 0
    try:
        for problem in check(files):
            print(problem)
            count += 1
    except OSError as error:
        fail(error)
    errors.print(f"{count} problems" if count != 1 else "1 problem")
    raise typer.Exit(1 if count else 0)


@annotation_commands.command("stats")
def stats(files: Annotated[list[Path], typer.Argument(help="Annotated JSON lines.")]) -> None:
    """Count labels, classes, factuality, roles and lengths, as a table."""
    from model.annotation import AnnotationError
    from training.annotation_stats import statistics, table

    try:
        Console().print(table(statistics(files)))
    except (AnnotationError, OSError) as error:
        fail(error)
