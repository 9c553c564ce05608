"""The service on a real socket, in a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2 as httpx
import uvicorn

from model.extractor import Extractor
from serving.app import create_app
from serving.server import listen
from serving.settings import Settings


@dataclass
class Live:
    """A running service."""

    port: int
    server: uvicorn.Server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def waiting(self) -> int:
        """Sentences in the queue, as /metrics tells."""
        text = httpx.get(f"{self.url}/metrics").text
        return int(
            float(next(line for line in text.splitlines() if line.startswith("musnad_queue_sentences")).split()[1])
        )

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds."""
        for _ in range(3000):
            if condition():
                return
            time.sleep(0.01)
        raise AssertionError("it never came to be")


@contextmanager
def live(extractor: Extractor | Callable[[], Extractor], settings: Settings) -> Iterator[Live]:
    """Run the service until the context ends."""
    listener = listen("127.0.0.1", 0)
    app = create_app(extractor, settings)
    config = uvicorn.Config(
        app,
        # as `serving.server` has it
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    running = Live(listener.getsockname()[1], server)
    try:
        running.until(lambda: server.started)
        yield running
    finally:
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive()
