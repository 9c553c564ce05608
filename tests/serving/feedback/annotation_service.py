"""A service with nothing but the routes of annotations; run as a program, a process that can be killed."""

from __future__ import annotations

import socket
import sys

from fastapi import FastAPI

from serving.bodies import Limits
from serving.feedback.migrations import upgrade
from serving.feedback.routes import REQUEST_MODELS, annotation_routes
from serving.feedback.store import FeedbackStore
from serving.openapi import complete
from serving.problems import install_problems


def service(store: FeedbackStore, limits: Limits) -> FastAPI:
    app = FastAPI(generate_unique_id_function=lambda route: route.name, redirect_slashes=False)
    install_problems(app)
    app.include_router(annotation_routes(store, limits))
    complete(app, REQUEST_MODELS, {})
    return app


def main(url: str) -> None:
    """Serve on a free port, which is printed."""
    import uvicorn

    upgrade(url)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    app = service(FeedbackStore(url), Limits(documents=16, characters=10_000, body_bytes=1_000_000))
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1])
