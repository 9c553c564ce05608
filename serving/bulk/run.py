"""A run from its beginning, or from where it was stopped, to its end."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from serving.bulk.cluster import Cluster, check_address, run_on_ray
from serving.bulk.identity import Maker, identity, maker
from serving.bulk.job import BulkError, Format, Job, RefusedError, Told
from serving.bulk.local import run_here
from serving.bulk.output import PLAN, RUN, SUMMARY, Finished, Output, finished_chunks
from serving.bulk.plan import Chunk, Task, make_plan, plan_from_bytes, plan_to_bytes, tasks
from serving.bulk.sources import Input, find_input, has_pyarrow, missing_extra

_EXTRA = "pip install 'musnad[cluster]'"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a finished run comes to; `failed` by reason."""

    documents: int
    sentences: int
    failed: dict[str, int]
    parts: int

    @classmethod
    def of(cls, finished: Collection[Finished]) -> Summary:
        """The sum over all chunks."""
        failed: Counter[str] = Counter()
        for own in finished:
            failed.update(own.failed)
        documents = sum(own.documents for own in finished)
        sentences = sum(own.sentences for own in finished)
        return cls(documents, sentences, dict(sorted(failed.items())), len(finished))


def run(
    input: str,
    output: str,
    job: Job,
    *,
    cluster: Cluster | None = None,
    threads: int = 0,
    console: Console | None = None,
    check: Callable[[], None] = lambda: None,
) -> Summary:
    """Extract the documents of `input` into the directory `output`, going on with what is there of the same run.

    Without a `cluster`, in this process, with `threads` of the network (0: all cores). Both write the same bytes.
    `check` is called after each group of documents, and what it raises ends the run. Raises RefusedError before
    anything is done, and BulkError where the run cannot go on.
    """
    console = console or Console(quiet=True)
    source = find_input(input)
    place = Output.at(output)
    _check(source, place, job, cluster)
    made_by = maker(job)
    with place.locked():
        _claim(place, identity(source, job, made_by))
        for name in source.left_out[:3]:
            console.print(f"musnad: {name} is left out: its kind is not one of those that are read")
        if len(source.left_out) > 3:
            console.print(f"musnad: and so are {len(source.left_out) - 3:,} others")
        with _progress(console) as progress:
            chunks = _plan(source, place, job, progress, check)
            finished = finished_chunks(place, job.format)
            left = list(tasks(source, chunks, finished))
            if left:
                told = _bar(progress, chunks, finished, check)
                for own in _run(job, made_by, place, left, cluster, threads, told):
                    finished[own.chunk] = own
        return _finish(input, source, place, chunks, finished)


def _check(source: Input, place: Output, job: Job, cluster: Cluster | None) -> None:
    if cluster is not None and find_spec("ray") is None:
        raise RefusedError(f"Ray is not installed: it comes with the extra `cluster`: {_EXTRA}")
    if cluster is not None:
        check_address(cluster.address)
    if missing := missing_extra(source.files):
        raise RefusedError(f"reading {missing} needs the extra `cluster`: {_EXTRA}")
    if job.format is Format.PARQUET and not has_pyarrow():
        raise RefusedError(f"writing Parquet needs the extra `cluster`: {_EXTRA}")
    inside = [file.path for file in source.files if file.path.startswith(f"{place.root}/")]
    if inside and type(source.fs) is type(place.fs):
        raise RefusedError(f"{place.root}: the output holds files of the input: {inside[0]}")


def _claim(place: Output, own: dict[str, Any]) -> None:
    """Begin in an empty directory, or go on in one of the same run; raises RefusedError for any other."""
    raw = place.read(RUN)
    if raw is None:
        if strangers := place.names(""):
            raise RefusedError(f"{place.root}: not empty (there is {min(strangers)}), and no run to go on with")
        try:
            place.write(RUN, json.dumps(own, ensure_ascii=False, indent=1).encode())
        except BulkError as error:
            raise RefusedError(str(error)) from None
        return
    old = json.loads(raw)
    for name, value in own.items():
        if old.get(name) != value:
            was, now = (json.dumps(one, ensure_ascii=False) for one in (old.get(name), value))
            raise RefusedError(f"{place.root}: holds another run, whose {name} was {was}, and now is {now}")


def _plan(source: Input, place: Output, job: Job, progress: Progress, check: Callable[[], None]) -> list[Chunk]:
    raw = place.read(PLAN)
    if raw is not None:
        return plan_from_bytes(raw)
    bar = progress.add_task("reading", total=None)
    chunks = make_plan(source, job, _told(progress, bar, check))
    place.write(PLAN, plan_to_bytes(chunks))
    progress.remove_task(bar)
    return chunks


def _bar(progress: Progress, chunks: Iterable[Chunk], finished: Collection[int], check: Callable[[], None]) -> Told:
    chunks = list(chunks)
    done = sum(chunk.items for chunk in chunks if chunk.number in finished)
    bar = progress.add_task("extracting", total=sum(chunk.items for chunk in chunks), completed=done)
    return _told(progress, bar, check)


def _told(progress: Progress, bar: TaskID, check: Callable[[], None]) -> Told:
    def told(count: int) -> None:
        check()
        progress.advance(bar, count)

    return told


def _run(
    job: Job, made_by: Maker, place: Output, left: list[Task], cluster: Cluster | None, threads: int, told: Told
) -> Iterator[Finished]:
    if cluster is None:
        return run_here(job, made_by, place, left, threads, told)
    return run_on_ray(job, made_by, place, left, cluster, told)


def _finish(input: str, source: Input, place: Output, chunks: list[Chunk], finished: dict[int, Finished]) -> Summary:
    """Check that all is done, and of the input that was there at the beginning; write the summary."""
    if lost := [chunk.number for chunk in chunks if chunk.number not in finished]:
        raise BulkError(f"{place.root}: {len(lost)} parts were not written, the first of them number {lost[0]}")
    if find_input(input).digest != source.digest:
        raise BulkError(f"{input}: changed while it was read; the output is of what was there at the beginning")
    summary = Summary.of([finished[chunk.number] for chunk in chunks])
    place.write(SUMMARY, json.dumps(asdict(summary)).encode())
    return summary


@contextmanager
def _progress(console: Console) -> Iterator[Progress]:
    """Bars on a terminal, nothing elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield progress
