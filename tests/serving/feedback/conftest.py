"""Empty databases of both kinds, stores in them, and a service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from feedback import postgresql_server
from feedback.annotation_service import service
from serving.bodies import Limits
from serving.feedback.migrations import upgrade
from serving.feedback.store import FeedbackStore


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server's databases."""
    reason = postgresql_server.missing()
    if reason is not None:
        pytest.skip(reason)
    import psycopg

    with postgresql_server.server() as url:
        # one for all tests: to make one is slow
        with psycopg.connect(f"{url}postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE musnad")
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'annotations.db'}"
    import psycopg

    server: str = request.getfixturevalue("postgresql")
    with psycopg.connect(f"{server}musnad", autocommit=True) as connection:
        # a service that was killed may not be gone yet for the server
        others = "datname = 'musnad' AND pid <> pg_backend_pid()"
        connection.execute(f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE {others}")
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return f"{server}musnad"


@pytest.fixture
def store(url: str) -> Iterator[FeedbackStore]:
    upgrade(url)
    with FeedbackStore(url) as store:
        yield store


@pytest.fixture
def limits() -> Limits:
    return Limits(documents=8, characters=20_000, body_bytes=2_000_000)


@pytest.fixture
def app(store: FeedbackStore, limits: Limits) -> FastAPI:
    return service(store, limits)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client
