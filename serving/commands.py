"""Sub-commands `predict` and `serve`."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from model.console import errors, fail, say
from model.runtime import Runtime
from serving import key_commands
from serving.bulk import commands as bulk_commands
from serving.formats import Format
from serving.reading import InputKind

app = typer.Typer()
app.add_typer(key_commands.app, name="keys")
app.add_typer(bulk_commands.app)

#: The status of a command that SIGPIPE ends, as a shell reports it.
_BROKEN_PIPE = 128 + 13

Checkpoint = Annotated[Path | None, typer.Option(help="Checkpoint directory or registry, or `fast`, which ships too.")]


@app.command()
def predict(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE|-", help="Texts; - or nothing is standard input.")
    ] = None,
    checkpoint: Checkpoint = None,
    min_score: Annotated[float, typer.Option(min=0.0, max=1.0, help="Leave out what scores below.")] = 0.0,
    input: Annotated[InputKind, typer.Option(help="What files hold; auto goes by the first line.")] = InputKind.AUTO,
    format: Annotated[
        Format | None, typer.Option(help="By default pretty on a terminal; elsewhere json, a document a line.")
    ] = None,
    runtime: Annotated[Runtime, typer.Option(help="What runs the network: see docs/performance.md.")] = "openvino",
) -> None:
    """Extract entities and triples from plain text or JSON lines.

    A file of plain text is one document, whose id is the file's path.

    JSON lines hold an object each, with a `text` and maybe an `id`; other
    fields are ignored. They are read as a stream of any length. A bad line
    is reported with its number, the others are done, and the exit status is
    then 1.
    """
    from model.extractor import CheckpointError
    from serving.loading import load_extractor
    from serving.prediction import STDIN, predict_files

    if not files and sys.stdin.isatty():
        fail("no input: name a FILE, pipe text in, or give - to type it")
    for path in files or []:
        if path != STDIN and (problem := _problem(path)):
            fail(f"{path}: {problem}")
    try:
        extractor = load_extractor(checkpoint, runtime=runtime)
    except CheckpointError as error:
        fail(error)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    if format is None:
        format = Format.PRETTY if sys.stdout.isatty() else Format.JSON
    try:
        bad = predict_files(extractor, files or [STDIN], input, format, min_score, errors)
    except BrokenPipeError:
        # what is still buffered would fail once more when the interpreter ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(_BROKEN_PIPE) from None
    except OSError as error:
        fail(error)
    raise typer.Exit(1 if bad else 0)


def _problem(path: Path) -> str | None:
    """What keeps a file from being read, if anything, without opening it: a pipe opens only once."""
    if not path.exists():
        return "there is no such file"
    if path.is_dir():
        return "a directory, not a file"
    return None if os.access(path, os.R_OK) else "not readable"


@app.command()
def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; 0.0.0.0 is every one of this machine.")
    ] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0 takes a free one.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes, each with a model of its own.")] = None,
    checkpoint: Checkpoint = None,
) -> None:
    """Serve the web page, `POST /predict` and the rest over HTTP; the API is described at /openapi.json.

    Without options: 127.0.0.1, port 8000, one worker, the shipped
    checkpoint. These and all other settings can be set in the environment,
    as MUSNAD_PORT=8080 (see docs/operations.md).
    """
    from model.extractor import CheckpointError
    from serving.feedback.databases import DatabaseError
    from serving.keys import KeysError
    from serving.server import listen, serve
    from serving.settings import BadSettingsError, read_settings, strangers

    for message in strangers(os.environ):
        say(message)
    try:
        settings = read_settings(host=host, port=port, workers=workers, checkpoint=checkpoint)
    except BadSettingsError as error:
        fail(error)
    try:
        listener = listen(settings.host, settings.port)
    except OSError as error:
        place = f"{settings.host} port {settings.port}"
        fail(f"cannot listen on {place}: {(error.strerror or str(error)).partition(' (')[0]}")
    try:
        served = serve(settings, listener)
    except DatabaseError as error:
        fail(f"MUSNAD_DATABASE_URL: {error}")
    except KeysError as error:
        fail(f"MUSNAD_KEYS_FILE: {error}")
    except (CheckpointError, OSError, ValueError, RuntimeError) as error:  # settings that cannot be met
        fail(error)
    raise typer.Exit(0 if served else 2)
