from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from guard_app import guarded
from limits.storage import MemoryStorage
from problem_checks import problem
from starlette.testclient import TestClient

import serving.ratelimit
from serving.keys import KeyRing, create_key
from serving.ratelimit import RateLimit, parse_limits


class Clock:
    """Takes the place of time.time."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0  # a whole minute

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    return clock


def limited(limit: str, address: str = "192.0.2.1") -> TestClient:
    return TestClient(guarded(limit=limit), client=(address, 50000))


@pytest.mark.parametrize(
    "text", ["", "600", "600/mnute", "0/minute", "-1/minute", "1.5/minute", "600/minute;", "600/minute x", "x/minute"]
)
def test_a_bad_limit_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="is not a rate limit; write it like '600/minute'"):
        parse_limits(text)


def test_limits_are_parsed() -> None:
    items = parse_limits("10/second; 600/2 minutes")
    assert [(item.amount, item.get_expiry()) for item in items] == [(10, 1), (600, 120)]


def test_beyond_the_limit_it_is_429_until_there_is_room(clock: Clock) -> None:
    client = limited("3/minute")
    for left in ("2", "1"):
        response = client.post("/predict")
        assert response.status_code == 200
        assert response.headers["ratelimit-policy"] == '"minute";q=3;w=60'
        assert response.headers["ratelimit"] == f'"minute";r={left}'
    assert client.post("/predict").headers["ratelimit"].startswith('"minute";r=0;t=')
    response = client.post("/predict")
    assert problem(response, "rate-limited")["detail"] == "More than 3 per 1 minute; try again in 61 seconds."
    assert response.headers["retry-after"] == "61"
    assert response.headers["ratelimit"] == '"minute";r=0;t=61'
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("limit", ["1/second", "3/minute", "7/minute", "5/10 seconds", "2/second; 3/minute"])
@pytest.mark.parametrize("step", [0.0, 0.3, 1.0, 7.7])
def test_after_retry_after_it_is_answered(clock: Clock, limit: str, step: float) -> None:
    client = limited(limit)
    refused = 0
    for _ in range(60):
        clock.now += step
        response = client.post("/predict")
        if response.status_code == 429:
            refused += 1
            clock.now += int(response.headers["retry-after"])
            assert client.post("/predict").status_code == 200
    assert refused or step > 1


def test_no_more_than_the_limit_in_any_window_at_a_steady_rate(clock: Clock) -> None:
    client = limited("6/minute")
    answered = []
    for _ in range(240):
        clock.now += 1
        if client.post("/predict").status_code == 200:
            answered.append(clock.now)
    for start in answered:
        # the window before counts as if it were evenly filled: that is at most a request or two off
        assert sum(start <= moment < start + 60 for moment in answered) <= 8
    assert len(answered) >= 20


def test_with_two_limits_what_one_refuses_does_not_count_for_the_other(clock: Clock) -> None:
    client = limited("1/second; 3/minute")
    for _ in range(5):
        client.post("/predict")
    clock.now += 2
    response = client.post("/predict")
    assert response.status_code == 200
    assert response.headers["ratelimit"].endswith('"minute";r=1')
    assert response.headers["ratelimit-policy"] == '"second";q=1;w=1, "minute";q=3;w=60'


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/static/a.js"])
def test_health_and_static_files_are_exempt(clock: Clock, path: str) -> None:
    client = limited("1/minute")
    assert client.post("/predict").status_code == 200
    for _ in range(3):
        response = client.get(path)
        assert response.status_code == 200
        assert "ratelimit" not in response.headers
    assert client.get("/metrics").status_code == 404
    assert client.post("/predict").status_code == 429


def test_a_stream_of_many_documents_is_one_request(clock: Clock) -> None:
    def lines() -> Iterator[bytes]:
        for _ in range(50):
            yield b"{}\n"

    client = limited("2/minute")
    response = client.post("/predict/stream", content=lines())
    assert len(response.text.splitlines()) == 50
    assert response.headers["ratelimit"] == '"minute";r=1'


def test_addresses_are_counted_apart_and_networks_of_ipv6_together(clock: Clock) -> None:
    app = guarded(limit="1/minute")

    def ask(address: str) -> int:
        return TestClient(app, client=(address, 50000)).post("/predict").status_code

    assert [ask(address) for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1")] == [200, 200, 429]
    assert ask("::ffff:192.0.2.1") == 429
    assert [ask(address) for address in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")] == [200, 429, 200]
    assert [ask("fe80::1%eth0"), ask("fe80::2%eth0")] == [200, 429]
    assert [ask(""), ask("")] == [200, 429]


def test_keys_are_counted_apart_wherever_they_come_from(clock: Clock, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    one, other = (create_key(file, name, ["predict"]) for name in ("one", "other"))
    app = guarded(KeyRing(file), required=True, limit="1/minute")

    def ask(secret: str, address: str) -> int:
        client = TestClient(app, client=(address, 50000))
        return client.post("/predict", headers={"X-API-Key": secret}).status_code

    assert [ask(one, "192.0.2.1"), ask(other, "192.0.2.1"), ask(one, "192.0.2.2")] == [200, 200, 429]
    assert [ask("wrong", "192.0.2.3") for _ in range(3)] == [401] * 3


def test_memory_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving.ratelimit, "MAX_COUNTERS", 100)
    limit = RateLimit(guarded(), parse_limits("5/minute"))
    for number in range(1000):
        assert limit._windows.hit(limit._limits[0], f"address:{number}")
    storage = limit._windows.storage
    assert isinstance(storage, MemoryStorage)
    assert len(storage.storage) == len(storage.expirations) == 100
    assert not storage.locks
    assert not storage.events
    clock.now += 121
    assert limit._windows.hit(limit._limits[0], "address:new")
    assert len(storage.storage) == len(storage.expirations) == 1
