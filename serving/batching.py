"""Dynamic batching: the sentences of all waiting documents share the network's batches.

Documents wait as jobs, their sentences (windows of them, where a sentence outgrows the network) in one list ordered by
length. A batch is led by a window of the job whose turn it is, and filled with the windows of any job that are nearest
in length, up to a number of rows and of padded pieces. So a batch wastes little on padding, and a long document does
not keep a short one waiting: the jobs take turns in leading.
"""

from __future__ import annotations

import logging
import threading
import time
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from model.decoding import DecodedSentence, decode
from model.encoding import EncodedSentence, Window
from model.extractor import Extractor
from model.outputs import Floats, merge, unpadded
from model.records import Document
from model.sentences import split_sentences
from model.text import Offsets
from serving.reading import Source

_log = logging.getLogger(__name__)

_NOTHING = DecodedSentence((), (), ())


class QueueFullError(Exception):
    """The queue is full: try again later."""


class ClosedError(Exception):
    """The batcher takes no more jobs."""


@dataclass(eq=False, slots=True)
class Job:
    """A document on its way: what it was cut into, and what is known of it so far."""

    source: Source
    min_score: float
    sentences: list[Offsets]
    encoded: list[EncodedSentence]
    windows: list[list[Window]]
    future: Future[Document] = field(default_factory=Future)
    #: Windows that no batch has taken, by their number in the queue.
    waiting: dict[int, _Ticket] = field(default_factory=dict)
    rows: list[list[dict[str, Floats] | None]] = field(default_factory=list)
    decoded: list[DecodedSentence] = field(default_factory=list)
    #: Sentences that are not decoded.
    left: int = 0

    @property
    def size(self) -> int:
        """Windows in all."""
        return sum(map(len, self.windows))


@dataclass(frozen=True, slots=True, order=True)
class _Ticket:
    """One window in the queue; ordered by its length, then by arrival."""

    pieces: int
    number: int
    job: Job = field(compare=False)
    sentence: int = field(compare=False)
    place: int = field(compare=False)

    @property
    def window(self) -> Window:
        return self.job.windows[self.sentence][self.place]


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Rows and padded pieces of a batch; seconds that one which is not full may wait for jobs that are on their way."""

    rows: int = 8
    pieces: int = 512
    wait: float = 0.002


class Batcher:
    """Threads that run an extractor's network over batches from a bounded queue.

    `room`: windows that may wait; a lone job of more is taken when nothing else waits. `threads`: batches at a time;
    while one is in the network, the next is made and the last decoded. `observe` is told rows and pieces (without
    padding) of every batch, in the batcher's threads.
    """

    def __init__(
        self,
        extractor: Extractor,
        limits: BatchLimits | None = None,
        room: int = 4096,
        threads: int = 2,
        observe: Callable[[int, int], None] | None = None,
    ) -> None:
        self.extractor = extractor
        self.limits = limits or BatchLimits()
        self.room = room
        self._observe = observe or (lambda rows, pieces: None)
        self._changed = threading.Condition()
        self._tickets: list[_Ticket] = []  # ordered
        self._turns: deque[Job] = deque()
        self._oldest = 0.0  # when the first of the jobs that wait came
        self._coming = 0
        self._count = 0
        self._closed = False
        self._threads = [threading.Thread(target=self._work, name=f"batcher-{n}", daemon=True) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """Windows in the queue."""
        return len(self._tickets)

    @property
    def full(self) -> bool:
        """Whether no more should come: what waits, and jobs on their way, at a window each, take all the room."""
        return len(self._tickets) + self._coming >= self.room

    def coming(self, change: int) -> None:
        """Tell of jobs that are being prepared (+1) or no longer (-1): a batch that is not full waits for them."""
        with self._changed:
            self._coming += change
            if not self._coming:
                self._changed.notify_all()

    def prepare(self, source: Source, min_score: float = 0.0) -> Job:
        """Cut a document into sentences, words, pieces and windows; takes time, and belongs in a thread."""
        encoder = self.extractor.encoder
        sentences = split_sentences(source.text)
        encoded = encoder.encode(source.text, sentences)
        job = Job(source, min_score, sentences, encoded, [encoder.windows(own) for own in encoded])
        job.rows = [[None] * len(own) for own in job.windows]
        job.decoded = [_NOTHING] * len(encoded)
        job.left = sum(1 for own in job.windows if own)
        return job

    def submit(self, jobs: Sequence[Job]) -> None:
        """Queue jobs, all or none; their futures get the documents. Raises QueueFullError, ClosedError."""
        empty = [job for job in jobs if not job.left]
        with self._changed:
            if self._closed:
                raise ClosedError
            if self._tickets and len(self._tickets) + sum(job.size for job in jobs) > self.room:
                raise QueueFullError
            if not self._tickets:
                self._oldest = time.monotonic()
            for job in jobs:
                if job.left:
                    self._enqueue(job)
            self._changed.notify_all()
        for job in empty:
            self._finish(job)

    def _enqueue(self, job: Job) -> None:
        for sentence, windows in enumerate(job.windows):
            for place, window in enumerate(windows):
                self._count += 1
                ticket = _Ticket(len(window.input_ids), self._count, job, sentence, place)
                job.waiting[ticket.number] = ticket
                insort(self._tickets, ticket)
        self._turns.append(job)

    def cancel(self, jobs: Iterable[Job]) -> None:
        """Take jobs out of the queue, with what waits of them; what is in the network is finished and dropped."""
        with self._changed:
            for job in jobs:
                job.future.cancel()
                self._withdraw(job)
            self._changed.notify_all()

    def _withdraw(self, job: Job) -> None:
        for ticket in job.waiting.values():
            del self._tickets[bisect_left(self._tickets, ticket)]
        if job.waiting:
            self._turns.remove(job)
        job.waiting.clear()

    def close(self) -> None:
        """Take no more jobs, finish those that wait, and return when the threads have ended."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    # ------------------------------------------------------------------------------------------------------------------
    # The threads

    def _work(self) -> None:
        while batch := self._take():
            try:
                self._run(batch)
            except Exception as error:
                _log.exception("a batch failed")
                with self._changed:
                    for job in {ticket.job for ticket in batch}:
                        self._withdraw(job)
                        _settle(job, error)

    def _take(self) -> list[_Ticket]:
        """The next batch, when there is one; none once the batcher is closed and nothing waits."""
        with self._changed:
            while not self._ready():
                if self._closed and not self._tickets:
                    return []
                self._changed.wait(self._patience())
            job = self._turns[0]
            self._turns.rotate(-1)
            batch = self._around(next(iter(job.waiting.values())))
            for ticket in batch:
                del ticket.job.waiting[ticket.number]
                if not ticket.job.waiting:
                    self._turns.remove(ticket.job)
            self._oldest = time.monotonic()
            return batch

    def _ready(self) -> bool:
        """Whether to take a batch now: it is full, or nothing more is on its way, or it has waited long enough."""
        if not self._tickets:
            return False
        full = len(self._tickets) >= self.limits.rows
        return full or not self._coming or self._closed or time.monotonic() >= self._oldest + self.limits.wait

    def _patience(self) -> float | None:
        return max(0.0, self._oldest + self.limits.wait - time.monotonic()) if self._tickets else None

    def _around(self, leader: _Ticket) -> list[_Ticket]:
        """Take out of the queue the leader and the windows nearest to it in length, as many as make a batch."""
        tickets = self._tickets
        low = bisect_left(tickets, leader)
        high = low + 1
        while high - low < self.limits.rows:
            shorter = tickets[low - 1].pieces if low else None
            longer = tickets[high].pieces if high < len(tickets) else None
            if longer is not None and (high - low + 1) * longer > self.limits.pieces:
                longer = None
            if shorter is not None and (high - low + 1) * tickets[high - 1].pieces > self.limits.pieces:
                shorter = None
            if shorter is None and longer is None:
                break
            if longer is None or (shorter is not None and leader.pieces - shorter <= longer - leader.pieces):
                low -= 1
            else:
                high += 1
        batch = tickets[low:high]
        del tickets[low:high]
        return batch

    def _run(self, batch: Sequence[_Ticket]) -> None:
        windows = [ticket.window for ticket in batch]
        self._observe(len(batch), sum(len(window.input_ids) for window in windows))
        outputs = self.extractor.network(self.extractor.encoder.batch(windows))
        complete: list[tuple[Job, int]] = []
        with self._changed:  # two batches may hold windows of one sentence
            for row, ticket in enumerate(batch):
                own = ticket.job.rows[ticket.sentence]
                own[ticket.place] = unpadded(outputs, row, ticket.window.last - ticket.window.first)
                if all(part is not None for part in own):
                    complete.append((ticket.job, ticket.sentence))
        del outputs
        merged = []
        for job, sentence in complete:
            rows = [row for row in job.rows[sentence] if row is not None]
            merged.append(merge(job.windows[sentence], rows))
            job.rows[sentence] = []
        decoded = decode(merged)
        done = []
        with self._changed:
            for (job, sentence), found in zip(complete, decoded, strict=True):
                job.decoded[sentence] = found
                job.left -= 1
                if not job.left:
                    done.append(job)
        for job in done:
            self._finish(job)

    def _finish(self, job: Job) -> None:
        """Make the document and hand it over."""
        if job.future.cancelled():
            return
        source = job.source
        try:
            ids = None if source.id is None else [source.id]
            [document] = self.extractor.documents(
                [source.text], [job.sentences], job.encoded, job.decoded, ids, job.min_score
            )
        except Exception as error:
            _log.exception("a document could not be made")
            _settle(job, error)
        else:
            _settle(job, document)


def _settle(job: Job, result: Document | Exception) -> None:
    """Give a job's future its result, unless it was cancelled or has one."""
    if job.future.done() or not job.future.set_running_or_notify_cancel():
        return
    if isinstance(result, Exception):
        job.future.set_exception(result)
    else:
        job.future.set_result(result)
