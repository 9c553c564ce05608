"""The service on a local Ray cluster of two CPUs, behind Ray Serve's proxy: two replicas and their rolling reload."""

from __future__ import annotations

import http.client
import inspect
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

import anyio
import psutil
import pytest
from fake_extractor import FakeExtractor
from pydantic import ValidationError
from real_service import PATIENCE, ROOT, copy_of, needs_checkpoint, until
from starlette.testclient import TestClient

from model.extractor import DEFAULT_CHECKPOINT
from model.records import Document
from serving.keys import create_key
from serving.selftest import SelfTestError
from serving.settings import BadSettingsError, Settings

pytest.importorskip("ray.serve", reason="Ray Serve of the extra `ray-serve` is not installed")

from serving.ray_serve import Arguments, Replica, application, replica_settings

_TEXT = "استقبل الرئيس العراقي وزير الخارجية الفرنسي في بغداد."
#: Deploys with the arguments of its command line as JSON, and ends; its status is 1 where that fails.
_DEPLOY = """
import sys, ray
from ray import serve
from serving.ray_serve import Arguments, application
ray.init("auto", namespace="serve", log_to_driver=False)
serve.start(http_options={"port": int(sys.argv[1])})
serve.run(application(Arguments.model_validate_json(sys.argv[2])))
"""


# ---------------------------------------------------------------------------------------------------------------------
# Arguments and settings


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MUSNAD_")]:
        monkeypatch.delenv(name)


def test_arguments_come_as_words_of_the_command_line() -> None:
    given = Arguments.model_validate({"replicas": "3", "cpus": "2", "checkpoint": "/srv/models"})
    assert given == Arguments(replicas=3, cpus=2, checkpoint=Path("/srv/models"))
    for wrong in ({"replicas": "0"}, {"cpus": "half"}, {"max_surge_percent": "101"}, {"relicas": "2"}):
        with pytest.raises(ValidationError):
            Arguments.model_validate(wrong)
    [parameter] = inspect.signature(application).parameters.values()
    assert parameter.annotation is Arguments  # where it is a string, Ray hands over a dictionary


@pytest.mark.parametrize("name", ["host", "port", "workers", "threads", "state_dir"])
def test_settings_that_ray_has_in_its_hands_are_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("MUSNAD_REQUIRE_KEYS", "no")
    monkeypatch.setenv(f"MUSNAD_{name.upper()}", "1")
    with pytest.raises(BadSettingsError, match=f"^MUSNAD_{name.upper()}: "):
        replica_settings(Arguments())


def test_keys_are_required_unless_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadSettingsError, match=r"^MUSNAD_KEYS_FILE: .*MUSNAD_REQUIRE_KEYS=no"):
        replica_settings(Arguments())
    monkeypatch.setenv("MUSNAD_REQUIRE_KEYS", "no")
    assert replica_settings(Arguments()).require_keys == "no"
    monkeypatch.setenv("MUSNAD_REQUIRE_KEYS", "auto")
    monkeypatch.setenv("MUSNAD_KEYS_FILE", "keys.json")
    settings = replica_settings(Arguments())
    assert (settings.require_keys, settings.keys_file) == ("yes", Path.cwd() / "keys.json")


def test_annotations_go_to_a_database_that_replicas_share_or_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSNAD_REQUIRE_KEYS", "no")
    assert replica_settings(Arguments()).database_url is None
    monkeypatch.setenv("MUSNAD_DATABASE_URL", "")
    assert replica_settings(Arguments()).database_url is None
    monkeypatch.setenv("MUSNAD_DATABASE_URL", "postgresql://news@db/musnad")
    assert replica_settings(Arguments()).database_url == "postgresql://news@db/musnad"
    monkeypatch.setenv("MUSNAD_DATABASE_URL", "sqlite:///musnad.db")
    with pytest.raises(BadSettingsError, match=r"^MUSNAD_DATABASE_URL: SQLite is a file of one machine"):
        replica_settings(Arguments())


def test_arguments_go_before_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MUSNAD_REQUIRE_KEYS", "no")
    monkeypatch.setenv("MUSNAD_CHECKPOINT", "/srv/models")
    assert replica_settings(Arguments()).checkpoint == Path("/srv/models")
    assert replica_settings(Arguments(checkpoint=Path("fast"))).checkpoint == Path("fast")  # wherever it is installed
    (tmp_path / "current").symlink_to("versions/1")
    settings = replica_settings(Arguments(checkpoint=Path("current"), cpus=3))
    assert settings.checkpoint == tmp_path / "current"  # a link is left to be followed
    assert settings.network == {"runtime": "openvino", "threads": 3, "calls": 0}


# ---------------------------------------------------------------------------------------------------------------------
# A replica without Ray


@pytest.fixture(scope="module", autouse=True)
def _no_destructor() -> Iterator[None]:
    """It is a coroutine, which Ray waits for; here the garbage collector would only begin it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Replica, "__del__", lambda self: None)
        yield


@contextmanager
def _replica(monkeypatch: pytest.MonkeyPatch, extractor: FakeExtractor) -> Iterator[Any]:
    """A replica as Ray makes it, with a fake extractor, before its service is started."""
    monkeypatch.setattr("serving.ray_serve.configure_logs", lambda *arguments: None)
    monkeypatch.setattr("serving.ray_serve.load_to_serve", lambda checkpoint, **network: extractor)
    made: Any = Replica.__new__(Replica)
    anyio.run(made.__init__, Settings(database_url=None))
    yield made


def test_a_replica_is_well_while_its_model_serves(monkeypatch: pytest.MonkeyPatch, extractor: FakeExtractor) -> None:
    with _replica(monkeypatch, extractor) as replica:
        with pytest.raises(RuntimeError, match="GET /readyz is 503"):
            anyio.run(replica.check_health)
        with TestClient(replica.__serve_build_asgi_app__()) as client:
            client.portal.call(replica.check_health)
            assert client.post("/predict", json={"text": "قال الوزير"}).status_code == 200


def test_a_model_that_fails_its_test_makes_no_replica(
    monkeypatch: pytest.MonkeyPatch, extractor: FakeExtractor
) -> None:
    monkeypatch.setattr(extractor, "extract_batch", lambda texts: [Document("1", text) for text in texts])
    with pytest.raises(SelfTestError, match="no entity is found"), _replica(monkeypatch, extractor):
        pass


# ---------------------------------------------------------------------------------------------------------------------
# A cluster


@dataclass
class Served:
    """What Ray serves: the proxy's port, a key of scope `predict` and one of `admin`, the link that is followed."""

    port: int
    key: str
    operator: str
    registry: Path
    settings: dict[str, str]

    def deploy(self, checkpoint: Path) -> subprocess.CompletedProcess[str]:
        """Deploy the application, which has been exchanged when this returns."""
        arguments = Arguments(checkpoint=checkpoint).model_dump_json()
        command = [sys.executable, "-c", _DEPLOY, str(self.port), arguments]
        environment = os.environ | self.settings
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def ask(self, method: str, path: str, body: object = None, key: str | None = "") -> tuple[int, str, Any]:
        """Status, media type and body of an answer, as JSON where it is; with the key for predictions, or another."""
        connection = self.connect()
        headers = {"Content-Type": "application/json"}
        if key is not None:
            headers["Authorization"] = f"Bearer {key or self.key}"
        try:
            connection.request(method, path, None if body is None else json.dumps(body).encode(), headers)
            response = connection.getresponse()
            kind = (response.getheader("content-type") or "").partition(";")[0]
            answer = response.read().decode()
            return response.status, kind, json.loads(answer) if kind.endswith("json") else answer
        finally:
            connection.close()

    def versions(self) -> set[str]:
        """Those of the models that answer: of thirty requests none is likely to miss a replica."""
        return {self.ask("GET", "/model")[2]["version"] for _ in range(30)}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cluster of two CPUs that outlives its drivers, to which the environment leads."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("RAY_", "MUSNAD_"))]:
            patch.delenv(name)
        # a token of its own, for the cluster and its drivers; one that lies in the home directory is nobody's business
        own = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_USAGE_STATS_ENABLED": "0"}
        for name, value in {**own, "PYTHONPATH": str(ROOT), "RAY_worker_niceness": "0"}.items():
            patch.setenv(name, value)
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"]
        options = [f"--port={address.rpartition(':')[2]}", "--num-cpus=2", "--object-store-memory=100000000"]
        options += ["--include-dashboard=false", "--node-ip-address=127.0.0.1", "--disable-usage-stats"]
        log = tmp_path_factory.mktemp("ray") / "log"
        with log.open("wb") as output:
            process = psutil.Popen([*command, *options], stdout=output, stderr=output)
        try:
            until(lambda: process.poll() is not None or "Ray runtime started" in log.read_text(encoding="utf-8"))
            if process.poll() is not None:
                pytest.skip(f"Ray does not start here: {log.read_text(encoding='utf-8')[-500:]}")
            patch.setenv("RAY_ADDRESS", address)
            yield
        finally:
            everyone = [process, *process.children(recursive=True)]
            process.terminate()
            for one in psutil.wait_procs(everyone, timeout=2)[1]:
                one.kill()


@pytest.fixture(scope="module")
def served(cluster: None, tmp_path_factory: pytest.TempPathFactory) -> Served:
    """The shipped checkpoint behind a link, as two replicas that want keys and take small bodies."""
    folder = tmp_path_factory.mktemp("served")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    link = folder / "current"
    link.symlink_to(DEFAULT_CHECKPOINT)
    keys = folder / "keys.json"
    desk, operator = create_key(keys, "desk", ["predict"]), create_key(keys, "operator", ["admin"])
    settings = {"MUSNAD_KEYS_FILE": str(keys), "MUSNAD_MAX_BODY_BYTES": "4096"}
    made = Served(port, desk, operator, link, settings)
    deployed = made.deploy(link)
    assert deployed.returncode == 0, deployed.stderr
    return made


@needs_checkpoint
def test_answers_go_through_the_proxy_as_they_are(served: Served) -> None:
    status, kind, answer = served.ask("POST", "/predict", {"text": _TEXT})
    assert (status, kind) == (200, "application/json")
    assert answer["documents"][0]["text"] == _TEXT
    assert answer["documents"][0]["entities"]
    status, kind, page = served.ask("GET", "/", key=None)
    assert (status, kind) == (200, "text/html")
    assert 'lang="' in page
    status, kind, problem = served.ask("POST", "/predict", {"text": 5})
    assert (status, kind, problem["type"]) == (422, "application/problem+json", "urn:musnad:problem:invalid-request")
    status, _, problem = served.ask("POST", "/predict", {"text": "س" * 4096})
    assert (status, problem["type"]) == (413, "urn:musnad:problem:too-large")


@needs_checkpoint
def test_keys_are_wanted_and_no_replica_is_given_another_model_alone(served: Served) -> None:
    assert served.ask("POST", "/predict", {"text": _TEXT}, key=None)[0] == 401
    assert served.ask("POST", "/admin/model", {"path": str(DEFAULT_CHECKPOINT)})[0] == 403
    status, _, problem = served.ask("POST", "/admin/model", {"path": str(DEFAULT_CHECKPOINT)}, key=served.operator)
    assert status == 404
    assert "deploying anew" in problem["detail"]


@needs_checkpoint
def test_a_stream_is_answered_while_it_is_sent(served: Served) -> None:
    connection = served.connect()
    connection.putrequest("POST", "/predict/stream")
    connection.putheader("Authorization", f"Bearer {served.key}")
    connection.putheader("Content-Type", "application/x-ndjson")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    line = json.dumps({"text": _TEXT}).encode() + b"\n"
    chunk = b"%x\r\n%s\r\n" % (len(line), line)
    connection.send(chunk)
    response = connection.response_class(connection.sock, method="POST")
    response.begin()
    for _ in range(3):
        assert json.loads(response.readline())["text"] == _TEXT
        connection.send(chunk)
    connection.send(b"0\r\n\r\n")
    assert json.loads(response.readline())["text"] == _TEXT
    assert response.read() == b""
    connection.close()


@dataclass
class _Client:
    """Posts one text after the other until it is told to stop; the version of each answer, or its status."""

    served: Served
    stop: Event = field(default_factory=Event)
    versions: list[str] = field(default_factory=list)

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                status, _, answer = self.served.ask("POST", "/predict", {"text": _TEXT})
            except OSError as error:
                self.versions.append(repr(error))
            else:
                self.versions.append(answer["model"]["version"] if status == 200 else str(status))


@contextmanager
def _posting(served: Served, clients: int = 3) -> Iterator[list[_Client]]:
    """So many clients that post meanwhile."""
    posting = [_Client(served) for _ in range(clients)]
    threads = [Thread(target=client.run) for client in posting]
    for thread in threads:
        thread.start()
    try:
        yield posting
    finally:
        for client in posting:
            client.stop.set()
        for thread in threads:
            thread.join()


@needs_checkpoint
def test_replicas_are_exchanged_without_a_failed_request(served: Served, tmp_path: Path) -> None:
    """First each follows a link that moves; then they are deployed anew; a broken checkpoint is refused."""
    before = served.versions()
    second, third = (copy_of(DEFAULT_CHECKPOINT, tmp_path / version, version) for version in ("2.0.0", "3.0.0"))
    broken = copy_of(DEFAULT_CHECKPOINT, tmp_path / "broken", "4.0.0")
    (broken / "model.onnx").write_bytes(b"torn")
    with _posting(served) as clients:
        (served.registry.parent / "new").symlink_to(second)
        (served.registry.parent / "new").replace(served.registry)
        until(lambda: served.versions() == {"2.0.0"})
        deployed = served.deploy(third)
        assert deployed.returncode == 0, deployed.stderr
        assert served.versions() == {"3.0.0"}
        failed = served.deploy(broken)
        assert failed.returncode == 1
        assert "not a network that openvino can run" in failed.stderr
        assert served.versions() == {"3.0.0"}
        time.sleep(0.2)
    answered = {version for client in clients for version in client.versions}
    assert answered == before | {"2.0.0", "3.0.0"}
    assert all(client.versions[-1] == "3.0.0" for client in clients)
