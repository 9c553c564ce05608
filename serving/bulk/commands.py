"""Sub-command `bulk`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from model.console import errors, fail, say
from model.runtime import Runtime
from serving.bulk.interruption import interruptible
from serving.bulk.job import BulkError, Format, Job, RefusedError

if TYPE_CHECKING:
    from serving.bulk.cluster import Cluster

app = typer.Typer()

#: The status of a command that SIGINT ends, as a shell reports it.
_INTERRUPTED = 128 + 2
_GO_ON = "What is finished is kept: give the same command again to go on"


@app.command()
def bulk(
    input: Annotated[str, typer.Argument(help="A file, a directory or a glob; a local path or a URL as s3://…")],
    output: Annotated[str, typer.Argument(help="A directory; a local path or a URL.")],
    format: Annotated[Format, typer.Option(help="What the parts are.")] = Format.JSONL,
    text_field: Annotated[str, typer.Option(help="Field or column of the text.")] = "text",
    id_field: Annotated[str, typer.Option(help="Field or column of the id; without one, file and line.")] = "id",
    date_field: Annotated[str, typer.Option(help="Field or column of the date, which is passed through.")] = "date",
    checkpoint: Annotated[Path | None, typer.Option(help="Checkpoint directory, or `fast`, which ships too.")] = None,
    runtime: Annotated[Runtime, typer.Option(help="What runs the network: see docs/performance.md.")] = "openvino",
    min_score: Annotated[float, typer.Option(min=0.0, max=1.0, help="Leave out what scores below.")] = 0.0,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Sentences in a batch of the network.")] = None,
    part_documents: Annotated[int, typer.Option(min=1, help="Documents of a part.")] = 256,
    max_characters: Annotated[int, typer.Option(min=1, help="Characters of a text; a longer one fails.")] = 1_000_000,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of the network: by default all cores, on Ray one an actor.")
    ] = None,
    ray: Annotated[bool, typer.Option("--ray", help="Run on Ray, on this machine.")] = False,
    address: Annotated[str | None, typer.Option(help="Run on a Ray cluster: auto, HOST:PORT, or local.")] = None,
    events: Annotated[
        Path | None, typer.Option(help="Write also a table of events: .parquet, .csv, .json or .jsonl.")
    ] = None,
    actors: Annotated[int | None, typer.Option(min=1, help="Models on Ray; by default what its CPUs hold.")] = None,
) -> None:
    """Extract archives of JSON lines, CSV, Parquet or plain text files into a directory of parts.

    Files are taken by their endings: .jsonl, .ndjson, .csv and .txt (also
    with .gz, .xz or .zst), and .parquet. A plain text is one document.

    A document that cannot be used is reported in OUTPUT/failed, the others
    are done, and the exit status is then 1. A run that was stopped goes on
    when the same command is given again. docs/scale.md says more.
    """
    if actors is not None and not (ray or address):
        fail("--actors: needs --ray or --address")
    try:
        with interruptible() as check:
            from serving.bulk.cluster import Cluster

            job = Job(
                format=format,
                text_field=text_field,
                id_field=id_field,
                date_field=date_field,
                checkpoint=None if checkpoint is None else _settled(checkpoint),
                runtime=runtime,
                min_score=min_score,
                batch_size=batch_size,
                part_documents=part_documents,
                max_characters=max_characters,
            )
            cluster = Cluster(address or "local", actors, threads or 1) if ray or address else None
            bad = _extract(input, output, job, cluster, threads or 0, events, check)
    except KeyboardInterrupt:
        fail(f"stopped. {_GO_ON}", _INTERRUPTED)
    except RefusedError as error:
        fail(error)
    except BulkError as error:
        fail(f"{error}. {_GO_ON}", 1)
    raise typer.Exit(1 if bad else 0)


def _extract(
    input: str,
    output: str,
    job: Job,
    cluster: Cluster | None,
    threads: int,
    events: Path | None,
    check: Callable[[], None],
) -> int:
    """Do the run and the table of events, and report both; return how many documents something is missing of."""
    from serving.bulk.events import check_table
    from serving.bulk.run import run

    if events is not None:
        check_table(events)
    summary = run(input, output, job, cluster=cluster, threads=threads, console=errors, check=check)
    failed = sum(summary.failed.values())
    what = ", ".join(f"{count:,} {reason}" for reason, count in summary.failed.items())
    report = f"{summary.documents:,} documents, {summary.sentences:,} sentences in {summary.parts:,} parts"
    say(f"{report}; {failed:,} failed" + (f" ({what}): see {output}/failed" if failed else ""))
    return failed + (0 if events is None else _write_events(output, events))


def _settled(checkpoint: Path) -> str:
    """Where a checkpoint lies now, since a link to it may move before all workers have it; or its shipped name."""
    from model.extractor import CheckpointError, is_name
    from serving.checkpoints import locate

    try:
        return str(checkpoint if is_name(checkpoint) else locate(checkpoint.absolute()).directory)
    except CheckpointError as error:
        raise RefusedError(str(error)) from None


def _write_events(output: str, path: Path) -> int:
    """Write the table of events; return how many documents it has nothing of."""
    from serving.bulk.events import write_event_table

    bad: list[str] = []
    try:
        count = write_event_table(output, path, bad.append)
    except RefusedError as error:
        fail(error, 1)
    for message in bad[:20]:
        say(message)
    say(f"{count:,} events in {path}; {len(bad):,} documents without any because of their dates")
    return len(bad)
