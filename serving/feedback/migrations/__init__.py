"""The database's tables, brought up to date by Alembic; the revisions are in `versions`."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from serving.feedback.databases import DatabaseError, open_engine, reason, shown, writing


def upgrade(url: str, revision: str = "head") -> None:
    """Bring a database up to a revision, all of it or nothing; several processes may do so at once.

    A SQLite file that is not there is made. Raises DatabaseError.
    """
    _migrate(url, revision, up=True)


def downgrade(url: str, revision: str = "base") -> None:
    """Take a database down to a revision, all of it or nothing; raises DatabaseError."""
    _migrate(url, revision, up=False)


def require_head(connection: Connection) -> None:
    """Raise DatabaseError where a database is not at the newest revision."""
    found = MigrationContext.configure(connection).get_current_revision()
    head = ScriptDirectory.from_config(config(connection)).get_current_head()
    if found != head:
        place = shown(connection.engine.url)
        raise DatabaseError(f"{place}: the tables are at revision {found}, not {head}: upgrade them first")


def config(connection: Connection) -> Config:
    """Alembic's configuration: these revisions, on a connection."""
    own = Config()
    own.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    own.attributes["connection"] = connection
    return own


def _migrate(url: str, revision: str, up: bool) -> None:
    engine = open_engine(url)
    try:
        # whoever comes second waits for its turn to write, and then finds the revision there
        with writing(engine) as connection:
            (command.upgrade if up else command.downgrade)(config(connection), revision)
    except SQLAlchemyError as error:
        raise DatabaseError(f"{shown(engine.url)}: {reason(error)}") from None
    finally:
        engine.dispose()
