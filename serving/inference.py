"""The extractor behind the service: loaded in a thread, and run in threads, so that the event loop never waits."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

import anyio
from anyio import to_thread

from model.extractor import Extractor
from serving.problems import Problem

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


class Inference:
    """An extractor, or what loads one, with at most `concurrency` threads at work in it; others wait their turn."""

    def __init__(self, source: Extractor | Callable[[], Extractor], concurrency: int) -> None:
        self._source = source
        self._extractor = source if isinstance(source, Extractor) else None
        self._turns = anyio.CapacityLimiter(concurrency)
        self._failed = False

    async def load(self) -> None:
        """Load the extractor, unless it is there; a failure is logged, and told to callers."""
        if self._extractor is None:
            await to_thread.run_sync(self._load)

    def _load(self) -> None:
        assert not isinstance(self._source, Extractor)
        try:
            self._extractor = self._source()
        except Exception as error:
            _log.error("the model cannot be loaded: %s", error)
            self._failed = True

    @property
    def extractor(self) -> Extractor:
        """The extractor; raises Problem `not-ready` where it is not loaded."""
        if self._extractor is None:
            state = "cannot be loaded; the service's log says why" if self._failed else "is still loading"
            raise Problem("not-ready", f"The model {state}.")
        return self._extractor

    async def run(self, work: Callable[[Extractor], _Result]) -> _Result:
        """Return what `work` makes of the extractor, in a thread; raises Problem `not-ready`."""
        return await to_thread.run_sync(work, self.extractor, limiter=self._turns)
