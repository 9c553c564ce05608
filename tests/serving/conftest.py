"""The fake extractor, a service with it, and texts that are hard on offsets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fake_extractor import FakeExtractor
from nasty_texts import NASTY_TEXTS
from starlette.testclient import TestClient

from model.extractor import DEFAULT_CHECKPOINT, Extractor
from serving.app import create_app
from serving.settings import Settings


@pytest.fixture
def extractor() -> FakeExtractor:
    return FakeExtractor()


@pytest.fixture
def loaded(extractor: FakeExtractor, monkeypatch: pytest.MonkeyPatch) -> FakeExtractor:
    """The fake, which `Extractor.load` now returns for the shipped checkpoint and no other."""

    def load(checkpoint: object = None, **options: object) -> FakeExtractor:
        assert checkpoint in (None, DEFAULT_CHECKPOINT)
        return extractor

    monkeypatch.setattr(Extractor, "load", load)
    return extractor


@pytest.fixture
def client(extractor: FakeExtractor) -> Iterator[TestClient]:
    """A service with low limits."""
    settings = Settings(max_documents=4, max_characters=100, max_body_bytes=4000, database_url=None)
    app = create_app(extractor, settings)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(params=sorted(NASTY_TEXTS))
def nasty_text(request: pytest.FixtureRequest) -> str:
    return NASTY_TEXTS[request.param]
