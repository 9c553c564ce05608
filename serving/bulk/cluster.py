"""The runner on Ray Data (extra `cluster`): tasks read, a pool of actors that hold the model extract and write.

Ray Data streams chunks from the ones to the others through its object store and holds the readers back while the actors
are busy. A worker that dies is replaced, and what it had begun is done again: a part is named for its chunk and appears
whole, so that doing one twice changes nothing.
"""

from __future__ import annotations

import logging
import os
import pickle
import secrets
import socket
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from serving.bulk.extraction import extract_chunk
from serving.bulk.identity import Maker
from serving.bulk.job import BulkError, Job, RefusedError, Told
from serving.bulk.output import Finished, Output
from serving.bulk.plan import Task, read_task

#: Bytes of the object store of a cluster that is started for one run; what is on its way is a few MB an actor.
OBJECT_STORE_BYTES = 512 * 1024 * 1024
#: Times that a chunk is begun anew because its worker died, before the run gives up.
RETRIES = 5
#: Seconds in which a cluster must take a connection.
_PATIENCE = 10
#: Chunks that wait at an actor, the one at work included: enough that it never waits, so that few are done again.
_CHUNKS_AT_AN_ACTOR = 2
#: Bytes from which on Ray Data hands on what has been read: no more than a chunk.
_BLOCK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where to run: an `address` that `ray.init` takes, how many `actors` (None: what the CPUs hold), CPUs of each."""

    address: str = "local"
    actors: int | None = None
    cpus: int = 1


def check_address(address: str) -> None:
    """Raise RefusedError for a Ray client's address: there Ray Data fails at once, tried with Ray 2.60."""
    if _where(address).startswith("ray://"):
        raise RefusedError(
            f"--address {address}: Ray Data does not run through a Ray client (ray://): start the command on a "
            "machine of the cluster, with --address auto"
        )


def run_on_ray(
    job: Job, made_by: Maker, output: Output, tasks: Sequence[Task], cluster: Cluster, told: Told
) -> Iterator[Finished]:
    """Do tasks on a Ray cluster, in any order. Raises BulkError."""
    _probe(cluster.address)
    _set_environment(cluster.address)
    import ray  # reads the environment when it is imported
    import ray.exceptions

    _connect(cluster)
    try:
        actors = cluster.actors or max(1, int(ray.cluster_resources().get("CPU", 1)) // cluster.cpus)
        for row in _pipeline(job, (job, made_by, output, cluster.cpus), tasks, actors).iter_rows():
            value = pickle.loads(row["result"])
            if isinstance(value, BulkError):
                raise value
            told(value.documents + sum(value.failed.values()))
            yield value
    except ray.exceptions.RayError as error:
        raise BulkError(f"Ray: {_last_line(error)}") from None
    finally:
        ray.shutdown()


def _set_environment(address: str) -> None:
    """Settings of Ray that this process does not have from its own environment."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anyone
    os.environ.setdefault("RAY_worker_niceness", "0")  # by default 15: anything else on the machine would starve them
    if address == "local" and not {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & set(os.environ):
        # of this run alone; Ray would take, or make and leave, one in the home directory
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}


def _connect(cluster: Cluster) -> None:
    import ray

    logging.getLogger("ray.data").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", "The m(in|ax)imum number of concurrent", UserWarning)
    options: dict[str, Any] = {"logging_level": logging.ERROR}
    if cluster.address == "local":
        options |= {"object_store_memory": OBJECT_STORE_BYTES, "include_dashboard": False}
        if cluster.actors is not None:
            options["num_cpus"] = cluster.actors * cluster.cpus
    try:
        ray.init(cluster.address, **options)
    except Exception as error:  # Ray raises no more exact one where it does not come up in time
        raise RefusedError(f"--address {cluster.address}: {_last_line(error)}") from None


def _probe(address: str) -> None:
    """Raise RefusedError where nothing listens at an address: Ray would try for minutes, without a word."""
    where = _where(address)
    host, colon, port = where.rpartition(":")
    if not colon or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _PATIENCE).close()
    except OSError as error:
        raise RefusedError(f"--address {address}: nothing answers at {where}: {error.strerror or error}") from None


def _where(address: str) -> str:
    return os.environ.get("RAY_ADDRESS", address) if address == "auto" else address


def _pipeline(job: Job, arguments: tuple[Job, Maker, Output, int], tasks: Sequence[Task], actors: int) -> Any:
    """The dataset whose rows are what became of the chunks."""
    import ray
    import ray.data

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False  # the command has its own
    context.print_on_execution_start = False
    context.target_max_block_size = _BLOCK_BYTES
    context.target_min_block_size = 1
    context.retried_map_errors = False
    rows = [{"task": pickle.dumps(task)} for task in tasks]
    readers = ray.data.TaskPoolStrategy(size=min(len(rows), max(2, actors // 4)))
    read = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
        _read, batch_size=1, fn_args=(job,), num_cpus=0, compute=readers
    )
    pool = ray.data.ActorPoolStrategy(size=actors, max_tasks_in_flight_per_actor=_CHUNKS_AT_AN_ACTOR)
    with warnings.catch_warnings():
        # Ray 2.60 to 2.63 take it so, and have no other way yet; without it a chunk that kills its worker never ends
        warnings.filterwarnings("ignore", "`ray_remote_args` is deprecated")
        return read.map_batches(
            _Extraction,
            fn_constructor_args=arguments,
            batch_size=1,
            compute=pool,
            num_cpus=arguments[-1],
            max_restarts=-1,
            max_task_retries=RETRIES,
        )


def _read(batch: dict[str, Any], job: Job) -> Iterator[dict[str, list[Any]]]:
    """Yield the chunks of a task, or the error that ends the run."""
    (task,) = batch["task"]
    try:
        for number, items in read_task(pickle.loads(task), job):
            yield {"chunk": [number], "items": [pickle.dumps(items)]}
    except BulkError as error:
        yield {"chunk": [-1], "items": [pickle.dumps(error)]}


class _Extraction:
    """An actor: it loads the model with its first chunk and keeps it."""

    def __init__(self, job: Job, made_by: Maker, output: Output, cpus: int) -> None:
        self._job, self._made_by, self._output, self._cpus = job, made_by, output, cpus
        self._extractor: Any = None

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[bytes]]:
        return {"result": [pickle.dumps(self._result(int(number), items)) for number, items in _rows(batch)]}

    def _result(self, chunk: int, items: bytes) -> Finished | BulkError:
        value = pickle.loads(items)
        if isinstance(value, BulkError):
            return value
        try:
            if self._extractor is None:
                self._extractor = self._made_by.load(self._job, self._cpus)
            return extract_chunk(self._extractor, self._job, self._output, chunk, value, lambda count: None)
        except BulkError as error:
            return error


def _rows(batch: dict[str, Any]) -> Iterator[tuple[int, bytes]]:
    return zip(batch["chunk"], batch["items"], strict=True)


def _last_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__
