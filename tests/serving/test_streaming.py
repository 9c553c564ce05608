"""`POST /predict/stream` over a real socket, because the body is read while the answer is sent."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from fake_extractor import FakeExtractor
from live import Live, live
from problem_checks import problem
from starlette.testclient import TestClient

from serving.settings import Settings

HEAD = (
    b"POST /predict/stream%b HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
    b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
)


@pytest.fixture
def service(extractor: FakeExtractor) -> Iterator[Live]:
    with live(extractor, Settings(max_characters=1000, max_body_bytes=4000, database_url=None)) as running:
        yield running


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


class Stream:
    """A request whose body is sent bit by bit, and whose answer is read line by line."""

    def __init__(self, service: Live, query: bytes = b"") -> None:
        self.socket = socket.create_connection(("127.0.0.1", service.port), timeout=60)
        self.socket.sendall(HEAD % query)
        self._file = self.socket.makefile("rb")
        self._begun = False

    def send(self, *values: object) -> None:
        self.socket.sendall(b"".join(chunk(line(value)) for value in values))

    def end(self) -> None:
        self.socket.sendall(b"0\r\n\r\n")

    def answer(self) -> dict[str, Any] | None:
        """The next line of the answer, in a chunk of its own; None at its end."""
        if not self._begun:
            assert self._file.readline() == b"HTTP/1.1 200 OK\r\n"
            while self._file.readline().strip():
                pass
            self._begun = True
        size = int(self._file.readline(), 16)
        data = self._file.read(size + 2)[:-2]
        return json.loads(data) if data else None


def test_each_line_is_answered_while_the_body_goes_on(service: Live) -> None:
    stream = Stream(service)
    for text in ("قال الوزير", "قصف الجيش 😀", ""):
        stream.send({"id": text or None, "text": text})
        answer = stream.answer()
        assert answer is not None
        assert answer["text"] == text
    stream.end()
    assert stream.answer() is None


def test_answers_keep_the_order_of_the_lines(service: Live, extractor: FakeExtractor) -> None:
    stream = Stream(service)
    texts = [" ".join(["كلمة"] * (1 + (7 * number) % 50)) for number in range(200)]
    for number, text in enumerate(texts):
        stream.send({"id": str(number), "text": text})
    stream.end()
    answers = [stream.answer() for _ in texts]
    assert [(own["id"], own["text"]) for own in answers if own] == [(str(n), text) for n, text in enumerate(texts)]
    assert stream.answer() is None
    assert max(rows for rows, _ in extractor.fake.batches) > 1


def test_bad_lines_are_answered_in_their_place(service: Live) -> None:
    stream = Stream(service)
    bad = [b"nonsense\n", b'{"text": 5}\n', b"\xff\n", b"\n", b'{"text": "\\ud800"}\n', b'{"text": "\\u0000"}\n']
    bad += [b'{"text": "' + b"a" * 1001 + b'"}\n', b'"' + b"a" * 5000 + b'"\n']
    for data in bad:
        stream.socket.sendall(chunk(data))
    stream.socket.sendall(chunk(b'{"text": "last"}'))
    stream.end()
    answers = []
    while (answer := stream.answer()) is not None:
        answers.append(answer)
    kinds = [(own["line"], own["error"]["type"].rpartition(":")[2], own["error"]["errors"]) for own in answers[:-1]]
    assert [kind[:2] for kind in kinds] == [
        (1, "not-json"),
        (2, "invalid-request"),
        (3, "not-json"),
        (5, "invalid-request"),
        (6, "invalid-request"),
        (7, "invalid-request"),
        (8, "too-large"),
    ]
    assert kinds[1][2] == [{"field": "text", "message": "not a string"}]
    assert kinds[5][2] == [{"field": "text", "message": "1,001 characters; a text may have 1,000"}]
    assert answers[-1]["text"] == "last"


def test_options_are_in_the_query(service: Live) -> None:
    stream = Stream(service, b"?include=triples&include=actions&offsets=byte&classes=OTHER,AID&min_score=0.1")
    stream.send({"text": "قصف الجيش"})
    answer = stream.answer()
    assert answer is not None
    assert set(answer) == {"id", "text", "sentences", "actions", "triples"}
    assert answer["actions"][0]["end"] == len("قصف".encode())
    stream.end()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("labels=PERSON", "labels[0]"),
        ("min_score=x", "min_score"),
        ("min_score=2", "min_score"),
        ("offsets=char", "offsets"),
        ("offsets=byte&offsets=byte", "offsets"),
        ("text=a", "text"),
        ("include=entities,x", "include[1]"),
    ],
)
def test_wrong_options_are_named(client: TestClient, query: str, field: str) -> None:
    headers = {"content-type": "application/x-ndjson"}
    details = problem(client.post(f"/predict/stream?{query}", content=b"", headers=headers), "invalid-request")
    assert [error["field"] for error in details["errors"]] == [field]


def test_a_stream_declares_json_lines(client: TestClient) -> None:
    headers = {"content-type": "application/json"}
    problem(client.post("/predict/stream", content=b"", headers=headers), "unsupported-media-type")


def test_an_empty_stream_has_an_empty_answer(client: TestClient) -> None:
    response = client.post("/predict/stream", content=b"\n \n", headers={"content-type": "application/x-ndjson"})
    assert (response.status_code, response.content) == (200, b"")


def test_what_the_client_does_not_read_is_not_worked_on(service: Live, extractor: FakeExtractor) -> None:
    stream = Stream(service)
    stream.socket.settimeout(3)
    data = b"".join(chunk(line({"text": "كلمة " * 190, "ignored": "x" * 2000})) for _ in range(20))

    def send_all() -> None:
        for _ in range(3_000):
            stream.socket.sendall(data)

    with pytest.raises(TimeoutError):
        send_all()
    assert sum(rows for rows, _ in extractor.fake.batches) < 20_000


def test_a_client_that_leaves_takes_its_documents_along(service: Live, extractor: FakeExtractor) -> None:
    extractor.fake.open.clear()
    stream = Stream(service)
    stream.send(*({"text": f"قال {number}"} for number in range(50)))
    assert extractor.fake.entered.acquire(timeout=60)
    stream.socket.close()
    stream._file.close()
    service.until(lambda: service.waiting == 0)
    extractor.fake.open.set()
