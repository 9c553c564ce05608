"""Hostile inputs over a real socket, each with the answer it gets; docs/hostile-inputs.md is written from these tables.

`python tests/serving/test_hostile_inputs.py` writes that file.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hostile_annotations
import hostile_bodies
import hostile_clients
import hostile_streams
import hostile_wire
import pytest
from fake_extractor import FakeExtractor
from hostile import Case, Target, Wire, answered, head, post
from hostile_texts import TEXTS
from live import Live, live

from model.extractor import DEFAULT_CHECKPOINT, Extractor
from serving.feedback.databases import CONNECTIONS
from serving.problems import ProblemDetails
from serving.schemas import Answer
from serving.settings import Settings

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "hostile-inputs.md"

SECTIONS: dict[str, list[Case]] = {
    "Too much": hostile_bodies.SIZES,
    "Not JSON, or too much of it": hostile_bodies.SYNTAX,
    "Not Unicode": hostile_bodies.UNICODE,
    "Not what is asked for": hostile_bodies.TYPES,
    "Not declared, or compressed": hostile_bodies.MEDIA,
    "Streams": hostile_streams.LINES,
    "Heads": hostile_wire.HEADS,
    "Lengths and chunks": hostile_wire.LENGTHS,
    "Methods": hostile_wire.METHODS,
    "Paths": hostile_wire.PATHS,
    "Forms of the answer": hostile_wire.ACCEPT,
    "Clients": hostile_clients.CLIENTS,
    "Annotations: spans and roles": hostile_annotations.OFFSETS,
    "Annotations: documents": hostile_annotations.DOCUMENTS,
    "Annotations: filters and reviews": hostile_annotations.FILTERS,
}
CASES = [pytest.param(case, id=f"{section}: {case.sent}") for section, cases in SECTIONS.items() for case in cases]
#: Of a service with low limits.
SMALL = {"max_body_bytes": 4096, "body_timeout_s": 0.5}

# ---------------------------------------------------------------------------------------------------------------------
# The tables


def _serve(database: Path, **settings: Any) -> Iterator[Target]:
    extractor = FakeExtractor()
    with live(extractor, Settings(database_url=f"sqlite:///{database}", **settings)) as service:
        yield Target(service, extractor)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A service with the limits that it has by default."""
    yield from _serve(tmp_path_factory.mktemp("default") / "a.db")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A service with low limits."""
    yield from _serve(tmp_path_factory.mktemp("small") / "a.db", **SMALL)


def _sockets() -> int:
    """Sockets that this process, in which service and clients are, has open."""
    return sum(_link(entry).startswith("socket:") for entry in os.scandir("/proc/self/fd"))


def _link(entry: os.DirEntry[str]) -> str:
    try:
        return os.readlink(entry.path)
    except FileNotFoundError:  # the listing's own
        return ""


def _lasting_threads() -> int:
    """Threads other than those that wait a while for more to do."""
    return sum(not thread.name.startswith(("AnyIO worker", "asyncio_")) for thread in threading.enumerate())


@pytest.fixture(scope="module")
def before(target: Target, small: Target) -> tuple[int, int]:
    """Sockets and threads before anything hostile has come."""
    return _sockets(), _lasting_threads()


@pytest.mark.parametrize("case", CASES)
def test_the_answer_to(case: Case, target: Target, small: Target, before: tuple[int, int]) -> None:
    replies = case.send(small if case.small else target)
    assert answered(replies) == case.answer, [reply.body[:2000] if reply else None for reply in replies]
    assert case.says in (replies[-1].says if replies[-1] else "")
    for reply in filter(None, replies):
        if reply.problem is not None:
            details = ProblemDetails.model_validate(reply.problem, strict=True)
            assert details.status == reply.status
            assert len(reply.body) < 20_000
        if reply.status != 100 and not reply.shown.endswith("plain"):
            assert re.fullmatch("[0-9a-f]{32}", reply.headers["x-request-id"])


@pytest.mark.parametrize("id", ["a\tb", "a" * 129, "é", "a b", '"', "../a", "%0d%0aX:y", ""])
def test_a_request_id_that_could_do_harm_is_not_taken_over(target: Target, id: str) -> None:
    with Wire(target) as wire:
        reply = wire.send(head("GET /healthz", f"X-Request-ID: {id}")).reply()
    assert reply is not None
    assert re.fullmatch("[0-9a-f]{32}", reply.headers["x-request-id"])


def test_a_header_cannot_be_put_into_the_answer(target: Target) -> None:
    with Wire(target) as wire:
        reply = wire.send(head("GET /nothing%0d%0aX-Evil:%201", "X-Request-ID: a\r\n X-Evil: 1")).reply()
    assert reply is not None
    assert "x-evil" not in reply.headers


_STRANGE = [
    "'; DROP TABLE annotations; --",
    '" OR 1=1 /*',
    "\\x00 \\u0000 %00 \\",
    "{{7*7}} ${x} %s %n",
    "<script>alert(1)</script>",
    "\u202eأمس\u2069 👨\u200d👩\u200d👧 \U0010ffff",
]


@pytest.mark.parametrize("strange", _STRANGE)
def test_strange_strings_are_stored_exactly(target: Target, strange: str) -> None:
    document = {"id": strange, "text": f"أ {strange}", "entities": [], "relations": []}
    request = {"annotator": strange, "model": {"name": strange, "version": strange}, "documents": [document]}
    assert answered(post("/annotations", json.dumps(request).encode())(target)) == "201"
    with Wire(target) as wire:
        reply = wire.send(head("GET /annotations")).reply()
    assert reply is not None
    records = [json.loads(line) for line in reply.body.split(b"\n")[:-1]]
    [record] = [record for record in records if record["id"] == strange]
    meta = record.pop("meta")
    assert record == document
    assert meta["annotator"] == strange
    assert meta["model"] == {"name": strange, "version": strange}


def _requests(target: Target, status: str) -> list[str]:
    """What /metrics tells of requests with a status."""
    with Wire(target) as wire:
        reply = wire.send(head("GET /metrics")).reply()
    assert reply is not None
    lines = reply.body.decode().splitlines()
    return [line for line in lines if re.match(rf'musnad_requests_total{{.*status="{status}"', line)]


def test_after_all_that_the_service_is_as_it_was(target: Target, small: Target, before: tuple[int, int]) -> None:
    sockets, threads = before
    for own in (target, small):
        assert answered(post("/predict", b'{"text": "\xd9\x82"}')(own)) == "200"
        assert _requests(own, "5..") == []
        assert own.service.waiting == 0
        own.service.until(lambda: _sockets() <= sockets)
    assert _lasting_threads() == threads
    # of two services: parsing and answering, preparing, parsing annotations, the database, counting, metrics
    workers = sum(thread.name.startswith(("AnyIO worker", "asyncio_")) for thread in threading.enumerate())
    assert workers <= 2 * (2 + 2 + 2 + CONNECTIONS + 1 + 1)


# ---------------------------------------------------------------------------------------------------------------------
# Texts, and what the shipped checkpoint finds in them


@pytest.fixture(scope="module")
def shipped_extractor() -> Extractor:
    if not (DEFAULT_CHECKPOINT / "model.onnx").is_file():
        pytest.skip("there is no shipped checkpoint in model/default")
    return Extractor.load()


@pytest.fixture(scope="module")
def shipped_service(shipped_extractor: Extractor) -> Iterator[Live]:
    with live(shipped_extractor, Settings(database_url=None, request_timeout_s=300)) as service:
        yield service


def test_a_text_that_takes_too_long_is_given_up(shipped_extractor: Extractor) -> None:
    body = json.dumps({"text": "نعم،" * 50_000}).encode()
    with live(shipped_extractor, Settings(database_url=None, request_timeout_s=1)) as service:
        target = Target(service, FakeExtractor())
        assert answered(post("/predict", body)(target)) == "504 deadline"
        service.until(lambda: service.waiting == 0)


def _width(text: str, unit: str) -> int:
    return {"codepoint": len(text), "utf16": len(text.encode("utf-16-le")) // 2, "byte": len(text.encode())}[unit]


@pytest.mark.parametrize("name", TEXTS)
def test_offsets_are_exact_in(shipped_service: Live, name: str) -> None:
    text = TEXTS[name]
    target = Target(shipped_service, FakeExtractor())
    documents: dict[str, dict[str, Any]] = {}
    units = ("codepoint",) if len(text) > 10_000 else ("codepoint", "utf16", "byte")
    for unit in units:
        [reply] = post("/predict", json.dumps({"text": text, "offsets": unit}).encode())(target)
        assert reply is not None
        assert reply.status == 200
        answer = reply.body.decode()
        Answer.model_validate_json(answer, strict=True)
        [documents[unit]] = json.loads(answer)["documents"]
    exact = documents["codepoint"]
    for document in documents.values():
        assert document["text"] == text
    for span in (*exact["entities"], *exact["actions"]):
        assert text[span["start"] : span["end"]] == span["text"] != ""
    for sentence in exact["sentences"]:
        assert text[sentence["start"] : sentence["end"]].strip()
    for unit, document in documents.items():
        for kind in ("sentences", "entities", "actions"):
            expected = [(_width(text[: own["start"]], unit), _width(text[: own["end"]], unit)) for own in exact[kind]]
            assert [(own["start"], own["end"]) for own in document[kind]] == expected


# ---------------------------------------------------------------------------------------------------------------------
# The documentation


def documentation() -> str:
    """The tables as Markdown."""
    count = sum(map(len, SECTIONS.values())) + len(TEXTS)
    lines = [
        "# Hostile inputs",
        "",
        f"{count} inputs that no well-meaning client would send, and the answer that each gets. Every row is a test",
        "over a real socket, in `tests/serving/test_hostile_inputs.py`, which this file is written from: run",
        "`python tests/serving/test_hostile_inputs.py` after a change to the tables. After all of them the service",
        "answers as before, nothing waits in its queue, no answer was a 5xx, and no socket or thread is left over.",
        "",
        "A status with a name is problem details (`urn:musnad:problem:` and the name); `plain` is a bare status, of",
        "the HTTP parser or to a HEAD; `nothing` is a connection that ends without an answer. With several answers,",
        "the words are of the last. Rows with † are tested with lower limits (a body of 4 KiB, which has half a second",
        "to arrive), all others with those that the service has by default.",
    ]
    for title, cases in SECTIONS.items():
        lines += ["", f"## {title}", "", "| Sent | To | Answer | Which says |", "|---|---|---|---|"]
        for case in cases:
            cells = (case.sent + (" †" if case.small else ""), case.to, case.answer, case.says)
            lines.append(f"| {' | '.join(map(_cell, cells))} |")
    lines += [
        "",
        "## Texts",
        "",
        "Each of these is a text in `POST /predict`, with the shipped checkpoint: 200, the text comes back unchanged,",
        "and `text[start:end]` is the `text` of every span, in code points, UTF-16 units and bytes.",
        "",
        *(f"- {name}" for name in TEXTS),
        "",
        "200,000 characters without a space, a hundred thousand words in one sentence, take longer than a request may",
        "on most machines: 504 `deadline`, and what waits of the text leaves the queue.",
    ]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def test_the_documentation_is_up_to_date() -> None:
    written = DOCUMENTATION.read_text(encoding="utf-8")
    assert written == documentation(), f"run: python {Path(__file__).relative_to(DOCUMENTATION.parents[1])}"


def test_there_are_enough_of_them() -> None:
    cases = [case for cases in SECTIONS.values() for case in cases]
    assert len({(case.sent, case.to) for case in cases}) == len(cases) >= 60


if __name__ == "__main__":
    DOCUMENTATION.write_text(documentation(), encoding="utf-8")
