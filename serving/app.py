"""The HTTP service: put together from its routes, its middlewares and its settings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import PackageNotFoundError, version

import anyio
from anyio import to_thread
from fastapi import FastAPI
from pydantic import BaseModel

from model.extractor import Extractor
from serving.authorization import Authorization, key_ring
from serving.batching import Batcher, BatchLimits
from serving.bodies import Limits
from serving.examples import ANSWER, MODEL, RELOADED
from serving.feedback import routes as feedback
from serving.feedback.migrations import upgrade
from serving.feedback.store import FeedbackStore
from serving.headers import SecurityHeaders, install_cors
from serving.inference import Inference
from serving.keys import keys_required
from serving.labelstudio import routes as labelstudio
from serving.labelstudio.examples import ANSWERS as LABEL_STUDIO_ANSWERS
from serving.loading import load_extractor
from serving.logs import RequestLog
from serving.metrics import Metrics, RequestMetrics, metrics_routes
from serving.middleware import Failures
from serving.openapi import complete
from serving.page.routes import page_routes
from serving.predict_routes import predict_routes
from serving.problems import install_problems
from serving.ratelimit import RateLimit, parse_limits
from serving.reload import Reloader
from serving.schemas import PredictRequest, ReloadRequest
from serving.settings import Settings
from serving.status_routes import admin_routes, status_routes
from serving.tracing import install_tracing

_DESCRIPTION = """\
Who did what to whom, and how many: entities and (actor, action, target) triples from Arabic news.

All offsets are `[start, end)` in the text that was sent, which comes back unchanged; they count Unicode code points,
unless the request asks for other units. Errors are problem details (RFC 9457): `type` names the kind, `errors` the
fields at fault.
"""


def create_app(extractor: Extractor | Callable[[], Extractor], settings: Settings | None = None) -> FastAPI:
    """Return the service with an extractor, or with what loads one while the service is up and `GET /readyz` is 503.

    Raises KeysError, ValueError, TracingError, or what the database raises, where the settings cannot be met.
    """
    settings = Settings() if settings is None else settings
    limits = Limits(
        settings.max_documents,
        settings.max_characters,
        settings.max_body_bytes,
        settings.body_timeout_s,
        settings.max_bodies_bytes,
    )
    store = None
    if settings.database_url is not None:
        upgrade(settings.database_url)
        store = FeedbackStore(settings.database_url)
    metrics = Metrics(lambda: inference.waiting, None if store is None else store.count_by_status)
    batch = BatchLimits(settings.batch_sentences, settings.batch_tokens, settings.batch_wait_ms / 1000)

    def batcher(of: Extractor) -> Batcher:
        return Batcher(
            of, batch, settings.queue_sentences, settings.batches_at_a_time or of.network.calls, metrics.observe_batch
        )

    inference = Inference(extractor, batcher, lambda info: metrics.serve_model(info.name, info.version))
    reloader = Reloader(
        inference,
        partial(load_extractor, **settings.network),
        settings.state_dir,
        settings.checkpoint,
        metrics.observe_reload,
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with anyio.create_task_group() as group:
            if isinstance(extractor, Extractor):
                await inference.load()
            else:
                group.start_soon(inference.load)
            group.start_soon(reloader.follow)
            yield
            group.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await inference.close()
            if store is not None:
                await to_thread.run_sync(store.close)
            if stop_tracing is not None:
                await to_thread.run_sync(stop_tracing)

    app = FastAPI(
        title="Musnad",
        version=own_version(),
        description=_DESCRIPTION,
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
        redirect_slashes=False,
        docs_url=None,  # its scripts come from elsewhere, and no request of ours leaves the host
        redoc_url=None,
    )
    install_problems(app)
    bodies: list[type[BaseModel]] = [PredictRequest, ReloadRequest, *labelstudio.REQUEST_MODELS]
    app.include_router(predict_routes(inference, limits, settings.request_timeout_s))
    app.include_router(labelstudio.labelstudio_routes(inference, limits, settings.request_timeout_s))
    app.include_router(status_routes(inference))
    app.include_router(admin_routes(reloader, limits))
    app.include_router(metrics_routes(metrics))
    if store is not None:
        app.include_router(feedback.annotation_routes(store, limits))
        bodies += feedback.REQUEST_MODELS
    app.include_router(page_routes())

    # the last that is added is the first that a request comes to
    app.add_middleware(Failures)
    if settings.rate_limit is not None:
        app.add_middleware(RateLimit, limits=parse_limits(settings.rate_limit))
    required = keys_required(settings.host, settings.require_keys)
    app.add_middleware(Authorization, keys=key_ring(settings.keys_file, required), required=required)
    install_cors(app, settings.cors_origins)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestMetrics, metrics=metrics)
    stop_tracing = install_tracing(app, own_version()) if settings.tracing else None
    app.add_middleware(RequestLog)

    answers = {
        "/predict": ANSWER,
        "/model": MODEL,
        "/healthz": {"status": "ok"},
        "/readyz": {"status": "ready"},
        "/admin/model": RELOADED,
        **LABEL_STUDIO_ANSWERS,
    }
    complete(app, bodies, answers)
    return app


def own_version() -> str:
    """The version of the distribution; 0 in a source tree that is not installed."""
    try:
        return version("musnad")
    except PackageNotFoundError:
        return "0"
