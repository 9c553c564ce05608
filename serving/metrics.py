"""What Prometheus is told: requests, queue, batches, sentences, the model, annotations, and the process.

The numbers of an app are its own. With several worker processes, PROMETHEUS_MULTIPROC_DIR names a directory that they
share, in which case there is one app a process, and `GET /metrics` of any of them answers for all: counters, histograms
and the queue are added up; `musnad_model_info` is there for each model that some worker serves; process metrics have a
label `pid`. The directory must be empty when the service starts, and the variable set before Python does
(`metrics_directory` sees to both).
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
from anyio import to_thread
from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, values
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.middleware import Passage, method_name, route_template

_log = logging.getLogger(__name__)

#: The environment variable that names the directory of several workers' numbers.
DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
#: Seconds for which a count of annotations is good, and that counting may keep `GET /metrics` waiting.
ANNOTATIONS_SECONDS = 15.0
ANNOTATIONS_PATIENCE = 1.0

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_SENTENCES = (1, 2, 4, 8, 16, 24, 32, 48, 64, 128, 256)
_MODEL = "musnad_model_info"


class MetricsError(RuntimeError):
    """The directory of several workers' numbers cannot be used."""


@contextmanager
def metrics_directory() -> Iterator[Path]:
    """Set PROMETHEUS_MULTIPROC_DIR for processes that are started meanwhile; numbers of earlier ones are removed there.

    Where it is set already, that directory is made if missing; otherwise one is made, and removed at the end.
    Raises MetricsError.
    """
    if named := os.environ.get(DIRECTORY):
        directory = Path(named)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            for file in directory.glob("*.db"):
                file.unlink()
        except OSError as error:
            raise MetricsError(f"{DIRECTORY}: {directory}: {error.strerror}") from None
        yield directory
        return
    with TemporaryDirectory(prefix="musnad-metrics-") as made:
        os.environ[DIRECTORY] = made
        try:
            yield Path(made)
        finally:
            del os.environ[DIRECTORY]


def _directory() -> Path | None:
    """The directory that several workers share; None in a single process. Raises MetricsError."""
    named = os.environ.get(DIRECTORY)
    multiprocess = bool(getattr(values.ValueClass, "_multiprocess", False))
    if multiprocess != bool(named):
        raise MetricsError(f"{DIRECTORY} must be set before Python starts, and stay; or not be set at all")
    if named and not os.path.isdir(named):
        raise MetricsError(f"{DIRECTORY}: {named}: there is no such directory")
    return Path(named) if named else None


class Metrics:
    """The numbers of one app. `waiting` returns the sentences in its queue; raises MetricsError.

    What changes the numbers is quick and may be called in any thread.
    """

    def __init__(
        self,
        waiting: Callable[[], int] | None = None,
        count_annotations: Callable[[], Mapping[str, int]] | None = None,
    ) -> None:
        """`count_annotations` returns annotations by status; it is called in a thread, every now and then."""
        self._waiting = waiting
        self._directory = _directory()
        self._annotations = _Annotations(count_annotations)
        self._scraped = CollectorRegistry()
        registry = None if self._directory else self._scraped
        self._requests = Counter(
            "musnad_requests", "Requests that were answered.", ["route", "method", "status"], registry=registry
        )
        self._seconds = Histogram(
            "musnad_request_seconds", "Seconds from a request to the end of its answer.", ["route"],
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self._queue = Gauge(
            "musnad_queue_sentences", "Sentences that wait.", multiprocess_mode="livesum", registry=registry
        )
        self._batch = Histogram(
            "musnad_batch_sentences", "Sentences of a batch.", buckets=_SENTENCES, registry=registry
        )
        self._sentences = Counter("musnad_sentences", "Sentences that the network has seen.", registry=registry)
        self._tokens = Counter("musnad_tokens", "Tokens (pieces) that it has seen, without padding.", registry=registry)
        self._model = Gauge(
            _MODEL, "1 for the model that serves.", ["name", "version"],
            multiprocess_mode="livemax", registry=registry,
        )  # fmt: skip
        self._reloads = Counter(
            "musnad_model_reloads", "Exchanges of the model that were begun.", ["outcome"], registry=registry
        )
        for outcome in ("done", "failed"):
            self._reloads.labels(outcome)  # 0 from the start, so that the first failure is an increase
        self._serving: tuple[str, str] | None = None
        self._scraped.register(self._annotations)
        if self._directory is None:
            ProcessCollector(registry=self._scraped)
        else:
            self._scraped.register(_Workers(self._directory))

    def observe_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Account for a request; `route` is a template, and `method` one of a few."""
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        self._note_queue()

    def observe_batch(self, sentences: int, tokens: int) -> None:
        """Account for a batch: its sentences, and their tokens without padding."""
        self._batch.observe(sentences)
        self._sentences.inc(sentences)
        self._tokens.inc(tokens)
        self._note_queue()

    def serve_model(self, name: str, version: str) -> None:
        """Say which model serves from now on."""
        if (name, version) == self._serving:
            return
        self._model.labels(name, version).set(1)
        if self._serving is not None:
            self._model.labels(*self._serving).set(0)  # 0 is left out of what is told
        self._serving = (name, version)

    def observe_reload(self, done: bool) -> None:
        """Account for an exchange of the model that was begun: done, or failed, so that the old one serves."""
        self._reloads.labels("done" if done else "failed").inc()

    def _note_queue(self) -> None:
        # several processes cannot ask each other: each writes down its queue when something has happened
        if self._waiting is not None:
            self._queue.set(self._waiting())

    async def scrape(self, accept: str = "") -> tuple[bytes, str]:
        """Return everything in the form that an Accept header asks for, and its content type."""
        await self._annotations.refresh()
        self._note_queue()
        encoder, content_type = choose_encoder(accept)
        return await to_thread.run_sync(lambda: encoder(_Told(self._scraped))), content_type


class _Told(Collector):
    """What a registry has, without the models that no longer serve."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            if metric.name == _MODEL:
                metric.samples = [sample for sample in metric.samples if sample.value]
            yield metric


class _Workers(Collector):
    """The numbers of the processes that share a directory; gauges of the dead are forgotten."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: Collector = MultiProcessCollector(None, str(directory))  # type: ignore[no-untyped-call]

    def collect(self) -> Iterator[Metric]:
        names = {file.stem.rpartition("_")[2] for file in self._directory.glob("*.db")}
        pids = {int(name) for name in names if name.isdecimal()}
        alive = {pid for pid in pids if _is_alive(pid)}
        for pid in pids - alive:
            mark_process_dead(pid, str(self._directory))  # type: ignore[no-untyped-call]
        yield from self._files.collect()
        yield from _processes(sorted(alive))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _processes(pids: Iterable[int]) -> Iterable[Metric]:
    """The metrics of processes, each sample with its `pid`."""
    merged: dict[str, Metric] = {}
    for pid in pids:
        for metric in ProcessCollector(pid=partial(int, pid), registry=None).collect():
            into = merged.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type))
            for sample in metric.samples:
                into.add_sample(sample.name, {**sample.labels, "pid": str(pid)}, sample.value)
    return merged.values()


class _Annotations(Collector):
    """Annotations by status, as they were counted last: in a thread, seldom, and never waited for for long."""

    def __init__(self, count: Callable[[], Mapping[str, int]] | None) -> None:
        self._count = count
        self._counted: Mapping[str, int] = {}
        self._due = 0.0
        self._counting = anyio.CapacityLimiter(1)

    async def refresh(self) -> None:
        """Count again if it is time to; what takes too long is there the next time."""
        if self._count is None or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + ANNOTATIONS_SECONDS
        with anyio.move_on_after(ANNOTATIONS_PATIENCE):
            await to_thread.run_sync(self._refresh, abandon_on_cancel=True, limiter=self._counting)

    def _refresh(self) -> None:
        assert self._count is not None
        try:
            self._counted = dict(self._count())
        except Exception:
            _log.exception("the annotations cannot be counted")

    def collect(self) -> Iterator[Metric]:
        if self._count is not None:
            family = GaugeMetricFamily("musnad_annotations", "Annotations by status.", labels=["status"])
            for status, count in self._counted.items():
                family.add_metric([status], count)
            yield family


class RequestMetrics:
    """Middleware: accounts for every request."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        passage = Passage(receive, send)
        begun = time.perf_counter()
        try:
            await passage.through(self._app, scope)
        finally:
            seconds = time.perf_counter() - begun
            status = passage.outcome(passage.error)
            self._metrics.observe_request(route_template(scope), method_name(scope), status, seconds)


def metrics_routes(metrics: Metrics) -> APIRouter:
    """Return the route `GET /metrics`."""
    router = APIRouter()

    @router.get(
        "/metrics",
        summary="Metrics for Prometheus",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Metrics."}},
    )
    async def read_metrics(request: Request) -> Response:
        body, content_type = await metrics.scrape(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": content_type})

    return router
