"""Deadlines, full queues, clients that leave, and the end of the service."""

from __future__ import annotations

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx2 as httpx
import pytest
from fake_extractor import FakeExtractor
from live import Live, live
from problem_checks import problem

from serving.settings import Settings


def post(service: Live, text: str) -> httpx.Response:
    return httpx.post(f"{service.url}/predict", json={"text": text}, timeout=60)


def test_a_full_queue_refuses_at_once_and_recovers(extractor: FakeExtractor) -> None:
    extractor.fake.open.clear()
    settings = Settings(queue_sentences=3, batches_at_a_time=1, database_url=None)
    with live(extractor, settings) as service, ThreadPoolExecutor(8) as pool:
        running = pool.submit(post, service, "قال")
        assert extractor.fake.entered.acquire(timeout=60)
        waiting = [pool.submit(post, service, f"قال {number}") for number in range(3)]
        service.until(lambda: service.waiting == 3)
        refused = post(service, "قال")
        assert problem(refused, "overloaded")["status"] == 503
        assert refused.headers["retry-after"] == "1"
        assert httpx.get(f"{service.url}/healthz").status_code == 200
        extractor.fake.open.set()
        assert [own.result().status_code for own in (running, *waiting)] == [200] * 4
        assert post(service, "قال").status_code == 200


def test_a_stream_waits_where_a_request_is_refused(extractor: FakeExtractor) -> None:
    extractor.fake.open.clear()
    settings = Settings(queue_sentences=2, batches_at_a_time=1, batch_sentences=1, database_url=None)
    body = b"".join(json.dumps({"text": f"a {number}"}).encode() + b"\n" for number in range(20))
    headers = {"content-type": "application/x-ndjson"}
    with live(extractor, settings) as service, ThreadPoolExecutor(1) as pool:
        url = f"{service.url}/predict/stream"
        answer = pool.submit(httpx.post, url, content=body, headers=headers, timeout=60)
        assert extractor.fake.entered.acquire(timeout=60)
        service.until(lambda: service.waiting == 2)
        extractor.fake.open.set()
        texts = [json.loads(line)["text"] for line in answer.result().text.splitlines()]
    assert texts == [f"a {number}" for number in range(20)]


def test_an_answer_that_takes_too_long_is_given_up(extractor: FakeExtractor) -> None:
    extractor.fake.open.clear()
    settings = Settings(request_timeout_s=1, batches_at_a_time=1, database_url=None)
    with live(extractor, settings) as service:
        assert problem(post(service, "قال"), "deadline")["status"] == 504
        assert problem(post(service, "ما زال"), "deadline")["status"] == 504
        service.until(lambda: service.waiting == 0)
        extractor.fake.open.set()
        assert post(service, "قال").status_code == 200


def test_a_document_that_holds_up_a_stream_is_given_up(extractor: FakeExtractor) -> None:
    extractor.fake.open.clear()
    settings = Settings(request_timeout_s=1, batches_at_a_time=1, batch_sentences=1, database_url=None)
    body = b"".join(json.dumps({"text": text}).encode() + b"\n" for text in ("a", "b", "c"))
    headers = {"content-type": "application/x-ndjson"}
    answers = []
    with live(extractor, settings) as service:
        with httpx.stream("POST", f"{service.url}/predict/stream", content=body, headers=headers, timeout=60) as answer:
            for line in answer.iter_lines():
                answers.append(json.loads(line))
                if len(answers) == 2:
                    extractor.fake.open.set()
        service.until(lambda: service.waiting == 0)
        assert post(service, "قال").status_code == 200
    assert [own.get("line") for own in answers] == [1, 2, None]
    assert {own["error"]["type"] for own in answers[:2]} == {"urn:musnad:problem:deadline"}
    assert answers[2]["text"] == "c"


def test_a_body_that_takes_too_long_is_given_up(extractor: FakeExtractor) -> None:
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    with (
        live(extractor, Settings(body_timeout_s=0.2, database_url=None)) as service,
        socket.create_connection(("127.0.0.1", service.port), timeout=60) as slow,
    ):
        slow.sendall(head + b"{")
        answer = slow.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"urn:musnad:problem:request-timeout" in answer


def test_bodies_have_so_much_room_in_all(extractor: FakeExtractor) -> None:
    extractor.fake.open.clear()
    settings = Settings(max_bodies_bytes=2000, batches_at_a_time=1, database_url=None)
    with live(extractor, settings) as service, ThreadPoolExecutor(1) as pool:
        first = pool.submit(post, service, "a" * 1500)
        assert extractor.fake.entered.acquire(timeout=60)
        assert problem(post(service, "a" * 1500), "overloaded")["detail"] == "Too many bodies wait to be read."
        extractor.fake.open.set()
        assert first.result().status_code == 200
        assert post(service, "a" * 1500).status_code == 200


@pytest.mark.parametrize("sentences", [1, 40])
def test_a_client_that_leaves_is_not_worked_for(extractor: FakeExtractor, sentences: int) -> None:
    extractor.fake.open.clear()
    with live(extractor, Settings(batches_at_a_time=1, database_url=None)) as service, ThreadPoolExecutor(1) as pool:
        first = pool.submit(post, service, "أول")
        assert extractor.fake.entered.acquire(timeout=60)
        body = json.dumps({"text": "قال الوزير.\n" * sentences}).encode()
        with socket.create_connection(("127.0.0.1", service.port), timeout=60) as leaver:
            head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            leaver.sendall(head % len(body) + body)
            service.until(lambda: service.waiting == sentences)
        service.until(lambda: service.waiting == 0)
        extractor.fake.open.set()
        assert first.result().status_code == 200
    assert sum(rows for rows, _ in extractor.fake.batches) == 1


def test_what_was_begun_is_finished_at_the_end(extractor: FakeExtractor) -> None:
    extractor.fake.open.clear()
    with ThreadPoolExecutor(1) as pool:
        with live(extractor, Settings(batches_at_a_time=1, database_url=None)) as service:
            answer = pool.submit(post, service, "قال الوزير")
            assert extractor.fake.entered.acquire(timeout=60)
            service.server.should_exit = True
            threading.Timer(0.3, extractor.fake.open.set).start()
        assert answer.result().json()["documents"][0]["text"] == "قال الوزير"
        with pytest.raises(httpx.ConnectError):
            post(service, "قال")
