"""The runner in this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from serving.bulk.extraction import extract_chunk
from serving.bulk.identity import Maker
from serving.bulk.job import Job, Told
from serving.bulk.output import Finished, Output
from serving.bulk.plan import Task, read_task


def run_here(
    job: Job, made_by: Maker, output: Output, tasks: Iterable[Task], threads: int, told: Told
) -> Iterator[Finished]:
    """Do tasks one after the other, holding one chunk at a time. `threads` of the network; 0 is all cores.

    Raises BulkError.
    """
    extractor = made_by.load(job, threads)
    for task in tasks:
        for number, items in read_task(task, job):
            yield extract_chunk(extractor, job, output, number, items, told)
