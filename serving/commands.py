"""Sub-commands `predict` and `serve`."""

from __future__ import annotations

import io
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console

from serving.formats import Format
from serving.reading import InputKind

if TYPE_CHECKING:
    from model.extractor import Extractor

app = typer.Typer()

#: The status of a command that SIGPIPE ends, as a shell reports it.
_BROKEN_PIPE = 128 + 13

Checkpoint = Annotated[Path | None, typer.Option(help="Checkpoint directory, instead of the shipped one.")]


def _errors() -> Console:
    return Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)


def _fail(message: object, status: int = 2) -> NoReturn:
    _errors().print(f"musnad: {message}")
    raise typer.Exit(status)


def _load(checkpoint: Path | None) -> Extractor:
    """Load a checkpoint; raises CheckpointError, also for broken files that a library stumbles over."""
    from model.extractor import CheckpointError, Extractor

    try:
        return Extractor.load(checkpoint)
    except CheckpointError:
        raise
    except Exception as error:
        place = "the shipped checkpoint" if checkpoint is None else checkpoint
        raise CheckpointError(f"{place}: cannot be loaded: {type(error).__name__}: {error}") from error


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
) -> None:
    """Extract entities and triples from plain text or JSON lines.

    A file of plain text is one document, whose id is the file's path.

    JSON lines hold an object each, with a `text` and maybe an `id`; other
    fields are ignored. They are read as a stream of any length. A bad line
    is reported with its number, the others are done, and the exit status is
    then 1.
    """
    from model.extractor import CheckpointError
    from serving.prediction import STDIN, predict_files

    if not files and sys.stdin.isatty():
        _fail("no input: name a FILE, pipe text in, or give - to type it")
    for path in files or []:
        if path != STDIN and (problem := _problem(path)):
            _fail(f"{path}: {problem}")
    try:
        extractor = _load(checkpoint)
    except CheckpointError as error:
        _fail(error)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    if format is None:
        format = Format.PRETTY if sys.stdout.isatty() else Format.JSON
    try:
        bad = predict_files(extractor, files or [STDIN], input, format, min_score, _errors())
    except BrokenPipeError:
        # what is still buffered would fail once more when the interpreter ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(_BROKEN_PIPE) from None
    except OSError as error:
        _fail(error)
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
        str, typer.Option(help="Address to listen on; 0.0.0.0 is every one of this machine.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    checkpoint: Checkpoint = None,
) -> None:
    """Serve `POST /predict` and the rest over HTTP; the API is described at /openapi.json."""
    import uvicorn

    from serving.app import create_app

    try:
        listener = _listen(host, port)
    except OSError as error:
        _fail(f"cannot listen on {host} port {port}: {(error.strerror or str(error)).partition(' (')[0]}")
    failed = False

    def load() -> Extractor:
        nonlocal failed
        try:
            extractor = _load(checkpoint)
        except Exception:
            failed = True
            server.should_exit = True
            raise
        _errors().print(f"musnad: {extractor.info.name} {extractor.info.version} on {_address(listener)}")
        return extractor

    server = uvicorn.Server(uvicorn.Config(create_app(load), lifespan="on"))
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    raise typer.Exit(2 if failed else 0)


def _listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; raises OSError."""
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    return socket.create_server(address[:2], family=family)


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
