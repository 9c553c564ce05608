"""The service follows the links that lead to its checkpoint: a registry's `current`, as `musnad models` moves it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import httpx2 as httpx
import pytest
from fake_extractor import FakeExtractor
from live import Live, live
from problem_checks import problem
from real_service import copy_of, needs_checkpoint, serving, until, versions

from model.extractor import SHIPPED, CheckpointError, Extractor
from serving.checkpoints import Located, locate
from serving.loading import load_extractor
from serving.settings import Settings


class FakeRegistry:
    """A registry whose versions are fakes; those named `broken` cannot be loaded."""

    def __init__(self, directory: Path, *versions: str) -> None:
        self.directory = directory
        for version in versions:
            (directory / "versions" / version).mkdir(parents=True)
        self.loaded: list[str] = []

    def switch(self, version: str) -> None:
        """As `training.judging.registry.Registry.switch` does it."""
        link = self.directory / ".current"
        link.symlink_to(Path("versions") / version)
        link.replace(self.directory / "current")

    def load(self, path: Path, **options: object) -> FakeExtractor:
        assert not path.is_symlink()
        self.loaded.append(path.name)
        if path.name.startswith("broken") or not path.is_dir():
            raise CheckpointError(f"{path.name}: not a checkpoint directory")
        return FakeExtractor(path.name)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.reload._LOOK", 0.05)


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeRegistry:
    """Versions 1.0.0 (current), 2.0.0, 3.0.0 and a broken one."""
    made = FakeRegistry(tmp_path / "registry", "1.0.0", "2.0.0", "3.0.0", "broken")
    made.switch("1.0.0")
    monkeypatch.setattr(Extractor, "load", made.load)
    return made


@pytest.fixture(params=["registry", "current"])
def service(request: pytest.FixtureRequest, registry: FakeRegistry) -> Iterator[Live]:
    """A service of the registry's directory, and one of its link."""
    place = registry.directory if request.param == "registry" else registry.directory / "current"
    with started(place) as running:
        yield running


def started(place: Path, state_dir: Path | None = None) -> AbstractContextManager[Live]:
    """A service, or one worker of it."""
    settings = Settings(checkpoint=place, batches_at_a_time=1, database_url=None, state_dir=state_dir)
    return live(lambda: load_extractor(place), settings)


def version(service: Live) -> str:
    answer = httpx.get(f"{service.url}/model", timeout=60)
    return str(answer.json()["version"]) if answer.is_success else ""


def reload(service: Live, path: Path) -> httpx.Response:
    return httpx.post(f"{service.url}/admin/model", json={"path": str(path)}, timeout=60)


def reloads(service: Live) -> dict[str, float]:
    """Exchanges by their outcome."""
    told = httpx.get(f"{service.url}/metrics").text.splitlines()
    begin = "musnad_model_reloads_total{outcome="
    return {line.split('"')[1]: float(line.split()[-1]) for line in told if line.startswith(begin)}


# ---------------------------------------------------------------------------------------------------------------------
# One process


def test_a_promotion_and_a_rollback_are_followed(service: Live, registry: FakeRegistry) -> None:
    service.until(lambda: version(service) == "1.0.0")
    for promoted in ("2.0.0", "3.0.0", "2.0.0", "1.0.0"):
        registry.switch(promoted)
        service.until(lambda own=promoted: version(service) == own)  # type: ignore[misc]
    assert registry.loaded == ["1.0.0", "2.0.0", "3.0.0", "2.0.0", "1.0.0"]
    assert reloads(service) == {"done": 4.0, "failed": 0.0}


def test_a_broken_version_leaves_the_old_one_serving(service: Live, registry: FakeRegistry) -> None:
    service.until(lambda: version(service) == "1.0.0")
    registry.switch("broken")
    service.until(lambda: reloads(service) == {"done": 0.0, "failed": 1.0})
    time.sleep(0.5)  # it is tried once, not at every look
    assert version(service) == "1.0.0"
    registry.switch("2.0.0")
    service.until(lambda: version(service) == "2.0.0")
    assert registry.loaded == ["1.0.0", "broken", "2.0.0"]


def test_a_request_holds_until_the_link_moves(service: Live, registry: FakeRegistry) -> None:
    service.until(lambda: version(service) == "1.0.0")
    assert reload(service, registry.directory / "versions" / "3.0.0").status_code == 200
    time.sleep(0.5)  # enough for several looks
    assert registry.loaded == ["1.0.0", "3.0.0"]
    registry.switch("2.0.0")
    service.until(lambda: version(service) == "2.0.0")
    assert reload(service, registry.directory / "versions" / "3.0.0").status_code == 200
    registry.switch("2.0.0")  # it points to the same, but it has moved
    service.until(lambda: version(service) == "2.0.0")
    assert registry.loaded == ["1.0.0", "3.0.0", "2.0.0", "3.0.0", "2.0.0"]


def test_a_request_may_name_the_registry_or_its_link(service: Live, registry: FakeRegistry) -> None:
    service.until(lambda: version(service) == "1.0.0")
    for path in (registry.directory, registry.directory / "current"):
        answer = reload(service, path)
        assert answer.json()["now"]["version"] == "1.0.0"


def test_a_request_that_fails_leaves_the_link_in_force(service: Live, registry: FakeRegistry) -> None:
    service.until(lambda: version(service) == "1.0.0")
    problem(reload(service, registry.directory / "versions" / "broken"), "bad-checkpoint")
    assert version(service) == "1.0.0"
    registry.switch("2.0.0")
    service.until(lambda: version(service) == "2.0.0")


def test_a_link_that_is_gone_leaves_the_model_and_may_come_back(service: Live, registry: FakeRegistry) -> None:
    service.until(lambda: version(service) == "1.0.0")
    (registry.directory / "current").unlink()
    service.until(lambda: reloads(service)["failed"] == 1.0)
    assert version(service) == "1.0.0"
    registry.switch("2.0.0")
    service.until(lambda: version(service) == "2.0.0")


# ---------------------------------------------------------------------------------------------------------------------
# Workers, here in one process


def test_all_workers_end_on_the_same_version(registry: FakeRegistry, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    with ExitStack() as stack:
        workers = [stack.enter_context(started(registry.directory, state)) for _ in range(3)]

        def all_serve(wanted: str) -> None:
            for worker in workers:
                worker.until(lambda own=worker: version(own) == wanted)  # type: ignore[misc]

        all_serve("1.0.0")
        registry.switch("2.0.0")
        all_serve("2.0.0")
        assert reload(workers[0], registry.directory / "versions" / "3.0.0").status_code == 200
        all_serve("3.0.0")
        workers.append(stack.enter_context(started(registry.directory, state)))  # in the place of one that died
        all_serve("3.0.0")
        registry.switch("1.0.0")
        all_serve("1.0.0")
        registry.switch("2.0.0")  # what was asked for stays forgotten, wherever the link goes
        all_serve("2.0.0")
        workers.append(stack.enter_context(started(registry.directory, state)))
        all_serve("2.0.0")


def test_a_worker_that_never_had_a_model_gets_the_next(registry: FakeRegistry, tmp_path: Path) -> None:
    registry.switch("broken")
    with started(registry.directory) as worker:
        worker.until(lambda: "cannot be loaded" in httpx.get(f"{worker.url}/readyz").text)
        registry.switch("2.0.0")
        worker.until(lambda: version(worker) == "2.0.0")


# ---------------------------------------------------------------------------------------------------------------------
# Links


def test_a_checkpoint_is_where_it_is(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    (checkpoint / "versions").mkdir(parents=True)
    (checkpoint / "config.json").write_text("{}")
    located = locate(checkpoint)
    assert (located.directory, located.links) == (checkpoint, "")
    assert locate(tmp_path / "nowhere").directory == tmp_path / "nowhere"
    assert locate(Path("fast")) == Located(SHIPPED["fast"])


def test_links_to_a_registry_are_followed_to_the_end(registry: FakeRegistry, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.symlink_to(registry.directory)
    second.symlink_to("first")
    before = locate(second)
    assert before.directory == (registry.directory / "versions" / "1.0.0").resolve()
    registry.switch("2.0.0")
    after = locate(second)
    assert after.directory.name == "2.0.0"
    assert after.links != before.links


def test_what_cannot_be_followed_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty" / "versions").mkdir(parents=True)
    with pytest.raises(CheckpointError, match="empty: a registry without a current version"):
        locate(tmp_path / "empty")
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(CheckpointError, match=r"a: cannot be followed: more than \d+ links"):
        locate(tmp_path / "a")
    with pytest.raises(CheckpointError, match="cannot be followed: File name too long"):
        locate(tmp_path / ("x" * 2000))


# ---------------------------------------------------------------------------------------------------------------------
# `musnad models`


@needs_checkpoint
def test_workers_serve_what_musnad_models_promotes(root: Path, shipped: Path, tmp_path: Path) -> None:
    pytest.importorskip("filelock", reason="the extra `train` is not installed")
    registry, few = tmp_path / "registry", tmp_path / "few.jsonl"
    lines = (root / "annotations" / "test.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    few.write_text("".join(lines[:4]), encoding="utf-8")

    def models(*words: object) -> None:
        command = [sys.executable, "-c", "from model.cli import main; main()", "models", *map(str, words)]
        run = subprocess.run(
            [*command, "--registry", str(registry)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stderr

    models("promote", shipped, "--version", "1.0.0", "--test", few, "--resamples", 100)
    folder = tmp_path / "service"
    folder.mkdir()
    with serving(folder, "--workers", "2", checkpoint=registry, database_url="") as service:
        until(lambda: versions(service) == {"1.0.0"})
        models("promote", copy_of(shipped, tmp_path / "next", "next"), "--bump", "minor", "--resamples", 100)
        until(lambda: versions(service) == {"1.1.0"})
        models("rollback")
        until(lambda: versions(service) == {"1.0.0"})
        assert service.ask("POST", "/predict", {"text": "قصف الجيش بغداد"})[1]["model"]["version"] == "1.0.0"
        assert service.stop() == 0
    assert "Traceback" not in service.log
