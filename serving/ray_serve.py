"""The service on Ray Serve (extra `ray-serve`): replicas, each with a model, behind Ray's proxies (docs/ray_serve.md).

    serve run serving.ray_serve:application replicas=2 checkpoint=/srv/models

The checkpoint is loaded and tested before anything is exchanged, and again by each replica before it takes requests.
Where that fails, the replicas of the deployment before go on.
"""
# without `from __future__ import annotations`: Ray looks at the annotation of `application`, and takes no string for it

import logging
import os
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from ray import serve
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from model.extractor import is_name
from serving.app import create_app
from serving.loading import load_extractor, load_to_serve
from serving.logs import configure_logs
from serving.middleware import route_path
from serving.problems import Problem, problem_response
from serving.selftest import self_test
from serving.server import check_settings
from serving.settings import PREFIX, BadSettingsError, Settings, read_settings, strangers

_log = logging.getLogger(__name__)

#: Requests at a replica at a time, and those that wait at each proxy. By default Ray hands on five, too few to batch;
#: what is too much for a replica it refuses itself, by sentences.
_REQUESTS = 512
#: Times that the start of a replica is tried before the deployment has failed: a checkpoint does not mend itself.
_TRIES = 3
#: The settings that Ray has in its own hands, and what to use instead.
_RAYS = {
    "host": "Ray's proxies listen: say it to `serve start`, or under http_options",
    "port": "Ray's proxies listen: say it to `serve start`, or under http_options",
    "workers": "use the argument `replicas`",
    "threads": "use the argument `cpus`",
    "state_dir": "replicas take another model when they are deployed anew, or follow a registry",
}


class Arguments(BaseModel):
    """What `serve run` and a configuration of Serve give; all else is set by MUSNAD_* variables."""

    model_config = ConfigDict(extra="forbid")

    replicas: int = Field(default=2, ge=1, description="Processes, each with a model.")
    cpus: int = Field(default=1, ge=1, description="Cores that a replica reserves, and that its network uses.")
    checkpoint: Path | None = Field(default=None, description="Instead of MUSNAD_CHECKPOINT; the same on all machines.")
    max_surge_percent: int = Field(
        default=0,
        ge=0,
        le=100,
        description="Replicas, in percent, that a rolling reload may start before it stops old ones, where there are "
        "cores for them; 0 stops one first.",
    )


def application(arguments: Arguments) -> serve.Application:
    """Return the service as an application of Ray Serve, with the settings of this process's environment.

    Raises BadSettingsError, CheckpointError, SelfTestError, KeysError, or what the database does, where these cannot be
    met.
    """
    # `serve run` starts a cluster after this where there is none; nothing is told to anyone
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    for message in strangers(os.environ):
        _log.warning("%s", message)
    settings = replica_settings(arguments)
    check_settings(settings)
    self_test(load_extractor(settings.checkpoint, **settings.network))
    deployment = serve.deployment(
        Replica,
        name="musnad",
        num_replicas=arguments.replicas,
        ray_actor_options={"num_cpus": arguments.cpus},
        max_ongoing_requests=_REQUESTS,
        max_queued_requests=_REQUESTS,
        max_constructor_retry_count=_TRIES,
        max_surge_percent=arguments.max_surge_percent,
        graceful_shutdown_timeout_s=settings.shutdown_timeout_s,
        logging_config={"enable_access_log": False},  # the service has its own
    )
    return deployment.bind(settings)


def replica_settings(arguments: Arguments) -> Settings:
    """Return the settings of a replica: those of the environment, with what is not so behind Ray's proxies changed.

    Keys are required unless MUSNAD_REQUIRE_KEYS says no, since a replica cannot tell where the proxies listen;
    annotations are off unless MUSNAD_DATABASE_URL is set. Raises BadSettingsError.
    """
    settings = read_settings(checkpoint=arguments.checkpoint)
    if wrong := [f"{PREFIX}{name.upper()}: {_RAYS[name]}" for name in _RAYS if name in settings.model_fields_set]:
        raise BadSettingsError("; ".join(wrong))
    if settings.require_keys == "auto" and settings.keys_file is None:
        raise BadSettingsError(
            f"{PREFIX}KEYS_FILE: requests need API keys behind Ray's proxies, wherever these listen: make one with "
            f"`musnad keys create`, or set {PREFIX}REQUIRE_KEYS=no to let everybody in"
        )
    return settings.model_copy(
        update={
            "threads": arguments.cpus,
            "require_keys": "yes" if settings.require_keys == "auto" else settings.require_keys,
            "database_url": _shared_database(settings),
            "checkpoint": _elsewhere(settings.checkpoint),
            "keys_file": _absolute(settings.keys_file),
        }
    )


def _shared_database(settings: Settings) -> str | None:
    """The database that is set, which all replicas must share; none by default. Raises BadSettingsError."""
    url = settings.database_url if "database_url" in settings.model_fields_set else None
    if url is not None and url.startswith("sqlite"):
        raise BadSettingsError(
            f"{PREFIX}DATABASE_URL: SQLite is a file of one machine, and replicas may run on several: use PostgreSQL"
        )
    return url


def _elsewhere(checkpoint: Path | None) -> Path | None:
    """A checkpoint as a replica finds it: a path that means the same there, or the name of one that ships."""
    return checkpoint if checkpoint is None or is_name(checkpoint) else _absolute(checkpoint)


def _absolute(path: Path | None) -> Path | None:
    """A path that means the same in a replica, which runs in another directory; links are left for it to follow."""
    return None if path is None else path.absolute()


@serve.ingress()
class Replica:
    """One process of the service; to make it raises where its model cannot serve."""

    def __init__(self, settings: Settings) -> None:
        configure_logs(settings.log_format, settings.log_level)
        extractor = load_to_serve(settings.checkpoint, **settings.network)
        self_test(extractor)
        self._service = create_app(extractor, settings)
        # innermost, so that it is logged, counted and asked for its key as everything is
        self._service.user_middleware.append(Middleware(NoExchange))

    def __serve_build_asgi_app__(self) -> FastAPI:
        return self._service

    async def check_health(self) -> None:
        """Raise where the service says that no model serves; Ray then replaces this replica, or does not begin."""
        if (status := await _status(self._service, "/readyz")) != 200:
            raise RuntimeError(f"GET /readyz is {status}")


class NoExchange:
    """Middleware: refuses `POST /admin/model`, which would exchange the model of one replica and of no other."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and route_path(scope) == "/admin/model":
            detail = "Behind Ray Serve a model is exchanged by deploying anew, or by the registry that is followed."
            await problem_response(Problem("not-found", detail))(scope, receive, send)
        else:
            await self._app(scope, receive, send)


async def _status(app: ASGIApp, path: str) -> int:
    """The status of the app's answer to a GET without headers."""
    statuses = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": [],
    }  # fmt: skip
    await app(scope, receive, send)
    return int(statuses[0])
