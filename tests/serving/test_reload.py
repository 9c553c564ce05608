from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2 as httpx
import pytest
from fake_extractor import FakeExtractor
from live import Live, live
from problem_checks import errors, problem
from starlette.testclient import TestClient

from model.extractor import CheckpointError, Extractor
from model.records import Document, Entity
from serving.selftest import TEXTS, SelfTestError, self_test
from serving.settings import Settings

LOAD = Extractor.load


@pytest.fixture
def checkpoints(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeExtractor]:
    """What `Extractor.load` returns for each path; it raises for any other."""
    known: dict[str, FakeExtractor] = {}

    def load(path: Path, **options: object) -> FakeExtractor:
        if str(path) not in known:
            raise CheckpointError(f"{path}: not a checkpoint directory")
        return known[str(path)]

    monkeypatch.setattr(Extractor, "load", load)
    return known


@pytest.fixture
def service(extractor: FakeExtractor) -> Iterator[Live]:
    with live(extractor, Settings(batches_at_a_time=1, database_url=None)) as running:
        yield running


def reload(service: Live, path: str) -> httpx.Response:
    return httpx.post(f"{service.url}/admin/model", json={"path": path}, timeout=60)


def version(service: Live, text: str = "قال الوزير") -> str:
    answer = httpx.post(f"{service.url}/predict", json={"text": text}, timeout=60).json()
    found: str = answer["model"]["version"]
    return found


def test_another_model_takes_over(service: Live, checkpoints: dict[str, FakeExtractor]) -> None:
    checkpoints["new"] = FakeExtractor("2.0.0")
    answer = reload(service, "new")
    assert answer.status_code == 200
    names = {"before": {"name": "fake", "version": "1.2.3"}, "now": {"name": "fake", "version": "2.0.0"}}
    assert answer.json() == names
    assert version(service) == "2.0.0"
    assert httpx.get(f"{service.url}/model").json()["version"] == "2.0.0"
    assert 'musnad_model_info{name="fake",version="2.0.0"} 1.0' in httpx.get(f"{service.url}/metrics").text


def test_what_the_old_model_began_it_finishes(
    service: Live, extractor: FakeExtractor, checkpoints: dict[str, FakeExtractor]
) -> None:
    checkpoints["new"] = FakeExtractor("2.0.0")
    extractor.fake.open.clear()
    before = batcher_threads()
    with ThreadPoolExecutor(1) as pool:
        begun = pool.submit(version, service)
        assert extractor.fake.entered.acquire(timeout=60)
        assert reload(service, "new").status_code == 200
        assert version(service) == "2.0.0"
        extractor.fake.open.set()
        assert begun.result() == "1.2.3"
    service.until(lambda: batcher_threads() == before)  # the new one's in the place of the old one's


def batcher_threads() -> int:
    """How many there are, those of other tests' services included."""
    return sum(thread.name.startswith("batcher") for thread in threading.enumerate())


def test_a_broken_checkpoint_leaves_the_old_model(
    service: Live, checkpoints: dict[str, FakeExtractor], monkeypatch: pytest.MonkeyPatch
) -> None:
    details = problem(reload(service, "nowhere"), "bad-checkpoint")
    assert details["detail"] == "nowhere: not a checkpoint directory; the model that served goes on."
    checkpoints["blind"] = FakeExtractor("3.0.0")
    monkeypatch.setattr(checkpoints["blind"], "extract_batch", lambda texts: [Document("1", text) for text in texts])
    assert "no entity is found" in problem(reload(service, "blind"), "bad-checkpoint")["detail"]
    assert version(service) == "1.2.3"


def test_a_library_that_stumbles_over_a_checkpoint_is_no_failure(
    service: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(path: Path, **options: object) -> Extractor:
        raise RuntimeError("unexpected end of file")

    monkeypatch.setattr(Extractor, "load", load)
    details = problem(reload(service, "torn"), "bad-checkpoint")
    assert "torn: cannot be loaded: RuntimeError: unexpected end of file" in details["detail"]
    assert version(service) == "1.2.3"


def test_two_at_a_time_are_one_too_many(service: Live, checkpoints: dict[str, FakeExtractor]) -> None:
    checkpoints["slow"] = slow = FakeExtractor("2.0.0")
    entered, go_on = threading.Event(), threading.Event()
    extract_batch = slow.extract_batch

    def wait(texts: list[str]) -> list[Document]:
        entered.set()
        assert go_on.wait(60)
        return extract_batch(texts)

    slow.extract_batch = wait  # type: ignore[assignment, method-assign]
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(reload, service, "slow")
        assert entered.wait(60)
        problem(reload(service, "slow"), "conflict")
        assert version(service) == "1.2.3"
        go_on.set()
        assert first.result().status_code == 200


@pytest.mark.parametrize("path", ["/etc/passwd", "a" * 2000, "a\u0000b"])
def test_a_path_that_is_no_directory_is_no_failure(client: TestClient, path: str) -> None:
    response = client.post("/admin/model", json={"path": path})
    assert response.status_code == 422


def test_the_request_is_checked(client: TestClient) -> None:
    assert errors(client.post("/admin/model", json={})) == {"path": "missing"}
    assert errors(client.post("/admin/model", json={"path": "a", "x": 1})) == {"x": "unknown field"}
    assert errors(client.post("/admin/model", json={"path": 5})) == {"path": "not a string"}


def test_workers_follow_one_another(
    extractor: FakeExtractor, checkpoints: dict[str, FakeExtractor], tmp_path: Path
) -> None:
    checkpoints["new"] = FakeExtractor("2.0.0")
    checkpoints[str(Path("new").resolve())] = FakeExtractor("2.0.0")
    settings = Settings(state_dir=tmp_path, database_url=None)
    with live(extractor, settings) as first, live(FakeExtractor(), settings) as second:
        assert version(second) == "1.2.3"
        assert reload(first, "new").status_code == 200
        second.until(lambda: version(second) == "2.0.0")
        assert version(first) == "2.0.0"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": 3}, "a span's offsets are wrong"),
        ({"score": float("nan")}, "a score is not a probability"),
        ({"label": "X"}, "an entity has an unknown label"),
    ],
)
def test_the_self_test_sees_what_cannot_be_right(
    extractor: FakeExtractor, monkeypatch: pytest.MonkeyPatch, change: dict[str, object], message: str
) -> None:
    from dataclasses import replace

    self_test(extractor)
    extract_batch = extractor.extract_batch

    def wrong(texts: list[str]) -> list[Document]:
        first, *rest = extract_batch(texts)
        entities: tuple[Entity, ...] = (replace(first.entities[0], **change), *first.entities[1:])  # type: ignore[arg-type]
        return [replace(first, entities=entities), *rest]

    monkeypatch.setattr(extractor, "extract_batch", wrong)
    with pytest.raises(SelfTestError, match=f"{message}.*{TEXTS[0]}"):
        self_test(extractor)


def test_the_shipped_checkpoint_passes_the_self_test() -> None:
    self_test(LOAD())
