from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from fastapi import FastAPI
from guard_app import guarded
from prometheus_client import values
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from starlette.testclient import TestClient

import serving.metrics
from serving.metrics import DIRECTORY, Metrics, MetricsError, metrics_directory


def parsed(text: str, parse: Callable[[str], object] = parse_text) -> dict[str, float]:
    """Samples as `name{label=value,…}`, in the order of their labels."""
    samples = {}
    for family in parse(text):  # type: ignore[attr-defined]
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            name = f"{sample.name}{{{labels}}}"
            assert name not in samples
            samples[name] = sample.value
    return samples


def scraped(metrics: Metrics) -> dict[str, float]:
    return parsed(asyncio.run(metrics.scrape())[0].decode())


def test_requests_by_route_method_and_status() -> None:
    metrics = Metrics()
    client = TestClient(guarded(metrics=metrics))
    for _ in range(2):
        client.post("/predict")
    client.patch("/annotations/1")
    client.patch("/annotations/2")
    client.get("/busy")
    client.get("/fail")
    client.get("/predict")
    samples = scraped(metrics)
    assert {name: value for name, value in samples.items() if name.startswith("musnad_requests_total")} == {
        "musnad_requests_total{method=POST,route=/predict,status=200}": 2,
        "musnad_requests_total{method=PATCH,route=/annotations/{id},status=200}": 2,
        "musnad_requests_total{method=GET,route=/busy,status=503}": 1,
        "musnad_requests_total{method=GET,route=/fail,status=500}": 1,
        "musnad_requests_total{method=GET,route=/predict,status=405}": 1,
    }
    assert samples["musnad_request_seconds_count{route=/predict}"] == 3
    assert samples["musnad_request_seconds_bucket{le=+Inf,route=/annotations/{id}}"] == 2


def test_unknown_paths_and_methods_make_one_series() -> None:
    metrics = Metrics()
    client = TestClient(guarded(metrics=metrics))
    for number in range(20):
        client.request(f"BREW{number}", f"/missing/{number}")
    names = [name for name in scraped(metrics) if name.startswith("musnad_requests_total")]
    assert names == ["musnad_requests_total{method=other,route=unmatched,status=404}"]


def test_batches() -> None:
    metrics = Metrics()
    metrics.observe_batch(3, 40)
    metrics.observe_batch(32, 900)
    samples = scraped(metrics)
    assert samples["musnad_sentences_total{}"] == 35
    assert samples["musnad_tokens_total{}"] == 940
    assert samples["musnad_batch_sentences_count{}"] == 2
    assert samples["musnad_batch_sentences_sum{}"] == 35
    assert samples["musnad_batch_sentences_bucket{le=4.0}"] == 1


def test_the_queue_is_as_long_as_it_is_when_asked() -> None:
    waiting = 7
    metrics = Metrics(waiting=lambda: waiting)
    assert scraped(metrics)["musnad_queue_sentences{}"] == 7
    waiting = 0
    assert scraped(metrics)["musnad_queue_sentences{}"] == 0


def test_the_model_changes_when_another_is_loaded() -> None:
    metrics = Metrics()

    def models() -> dict[str, float]:
        return {name: value for name, value in scraped(metrics).items() if name.startswith("musnad_model_info")}

    assert models() == {}
    metrics.serve_model("default", "1")
    metrics.serve_model("default", "1")
    assert models() == {"musnad_model_info{name=default,version=1}": 1}
    metrics.serve_model("default", "2")
    assert models() == {"musnad_model_info{name=default,version=2}": 1}
    metrics.serve_model("default", "1")
    assert models() == {"musnad_model_info{name=default,version=1}": 1}


def test_the_process_is_there() -> None:
    samples = scraped(Metrics())
    assert samples["process_resident_memory_bytes{}"] > 1_000_000
    assert samples["process_open_fds{}"] > 0
    assert samples["process_cpu_seconds_total{}"] > 0


def test_apps_in_one_process_have_numbers_of_their_own() -> None:
    one, other = Metrics(), Metrics()
    TestClient(guarded(metrics=one)).post("/predict")
    TestClient(guarded(metrics=other))
    one.serve_model("a", "1")
    other.serve_model("b", "1")
    assert "musnad_requests_total{method=POST,route=/predict,status=200}" in scraped(one)
    assert not [name for name in scraped(other) if name.startswith("musnad_requests")]
    assert "musnad_model_info{name=a,version=1}" not in scraped(other)


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "text/plain; version=0.0.4; charset=utf-8"),
        ("text/html", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text;version=1.0.0", "application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ],
)
def test_the_route_answers_in_the_form_that_is_asked_for(accept: str | None, content_type: str) -> None:
    metrics = Metrics(count_annotations=lambda: {"pending": 1})
    metrics.serve_model("default", "1")
    client = TestClient(guarded(metrics=metrics))
    client.get("/missing")
    response = client.get("/metrics", headers={} if accept is None else {"accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith(content_type)
    samples = parsed(response.text, parse_openmetrics if "openmetrics" in content_type else parse_text)
    assert samples["musnad_annotations{status=pending}"] == 1
    assert samples["musnad_model_info{name=default,version=1}"] == 1
    assert samples["musnad_requests_total{method=GET,route=unmatched,status=404}"] == 1


# ---------------------------------------------------------------------------------------------------------------------
# Annotations


def test_annotations_are_counted_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[Mapping[str, int]] = [{"pending": 3, "accepted": 1}, {"pending": 4, "accepted": 1}]
    calls = []

    def count() -> Mapping[str, int]:
        calls.append(threading.current_thread())
        return counts[len(calls) - 1]

    metrics = Metrics(count_annotations=count)
    for _ in range(3):
        samples = scraped(metrics)
        assert samples["musnad_annotations{status=pending}"] == 3
        assert samples["musnad_annotations{status=accepted}"] == 1
    assert len(calls) == 1
    assert calls[0] is not threading.main_thread()
    metrics._annotations._due = 0.0
    assert scraped(metrics)["musnad_annotations{status=pending}"] == 4


def test_annotations_that_cannot_be_counted_are_logged_and_the_rest_is_told(caplog: pytest.LogCaptureFixture) -> None:
    def count() -> Mapping[str, int]:
        raise OSError("no database")

    samples = scraped(Metrics(count_annotations=count))
    assert "musnad_queue_sentences{}" in samples
    assert not [name for name in samples if name.startswith("musnad_annotations")]
    assert "the annotations cannot be counted" in caplog.text


def test_a_database_that_hangs_does_not_keep_the_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving.metrics, "ANNOTATIONS_PATIENCE", 0.01)
    freed = threading.Event()

    def count() -> Mapping[str, int]:
        assert freed.wait(60)
        return {"pending": 1}

    async def both() -> bytes:
        metrics = Metrics(count_annotations=count)
        body, _ = await metrics.scrape()
        freed.set()
        while b"pending" not in (await metrics.scrape())[0]:
            await asyncio.sleep(0.01)
        return body

    assert b"pending" not in asyncio.run(both())


# ---------------------------------------------------------------------------------------------------------------------
# Several processes


class Worker:
    """A process of `metrics_worker.py`."""

    def __init__(self) -> None:
        here = Path(__file__).parent
        self._process = subprocess.Popen(
            [sys.executable, here / "metrics_worker.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": f"{here.parents[1]}:{here}"},
        )
        self.pid = self._process.pid

    def tell(self, command: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(command, file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline())
        assert isinstance(answer, str)
        return answer

    def end(self) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        return self._process.wait(60)


@pytest.fixture
def workers() -> Iterator[list[Worker]]:
    with metrics_directory():
        started = [Worker(), Worker()]
        yield started
        for worker in started:
            worker.end()


def test_either_process_answers_for_both(workers: list[Worker]) -> None:
    one, other = workers
    for worker, model, queue in ((one, "model default 1", 3), (other, "model default 2", 4)):
        worker.tell(model)
        worker.tell("request")
        worker.tell(f"queue {queue}")
    other.tell("request")
    ours = "musnad_requests_total{method=POST,route=/predict,status=200}"
    for worker in workers:
        samples = parsed(worker.tell("scrape"))
        assert samples[ours] == 3
        assert samples["musnad_request_seconds_count{route=/predict}"] == 3
        assert samples["musnad_queue_sentences{}"] == 7
        assert samples["musnad_batch_sentences_sum{}"] == 7
        assert samples["musnad_tokens_total{}"] == 20
        assert samples["musnad_annotations{status=pending}"] == 5
        assert samples["musnad_model_info{name=default,version=1}"] == 1
        assert samples["musnad_model_info{name=default,version=2}"] == 1
        for pid in (one.pid, other.pid):
            assert samples[f"process_resident_memory_bytes{{pid={pid}}}"] > 1_000_000

    one.tell("model default 2")
    assert "musnad_model_info{name=default,version=1}" not in parsed(other.tell("scrape"))

    assert one.end() == 0
    samples = parsed(other.tell("scrape"))
    assert samples["musnad_queue_sentences{}"] == 4
    assert samples[ours] == 3  # what was answered, was
    assert f"process_resident_memory_bytes{{pid={one.pid}}}" not in samples


def test_the_directory_is_made_emptied_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DIRECTORY, raising=False)
    with metrics_directory() as made:
        assert os.environ[DIRECTORY] == str(made)
        assert made.is_dir()
    assert not made.exists()
    assert DIRECTORY not in os.environ
    named = tmp_path / "a" / "b"
    monkeypatch.setenv(DIRECTORY, str(named))
    for _ in range(2):
        with metrics_directory() as directory:
            assert directory == named
            assert not list(named.iterdir())
            (named / "counter_1.db").write_bytes(b"old")
    (tmp_path / "file").touch()
    monkeypatch.setenv(DIRECTORY, str(tmp_path / "file"))
    with pytest.raises(MetricsError, match=r"PROMETHEUS_MULTIPROC_DIR: .*file: "), metrics_directory():
        pass


def test_a_directory_that_comes_too_late_or_is_not_there_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DIRECTORY, str(tmp_path))
    with pytest.raises(MetricsError, match="must be set before Python starts"):
        Metrics()
    monkeypatch.setattr(values.ValueClass, "_multiprocess", True)
    monkeypatch.setenv(DIRECTORY, str(tmp_path / "missing"))
    with pytest.raises(MetricsError, match="there is no such directory"):
        Metrics()


def test_the_route_is_described() -> None:
    app: FastAPI = guarded(metrics=Metrics())
    described = app.openapi()["paths"]["/metrics"]["get"]["responses"]["200"]["content"]
    assert list(described) == ["text/plain"]
