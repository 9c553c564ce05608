from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from feedback.annotated import document, submission
from serving.feedback.databases import DatabaseError, open_engine
from serving.feedback.migrations import downgrade, upgrade
from serving.feedback.store import FeedbackStore
from serving.feedback.tables import STATUSES, AnnotationRow, Base

_CHILD = """
import sys
from serving.feedback.migrations import upgrade
print("ready", flush=True)
sys.stdin.readline()
upgrade(sys.argv[1])
"""


def differences(url: str) -> list[object]:
    """How a database's tables differ from those that the code knows."""
    engine = open_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        found: list[object] = compare_metadata(context, Base.metadata)
    engine.dispose()
    return found


def tables(url: str) -> set[str]:
    engine = open_engine(url)
    found = set(inspect(engine).get_table_names())
    engine.dispose()
    return found


def test_up_is_what_the_code_knows_and_down_is_nothing(url: str) -> None:
    upgrade(url)
    assert differences(url) == []
    upgrade(url)  # again is nothing
    downgrade(url)
    assert tables(url) == {"alembic_version"}
    assert differences(url) != []
    upgrade(url)
    assert differences(url) == []
    with FeedbackStore(url) as store:
        assert store.submit(submission(document(1)))[0].created


def test_the_database_itself_refuses_another_status(store: FeedbackStore, url: str) -> None:
    from sqlalchemy import update
    from sqlalchemy.exc import IntegrityError

    store.submit(submission(document(1)))
    engine = open_engine(url)
    with engine.connect() as connection:
        for status in STATUSES:
            connection.execute(update(AnnotationRow).values(status=status))
        with pytest.raises(IntegrityError):
            connection.execute(update(AnnotationRow).values(status="done"))
    engine.dispose()


def test_upgrading_keeps_what_is_stored(store: FeedbackStore, url: str) -> None:
    store.submit(submission(document(1)))
    upgrade(url)
    assert len(list(store.export())) == 1


def test_a_store_needs_its_tables(url: str) -> None:
    with pytest.raises(DatabaseError, match="at revision None, not 0001: upgrade them first"):
        FeedbackStore(url)


def test_no_file_is_needed_in_the_working_directory(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    upgrade(url)
    assert list(elsewhere.iterdir()) == []
    assert "annotations" in tables(url)


def test_processes_that_upgrade_at_once(url: str, root: Path) -> None:
    command = [sys.executable, "-c", _CHILD, url]
    pipe = subprocess.PIPE
    children = [subprocess.Popen(command, cwd=root, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(3)]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        _, errors = child.communicate(timeout=120)
        assert child.returncode == 0, errors
    assert differences(url) == []
