"""Sub-commands `keys create`, `keys list` and `keys revoke`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from model.console import fail, say
from serving.keys import SCOPES, KeysError, create_key, read_keys, revoke_key

app = typer.Typer(help="API keys of the service.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the key, as it is in the log.")]
File = Annotated[Path, typer.Option("--file", envvar="MUSNAD_KEYS_FILE", help="The file of keys.")]


@app.command()
def create(
    name: Name,
    file: File,
    scope: Annotated[list[str], typer.Option(help=f"What it is for: {', '.join(SCOPES)}; may come several times.")],
) -> None:
    """Make a key, and print it: once, as only its hash is kept.

    A running service knows it within a second or two.
    """
    try:
        secret = create_key(file, name, scope)
    except KeysError as error:
        fail(error)
    typer.echo(secret)
    say(f"{file}: has the hash of the key {name!r}; the key itself is shown this once")


@app.command("list")
def list_keys(file: File) -> None:
    """Print the name, scopes and date of each key, with tabs between them."""
    try:
        keys = read_keys(file)
    except KeysError as error:
        fail(error)
    for key in keys:
        typer.echo(f"{key.name}\t{','.join(key.scopes)}\t{key.created}")


@app.command()
def revoke(name: Name, file: File) -> None:
    """Take a key away: a running service refuses it within a second or two."""
    try:
        revoke_key(file, name)
    except KeysError as error:
        fail(error)
    say(f"{file}: the key {name!r} is revoked")
