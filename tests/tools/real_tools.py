"""Starting an annotation tool, and the documents that are sent through it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from model.annotation import AnnotatedSentence, Relation, Span
from training.exchange.documents import Document, Finding

#: Seconds that a tool has to start: both migrate a database first.
START = 900
TOKEN = "0123456789abcdef0123456789abcdef01234567"
EMAIL, PASSWORD = "annotator@musnad.local", "a-password-1"


@dataclass(frozen=True)
class Tool:
    """A running tool and a session of its administrator."""

    address: str
    session: httpx2.Client


def executable(variable: str) -> Path:
    """The executable that an environment variable names; skips the test without it."""
    path = Path(os.environ.get(variable, ""))
    if not path.is_file():
        pytest.skip(f"{variable} names no executable: install the tool in a virtual environment of its own")
    return path.absolute()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running(command: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended afterwards."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until an address answers with success; fails with the process's own words if it ends."""
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text(errors="replace")[-3000:]
        try:
            if httpx2.get(address, timeout=30).is_success:
                return
        except httpx2.TransportError:
            pass
        time.sleep(1)
    raise AssertionError(f"{address} did not answer in {START} s: {log.read_text(errors='replace')[-3000:]}")


def awkward() -> list[AnnotatedSentence]:
    """Documents with emoji, tashkeel, CRLF, bidi controls, tabs, quotes, markup, and outer spaces."""
    texts = (
        "😀 قال\r\nالوزير 👨\u200d👩\u200d👧 في بغداد\tأمس\nو\u200fالعراق  بخير",
        "  «قَالَ» \"الوزير\" \u202bإنّ\u202c العـــراق 'بخير' في بغداد  ",
        '🇮🇶🇱🇧 <b>قال</b> الوزير &amp; إن \\n "بغداد" 𐤀𐤁 في العراق {بخير} | [1]',
        "\u2067قال\u2069 الوزير\u00a0في بغداد\u2028والعراق\u200e e\u0301 ﷺ",
    )
    return [_awkward(number, text) for number, text in enumerate(texts)]


def _awkward(number: int, text: str) -> AnnotatedSentence:
    said = text.index("ق")
    minister, place = text.index("الوزير"), text.index("بغداد")
    spans = (
        Span(0, "ACT", said, text.index("ل", said) + 1, "STATE", "potential"),
        Span(1, "NOM", minister, minister + len("الوزير")),
        Span(2, "LOC", place, place + len("بغداد")),
    )
    links = (Relation(0, 0, 1, "actor"), Relation(1, 0, 2, "place"))
    return AnnotatedSentence(f"awkward-{number:04}", text, spans, links)


def contents(items: list[Document | Finding]) -> list[AnnotatedSentence]:
    """The documents in the order of their ids; fails for a bad record."""
    assert not [str(item) for item in items if isinstance(item, Finding) and item.bad]
    return sorted((item.content for item in items if isinstance(item, Document)), key=lambda content: content.id)
