"""SIGINT within this process, at places where Python alone would lose it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from archives import contents
from fake_extractor import FakeExtractor
from typer.testing import Result

from model.records import Document
from serving.bulk.interruption import interruptible

Bulk = Callable[..., Result]

_STOPPED = "musnad: stopped. What is finished is kept: give the same command again to go on\n"


class _Vanishing:
    """SIGINT comes while it vanishes: Python prints the KeyboardInterrupt of a `__del__`, and goes on."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


def _initialization_failed(*_: object, **__: object) -> None:
    """What the import of a library in C++ makes of SIGINT."""
    with suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    raise ImportError("initialization failed")


_lost = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def test_it_raises_and_leaves_the_handler_as_it_was() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), interruptible():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


@_lost
def test_one_that_was_lost_is_found_by_the_check_and_at_the_end() -> None:
    found = False

    def lose() -> None:
        nonlocal found
        with interruptible() as check:
            check()
            _Vanishing()
            with pytest.raises(KeyboardInterrupt):
                check()
            found = True

    with pytest.raises(KeyboardInterrupt):
        lose()
    assert found


def test_another_error_in_its_place_is_one() -> None:
    with pytest.raises(KeyboardInterrupt), interruptible():
        _initialization_failed()


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(ImportError), interruptible():
        raise ImportError("initialization failed")


def test_where_it_is_ignored_it_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interruptible() as check:
            signal.raise_signal(signal.SIGINT)
            check()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_thread_can_use_it() -> None:
    entered = threading.Event()

    def run() -> None:
        with interruptible() as check:
            check()
            entered.set()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert entered.is_set()


@_lost
def test_a_run_that_lost_it_stops_and_goes_on(
    archive: Path, tmp_path: Path, bulk: Bulk, loaded: FakeExtractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--part-documents", 2)
    bulk(archive, tmp_path / "whole", *options)
    whole = loaded.extract_batch

    def interrupted(texts: list[str], **given: object) -> list[Document]:
        if any("قال الوزير 2" in text for text in texts):  # of the second part
            _Vanishing()
        return whole(texts, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(loaded, "extract_batch", interrupted)
    result = bulk(archive, tmp_path / "out", *options)
    assert (result.exit_code, result.stderr) == (130, _STOPPED)
    assert [path.name for path in (tmp_path / "out" / "finished").iterdir()] == ["00000000.json"]
    monkeypatch.undo()
    monkeypatch.setattr("model.extractor.Extractor.load", lambda *_, **__: loaded)
    assert bulk(archive, tmp_path / "out", *options).exit_code == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_an_error_of_loading_that_was_an_interruption_is_no_misuse(
    archive: Path, tmp_path: Path, bulk: Bulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.extractor.Extractor.load", _initialization_failed)
    result = bulk(archive, tmp_path / "out")
    assert (result.exit_code, result.stderr) == (130, _STOPPED)
