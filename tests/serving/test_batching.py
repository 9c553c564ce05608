from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from fake_extractor import FakeExtractor

from model.extractor import Extractor
from model.records import Document
from serving.batching import Batcher, BatchLimits, ClosedError, Job, QueueFullError
from serving.reading import Source


def text_of(words: int) -> str:
    return " ".join(["كلمة"] * words)


class Batchers:
    """Makes batchers, and closes them at the end."""

    def __init__(self) -> None:
        self.made: list[Batcher] = []

    def __call__(self, extractor: Extractor, *, threads: int = 1, room: int = 4096, **limits: float) -> Batcher:
        self.made.append(Batcher(extractor, BatchLimits(**limits), room, threads))  # type: ignore[arg-type]
        return self.made[-1]


@pytest.fixture
def make(extractor: FakeExtractor) -> Iterator[Batchers]:
    batchers = Batchers()
    yield batchers
    extractor.fake.open.set()
    for batcher in batchers.made:
        batcher.close()


def job(batcher: Batcher, *words: int) -> Job:
    """A document with a sentence of each of these numbers of words."""
    return batcher.prepare(Source(None, ".\n".join(text_of(count) for count in words)))


def fill(extractor: FakeExtractor, batcher: Batcher) -> Job:
    """Keep the one thread of a batcher in the network, with a job that is no longer waiting."""
    extractor.fake.open.clear()
    first = job(batcher, 1)
    batcher.submit([first])
    assert extractor.fake.entered.acquire(timeout=60)
    return first


def test_jobs_that_wait_share_batches_of_like_length(extractor: FakeExtractor, make: Batchers) -> None:
    batcher = make(extractor, rows=4)
    fill(extractor, batcher)
    jobs = [job(batcher, words) for words in (3, 30, 4, 31, 5, 32, 2, 33)]
    for own in jobs:
        batcher.submit([own])
    assert batcher.waiting == 8
    extractor.fake.open.set()
    for own in jobs:
        assert own.future.result(60).text == own.source.text
    assert batcher.waiting == 0
    assert [rows for rows, _ in extractor.fake.batches] == [1, 4, 4]
    assert sorted(pieces for _, pieces in extractor.fake.batches[1:]) == [5 + 2, 33 + 2]


def test_a_batch_has_at_most_so_many_padded_pieces(extractor: FakeExtractor, make: Batchers) -> None:
    batcher = make(extractor, rows=32, pieces=100)
    fill(extractor, batcher)
    jobs = [job(batcher, words) for words in (48, 10, 11, 200, 9, 50, 3)]
    batcher.submit(jobs)
    extractor.fake.open.set()
    for own in jobs:
        own.future.result(60)
    shapes = extractor.fake.batches[1:]
    assert sum(rows for rows, _ in shapes) == 7
    assert all(rows * pieces <= 100 for rows, pieces in shapes if rows > 1)
    assert (1, 202) in shapes


def test_a_long_document_does_not_keep_a_short_one_waiting(extractor: FakeExtractor, make: Batchers) -> None:
    batcher = make(extractor, rows=2)
    fill(extractor, batcher)
    long, short = job(batcher, *[20] * 100), job(batcher, 3)
    batcher.submit([long])
    batcher.submit([short])
    before: list[int] = []
    short.future.add_done_callback(lambda _: before.append(len(extractor.fake.batches)))
    extractor.fake.open.set()
    short.future.result(60)
    long.future.result(60)
    assert before == [3]  # the first job's, one of the long document's, its own
    assert len(extractor.fake.batches) > 50


def test_a_job_may_be_cut_over_many_batches_and_windows(extractor: FakeExtractor, make: Batchers) -> None:
    batcher = make(extractor, threads=2, rows=2)
    jobs = [job(batcher, 1200, 1, 7), job(batcher, 700, 700)]
    batcher.submit(jobs)
    assert [own.future.result(60).text for own in jobs] == [own.source.text for own in jobs]
    assert sum(rows for rows, _ in extractor.fake.batches) == sum(own.size for own in jobs) > 7


def test_jobs_on_their_way_take_room(extractor: FakeExtractor, make: Batchers) -> None:
    batcher = make(extractor, room=3)
    fill(extractor, batcher)
    batcher.submit([job(batcher, 1, 2)])
    assert not batcher.full
    batcher.coming(1)
    assert batcher.full
    batcher.coming(-1)
    assert not batcher.full


def test_what_there_is_no_room_for_is_refused_whole(extractor: FakeExtractor, make: Batchers) -> None:
    batcher = make(extractor, room=3)
    fill(extractor, batcher)
    large = job(batcher, *[2] * 10)
    batcher.submit([large])  # nothing else waits
    with pytest.raises(QueueFullError):
        batcher.submit([job(batcher, 1)])
    assert batcher.waiting == 10
    batcher.cancel([large])
    batcher.submit([job(batcher, 1, 1)])
    with pytest.raises(QueueFullError):
        batcher.submit([job(batcher, 1), job(batcher, 1)])
    assert batcher.waiting == 2


def test_cancelled_jobs_leave_the_queue(extractor: FakeExtractor, make: Batchers) -> None:
    batcher = make(extractor)
    running = fill(extractor, batcher)
    gone, stays = job(batcher, 5, 6), job(batcher, 5, 7)
    batcher.submit([gone, stays])
    batcher.cancel([gone, running])
    assert batcher.waiting == 2
    extractor.fake.open.set()
    assert stays.future.result(60).text == stays.source.text
    assert gone.future.cancelled()
    assert running.future.cancelled()
    assert sum(rows for rows, _ in extractor.fake.batches) == 3


def test_a_text_without_words_needs_no_batch(extractor: FakeExtractor, make: Batchers) -> None:
    batcher = make(extractor)
    empty = batcher.prepare(Source("1", " \n"))
    batcher.submit([empty])
    assert empty.future.result(60) == Document("1", " \n")
    assert extractor.fake.batches == []


def test_a_batch_waits_for_what_is_being_prepared(extractor: FakeExtractor, make: Batchers) -> None:
    batcher = make(extractor, wait=60.0)
    first, second = job(batcher, 3), job(batcher, 4)
    batcher.coming(2)
    batcher.submit([first])
    batcher.coming(-1)
    assert not extractor.fake.entered.acquire(timeout=0.05)
    batcher.submit([second])
    batcher.coming(-1)
    first.future.result(60)
    second.future.result(60)
    assert extractor.fake.batches == [(2, 6)]


def test_a_failure_ends_its_jobs_and_no_others(
    extractor: FakeExtractor, make: Batchers, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = extractor.fake

    def fail(batch: object) -> object:
        if batch.input_ids.shape[1] > 10:  # type: ignore[attr-defined]
            raise RuntimeError("out of memory")
        return network(batch)  # type: ignore[arg-type]

    monkeypatch.setattr(extractor, "network", fail)
    batcher = make(extractor, rows=1)
    bad, good = job(batcher, 20, 3, 3), job(batcher, 3)
    batcher.submit([bad, good])
    with pytest.raises(RuntimeError, match="out of memory"):
        bad.future.result(60)
    assert good.future.result(60).text == good.source.text
    assert batcher.waiting == 0


def test_closing_finishes_what_waits(extractor: FakeExtractor) -> None:
    batcher = Batcher(extractor, threads=1)
    fill(extractor, batcher)
    own = job(batcher, 3)
    batcher.submit([own])
    closing = threading.Thread(target=batcher.close)
    closing.start()
    extractor.fake.open.set()
    closing.join(60)
    assert own.future.result(0).text == own.source.text
    with pytest.raises(ClosedError):
        batcher.submit([job(batcher, 3)])


def test_many_threads_lose_nothing(extractor: FakeExtractor, make: Batchers) -> None:
    batcher = make(extractor, threads=3, rows=5)

    def run(number: int) -> bool:
        own = job(batcher, *(1 + (number * step) % 40 for step in range(1, 1 + number % 5)))
        batcher.submit([own])
        if number % 7 == 0:
            batcher.cancel([own])
            return True
        return own.future.result(60).text == own.source.text

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(run, range(300)))
    assert batcher.waiting == 0
