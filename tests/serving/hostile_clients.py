"""Clients that do not do their part: slow, silent, or gone."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence

from hostile import JSON, NDJSON, Case, Reply, Target, Wire, answered, ask, chunked, head

_BODY = b'{"text": ""}'
_JSON = f"Content-Type: {JSON}"
_PREDICT = head("POST /predict", _JSON, length=len(_BODY)) + _BODY
_HEALTH = head("GET /healthz")
_CHUNKED = head("POST /predict", _JSON, "Transfer-Encoding: chunked")


def _waits_for_leave(target: Target) -> list[Reply | None]:
    with Wire(target) as wire:
        wire.send(head("POST /predict", _JSON, "Expect: 100-continue", length=len(_BODY)))
        first = wire.reply()
        wire.send(_BODY)
        return [first, wire.reply()]


def _dribbles(target: Target) -> list[Reply | None]:
    with Wire(target) as wire:
        wire.send(head("POST /predict", _JSON, length=1000), b"{")
        wire.socket.settimeout(0.05)
        while True:
            try:
                wire.socket.recv(1, socket.MSG_PEEK)
                break
            except TimeoutError:
                wire.send(b" ")
        wire.socket.settimeout(60)
        return [wire.reply(), wire.reply()]


def _never_ends(target: Target) -> list[Reply | None]:
    """Chunk upon chunk, until the answer comes."""
    with Wire(target) as wire:
        wire.send(_CHUNKED)
        for _ in range(100):
            wire.send(b"1000\r\n" + b" " * 4096 + b"\r\n")
        return [wire.reply()]


def _leaves_in_its_body(target: Target) -> list[Reply | None]:
    for abruptly in (False, True):
        wire = Wire(target).send(head("POST /predict", _JSON, length=1000), b"{")
        wire.close(abruptly=abruptly)
    return [None]


def _leaves_in_the_answer(target: Target) -> list[Reply | None]:
    body = json.dumps({"documents": [{"id": "a" * 4_000_000, "text": ""}]}).encode()
    wire = Wire(target).send(head("POST /predict", _JSON, length=len(body)), body)
    assert wire.read(12) == b"HTTP/1.1 200"
    wire.close(abruptly=True)
    return [None]


def _leaves_a_stream(target: Target) -> list[Reply | None]:
    line = json.dumps({"text": "قال الوزير"}).encode() + b"\n"
    wire = Wire(target).send(head("POST /predict/stream", f"Content-Type: {NDJSON}", "Transfer-Encoding: chunked"))
    wire.send(chunked(line * 100)[:-5])
    assert wire.read(12) == b"HTTP/1.1 200"
    wire.close(abruptly=True)
    return [None]


def _leaves_the_queue(target: Target) -> list[Reply | None]:
    """Two clients keep the network busy, and a third leaves while it waits; the replies are of the two."""
    network = target.extractor.fake
    body = json.dumps({"text": "قال الوزير"}).encode()
    request = head("POST /predict", _JSON, length=len(body)) + body
    target.service.until(lambda: target.service.waiting == 0)
    with Wire(target) as before:  # when it is answered, nothing of earlier clients is at work
        assert answered([before.send(request).reply()]) == "200"
    while network.entered.acquire(blocking=False):
        pass
    network.open.clear()
    try:
        with Wire(target) as first, Wire(target) as second:
            for wire in (first, second):
                wire.send(request)
                assert network.entered.acquire(timeout=60)
            with Wire(target) as third:
                third.send(request)
                target.service.until(lambda: target.service.waiting == 1)
            target.service.until(lambda: target.service.waiting == 0)
            network.open.set()
            return [first.reply(), second.reply()]
    finally:
        network.open.set()


def _says_nothing(target: Target) -> list[Reply | None]:
    """A hundred connections that send half a head, while another asks."""
    silent = [Wire(target).send(b"POST /predict HTT") for _ in range(100)]
    with Wire(target) as wire:
        reply = wire.send(_HEALTH).reply()
    for other in silent:
        other.close()
    return [reply]


def _closes_its_side(target: Target) -> list[Reply | None]:
    with Wire(target) as wire:
        wire.send(_PREDICT)
        wire.socket.shutdown(socket.SHUT_WR)
        return [wire.reply()]


def _goes_on_after_errors(target: Target) -> list[Reply | None]:
    requests: Sequence[bytes] = [
        head("POST /predict", _JSON, length=2) + b"{]",
        head("POST /predict", "Content-Type: text/plain", length=9_000_000) + b" " * 9_000_000,
        head("GET /nothing", length=5) + b"GET /",
        _PREDICT,
    ]
    with Wire(target) as wire:
        return [wire.send(request).reply() for request in requests]


CLIENTS = [
    Case("a client that waits for leave to send its body", "POST /predict", _waits_for_leave, "100, 200"),
    Case(
        "a body that comes byte by byte, too slowly",
        "POST /predict",
        _dribbles,
        "408 request-timeout, nothing",
        small=True,
    ),
    Case("a body without end", "POST /predict", _never_ends, "413 too-large", small=True),
    Case("clients that leave while they send", "POST /predict", _leaves_in_its_body, "nothing"),
    Case("a client that leaves while it is answered", "POST /predict", _leaves_in_the_answer, "nothing"),
    Case("a client that leaves while a stream is answered", "POST /predict/stream", _leaves_a_stream, "nothing"),
    Case(
        "a client that leaves while its text waits; the answers are those of two others",
        "POST /predict",
        _leaves_the_queue,
        "200, 200",
    ),
    Case("a hundred clients that begin a request, and a whole one", "GET /healthz", _says_nothing, "200"),
    Case("a client that closes its side when all is sent", "POST /predict", _closes_its_side, "nothing"),
    Case(
        "five requests at once over one connection",
        "GET /healthz, POST /predict",
        ask(_HEALTH + _PREDICT + _HEALTH + _PREDICT + _HEALTH, replies=5),
        "200, 200, 200, 200, 200",
    ),
    Case(
        "a good request after three bad ones over one connection",
        "POST /predict",
        _goes_on_after_errors,
        "400 not-json, 415 unsupported-media-type, 404 not-found, 200",
    ),
]
