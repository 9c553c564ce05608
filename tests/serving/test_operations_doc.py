"""docs/operations.md says what the code says."""

from __future__ import annotations

import re
from pathlib import Path

from fake_extractor import FakeExtractor
from prometheus_client.parser import text_string_to_metric_families
from settings_table import DOCUMENT, table, written
from starlette.testclient import TestClient

from serving.app import create_app
from serving.settings import PREFIX, Settings

TEXT = DOCUMENT.read_text(encoding="utf-8")


def test_the_table_of_settings_is_the_codes() -> None:
    assert written(TEXT) == table(), "write it anew: python tests/serving/settings_table.py"


def test_every_setting_has_a_meaning() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_every_variable_that_is_named_is_a_setting() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    assert set(re.findall(r"\bMUSNAD_[A-Z_]+", TEXT)) <= known


def test_every_metric_that_is_named_is_told(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/own.db")
    with TestClient(create_app(FakeExtractor(), settings)) as client:
        client.get("/healthz")
        told = client.get("/metrics").text
    families = [family.name for family in text_string_to_metric_families(told)]
    assert families
    for name in set(re.findall(r"\bmusnad_[a-z_]+", TEXT)):
        assert any(name.startswith(family) for family in families), name
