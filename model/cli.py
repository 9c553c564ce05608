"""The `musnad` command: the sub-commands that the installed packages declare as `musnad.commands` entry points.

Serving and training know nothing of each other, and neither does this module of them.
"""

from __future__ import annotations

from importlib.metadata import entry_points

import typer


def build() -> typer.Typer:
    """Return the command with every declared group of sub-commands."""
    app = typer.Typer(
        name="musnad",
        help="Who did what to whom, and how many: entities and triples from Arabic news.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    for point in sorted(entry_points(group="musnad.commands"), key=lambda point: point.name):
        app.add_typer(point.load())
    return app


def main() -> None:
    """Run the command line; SIGINT ends it with 130, as a shell reports it, also while commands are still imported."""
    try:
        build()()
    except KeyboardInterrupt:
        raise SystemExit(128 + 2) from None
