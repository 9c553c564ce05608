"""Schemathesis on the service's OpenAPI document: what is described is what is answered, and nothing fails.

For every operation it sends the document's examples, requests that cover each parameter, sound and spoilt, methods that
there are not, requests drawn at random (always the same), and requests that use what others have answered. What it
checks, and where the document says less than the service does, is in schemathesis.toml.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx2 as httpx
from fake_extractor import FakeExtractor
from live import live

from serving.feedback import examples
from serving.feedback.schemas import AnnotationRecord
from serving.settings import Settings

_HERE = Path(__file__).parent


def test_the_service_is_as_it_is_described(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(_HERE / "schemathesis.toml")]
    with live(FakeExtractor(), Settings(database_url=f"sqlite:///{tmp_path}/annotations.db")) as service:
        assert httpx.post(f"{service.url}/annotations", json=examples.REQUEST).status_code == 201
        operations = httpx.get(f"{service.url}/openapi.json").json()["paths"].values()
        run = subprocess.run(
            [*command, "--no-color", "run", f"{service.url}/openapi.json"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(_HERE)},
            capture_output=True,
            encoding="utf-8",
        )
        told = httpx.get(f"{service.url}/metrics").text
        exported = httpx.get(f"{service.url}/annotations").text
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"Tested: {sum(map(len, operations))}" in run.stdout
    assert re.findall(r'^musnad_requests_total{.*status="5.*', told, re.MULTILINE) == []
    for line in exported.rstrip("\n").split("\n"):
        AnnotationRecord.model_validate_json(line, strict=True)
