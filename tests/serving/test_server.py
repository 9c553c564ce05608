"""`musnad serve` as it is run: signals, workers, settings that cannot be met, keys, the database, the log."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from real_service import PATIENCE, Real, copy_of, needs_checkpoint, refused, serving, until, versions

from serving.examples import TEXT
from serving.keys import create_key
from serving.server import listen
from serving.settings import BadSettingsError, read_settings

pytestmark = needs_checkpoint

_HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


# ---------------------------------------------------------------------------------------------------------------------
# One process


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGINT])
def test_a_request_that_was_begun_is_finished(tmp_path: Path, with_signal: signal.Signals) -> None:
    body = json.dumps({"text": TEXT}).encode()
    with (
        serving(tmp_path, database_url="", request_timeout_s=60, shutdown_timeout_s=60) as service,
        socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as client,
    ):
        client.sendall(_HEAD % len(body) + body[:-1])
        # another request has its answer: the first, which came before it, has been begun
        assert service.ask("GET", "/healthz")[0] == 200
        service.process.send_signal(with_signal)
        until(lambda: "Shutting down" in service.log)
        client.sendall(body[-1:])
        answer = client.makefile("rb").read()
        assert service.process.wait(PATIENCE) == 0, service.log
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["documents"][0]["text"] == TEXT
    assert "Traceback" not in service.log


def test_a_request_that_does_not_end_is_given_up(tmp_path: Path) -> None:
    with (
        serving(tmp_path, database_url="", shutdown_timeout_s=1) as service,
        socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as client,
    ):
        client.sendall(_HEAD % 100 + b"{")
        assert service.ask("GET", "/healthz")[0] == 200
        assert service.stop() == 0, service.log


def test_the_database_is_where_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    with serving(tmp_path, database_url=f"sqlite:///{tmp_path}/elsewhere/own.db") as service:
        assert service.ask("GET", "/annotations") == (200, "")
    assert (tmp_path / "elsewhere" / "own.db").is_file()
    assert not (tmp_path / "musnad.db").exists()


def test_log_lines_hold_no_text(tmp_path: Path) -> None:
    word = "سلحفاة"
    body = {"text": f"استقبل الرئيس {word} في القاهرة."}
    with serving(tmp_path, database_url="", log_format="json", log_level="debug") as service:
        assert service.ask("POST", "/predict", body)[0] == 200
        assert service.ask("POST", "/predict", {**body, word: 1})[0] == 422
        assert service.ask("GET", "/model?q=secret-word")[0] == 200
        assert service.ask("GET", "/secret-word")[0] == 404
        assert service.stop() == 0
    log = service.log
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert [own["status"] for own in lines if own["event"] == "request"] == [200, 422, 200, 404]
    assert word not in log
    assert json.dumps(word).strip('"') not in log
    assert "secret-word" not in log


def test_connections_do_not_wait_to_fill_packets() -> None:
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()[:2]):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


# ---------------------------------------------------------------------------------------------------------------------
# Settings that cannot be met


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "http"),
        ("workers", "0"),
        ("batch_sentences", "many"),
        ("queue_sentences", "-1"),
        ("request_timeout_s", "0"),
        ("rate_limit", "often"),
        ("require_keys", "perhaps"),
        ("cors_origins", "example.org/path"),
        ("log_format", "xml"),
        ("tracing", "maybe"),
    ],
)
def test_a_bad_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"MUSNAD_{name.upper()}", value)
    with pytest.raises(BadSettingsError) as raised:
        read_settings()
    assert re.fullmatch(rf"MUSNAD_{name.upper()}: [^\n]+", str(raised.value))


def test_bad_settings_are_all_named_in_one_line(tmp_path: Path) -> None:
    said = refused(tmp_path, threads="-1", log_level="loud")
    assert re.fullmatch(r"musnad: MUSNAD_THREADS: [^\n]+; MUSNAD_LOG_LEVEL: [^\n]+\n", said), said


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", "mysql://user:hidden@host/name"),
        ("database_url", "sqlite:////nowhere/at/all/musnad.db"),
        ("keys_file", "/nowhere/keys.json"),
    ],
)
def test_what_cannot_be_used_is_named_in_one_line(tmp_path: Path, name: str, value: str, workers: str) -> None:
    said = refused(tmp_path, **{"database_url": "", "workers": workers, name: value})
    assert re.fullmatch(rf"musnad: MUSNAD_{name.upper()}: [^\n]+\n", said), said
    assert "hidden" not in said


def test_a_variable_that_is_no_setting_is_told(tmp_path: Path) -> None:
    said = refused(tmp_path, require_key="yes", port="http")
    assert said.startswith("musnad: MUSNAD_REQUIRE_KEY is not a setting; is MUSNAD_REQUIRE_KEYS meant?\n")


# ---------------------------------------------------------------------------------------------------------------------
# Beyond loopback


def test_beyond_loopback_keys_are_needed(tmp_path: Path) -> None:
    said = refused(tmp_path, "--host", "0.0.0.0", database_url="")
    assert said.count("\n") == 1
    assert "API keys" in said
    assert "MUSNAD_KEYS_FILE" in said
    assert "MUSNAD_REQUIRE_KEYS=no" in said


def test_beyond_loopback_everybody_can_be_let_in(tmp_path: Path) -> None:
    with serving(tmp_path, host="0.0.0.0", require_keys="no", database_url="") as service:
        assert service.ask("POST", "/predict", {"text": TEXT})[0] == 200


def test_keys_open_what_they_are_for(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    desk = create_key(keys, "desk", ["predict"])
    with serving(tmp_path, host="0.0.0.0", keys_file=keys, database_url="") as service:
        assert service.ask("GET", "/healthz")[0] == 200
        assert service.ask("POST", "/predict", {"text": TEXT})[0] == 401
        assert service.ask("POST", "/predict", {"text": TEXT}, "msn_wrong")[0] == 401
        assert service.ask("POST", "/predict", {"text": TEXT}, desk)[0] == 200
        assert service.ask("GET", "/metrics", key=desk)[0] == 403
        later = create_key(keys, "operator", ["admin"])
        until(lambda: service.ask("GET", "/metrics", key=later)[0] == 200)
    assert desk not in service.log
    assert "msn_" not in service.log


# ---------------------------------------------------------------------------------------------------------------------
# Several workers


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    """Two workers that have loaded their models; they end well."""
    folder = tmp_path_factory.mktemp("workers")
    with serving(folder, "--workers", "2", database_url=f"sqlite:///{folder}/own.db") as service:
        until(lambda: service.log.count(" on http://127.0.0.1:") == 2)
        yield service
        assert service.stop() == 0, service.log
    assert "Traceback" not in service.log


def worker_ids(service: Real) -> set[int]:
    """Process ids of the workers, which are those that say that they are started."""
    started = {int(own) for own in re.findall(r"Started server process \[(\d+)\]", service.log)}
    return {own for own in started if Path(f"/proc/{own}").exists()}


def predictions(service: Real) -> float:
    _, told = service.ask("GET", "/metrics")
    return sum(
        map(float, re.findall(r'^musnad_requests_total\{[^}]*route="/predict"[^}]*\} (\S+)$', told, re.MULTILINE))
    )


def test_workers_answer_and_add_up_their_numbers(workers: Real) -> None:
    assert len(worker_ids(workers)) == 2
    before = predictions(workers)
    for _ in range(10):
        assert workers.ask("POST", "/predict", {"text": TEXT})[0] == 200
    # a request is accounted for when its answer has been sent
    until(lambda: predictions(workers) == before + 10)


def test_workers_follow_a_reload_and_so_do_their_successors(workers: Real, shipped: Path, tmp_path: Path) -> None:
    other = copy_of(shipped, tmp_path / "other", "other")
    status, answer = workers.ask("POST", "/admin/model", {"path": str(other)})
    assert (status, answer["now"]["version"]) == (200, "other")
    until(lambda: versions(workers) == {"other"})

    ids = worker_ids(workers)
    killed = min(ids)
    os.kill(killed, signal.SIGKILL)
    until(lambda: len(worker_ids(workers) - {killed}) == 2)
    until(lambda: workers.log.count(" on http://127.0.0.1:") == 3)
    until(lambda: versions(workers) == {"other"})
    for _ in range(10):
        status, answer = workers.ask("POST", "/predict", {"text": TEXT})
        assert (status, answer["model"]["version"]) == (200, "other")
