"""The model behind the service: loaded in a thread, put behind a batcher, and exchanged while requests are answered."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import anyio
from anyio import to_thread

from model.extractor import CheckpointInfo, Extractor
from model.records import Document
from serving.batching import Batcher, Job, QueueFullError
from serving.problems import Problem, overloaded
from serving.reading import Source
from serving.tracing import span

_log = logging.getLogger(__name__)

#: Seconds between two looks of a patient caller at a full queue.
_LOOK = 0.01


@dataclass(frozen=True, slots=True)
class Failed:
    """A document that could not be extracted, for a reason that the log tells."""

    source: Source


#: What becomes of a text.
Result = Document | Failed


class Inference:
    """An extractor (or what loads one) behind a batcher that `make` puts it behind.

    `told` hears of every extractor that begins to serve. `concurrency`: requests whose texts are cut into sentences and
    pieces at a time.
    """

    def __init__(
        self,
        source: Extractor | Callable[[], Extractor],
        make: Callable[[Extractor], Batcher] = Batcher,
        told: Callable[[CheckpointInfo], None] | None = None,
        concurrency: int = 2,
    ) -> None:
        self._source = source
        self._make = make
        self._told = told or (lambda info: None)
        self._batcher: Batcher | None = None
        self._users: Counter[Batcher] = Counter()
        self._turns = anyio.CapacityLimiter(concurrency)
        self._failed = False

    async def load(self) -> None:
        """Load the extractor; a failure is logged, and told to callers."""
        try:
            extractor = self._source
            if not isinstance(extractor, Extractor):
                extractor = await to_thread.run_sync(extractor)
            self._batcher = self._make(extractor)
            self._told(extractor.info)
        except Exception as error:
            _log.error("the model cannot be loaded: %s", error)
            self._failed = True

    @property
    def ready(self) -> bool:
        """Whether a model serves."""
        return self._batcher is not None

    @property
    def failed(self) -> bool:
        """Whether no model serves, and none is being loaded."""
        return self._failed and not self.ready

    @property
    def batcher(self) -> Batcher:
        """The batcher of the model that serves; raises Problem `not-ready` where none is loaded."""
        if self._batcher is None:
            state = "cannot be loaded; the service's log says why" if self._failed else "is still loading"
            raise Problem("not-ready", f"The model {state}.")
        return self._batcher

    @property
    def extractor(self) -> Extractor:
        """The extractor that serves; raises Problem `not-ready`."""
        return self.batcher.extractor

    @property
    def waiting(self) -> int:
        """Sentences in the queue."""
        return 0 if self._batcher is None else self._batcher.waiting

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Count a request that is being read as on its way; raises Problem `overloaded` where it finds no room."""
        batcher = self.batcher
        if batcher.full:
            raise overloaded()
        with _coming(batcher):
            yield

    async def exchange(self, extractor: Extractor) -> None:
        """Let another extractor answer from now on; what the old one, if there is one, has begun, it finishes."""
        old = self._batcher
        self._batcher = self._make(extractor)
        self._told(extractor.info)
        if old is not None and not self._users[old]:
            await to_thread.run_sync(old.close)

    async def close(self) -> None:
        """End the threads, when what waits is done."""
        if self._batcher is not None:
            await to_thread.run_sync(self._batcher.close)

    async def run(
        self, sources: Sequence[Source], min_score: float = 0.0, *, patient: bool = False
    ) -> tuple[CheckpointInfo, list[Result]]:
        """Extract texts, in order, with one model; say which.

        Where the queue is full, a `patient` caller waits, and any other gets Problem `overloaded`. Raises Problem
        `not-ready`.
        """
        with self._use() as batcher:
            with _coming(batcher):
                prepared = await to_thread.run_sync(_prepare, batcher, sources, min_score, limiter=self._turns)
                jobs = [job for job in prepared if isinstance(job, Job)]
                while not _submitted(batcher, jobs):
                    if not patient:
                        raise overloaded()
                    await anyio.sleep(_LOOK)
            try:
                with span("extract", documents=len(jobs), sentences=sum(len(job.sentences) for job in jobs)):
                    return batcher.extractor.info, [
                        await _result(job) if isinstance(job, Job) else job for job in prepared
                    ]
            finally:
                batcher.cancel(jobs)  # those that are not done

    @contextmanager
    def _use(self) -> Iterator[Batcher]:
        """The batcher that serves now; it is closed after the last who uses it, when another has taken its place."""
        batcher = self.batcher
        self._users[batcher] += 1
        try:
            yield batcher
        finally:
            self._users[batcher] -= 1
            if not self._users[batcher]:
                del self._users[batcher]
                if batcher is not self._batcher:
                    asyncio.get_running_loop().run_in_executor(None, batcher.close)


@contextmanager
def _coming(batcher: Batcher) -> Iterator[None]:
    batcher.coming(1)
    try:
        yield
    finally:
        batcher.coming(-1)


def _prepare(batcher: Batcher, sources: Sequence[Source], min_score: float) -> list[Job | Failed]:
    return [_prepare_one(batcher, source, min_score) for source in sources]


def _prepare_one(batcher: Batcher, source: Source, min_score: float) -> Job | Failed:
    try:
        return batcher.prepare(source, min_score)
    except Exception:
        _log.exception("a text could not be prepared")
        return Failed(source)


def _submitted(batcher: Batcher, jobs: Sequence[Job]) -> bool:
    try:
        batcher.submit(jobs)
    except QueueFullError:
        return False
    return True


async def _result(job: Job) -> Result:
    try:
        return await asyncio.wrap_future(job.future)
    except Exception:  # the batcher has logged it
        return Failed(job.source)
