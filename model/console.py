"""What commands say on standard error, and how they end: `musnad: …`, with the exit status."""

from __future__ import annotations

from typing import NoReturn

import typer
from rich.console import Console

#: Standard error. Messages hold what people wrote, so that nothing in them is markup, and no line is cut.
errors = Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)

#: What cannot be missing: a module of these that is not there is an error of ours.
_OWN = ("model", "serving", "training")


def say(message: object) -> None:
    """Print a message on standard error."""
    errors.print(f"musnad: {message}")


def fail(message: object, status: int = 2) -> NoReturn:
    """End the command with a message: 2 is for misuse, 1 for a job that failed."""
    say(message)
    raise typer.Exit(status)


def needs_extra(error: ImportError, extra: str) -> NoReturn:
    """End the command because a library of an optional extra is missing; what else could not be imported is raised."""
    if error.name is None or error.name.partition(".")[0] in _OWN:
        raise error
    fail(f"this command needs {error.name}: install the extra, pip install 'musnad[{extra}]'")
