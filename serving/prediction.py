"""`musnad predict`: files in, documents out, group by group."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from model.extractor import Extractor
from model.records import Document
from serving.extraction import extract
from serving.formats import Format, json_line, pretty, table
from serving.reading import BadInput, ByteStream, InputKind, Source, read_stream

STDIN = Path("-")
#: Bytes of input from which on a progress bar is worth its place.
LONG_INPUT = 64 * 1024
#: Columns of a table that is not for a terminal: enough not to fold.
_WIDE = 1000


def predict_files(
    extractor: Extractor,
    paths: Sequence[Path],
    kind: InputKind,
    format: Format,
    min_score: float,
    errors: Console,
) -> int:
    """Extract files (`-` is standard input) to standard output; report bad input on `errors` and return how much.

    Raises OSError for a file that cannot be read, and BrokenPipeError where the output's reader has gone.
    """
    write = _writer(format)
    bad = 0
    with _progress(paths, errors) as advance:
        for path in paths:
            with _opened(path) as stream:
                for group in read_stream(stream, kind, None if path == STDIN else _name(path)):
                    for item in group:
                        if isinstance(item, BadInput):
                            errors.print(f"musnad: {_place(path, item)}: {item.message}")
                            bad += 1
                    sources = [item for item in group if isinstance(item, Source)]
                    for document in extract(extractor, sources, min_score):
                        write(document)
                    sys.stdout.flush()
                    advance(path, stream)
    return bad


@contextmanager
def _opened(path: Path) -> Iterator[ByteStream]:
    if path == STDIN:
        yield cast(ByteStream, sys.stdin.buffer)
    else:
        with path.open("rb") as stream:
            yield stream


def _name(path: Path) -> str:
    """The path as text: bytes in it that are not UTF-8 become question marks."""
    return str(path).encode("utf-8", "replace").decode("utf-8")


def _place(path: Path, item: BadInput) -> str:
    name = "standard input" if path == STDIN else _name(path)
    return name if item.line is None else f"{name}: line {item.line}"


class _Output(Console):
    """Standard output for people; tells of a broken pipe instead of ending the process."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def _writer(format: Format) -> Callable[[Document], None]:
    """Return what writes a document to standard output."""
    if format is Format.JSON:
        return lambda document: print(json_line(document))
    width = None if sys.stdout.isatty() else _WIDE
    console = _Output(highlight=False, markup=False, emoji=False, width=width)
    if format is Format.TABLE:
        return lambda document: console.print(table(document))

    def write_pretty(document: Document) -> None:
        for line in pretty(document):
            console.print(line, soft_wrap=True)

    return write_pretty


def _size(path: Path) -> int | None:
    """Bytes of a regular file, None for anything else, as a pipe."""
    try:
        status = os.fstat(sys.stdin.fileno()) if path == STDIN else path.stat()
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


@contextmanager
def _progress(paths: Sequence[Path], errors: Console) -> Iterator[Callable[[Path, ByteStream], None]]:
    """Show how many bytes are done, on a terminal that the output does not use, if the input is long files."""
    sizes = [_size(path) for path in paths]
    total = 0 if None in sizes else sum(size or 0 for size in sizes)
    if not errors.is_terminal or sys.stdout.isatty() or total < LONG_INPUT:
        yield lambda path, stream: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    # by default rich takes standard output over, and would write the documents to its own console
    with Progress(*columns, console=errors, transient=True, redirect_stdout=False, redirect_stderr=False) as progress:
        task = progress.add_task("", total=total)
        done: dict[Path, int] = {}

        def advance(path: Path, stream: ByteStream) -> None:
            done[path] = stream.tell()
            progress.update(task, completed=sum(done.values()), description=_name(Path(path.name)))

        yield advance
