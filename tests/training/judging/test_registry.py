from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from rich.console import Console

from model.annotation import AnnotatedSentence
from model.annotation_files import write_annotations
from model.extractor import CheckpointError, Extractor
from training.judging.promotion import Promotion, promote, rollback, table_of, versions_table
from training.judging.registry import Registry, RegistryError, sha256

Load = Callable[[Path], Extractor]
Make = Callable[..., Path]


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "registry")


@pytest.fixture
def push(registry: Registry, make: Make, test_set: Path, load: Load) -> Callable[..., Promotion]:
    """Promote a new checkpoint that is right in so many sentences."""

    def run(right: int, **options: Any) -> Promotion:
        checkpoint = make(right, f"checkpoint-{time.monotonic_ns()}")
        return promote(registry, checkpoint, load=load, resamples=200, **{"tests": [test_set], **options})

    return run


def state(registry: Registry) -> dict[str, Any]:
    """All that a reader sees."""
    return {
        "current": registry.current(),
        "versions": [record.version for record in registry.versions()],
        "tests": sorted(registry.tests()),
        "history": [entry["version"] for entry in registry.history()],
        "left over": sorted(path.name for path in registry.directory.glob(".*")),
    }


def assert_whole(registry: Registry) -> None:
    current = registry.current()
    assert current is not None
    for name, digest in registry.record(current).files.items():
        assert sha256(registry.directory / "current" / name) == digest


def test_the_first_version(registry: Registry, push: Callable[..., Promotion], test_set: Path) -> None:
    promotion = push(8)
    assert promotion.accepted
    assert promotion.comparisons == {}
    assert state(registry) == {
        "current": "0.3.0",
        "versions": ["0.3.0"],
        "tests": ["test.jsonl"],
        "history": ["0.3.0"],
        "left over": [],
    }
    record = registry.record("0.3.0")
    assert record == promotion.record
    assert set(record.files) == {"config.json", "model.safetensors", "training.json"}
    assert (record.name, record.data, record.previous) == ("متن", {"train.jsonl": "ab12"}, None)
    assert record.tests["test.jsonl"]["sha256"] == sha256(test_set)
    assert record.tests["test.jsonl"]["measures"]["entities"]["f1"] == round(2 * 16 / (16 + 24), 4)
    assert set(record.tests["test.jsonl"]["measures"]) == {"entities", "actions", "roles", "triples"}
    assert os.readlink(registry.directory / "current") == "versions/0.3.0"
    assert_whole(registry)


def test_a_version_says_which_it_is(registry: Registry, push: Callable[..., Promotion], load: Load) -> None:
    push(8, version="2.0.0")
    assert load(registry.directory / "current").info.version == "2.0.0"


def test_a_better_one_and_one_that_cannot_be_told_apart(registry: Registry, push: Callable[..., Promotion]) -> None:
    push(4)
    better = push(12)
    assert better.accepted
    assert better.comparisons["test.jsonl"].differences["roles"].verdict == "better"
    assert (better.record.version, better.record.previous) == ("0.4.0", "0.3.0")
    assert push(11, bump="patch").record.version == "0.4.1"
    assert push(11, bump="major").record.version == "1.0.0"
    assert push(12, version="1.10.0", tests=[]).record.version == "1.10.0"
    assert push(12).record.version == "1.11.0"
    assert [record.version for record in registry.versions()] == [
        "0.3.0",
        "0.4.0",
        "0.4.1",
        "1.0.0",
        "1.10.0",
        "1.11.0",
    ]


def test_a_worse_one_is_refused(registry: Registry, push: Callable[..., Promotion], make: Make) -> None:
    push(12)
    before = state(registry)
    refused = push(3, bump="major")
    assert not refused.accepted
    assert refused.record.worse == tuple(
        f"test.jsonl: {measure}" for measure in ("entities", "actions", "roles", "triples")
    )
    assert state(registry) == before
    forced = push(3, bump="major", force=True)
    assert forced.accepted
    assert registry.current() == "1.0.0"
    record = registry.record("1.0.0")
    assert (record.forced, record.worse, record.previous) == (True, refused.record.worse, "0.3.0")
    assert not push(12, force=True).record.forced  # where there was nothing to force


def test_worse_on_one_of_several_test_sets(
    registry: Registry,
    push: Callable[..., Promotion],
    sentences: list[AnnotatedSentence],
    test_set: Path,
    tmp_path: Path,
) -> None:
    easy = tmp_path / "easy.jsonl"
    write_annotations(easy, sentences[:8])
    write_annotations(test_set, sentences[8:])
    push(8)  # finds nothing in the first test set
    assert push(8, tests=[easy]).accepted  # from now on it counts, too
    assert sorted(registry.tests()) == ["easy.jsonl", "test.jsonl"]
    refused = push(0, tests=[])
    assert set(refused.comparisons) == {"easy.jsonl", "test.jsonl"}
    assert refused.record.worse == tuple(f"easy.jsonl: {m}" for m in ("entities", "actions", "roles", "triples"))


def test_names_can_be_a_test_set(registry: Registry, push: Callable[..., Promotion], tmp_path: Path) -> None:
    path = tmp_path / "names.conll"
    path.write_text("قصف O\nالجيش B-ORG\nبغداد B-LOC\n0 O\n", encoding="utf-8")
    assert set(push(12, tests=[path]).record.tests["names.conll"]["measures"]) == {"names_words"}


def test_going_back(registry: Registry, push: Callable[..., Promotion]) -> None:
    for right in (10, 11, 12):
        push(right)
    assert rollback(registry) == "0.4.0"
    assert rollback(registry) == "0.3.0"
    with pytest.raises(RegistryError, match=r"0\.3\.0 was the first version"):
        rollback(registry)
    assert rollback(registry, "0.5.0") == "0.5.0"
    assert_whole(registry)
    with pytest.raises(RegistryError, match=r"0\.5\.0 is the current version"):
        rollback(registry, "0.5.0")
    for name in ("9.9.9", "../0.3.0", "x"):
        with pytest.raises(RegistryError, match=r"no version|not a semantic version"):
            rollback(registry, name)
    assert [(entry["event"], entry["version"], entry["previous"]) for entry in registry.history()] == [
        ("promote", "0.3.0", None),
        ("promote", "0.4.0", "0.3.0"),
        ("promote", "0.5.0", "0.4.0"),
        ("rollback", "0.4.0", "0.5.0"),
        ("rollback", "0.3.0", "0.4.0"),
        ("rollback", "0.5.0", "0.3.0"),
    ]
    rollback(registry, "0.3.0")
    assert push(12).record.version == "0.6.0"  # after the highest, not after the current
    assert rollback(registry) == "0.3.0"


def test_a_damaged_version_does_not_become_current(registry: Registry, push: Callable[..., Promotion]) -> None:
    push(10)
    push(11)
    weights = registry.path_of("0.3.0") / "model.safetensors"
    weights.write_text("12", encoding="utf-8")
    with pytest.raises(RegistryError, match=r"0\.3\.0/model\.safetensors: changed since it was registered"):
        rollback(registry)
    weights.unlink()
    with pytest.raises(RegistryError, match=r"model\.safetensors: is gone"):
        rollback(registry)
    assert registry.current() == "0.4.0"
    assert_whole(registry)


def test_frozen_test_sets_do_not_change(registry: Registry, push: Callable[..., Promotion], test_set: Path) -> None:
    push(10)
    test_set.write_text(test_set.read_text(encoding="utf-8").partition("\n")[0], encoding="utf-8")
    with pytest.raises(RegistryError, match="another test set of this name is frozen"):
        push(12)
    test_set.unlink()
    with pytest.raises(RegistryError, match="there is no such file"):
        push(12)
    assert push(12, tests=[]).record.tests["test.jsonl"]["sentences"] == 12


def test_what_cannot_be_promoted(
    registry: Registry, push: Callable[..., Promotion], make: Make, test_set: Path, load: Load, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError, match=r"there is no config\.json"):
        promote(registry, tmp_path, tests=[test_set], load=load)
    assert not registry.directory.exists()
    for options, message in (
        ({"tests": []}, "no test set yet"),
        ({"version": "1.2"}, "'1.2' is not a semantic version"),
        ({"version": "../1.2.0"}, "not a semantic version"),
        ({"bump": "minor"}, "no version yet that could be bumped"),
        ({"bump": "minor", "version": "1.2.0"}, "not both"),
        ({"tests": [tmp_path / "test.txt"]}, "no such file"),
    ):
        with pytest.raises(RegistryError, match=message):
            push(10, **options)
    (tmp_path / "test.txt").write_text("x", encoding="utf-8")
    with pytest.raises(RegistryError, match=r"a test set's name ends in one of \.jsonl"):
        push(10, tests=[tmp_path / "test.txt"])
    assert state(registry) == {"current": None, "versions": [], "tests": [], "history": [], "left over": []}
    with pytest.raises(RegistryError, match="no current version"):
        rollback(registry)
    push(10)
    with pytest.raises(RegistryError, match=r"version 0\.3\.0 is there already"):
        push(12, version="0.3.0")
    wrong = make(10, "wrong")
    (wrong / "training.json").write_text("[", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"training\.json: not a training's record"):
        promote(registry, wrong, load=load)
    assert state(registry)["left over"] == []


def test_a_checkpoint_that_changes_while_it_is_copied(
    registry: Registry, push: Callable[..., Promotion], monkeypatch: pytest.MonkeyPatch
) -> None:
    def copy(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes() + b" ")

    monkeypatch.setattr("training.judging.registry.shutil.copyfile", copy)
    with pytest.raises(RegistryError, match=r"config\.json: changed while it was copied"):
        push(10)


def test_a_damaged_registry_says_what(registry: Registry, push: Callable[..., Promotion]) -> None:
    push(10)
    record = registry.path_of("0.3.0") / "version.json"
    text = record.read_text(encoding="utf-8")
    record.write_text("{}", encoding="utf-8")
    with pytest.raises(RegistryError, match=r"version\.json: not a version's record"):
        registry.versions()
    record.write_text(text.replace('"version": "0.3.0"', '"version": "0.4.0"'), encoding="utf-8")
    with pytest.raises(RegistryError, match=r"says that it is of version 0\.4\.0"):
        registry.versions()
    link = registry.directory / "current"
    link.unlink()
    link.symlink_to("/tmp")
    with pytest.raises(RegistryError, match="not a version of this registry"):
        registry.current()
    link.unlink()
    link.mkdir()
    with pytest.raises(RegistryError, match="not a link"):
        registry.current()
    (registry.directory / "history.jsonl").write_text("{", encoding="utf-8")
    with pytest.raises(RegistryError, match=r"history\.jsonl: not JSON lines"):
        registry.history()


def test_a_registry_can_be_moved(registry: Registry, push: Callable[..., Promotion], tmp_path: Path) -> None:
    push(10)
    shutil.move(registry.directory, tmp_path / "elsewhere")
    moved = Registry(tmp_path / "elsewhere")
    assert moved.current() == "0.3.0"
    assert_whole(moved)


class Killed(BaseException):
    """Stands for the end of the process: nothing of the promotion runs any more but that the lock is let go."""


@pytest.mark.parametrize("function", ["fsync", "copyfile", "replace", "rename"])
def test_killed_at_any_moment(
    function: str,
    registry: Registry,
    push: Callable[..., Promotion],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A promotion that dies at its n-th call of a function leaves a whole current version, and hinders no later one."""
    push(10)
    owner = {"fsync": os, "copyfile": shutil}.get(function, Path)
    original = getattr(owner, function)
    for moment in range(1, 40):
        calls = 0

        def dies(*arguments: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls >= moment:  # noqa: B023  called in this round only
                raise Killed
            return original(*arguments)

        earlier = state(registry)
        killed = False
        with monkeypatch.context() as patched:
            patched.setattr(owner, function, dies)
            patched.setattr(shutil, "rmtree", lambda *_, **__: None)
            try:
                push(11)
            except Killed:
                killed = True
        now = state(registry)
        assert now["current"] in (earlier["current"], *set(now["versions"]) - set(earlier["versions"]))
        assert_whole(registry)
        assert all(record.files for record in registry.versions())
        done = push(12)
        assert done.accepted
        assert done.record.version == registry.current() == registry.history()[-1]["version"]
        assert state(registry)["left over"] == []
        if not killed:
            break
    else:
        pytest.fail(f"never got through {function}")
    assert moment > 1


def process(root: Path, *arguments: object) -> subprocess.Popen[bytes]:
    """A promotion in a process of its own."""
    script = Path(__file__).with_name("promoting.py")
    environment = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.Popen([sys.executable, str(script), *map(str, arguments)], env=environment)


def test_a_process_that_is_killed_while_it_copies(
    root: Path, registry: Registry, push: Callable[..., Promotion], make: Make
) -> None:
    push(10)
    before = state(registry)
    assert process(root, registry.directory, make(11), 2).wait() == 9
    assert len(list((registry.directory / ".incoming" / "0.4.0").iterdir())) == 2
    assert {**state(registry), "left over": []} == before
    assert_whole(registry)
    assert push(12).record.version == "0.4.0"
    assert state(registry)["left over"] == []


def test_a_switch_that_history_missed_is_noted(registry: Registry, push: Callable[..., Promotion]) -> None:
    push(10)
    push(11)
    link = registry.directory / "current"
    link.unlink()
    link.symlink_to("versions/0.3.0")  # as if killed between the switch and its note
    with registry.locked():
        pass
    assert registry.history()[-1]["event"] == "found"
    assert registry.history()[-1]["version"] == "0.3.0"


def test_promotions_at_the_same_time(
    root: Path, registry: Registry, make: Make, push: Callable[..., Promotion]
) -> None:
    push(8)
    children = [process(root, registry.directory, make(right, f"at-once-{right}")) for right in (9, 10, 11)]
    assert [child.wait() for child in children] == [0] * 3
    own = state(registry)
    assert own["versions"] == ["0.3.0", "0.4.0", "0.5.0", "0.6.0"]
    assert own["history"] == own["versions"]
    assert own["current"] == "0.6.0"
    # each was judged against the one before it
    assert [registry.record(version).previous for version in own["versions"][1:]] == own["versions"][:-1]
    assert_whole(registry)


def test_a_reader_never_sees_half_a_version(registry: Registry, push: Callable[..., Promotion]) -> None:
    push(10)
    stop = threading.Event()

    def read() -> int:
        rounds = 0
        while not stop.is_set():
            directory = (registry.directory / "current").resolve()
            for name, digest in registry.record(directory.name).files.items():
                assert sha256(directory / name) == digest
            rounds += 1
        return rounds

    with ThreadPoolExecutor() as pool:
        reader = pool.submit(read)
        for _ in range(4):
            push(11)
            rollback(registry)
        stop.set()
        assert reader.result() > 0


def test_waiting_is_said(registry: Registry, push: Callable[..., Promotion]) -> None:
    push(10)
    said: list[str] = []
    lock = FileLock(registry.directory / "lock")
    lock.acquire()

    def waiting() -> None:
        said.append("waits")
        lock.release()

    assert push(11, waiting=waiting).accepted
    assert said == ["waits"]


def printed(table: object) -> str:
    out = StringIO()
    Console(file=out, width=130).print(table)
    return out.getvalue()


def test_tables(registry: Registry, push: Callable[..., Promotion]) -> None:
    first = printed(table_of(push(12)))
    assert "متن 0.3.0" in first
    assert "verdict" not in first
    refused = printed(table_of(push(3)))
    for wanted in ("test.jsonl", "triples", "worse", "1.000", "0.4.0", "0.3.0", "-0.600"):
        assert wanted in refused
    push(3, force=True)
    listed = printed(versions_table(registry))
    for wanted in ("0.4.0 current forced", "0.3.0 ", "entities 100.0, actions 100.0", "entities 40.0"):
        assert wanted in listed
    assert "names_words" not in listed
