"""What was answered 2xx is there after SIGKILL."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from feedback.annotated import body, document
from serving.feedback.store import FeedbackStore

#: Documents of each request, writers at a time, and answers of each service before it is killed.
DOCUMENTS, WRITERS, ANSWERS = 3, 4, 25


def test_nothing_that_was_answered_is_lost(url: str, root: Path) -> None:
    program = [sys.executable, str(Path(__file__).with_name("annotation_service.py")), url]
    numbers = itertools.count()
    acknowledged: list[str] = []
    refused: list[object] = []
    for _ in range(2):
        service = subprocess.Popen(program, cwd=root, env=_environment(root), stdout=subprocess.PIPE, text=True)
        try:
            assert service.stdout is not None
            port = int(service.stdout.readline())
            answered = threading.Semaphore(0)
            threads = [
                threading.Thread(target=_write, args=(port, numbers, acknowledged, refused, answered))
                for _ in range(WRITERS)
            ]
            for thread in threads:
                thread.start()
            for _ in range(ANSWERS):
                assert answered.acquire(timeout=60)
        finally:
            service.kill()  # while the others are being written
            service.wait(60)
        for thread in threads:
            thread.join(60)
    assert refused == []
    with FeedbackStore(url) as store:
        stored = [record.id for record in store.export()]
        texts = [record.text for record in store.export()]
    assert len(acknowledged) >= 2 * ANSWERS * DOCUMENTS
    assert set(acknowledged) <= set(stored)
    assert len(stored) == len(set(stored))
    requests = [text.rsplit(" ", 1)[1].partition(".")[0] for text in texts]
    assert {requests.count(request) for request in requests} == {DOCUMENTS}  # all of a request or nothing


def _environment(root: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(root)}


def _write(
    port: int,
    numbers: itertools.count[int],
    acknowledged: list[str],
    refused: list[object],
    answered: threading.Semaphore,
) -> None:
    """Submit one request after another until the service is gone, and keep the ids that it answered."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        while True:
            number = next(numbers)
            documents = [document(0, text=f"{document(0)['text']} {number}.{item}") for item in range(DOCUMENTS)]
            content = json.dumps(body(*documents))
            connection.request("POST", "/annotations", content, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read())
            if response.status != 201:
                refused.append(answer)
                return
            acknowledged += [receipt["id"] for receipt in answer["annotations"]]
            answered.release()
    except (OSError, http.client.HTTPException, ValueError):
        pass  # killed
    finally:
        connection.close()
