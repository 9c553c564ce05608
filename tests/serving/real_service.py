"""`musnad serve` in a process of its own."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from model.extractor import DEFAULT_CHECKPOINT

ROOT = Path(__file__).parents[2]
_ADDRESS = re.compile(r"^musnad: .+ on http://\S+:(\d+)$", re.MULTILINE)
#: Patience, in seconds: for a machine that is busy.
PATIENCE = 120.0

needs_checkpoint = pytest.mark.skipif(
    not (DEFAULT_CHECKPOINT / "model.onnx").is_file(), reason="there is no shipped checkpoint in model/default"
)


@dataclass
class Real:
    """A running service: its process, its port, and the file that its standard error goes to."""

    process: subprocess.Popen[bytes]
    port: int
    errors: Path

    @property
    def log(self) -> str:
        return self.errors.read_text(encoding="utf-8")

    def ask(self, method: str, path: str, body: object = None, key: str | None = None) -> tuple[int, Any]:
        """Status and body of an answer, as JSON where it is; over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = {"Content-Type": "application/json"} | ({} if key is None else {"Authorization": f"Bearer {key}"})
        try:
            connection.request(method, path, None if body is None else json.dumps(body).encode(), headers)
            response = connection.getresponse()
            answer = response.read().decode()
            is_json = (response.getheader("content-type") or "").endswith(("/json", "+json"))
            return response.status, json.loads(answer) if is_json else answer
        finally:
            connection.close()

    def stop(self, with_signal: int = signal.SIGTERM) -> int:
        """Tell it to stop, and return its exit status."""
        self.process.send_signal(with_signal)
        return self.process.wait(PATIENCE)


def spawn(folder: Path, *arguments: str, **settings: object) -> subprocess.Popen[bytes]:
    """Start the command in a directory, with settings by their names, its standard error in the file `errors`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MUSNAD_")}
    environment |= {f"MUSNAD_{name.upper()}": str(value) for name, value in {"port": 0, **settings}.items()}
    with (folder / "errors").open("wb") as errors:
        return subprocess.Popen(
            [sys.executable, "-c", "from model.cli import main; main()", "serve", *arguments],
            env={**environment, "PYTHONPATH": str(ROOT)},
            cwd=folder,
            stderr=errors,
        )


@contextmanager
def serving(folder: Path, *arguments: str, **settings: object) -> Iterator[Real]:
    """Run the service until the context ends, which must be its end as well."""
    process = spawn(folder, *arguments, **settings)
    errors = folder / "errors"
    try:
        until(lambda: process.poll() is not None or _ADDRESS.search(errors.read_text(encoding="utf-8")) is not None)
        found = _ADDRESS.search(errors.read_text(encoding="utf-8"))
        assert found, errors.read_text(encoding="utf-8")
        yield Real(process, int(found[1]), errors)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(PATIENCE)
            finally:
                process.kill()


def refused(folder: Path, *arguments: str, **settings: object) -> str:
    """What the command says when it exits with status 2 instead of serving."""
    process = spawn(folder, *arguments, **settings)
    try:
        assert process.wait(PATIENCE) == 2
    finally:
        process.kill()
    return (folder / "errors").read_text(encoding="utf-8")


def until(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.02)


def versions(service: Real) -> set[str]:
    """Of the models that serve, as the metrics of all workers tell."""
    _, told = service.ask("GET", "/metrics")
    return set(re.findall(r'^musnad_model_info\{.*version="([^"]*)".*\} 1', told, re.MULTILINE))


def copy_of(checkpoint: Path, folder: Path, version: str) -> Path:
    """The checkpoint with another version, in a directory."""
    shutil.copytree(checkpoint, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "version": version}), encoding="utf-8")
    return folder
