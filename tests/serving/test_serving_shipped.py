"""`musnad predict` and `musnad serve` in processes of their own, with the checkpoint that ships."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from model.extractor import DEFAULT_CHECKPOINT
from serving.examples import REQUESTS, TEXT
from serving.schemas import Answer, ModelDescription

needs_checkpoint = pytest.mark.skipif(
    not (DEFAULT_CHECKPOINT / "model.onnx").is_file(), reason="there is no shipped checkpoint in model/default"
)


def start(root: Path, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "from serving.commands import app; app()", *arguments],
        env={**os.environ, "PYTHONPATH": str(root)},
        stderr=subprocess.PIPE,
        encoding="utf-8",
        **options,
    )


@pytest.fixture(scope="module")
def port(root: Path) -> Iterator[int]:
    """The port of a service with the shipped checkpoint; it must end well when it is interrupted."""
    process = start(root, "serve", "--port", "0")
    assert process.stderr is not None
    log = []
    found = None
    for line in process.stderr:
        log.append(line)
        if found := re.search(r"on http://127\.0\.0\.1:(\d+)$", line.rstrip()):
            break
    assert found, "".join(log)
    yield int(found[1])
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=30)[1]
    assert process.returncode == 0, rest
    assert "Traceback" not in rest


def ask(port: int, method: str, path: str, body: object = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request(method, path, raw, {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def check_offsets(document: dict[str, Any], text: str) -> None:
    assert document["text"] == text
    for sentence in document["sentences"]:
        assert text[sentence["start"] : sentence["end"]].strip()
    for span in (*document["entities"], *document["actions"]):
        assert text[span["start"] : span["end"]] == span["text"] != ""
    entities = {entity["id"] for entity in document["entities"]}
    actions = {action["id"] for action in document["actions"]}
    for triple in document["triples"]:
        assert triple["action"] in actions
        assert {triple["actor"], triple["target"]} <= entities | {None}


@needs_checkpoint
def test_the_service_answers(port: int) -> None:
    assert ask(port, "GET", "/healthz") == (200, {"status": "ok"})
    assert ask(port, "GET", "/readyz") == (200, {"status": "ready"})
    status, model = ask(port, "GET", "/model")
    assert status == 200
    ModelDescription.model_validate(model, strict=True)
    for example in REQUESTS.values():
        status, answer = ask(port, "POST", "/predict", example["value"])
        assert status == 200
        Answer.model_validate(answer, strict=True)
        assert answer["model"] == {"name": model["name"], "version": model["version"]}


@needs_checkpoint
def test_the_service_finds_who_did_what(port: int) -> None:
    _, answer = ask(port, "POST", "/predict", {"text": TEXT})
    (document,) = answer["documents"]
    check_offsets(document, TEXT)
    assert "الجيش العراقي" in {entity["text"] for entity in document["entities"] if entity["label"] == "ORG"}
    assert 5 in {entity["value"] for entity in document["entities"] if entity["label"] == "NUM"}
    assert "مقتل" in {action["text"] for action in document["actions"] if action["class"] == "ASSAULT"}
    assert document["triples"]


@needs_checkpoint
def test_the_services_offsets_are_exact(port: int, nasty_text: str) -> None:
    status, answer = ask(port, "POST", "/predict", {"documents": [{"id": "1", "text": nasty_text}, {"text": TEXT}]})
    assert status == 200
    check_offsets(answer["documents"][0], nasty_text)
    check_offsets(answer["documents"][1], TEXT)
    Answer.model_validate(answer, strict=True)


@needs_checkpoint
def test_a_body_too_large_gets_its_answer(port: int) -> None:
    status, problem = ask(port, "POST", "/predict", b" " * (9 * 1024 * 1024))
    assert (status, problem["type"]) == (413, "urn:musnad:problem:too-large")


@needs_checkpoint
def test_predict_and_the_service_agree(port: int, root: Path, nasty_text: str) -> None:
    process = start(root, "predict", "--input", "jsonl", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    out, errors = process.communicate(json.dumps({"id": "1", "text": nasty_text}) + "\n")
    assert (process.returncode, errors) == (0, "")
    _, answer = ask(port, "POST", "/predict", {"documents": [{"id": "1", "text": nasty_text}]})
    assert json.loads(out) == answer["documents"][0]


@pytest.mark.parametrize("command", ["predict", "serve"])
def test_a_missing_checkpoint_is_named(root: Path, tmp_path: Path, command: str) -> None:
    port = ["--port", "0"] if command == "serve" else []
    process = start(root, command, "--checkpoint", str(tmp_path), *port, stdin=subprocess.DEVNULL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert f"{tmp_path}: not a checkpoint directory: there is no config.json" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("command", ["predict", "serve"])
def test_a_broken_checkpoint_is_named(root: Path, tmp_path: Path, command: str) -> None:
    config = {"model_type": "musnad", "max_pieces": 512, "encoder": {}}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (tmp_path / "model.onnx").write_bytes(b"nonsense")
    (tmp_path / "tokenizer.json").write_bytes(b"nonsense")
    port = ["--port", "0"] if command == "serve" else []
    process = start(root, command, "--checkpoint", str(tmp_path), *port, stdin=subprocess.DEVNULL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert str(tmp_path) in errors
    assert "Traceback" not in errors


def test_a_port_that_is_taken_is_named(root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start(root, "serve", "--port", str(port), stdin=subprocess.DEVNULL)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors == f"musnad: cannot listen on 127.0.0.1 port {port}: Address already in use\n"
