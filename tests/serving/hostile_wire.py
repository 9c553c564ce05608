"""Hostile HTTP: heads, lengths, chunks, methods, paths, and what is asked of the answer."""

from __future__ import annotations

import json

from hostile import JSON, NDJSON, Case, Reply, Target, Wire, ask, chunked, get, head, post

_BODY = b'{"text": ""}'
_JSON = f"Content-Type: {JSON}"
_CHUNKED = head("POST /predict", _JSON, "Transfer-Encoding: chunked")
_HEAD = 16 * 1024
_INVALID = "Invalid HTTP request received."


def _raw(sent: str, data: bytes, answer: str = "400 plain", says: str = "", replies: int = 1, to: str = "") -> Case:
    return Case(sent, to, ask(data, replies=replies), answer, says or (_INVALID if answer == "400 plain" else ""))


def _lengths(sent: str, *headers: str, answer: str = "400 plain") -> Case:
    return _raw(sent, head("POST /predict", _JSON, *headers) + _BODY, answer, to="POST /predict")


def _cut(data: bytes) -> bytes:
    """The least that is too much for the parser: more than it reads would reset the connection before its answer."""
    return data[: _HEAD + 1]


HEADS = [
    _raw("garbage bytes", bytes(range(128, 256)) + b"\r\n\r\n"),
    _raw("the first bytes of TLS", bytes.fromhex("16030100c8010000c40303") + b"\r\n\r\n"),
    _raw("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "404 not-found"),
    _raw("HTTP/0.9", b"GET /healthz\r\n\r\n"),
    _raw("HTTP/9.9", b"GET /healthz HTTP/9.9\r\nHost: a\r\n\r\n", "200"),
    _raw("no host", b"GET /healthz HTTP/1.1\r\n\r\n"),
    _raw("two hosts", b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    _raw("a host that is no host", b"GET /nothing HTTP/1.1\r\nHost: [\r\n\r\n", "404 not-found", "GET /nothing"),
    _raw("a URL of 10,000 letters", b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", "404 not-found"),
    _raw("a URL that has not ended after 16 KiB", _cut(b"GET /" + b"a" * _HEAD)),
    _raw("a header that has not ended after 16 KiB", _cut(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"a" * _HEAD)),
    _raw(
        "headers that have not ended after 16 KiB", _cut(b"GET /healthz HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * _HEAD)
    ),
    _raw("1,000 headers", b"GET /healthz HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 1000 + b"\r\n", "200"),
    _raw("white space before a header's colon", b"GET /healthz HTTP/1.1\r\nHost: a\r\nX : a\r\n\r\n"),
    _raw("a header without a name", b"GET /healthz HTTP/1.1\r\nHost: a\r\n: a\r\n\r\n"),
    _raw("NUL in a header", b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
    _raw("a header of non-ASCII bytes", b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: \xff\xfe\xd9\x82\r\n\r\n", "200"),
    _raw("a query of non-ASCII bytes", b"GET /healthz?\xd9\x82 HTTP/1.1\r\nHost: a\r\n\r\n"),
    _raw("an upgrade to a web socket", head("GET /healthz", "Connection: Upgrade", "Upgrade: websocket"), "200"),
]


def _spoils_a_stream(target: Target) -> list[Reply | None]:
    with Wire(target) as wire:
        wire.send(head("POST /predict/stream", f"Content-Type: {NDJSON}", "Transfer-Encoding: chunked"))
        wire.send(chunked(b'{"text": ""}\n')[:-5])
        assert wire.read(12) == b"HTTP/1.1 200"
        wire.send(b"zz\r\n")
        rest = wire.rest()
        assert not rest.endswith(b"0\r\n\r\n")  # the client sees that the answer is not whole
        return [None]


LENGTHS = [
    _lengths("a negative length", "Content-Length: -1"),
    _lengths("a length with a plus", "Content-Length: +12"),
    _lengths("a length in hexadecimal", "Content-Length: 0xC"),
    _lengths("a length of 30 digits", f"Content-Length: {'9' * 30}"),
    _lengths("two lengths that differ", "Content-Length: 12", "Content-Length: 5"),
    _lengths("two lengths that are the same", "Content-Length: 12", "Content-Length: 12", answer="200"),
    _raw(
        "a length that is too short: the rest of the body is taken as the next request",
        head("POST /predict", _JSON, length=5) + _BODY + b"\r\n\r\n",
        "400 not-json, 400 plain",
        _INVALID,
        replies=2,
        to="POST /predict",
    ),
    Case(
        "a length that is too long: the rest never comes",
        "POST /predict",
        ask(head("POST /predict", _JSON, length=1000) + _BODY, replies=2),
        "408 request-timeout, nothing",
        small=True,
    ),
    _lengths("no length, and a body that is taken as the next request", answer="400 not-json"),
    _raw(
        "a length and `Transfer-Encoding: chunked`: the chunks count",
        head("POST /predict", _JSON, "Transfer-Encoding: chunked", length=5) + chunked(_BODY),
        "200",
        to="POST /predict",
    ),
    _lengths("a transfer coding that HTTP has not", "Transfer-Encoding: gzip, chunked"),
    _lengths("chunked twice", "Transfer-Encoding: chunked, chunked"),
    _raw("a chunk whose size is no number", _CHUNKED + b"zz\r\n" + _BODY, "400 plain", to="POST /predict"),
    _raw("a chunk whose size is negative", _CHUNKED + b"-c\r\n" + _BODY, "400 plain", to="POST /predict"),
    _raw("a chunk whose size has 21 digits", _CHUNKED + b"F" * 21 + b"\r\n" + _BODY, "400 plain", to="POST /predict"),
    Case(
        "a chunk of 2⁸⁰ bytes, declared",
        "POST /predict",
        ask(_CHUNKED + b"F" * 20 + b"\r\n" + _BODY),
        "408 request-timeout",
        small=True,
    ),
    _raw("a chunk that is longer than its size", _CHUNKED + b"2\r\n" + _BODY, "400 plain", to="POST /predict"),
    Case(
        "a bad chunk when the answer of a stream has begun: the connection ends, and the answer with it",
        "POST /predict/stream",
        _spoils_a_stream,
        "nothing",
    ),
    Case(
        "chunks without the last",
        "POST /predict",
        ask(_CHUNKED + chunked(_BODY)[:-5]),
        "408 request-timeout",
        small=True,
    ),
    _raw("chunks of a byte", _CHUNKED + chunked(*(bytes([byte]) for byte in _BODY)), "200", to="POST /predict"),
    _raw(
        "chunks with extensions and trailers",
        _CHUNKED + b"c;a=b\r\n" + _BODY + b"\r\n0\r\nX: y\r\n\r\n",
        "200",
        to="POST /predict",
    ),
]

METHODS = [
    Case("HEAD", "HEAD /predict", ask(head("HEAD /predict"), bodyless=True), "405 plain"),
    Case("OPTIONS", "OPTIONS /predict", ask(head("OPTIONS /predict")), "405 method-not-allowed"),
    Case("OPTIONS of everything", "OPTIONS *", ask(head("OPTIONS *")), "404 not-found"),
    Case(
        "TRACE, which would send back headers",
        "TRACE /predict",
        ask(head("TRACE /predict", "Authorization: a")),
        "405 method-not-allowed",
        "TRACE /predict",
    ),
    Case("CONNECT", "CONNECT", ask(head("CONNECT example.org:443")), "404 not-found"),
    Case("PUT", "PUT /annotations", ask(head("PUT /annotations", length=0)), "405 method-not-allowed"),
    Case("a method that there is not", "FROBNICATE /", ask(head("FROBNICATE /")), "405 method-not-allowed"),
    Case(
        "the URL of another host", "GET http://example.org/healthz", get("http://example.org/healthz"), "404 not-found"
    ),
    Case("a GET with a body", "GET /healthz", ask(head("GET /healthz", length=len(_BODY)), _BODY), "200"),
]


def _path(sent: str, path: str, answer: str = "404 not-found") -> Case:
    return Case(sent, f"`GET {path}`", get(path), answer)


PATHS = [
    _path("dots", "/static/../../settings.py"),
    _path("dots, encoded", "/static/%2e%2e/%2e%2e/settings.py"),
    _path("dots, with encoded slashes", "/static/..%2f..%2fsettings.py"),
    _path("dots, encoded twice", "/static/%252e%252e/settings.py"),
    _path("dots, overlong in UTF-8", "/static/%c0%ae%c0%ae/settings.py"),
    _path("backslashes", "/static/..\\..\\settings.py"),
    _path("NUL", "/static/app.js%00.html"),
    _path("an absolute path", "/static//etc/passwd"),
    _path("the page's own source", "/static/../routes.py"),
    _path("a newline, which ends no header", "/nothing%0d%0aSet-Cookie:%20a=b"),
    _path("a slash too many", "/predict/"),
]

ACCEPT = [
    Case("`Accept: text/html`", "POST /predict", post("/predict", _BODY, "Accept: text/html"), "406 not-acceptable"),
    Case("`Accept: */*;q=0`", "POST /predict", post("/predict", _BODY, "Accept: */*;q=0"), "406 not-acceptable"),
    Case('`Accept: ;;,/,"`', "POST /predict", post("/predict", _BODY, 'Accept: ;;,/,"'), "406 not-acceptable"),
    Case(
        "an Accept of 3,000 ranges", "POST /predict", post("/predict", _BODY, "Accept: " + "a/b," * 3000 + JSON), "200"
    ),
    Case(
        "an Accept of non-ASCII bytes, and JSON",
        "POST /predict",
        post("/predict", _BODY, "Accept: \xff/\xfe", f"Accept: {JSON}"),
        "200",
    ),
    Case(
        "an id that would break out of an IRI, as Turtle",
        "POST /predict",
        post(
            "/predict",
            json.dumps({"documents": [{"id": '> <a> "\\\n.', "text": "أ\x01"}]}).encode(),
            "Accept: text/turtle",
        ),
        "200",
    ),
    Case("`Expect: nonsense`", "POST /predict", post("/predict", _BODY, "Expect: nonsense"), "200"),
    Case(
        "`Expect: 100-continue`, and then the body",
        "POST /predict",
        ask(head("POST /predict", _JSON, "Expect: 100-continue", length=len(_BODY)), _BODY, replies=2),
        "100, 200",
    ),
]
