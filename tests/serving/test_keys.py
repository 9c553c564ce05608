from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import os
import re
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from guard_app import guarded
from problem_checks import problem
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from typer.testing import CliRunner

from serving.authorization import Authorization, key_ring, scope_of
from serving.key_commands import app as commands
from serving.keys import KeyRing, KeysError, create_key, keys_required, read_keys, revoke_key


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def secrets(file: Path) -> dict[str, str]:
    """A key of each scope, and one of all."""
    scopes = {name: [name] for name in ("predict", "annotate", "admin")}
    return {name: create_key(file, name, scopes[name]) for name in scopes} | {
        "all": create_key(file, "all", ["admin", "annotate", "predict"])
    }


@pytest.fixture
def client(file: Path, secrets: dict[str, str], clock: Clock) -> Iterator[TestClient]:
    with TestClient(guarded(KeyRing(file, clock), required=True)) as client:
        yield client


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


# ---------------------------------------------------------------------------------------------------------------------
# Whether keys are needed


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.8.9.10", "::1", "[::1]", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "localhost", "LocalHost."],
)
def test_loopback_needs_no_keys(host: str) -> None:
    assert not keys_required(host, "auto")
    assert keys_required(host, "yes")


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "", "10.0.0.1", "128.0.0.1", "::ffff:10.0.0.1", "fe80::1", "localhost.example", "news", "127.1"],
)
def test_everything_else_does(host: str) -> None:
    assert keys_required(host, "auto")
    assert not keys_required(host, "no")


def test_an_unknown_setting_is_an_error() -> None:
    with pytest.raises(ValueError, match="require_keys is 'maybe'; it should be auto, yes or no"):
        keys_required("127.0.0.1", "maybe")


def test_required_keys_need_a_file(file: Path) -> None:
    assert key_ring(None, required=False) is None
    with pytest.raises(KeysError, match="MUSNAD_KEYS_FILE"):
        key_ring(None, required=True)
    with pytest.raises(KeysError, match=r"keys\.json: cannot be read: No such file"):
        key_ring(file, required=False)
    with pytest.raises(ValueError, match="there are none"):
        Authorization(guarded(), None, required=True)


# ---------------------------------------------------------------------------------------------------------------------
# The file


def test_a_key_is_32_random_bytes_and_only_its_hash_is_kept(file: Path) -> None:
    secret = create_key(file, "news", ["annotate", "predict", "predict"])
    assert re.fullmatch(r"msn_[A-Za-z0-9_-]{43}", secret)
    assert len(base64.urlsafe_b64decode(secret.removeprefix("msn_") + "=")) == 32
    assert secret != create_key(file, "other", ["predict"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert secret not in file.read_text()
    key = read_keys(file)[0]
    assert (key.name, key.scopes) == ("news", ("predict", "annotate"))
    assert key.sha256 == hashlib.sha256(secret.encode()).hexdigest()
    assert set(json.loads(file.read_text())["keys"][0]) == {"name", "scopes", "created", "sha256"}


def test_a_change_replaces_the_file_behind_a_link_and_leaves_nothing_else(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(file)
    create_key(link, "news", ["predict"])
    before = file.stat().st_ino
    create_key(link, "other", ["predict"])
    assert file.stat().st_ino != before
    assert link.is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys.json", "link.json"]


def test_a_write_that_fails_leaves_the_old_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create_key(file, "news", ["predict"])
    before = file.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(KeysError, match="cannot be written: No space left"):
        create_key(file, "other", ["predict"])
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_keys_made_at_the_same_time_are_all_kept(file: Path) -> None:
    threads = [threading.Thread(target=create_key, args=(file, f"key-{n}", ["predict"])) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {key.name for key in read_keys(file)} == {f"key-{n}" for n in range(8)}


def test_names_and_scopes_are_checked(file: Path) -> None:
    create_key(file, "news", ["predict"])
    with pytest.raises(KeysError, match="there is a key 'news' already"):
        create_key(file, "news", ["admin"])
    for name in ("", "a b", "a\n", "خبر", "x" * 65):
        with pytest.raises(KeysError, match="name: not 1 to 64 of"):
            create_key(file, name, ["predict"])
    for scopes in ([], ["read"], ["predict", "root"]):
        with pytest.raises(KeysError, match="scope: not one or more of predict, annotate, admin"):
            create_key(file, "other", scopes)
    with pytest.raises(KeysError, match="there is no key 'other'"):
        revoke_key(file, "other")
    with pytest.raises(KeysError, match="No such file"):
        create_key(file.parent / "missing" / "keys.json", "news", ["predict"])


GOOD = {"name": "a", "scopes": ["predict"], "created": "2026-01-01T00:00:00+00:00", "sha256": "0" * 64}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not JSON"),
        ('{"keys": [', "not JSON"),
        (b"\xff", "not JSON in UTF-8"),
        ("[]", "not an object"),
        ('{"keys": {}}', "not an object with the one field"),
        ('{"keys": [], "more": 1}', "not an object with the one field"),
        ([1], r"keys\[0\]: not an object with the fields"),
        ([{**GOOD, "key": "x"}], r"keys\[0\]: not an object with the fields created, name, scopes, sha256"),
        ([{**GOOD, "name": 1}], r"keys\[0\]\.name: not"),
        ([{**GOOD, "scopes": "predict"}], r"keys\[0\]\.scopes: not one or more"),
        ([{**GOOD, "scopes": []}], r"keys\[0\]\.scopes: not one or more"),
        ([{**GOOD, "scopes": [["predict"]]}], r"keys\[0\]\.scopes: not one or more"),
        ([{**GOOD, "created": "today"}], r"keys\[0\]\.created: not a date"),
        ([{**GOOD, "sha256": "0" * 63}], r"keys\[0\]\.sha256: not 64"),
        ([GOOD, {**GOOD, "sha256": "1" * 64}], r"keys\[1\]: its name or hash comes twice"),
        ([GOOD, {**GOOD, "name": "b"}], r"keys\[1\]: its name or hash comes twice"),
    ],
)
def test_a_broken_file_says_what_is_wrong(file: Path, content: Any, message: str) -> None:
    if isinstance(content, list):
        content = json.dumps({"keys": content})
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(KeysError, match=message) as raised:
        read_keys(file)
    assert str(file) in str(raised.value)


# ---------------------------------------------------------------------------------------------------------------------
# Requests


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/", None),
        ("/healthz", None),
        ("/readyz", None),
        ("/openapi.json", None),
        ("/static/app.js", None),
        ("/predict", "predict"),
        ("/predict/stream", "predict"),
        ("/model", "predict"),
        ("/labelstudio", "predict"),
        ("/labelstudio/health", "predict"),
        ("/labelstudios", "admin"),
        ("/annotations", "annotate"),
        ("/annotations/7", "annotate"),
        ("/admin/model", "admin"),
        ("/metrics", "admin"),
        ("/static", "admin"),
        ("/predictor", "admin"),
        ("//predict", "admin"),
        ("/healthz/", "admin"),
        ("/unknown", "admin"),
        ("", "admin"),
    ],
)
def test_scopes_of_paths(path: str, scope: str | None) -> None:
    assert scope_of(path) == scope


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/openapi.json", "/static/a.js"])
def test_open_paths_are_open_whatever_comes_with_them(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200
    assert client.get(path, headers=bearer("wrong")).status_code == 200


def test_a_key_opens_its_scope_and_no_other(client: TestClient, secrets: dict[str, str]) -> None:
    paths = {"predict": "/model", "annotate": "/annotations", "admin": "/admin/model"}
    for wanted, path in paths.items():
        method = "POST" if wanted == "admin" else "GET"
        for name, secret in secrets.items():
            response = client.request(method, path, headers=bearer(secret))
            if name in (wanted, "all"):
                assert response.status_code == 200
            else:
                assert problem(response, "forbidden")["detail"] == f"The key '{name}' lacks the scope '{wanted}'."


def test_unknown_paths_are_for_admins(client: TestClient, secrets: dict[str, str]) -> None:
    problem(client.get("/unknown"), "unauthorized")
    problem(client.get("/unknown", headers=bearer(secrets["predict"])), "forbidden")
    problem(client.get("/unknown", headers=bearer(secrets["admin"])), "not-found")


def test_either_header_and_both_if_they_agree(client: TestClient, secrets: dict[str, str]) -> None:
    secret = secrets["predict"]
    for headers in (
        bearer(secret),
        {"X-API-Key": secret},
        {"authorization": f"bearer  {secret} "},
        {**bearer(secret), "X-API-Key": secret},
        {"Authorization": "Basic dXNlcjpwYXNz", "X-API-Key": secret},
    ):
        assert client.get("/model", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "Send a key as `Authorization: Bearer KEY` or `X-API-Key: KEY`."),
        ({"X-API-Key": ""}, "This is not a key of this service."),
        ({"Authorization": "Bearer"}, "This is not a key of this service."),
        ({"Authorization": "Bearer msn_wrong"}, "This is not a key of this service."),
        ({"Authorization": "Bearer \xff\xfe"}, "This is not a key of this service."),
        ({"Authorization": "Basic dXNlcjpwYXNz"}, "The scheme of the Authorization header is not Bearer."),
        ({"Authorization": "Bearer a", "X-API-Key": "b"}, "The request has two different keys; send one."),
    ],
)
def test_without_a_key_it_is_401(client: TestClient, headers: dict[str, str], detail: str) -> None:
    raw = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    response = client.get("/model", headers=raw)
    assert problem(response, "unauthorized")["detail"] == detail
    assert response.headers["www-authenticate"] == "Bearer"


def test_the_hash_in_the_file_is_not_a_key(client: TestClient, file: Path) -> None:
    for key in read_keys(file):
        problem(client.get("/model", headers=bearer(key.sha256)), "unauthorized")


def test_a_path_under_a_root_path_is_the_path(file: Path, secrets: dict[str, str]) -> None:
    with TestClient(guarded(KeyRing(file), required=True), root_path="/api") as client:
        assert client.get("/api/healthz").status_code == 200
        problem(client.get("/api/model"), "unauthorized")
        problem(client.post("/api/admin/model", headers=bearer(secrets["predict"])), "forbidden")


def test_a_web_socket_is_refused(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/predict"):
        pass


def test_the_body_of_a_refused_request_is_not_read(file: Path, secrets: dict[str, str]) -> None:
    def body() -> Iterator[bytes]:
        yield b"x"
        raise AssertionError("read")

    with TestClient(guarded(KeyRing(file), required=True)) as client:
        problem(client.post("/predict", content=body()), "unauthorized")


def test_every_key_is_compared_whichever_it_is(
    client: TestClient, secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []
    compare = hmac.compare_digest

    def counted(one: str, other: str) -> bool:
        compared.append(one)
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", counted)
    for secret in ("wrong", secrets["predict"], secrets["all"]):
        compared.clear()
        client.get("/model", headers=bearer(secret))
        assert len(compared) == len(secrets)


def test_where_keys_are_not_required_nobody_is_refused(file: Path, secrets: dict[str, str]) -> None:
    for app in (guarded(KeyRing(file)), guarded()):
        with TestClient(app) as client:
            for headers in ({}, bearer("wrong"), bearer(secrets["predict"]), {"Authorization": "Basic eA=="}):
                assert client.post("/admin/model", headers=headers).status_code == 200


# ---------------------------------------------------------------------------------------------------------------------
# Changes while the service runs


def test_changes_are_known_within_a_second(client: TestClient, file: Path, clock: Clock) -> None:
    secret = create_key(file, "late", ["predict"])
    problem(client.get("/model", headers=bearer(secret)), "unauthorized")
    clock.now = 1.0
    assert client.get("/model", headers=bearer(secret)).status_code == 200
    revoke_key(file, "late")
    assert client.get("/model", headers=bearer(secret)).status_code == 200
    clock.now = 2.0
    problem(client.get("/model", headers=bearer(secret)), "unauthorized")


def test_the_file_is_looked_at_once_a_second(
    client: TestClient, clock: Clock, secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    monkeypatch.setattr(KeyRing, "_look", lambda self: looks.append(clock.now))
    for now in (0.5, 0.9, 1.1, 1.2, 2.0, 2.2, 9.0):
        clock.now = now
        client.get("/model", headers=bearer(secrets["predict"]))
    assert looks == [1.1, 2.2, 9.0]


def test_a_broken_file_leaves_the_keys_and_is_logged_once(
    client: TestClient, file: Path, clock: Clock, secrets: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    good = file.read_bytes()
    for broken in ("{", None):
        if broken is None:
            file.unlink()
        else:
            file.write_text(broken)
        caplog.clear()
        for _ in range(3):
            clock.now += 1
            assert client.get("/model", headers=bearer(secrets["predict"])).status_code == 200
        [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
        assert "the API keys stay as they were" in record.getMessage()
        assert str(file) in record.getMessage()
    file.write_bytes(good)
    revoke_key(file, "predict")
    clock.now += 1
    problem(client.get("/model", headers=bearer(secrets["predict"])), "unauthorized")
    assert client.get("/model", headers=bearer(secrets["all"])).status_code == 200


def test_a_file_without_keys_refuses_everybody(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    file.write_text('{"keys": []}')
    with TestClient(guarded(KeyRing(file), required=True)) as client:
        problem(client.get("/model", headers=bearer("x")), "unauthorized")
    assert "holds no keys" in caplog.text


# ---------------------------------------------------------------------------------------------------------------------
# Commands


def test_commands(file: Path) -> None:
    run = CliRunner().invoke
    made = run(commands, ["create", "news", "--scope", "predict", "--scope", "annotate", "--file", str(file)])
    assert made.exit_code == 0
    assert re.fullmatch(r"msn_[A-Za-z0-9_-]{43}\n", made.stdout)
    assert made.stdout.strip() not in made.stderr
    listed = run(commands, ["list"], env={"MUSNAD_KEYS_FILE": str(file)})
    [key] = read_keys(file)
    assert listed.stdout == f"news\tpredict,annotate\t{key.created}\n"
    again = run(commands, ["create", "news", "--scope", "admin", "--file", str(file)])
    assert (again.exit_code, again.stdout) == (2, "")
    assert again.stderr.startswith(f"musnad: {file}: there is a key 'news' already")
    assert run(commands, ["revoke", "news", "--file", str(file)]).exit_code == 0
    assert read_keys(file) == ()
    missing = run(commands, ["revoke", "news", "--file", str(file)])
    assert missing.exit_code == 2
    assert "there is no key 'news'" in missing.stderr
    nowhere = run(commands, ["list", "--file", str(file.parent / "none.json")])
    assert nowhere.exit_code == 2
    assert "No such file" in nowhere.stderr
