"""The databases that annotations are kept in: SQLite in a file, or PostgreSQL; what is committed there is on disk.

Writers take turns, across all processes of one database. That gives both databases the same order of records, and no
writer meets another's half-written request.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError

#: Connections of one process; as many threads are enough.
CONNECTIONS = 5
#: Seconds to wait for another writer of SQLite, and for a connection to PostgreSQL.
WRITER_SECONDS = 30.0
CONNECT_SECONDS = 10

_WRITES = {"writes": True}
#: The advisory lock that a writer of PostgreSQL holds until it commits: a number of this project's own.
_LOCK = 0x6D75736E6164


class DatabaseError(ValueError):
    """A database that cannot be used, by its URL without the password, and why."""


def open_engine(url: str) -> Engine:
    """Return the engine of a database; raise DatabaseError for a URL that this service does not take."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # the URL itself may hold a password
        raise DatabaseError(
            "the database's URL is not one, like sqlite:///musnad.db or postgresql://host/name"
        ) from None
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        return _sqlite(parsed)
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return _postgresql(parsed)
    raise DatabaseError(f"{shown(parsed)}: {parsed.drivername!r} is not sqlite or postgresql")


def shown(url: URL) -> str:
    """The URL without its password."""
    return url.render_as_string(hide_password=True)


def reason(error: Exception) -> str:
    """What a database driver says of an error, without the statement and its values."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return " ".join(str(cause).split()) or type(cause).__name__


# ---------------------------------------------------------------------------------------------------------------------
# Transactions


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that is the only writer of its database until it ends: committed, or, where that fails, undone."""
    with engine.connect().execution_options(**_WRITES) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            _take_turn(connection)
        yield connection


def _take_turn(connection: Connection) -> None:
    """Wait for the writer's turn; a server that is set to answer before a commit is on disk does not do so here."""
    settings = (
        "SELECT set_config('lock_timeout', :wait, true), CASE current_setting('synchronous_commit')"
        " WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END"
    )
    connection.execute(text(settings), {"wait": f"{WRITER_SECONDS * 1000:.0f}ms"})
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def now(connection: Connection) -> datetime:
    """The time, with zone: PostgreSQL's, which all replicas share, or this machine's for SQLite."""
    if connection.dialect.name == "postgresql":
        moment: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        return moment.astimezone(UTC)
    return datetime.now(UTC)


# ---------------------------------------------------------------------------------------------------------------------
# Engines


def _postgresql(url: URL) -> Engine:
    try:
        return create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args={"connect_timeout": CONNECT_SECONDS},
            hide_parameters=True,  # they hold texts, and errors are logged
            isolation_level="READ COMMITTED",  # a writer sees what the one before it has committed
            json_serializer=compact,
            max_overflow=0,
            pool_pre_ping=True,
            pool_size=CONNECTIONS,
        )
    except ImportError:
        raise DatabaseError(f"{shown(url)}: needs psycopg: install the extra, pip install 'musnad[postgres]'") from None


def _sqlite(url: URL) -> Engine:
    if url.database in (None, "", ":memory:") or url.query:
        raise DatabaseError(f"{shown(url)}: name a file, like sqlite:///musnad.db, and nothing after it")
    engine = create_engine(
        url,
        connect_args={"timeout": WRITER_SECONDS},
        hide_parameters=True,
        json_serializer=compact,
        max_overflow=0,
        pool_size=CONNECTIONS,
    )
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def compact(value: Any) -> str:
    """Return a value as JSON without spaces, in ASCII."""
    return json.dumps(value, separators=(",", ":"))


def _configure_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where _begin_sqlite says, not at the first change
    mode = _write_ahead(connection)
    if mode != "wal":
        raise sqlite3.OperationalError(
            f"the journal is {mode!r}: write-ahead logging does not work on this file system"
        )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _write_ahead(connection: sqlite3.Connection) -> str:
    """Turn write-ahead logging on, and return the journal's mode.

    Turning it on in a new file is refused at once, without the usual wait, while others do the same.
    """
    end = time.monotonic() + WRITER_SECONDS
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            return str(mode)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    # a reader that becomes a writer would be refused without a wait where another has written in between
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
