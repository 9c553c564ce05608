"""Sub-commands `evaluate`, `annotations agreement` and `models`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from model.console import fail, needs_extra, say
from model.runtime import Runtime

model_commands = typer.Typer(help="Versions of checkpoints: list, promote, go back.", no_args_is_help=True)

RegistryDirectory = Annotated[Path, typer.Option("--registry", help="Directory of the registry.")]
Alpha = Annotated[float, typer.Option(min=0.0001, max=0.5, help="Level of significance of both tests.")]
Resamples = Annotated[int, typer.Option(min=100, help="Samples of each test.")]


class Bump(StrEnum):
    """Which number of a semantic version is raised."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"


def evaluate(
    checkpoint: Annotated[Path, typer.Argument(help="Checkpoint directory, or the name of one that ships.")],
    data: Annotated[list[Path], typer.Argument(help="Annotated JSON lines, or CoNLL files.")],
    against: Annotated[
        Path | None, typer.Option(help="Another checkpoint: which is better, significantly, and what changed.")
    ] = None,
    format: Annotated[str, typer.Option(help="annotations, conll or wojood.")] = "annotations",
    json: Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", help="Write a report with plots and errors in their sentences to this file."),
    ] = None,
    runs: Annotated[
        list[Path] | None,
        typer.Option(help="Output of a training, for learning curves in the report; may be repeated."),
    ] = None,
    examples: Annotated[int, typer.Option(min=1, help="Most examples of each kind of error in the report.")] = 20,
    alpha: Alpha = 0.05,
    resamples: Resamples = 10_000,
    batch_size: Annotated[int, typer.Option(min=1)] = 8,
    runtime: Annotated[Runtime, typer.Option(help="What runs the network: see docs/performance.md.")] = "openvino",
) -> None:
    """Measure a checkpoint against gold annotations (seqeval's strict report, spans, roles, triples, errors)."""
    try:
        from training.judging.runs import RunError
        from training.report import report
    except ImportError as error:
        needs_extra(error, "train")
    from model.annotation import AnnotationError
    from model.extractor import CheckpointError
    from training.sources import SourceError

    if runs and html is None:
        fail("--runs goes into the report: name its file with --html")
    try:
        report(
            checkpoint,
            data,
            format,
            json,
            batch_size,
            Console(),
            runtime=runtime,
            against=against,
            html=html,
            runs=runs or (),
            alpha=alpha,
            resamples=resamples,
            examples=examples,
        )
    except ImportError as error:
        needs_extra(error, "train")
    except (CheckpointError, SourceError, AnnotationError, RunError, OSError) as error:
        fail(error)


def agreement(
    first: Annotated[Path, typer.Argument(metavar="A", help="One annotator's JSON lines.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="The other's, of the same sentences.")],
    html: Annotated[
        Path | None, typer.Option("--html", help="Write a page of all disagreements, to adjudicate from, to this file.")
    ] = None,
    json: Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")] = None,
) -> None:
    """Compare two annotators: F1 of entities, actions, roles and triples, Cohen's kappa, disagreements by kind."""
    try:
        from training.judging.agreement import agreement as run
    except ImportError as error:
        needs_extra(error, "train")
    from model.annotation import AnnotationError

    try:
        run(first, second, html, json, Console())
    except (AnnotationError, OSError) as error:
        fail(error)


@model_commands.command("list")
def list_versions(registry: RegistryDirectory) -> None:
    """Show every version with its scores, and which is current."""
    try:
        from training.judging.promotion import versions_table
        from training.judging.registry import Registry, RegistryError
    except ImportError as error:
        needs_extra(error, "train")
    try:
        if not registry.is_dir():
            raise RegistryError(f"{registry}: there is no such directory")
        Console().print(versions_table(Registry(registry)))
    except (RegistryError, OSError) as error:
        fail(error)


@model_commands.command("promote")
def promote_checkpoint(
    checkpoint: Annotated[Path, typer.Argument(help="Checkpoint directory.")],
    registry: RegistryDirectory,
    version: Annotated[str | None, typer.Option(help="Semantic version, such as 1.4.0.")] = None,
    bump: Annotated[
        Bump | None, typer.Option(help="Instead of --version: which number of the highest to raise.")
    ] = None,
    test: Annotated[
        list[Path] | None, typer.Option(help="A test set, kept in the registry for all later promotions; repeatable.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Also where it is significantly worse.")] = False,
    alpha: Alpha = 0.05,
    resamples: Resamples = 10_000,
) -> None:
    """Copy a checkpoint into the registry and make it current, unless it is significantly worse (exit status 1)."""
    try:
        from training.judging.promotion import promote, table_of
        from training.judging.registry import Registry, RegistryError
    except ImportError as error:
        needs_extra(error, "train")
    from model.annotation import AnnotationError
    from model.extractor import CheckpointError
    from training.sources import SourceError

    try:
        promotion = promote(
            Registry(registry),
            checkpoint,
            version=version,
            bump=None if bump is None else bump.value,
            tests=test or [],
            force=force,
            alpha=alpha,
            resamples=resamples,
            waiting=lambda: say(f"{registry}: waiting for another promotion to end"),
        )
    except (RegistryError, CheckpointError, SourceError, AnnotationError, OSError) as error:
        fail(error)
    Console().print(table_of(promotion))
    record = promotion.record
    if not promotion.accepted:
        fail(f"refused: significantly worse than {record.previous} in {', '.join(record.worse)} (see --force)", 1)
    note = f", although worse in {', '.join(record.worse)}" if record.forced else ""
    say(f"{record.version} is current{note}")


@model_commands.command("rollback")
def roll_back(
    registry: RegistryDirectory,
    version: Annotated[str | None, typer.Argument(help="By default the one that the current one replaced.")] = None,
) -> None:
    """Make an earlier version current again."""
    try:
        from training.judging.promotion import rollback
        from training.judging.registry import Registry, RegistryError
    except ImportError as error:
        needs_extra(error, "train")
    try:
        if not registry.is_dir():
            raise RegistryError(f"{registry}: there is no such directory")
        now = rollback(Registry(registry), version, lambda: say(f"{registry}: waiting for a promotion to end"))
    except (RegistryError, OSError) as error:
        fail(error)
    say(f"{now} is current")
