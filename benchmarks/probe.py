"""One request after the other from a process that does nothing else, so that its clock is not kept waiting."""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Probe:
    """The status of an answer, and the seconds until all of it was there."""

    status: int
    seconds: float


def probe(parent: Connection, url: str, method: str, path: str, body: bytes | None, pause: float) -> None:
    """Ask, pause, and ask again until the parent says something; then send it the answers as a list of Probe."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    headers = {} if body is None else {"Content-Type": "application/json"}
    connection.connect()
    parent.send(None)
    found = []
    while not parent.poll(pause):
        begun = time.perf_counter()
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        response.read()
        found.append(Probe(response.status, time.perf_counter() - begun))
    parent.recv()
    parent.send(found)
