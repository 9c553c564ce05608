"""What the README promises to a newcomer: `make serve` installs, without PyTorch, and answers."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

TEXT = "استقبل الرئيس سالم المنصوري في بغداد وفدا من 12 نائبا."


@pytest.fixture(scope="module")
def address(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service started by `make serve`, with a virtual environment of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("serve") / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["make", "serve", f"ARGS=--port {port}"],
            cwd=root,
            env={name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            for _ in range(1200):
                assert process.poll() is None, log.read_text(encoding="utf-8")
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).read()
                    break
                except OSError:
                    time.sleep(0.25)
            else:
                pytest.fail(log.read_text(encoding="utf-8"))
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


def test_make_serve_answers_a_posted_text(address: str) -> None:
    body = json.dumps({"text": TEXT}).encode()
    request = urllib.request.Request(f"{address}/predict", body, {"Content-Type": "application/json"})
    answer = json.load(urllib.request.urlopen(request, timeout=30))
    (document,) = answer["documents"]
    found = {(entity["label"], entity["text"]) for entity in document["entities"]}
    assert ("PER", "سالم المنصوري") in found
    assert ("LOC", "بغداد") in found
    assert next(entity for entity in document["entities"] if entity["label"] == "NUM")["value"] == 12
    assert any(action["class"] == "CONSULT" for action in document["actions"])
    for span in (*document["entities"], *document["actions"]):
        assert TEXT[span["start"] : span["end"]] == span["text"]


@pytest.mark.usefixtures("address")
def test_the_environment_that_serves_has_no_pytorch(root: Path) -> None:
    python = root / ".serve-venv" / "bin" / "python"
    code = "import importlib.util as u, sys; sys.exit(any(u.find_spec(n) for n in ('torch', 'transformers')))"
    assert subprocess.run([python, "-c", code], check=False).returncode == 0


@pytest.mark.usefixtures("address")
def test_training_commands_name_the_missing_extra(root: Path) -> None:
    musnad = root / ".serve-venv" / "bin" / "musnad"
    result = subprocess.run(
        [musnad, "train", "training/configs/default.yaml", "-o", "runs/none"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert "pip install 'musnad[train]'" in result.stderr
