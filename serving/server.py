"""Running the service: one process, or several workers behind one socket, until it is told to stop."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import ExitStack, suppress
from tempfile import TemporaryDirectory

import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from model.console import say
from model.extractor import Extractor, directory_of, read_config
from serving.app import create_app
from serving.authorization import key_ring
from serving.checkpoints import locate
from serving.feedback.migrations import upgrade
from serving.keys import keys_required
from serving.loading import load_to_serve
from serving.logs import configure_logs
from serving.metrics import metrics_directory
from serving.settings import PREFIX, Settings

#: Where the parent tells its workers the address that it listens on, which only it knows where port 0 was asked for.
_ADDRESS = "_MUSNAD_ADDRESS"


def serve(settings: Settings, listener: socket.socket) -> bool:
    """Serve on a socket until a signal comes; return whether a model was there to serve.

    Raises CheckpointError (with several workers, before they start), and what `create_app` raises (likewise).
    """
    configure_logs(settings.log_format, settings.log_level)
    return _serve_alone(settings, listener) if settings.workers == 1 else _serve_with_workers(settings, listener)


def _serve_alone(settings: Settings, listener: socket.socket) -> bool:
    failed = False

    def load() -> Extractor:
        nonlocal failed
        try:
            return _load(settings, _address(listener))
        except Exception:
            failed = True
            server.should_exit = True
            raise

    server = uvicorn.Server(_config(settings, create_app(load, settings)))
    # when all is done, uvicorn raises the signal that stopped it once more, and SIGTERM would end this as a failure
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    return not failed


def _serve_with_workers(settings: Settings, listener: socket.socket) -> bool:
    check_settings(settings)
    _export(settings)
    with ExitStack() as stack:
        if settings.state_dir is None:
            folder = stack.enter_context(TemporaryDirectory(prefix="musnad-workers-"))
            os.environ[f"{PREFIX}STATE_DIR"] = folder
        stack.enter_context(metrics_directory())
        os.environ[_ADDRESS] = _address(listener)
        config = _config(settings, "serving.server:worker")
        parent = Multiprocess(config, sockets=[listener])
        with suppress(KeyboardInterrupt):
            parent.run()
        return all(process.exitcode != STARTUP_FAILURE for process in parent.processes)


def check_settings(settings: Settings) -> None:
    """Raise what each worker would raise: it would only log it, and be started again and again.

    The database's tables are made, or brought up to date. Raises CheckpointError, KeysError, or what the database does.
    """
    read_config(locate(directory_of(settings.checkpoint)).directory)
    key_ring(settings.keys_file, keys_required(settings.host, settings.require_keys))
    if settings.database_url is not None:
        upgrade(settings.database_url)


def worker() -> FastAPI:
    """The app of one of several workers, with the settings of the environment that the parent left."""
    settings = Settings()
    configure_logs(settings.log_format, settings.log_level)
    return create_app(lambda: _load(settings, os.environ[_ADDRESS]), settings)


def _config(settings: Settings, app: FastAPI | str) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=settings.workers,
        # those that this was tested with; uvicorn would take others where something else has installed them
        loop="asyncio",
        http="h11",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=settings.shutdown_timeout_s,
    )


def _load(settings: Settings, address: str) -> Extractor:
    """Load the checkpoint, and say on standard error that it serves."""
    extractor = load_to_serve(settings.checkpoint, **settings.network)
    say(f"{extractor.info.name} {extractor.info.version} on {address}")
    return extractor


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; raises OSError."""
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listener = socket.create_server(address[:2], family=family, backlog=2048)
    # connections inherit it; asyncio would set it on sockets that name their protocol, which this one does not, and
    # an answer's body would wait up to 40 ms for the client to acknowledge its head
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _export(settings: Settings) -> None:
    """Put the settings into the environment, for the workers."""
    for name, value in settings.model_dump(mode="json", exclude_none=True).items():
        os.environ[PREFIX + name.upper()] = ",".join(value) if isinstance(value, list) else str(value)
