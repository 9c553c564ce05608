"""The command on a local Ray cluster of two CPUs: the same bytes as in one process, also when something dies."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from archives import contents, documents, failures, write_lines
from bulk_process import begin, until_finished

pytest.importorskip("ray", reason="the extra `cluster` is not installed")

_PARTS = ("--part-documents", "4")
_IDS = [f"d{n}" for n in range(80)]
#: A document that fails, and one whose id is that of another.
_BAD, _TWICE = 17, 40


@pytest.fixture(scope="module")
def sentences(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """Two files of 40 articles of our sentences: one is without its text, and one has the id of another."""
    from model.annotation_files import read_annotations

    folder = tmp_path_factory.mktemp("archive")
    texts = [sentence.text for sentence in read_annotations(root / "annotations" / "dev.jsonl")]
    articles = ["\n".join(texts[n : n + 10]) for n in range(len(_IDS))]
    rows = [{"id": id, "text": text, "date": "2015-07-01"} for id, text in zip(_IDS, articles, strict=True)]
    del rows[_BAD]["text"]
    rows[_TWICE]["id"] = _IDS[0]
    write_lines(folder / "a.jsonl", rows[:40])
    write_lines(folder / "b.jsonl", rows[40:])
    return folder


@pytest.fixture(scope="module")
def whole(sentences: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What one process makes of them."""
    output = tmp_path_factory.mktemp("whole") / "out"
    process = begin(sentences, output, *_PARTS)
    _, errors = process.communicate()
    assert process.returncode == 1, errors
    assert Counter(row["id"] for row in documents(output)) == Counter(set(_IDS) - {_IDS[_BAD], _IDS[_TWICE]})
    assert [(row["id"], row["reason"]) for row in failures(output)] == [(_IDS[_BAD], "no-text"), ("d0", "duplicate-id")]
    return contents(output)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[psutil.Process]:
    """A cluster of two CPUs that outlives its drivers; `--address auto` leads to it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"127.0.0.1:{port}"
    settings = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RAY_ADDRESS", raising=False)
        # a token of its own, for the cluster and its drivers; one that lies in the home directory is nobody's business
        patch.delenv("RAY_AUTH_TOKEN_PATH", raising=False)
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", f"--port={port}"]
        options = ["--num-cpus=2", "--object-store-memory=100000000", "--include-dashboard=false"]
        options += ["--node-ip-address=127.0.0.1", "--disable-usage-stats"]
        log = tmp_path_factory.mktemp("ray") / "log"
        with log.open("wb") as output:
            process = psutil.Popen([*command, *options], env={**os.environ, **settings}, stdout=output, stderr=output)
        try:
            while "Ray runtime started" not in log.read_text(encoding="utf-8"):
                assert process.poll() is None, log.read_text(encoding="utf-8")
                time.sleep(0.1)
            patch.setenv("RAY_ADDRESS", address)
            yield process
        finally:
            everyone = [process, *process.children(recursive=True)]
            process.terminate()
            for one in psutil.wait_procs(everyone, timeout=5)[1]:
                one.kill()


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for a run; its errors. One document is bad, and one comes twice: its status is 1."""
    _, errors = process.communicate()
    assert process.returncode == 1, errors
    assert "78 documents" in errors
    return errors


def test_a_cluster_of_its_own_writes_the_same_bytes_and_leaves_no_token(
    sentences: Path, tmp_path: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("RAY_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    process = begin(sentences, tmp_path / "out", *_PARTS, "--ray", "--actors", "1")
    _, errors = process.communicate()
    if process.returncode == 2 and "timed out during startup" in errors:
        pytest.skip("Ray did not start: its raylet gives an agent 15 s, which a busy machine does not keep")
    assert process.returncode == 1, errors
    assert contents(tmp_path / "out") == whole
    assert not (home / ".ray").exists()


@pytest.mark.usefixtures("cluster")
def test_a_cluster_writes_the_same_bytes(sentences: Path, tmp_path: Path, whole: dict[str, bytes]) -> None:
    finish(begin(sentences, tmp_path / "out", *_PARTS, "--address", "auto", "--actors", "2"))
    assert contents(tmp_path / "out") == whole


@pytest.mark.usefixtures("cluster")
def test_another_runtime_runs_in_the_workers_too(sentences: Path, tmp_path: Path, whole: dict[str, bytes]) -> None:
    options = (*_PARTS, "--runtime", "onnxruntime")
    finish(begin(sentences, tmp_path / "here", *options))
    finish(begin(sentences, tmp_path / "ray", *options, "--address", "auto", "--actors", "2"))
    assert contents(tmp_path / "ray") == contents(tmp_path / "here")
    assert contents(tmp_path / "ray")["run.json"] != whole["run.json"]


def test_a_worker_that_is_killed_is_replaced(
    cluster: psutil.Process, sentences: Path, tmp_path: Path, whole: dict[str, bytes]
) -> None:
    process = begin(sentences, tmp_path / "out", *_PARTS, "--address", "auto")
    until_finished(process, tmp_path / "out", 2)
    workers = [one for one in cluster.children(recursive=True) if "_Extraction" in " ".join(one.cmdline())]
    assert len(workers) == 2
    workers[0].kill()
    assert len(list((tmp_path / "out" / "finished").iterdir())) < 20
    finish(process)
    assert contents(tmp_path / "out") == whole


@pytest.mark.usefixtures("cluster")
def test_a_killed_run_goes_on_on_ray_and_without_it(sentences: Path, tmp_path: Path, whole: dict[str, bytes]) -> None:
    output, copy = tmp_path / "out", tmp_path / "copy"
    ray = ("--address", "auto")
    process = begin(sentences, output, *_PARTS, *ray)
    until_finished(process, output, 2)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert 2 <= len(list((output / "finished").iterdir())) < 20
    shutil.copytree(output, copy)
    finish(begin(sentences, output, *_PARTS, *ray))
    assert contents(output) == whole
    finish(begin(sentences, copy, *_PARTS))
    assert contents(copy) == whole


def test_an_address_where_nothing_listens_is_refused_at_once(sentences: Path, tmp_path: Path) -> None:
    process = begin(sentences, tmp_path / "out", *_PARTS, "--address", "127.0.0.1:1")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2
    assert errors == "musnad: --address 127.0.0.1:1: nothing answers at 127.0.0.1:1: Connection refused\n"


@pytest.mark.parametrize("address", ["ray://127.0.0.1:1", "auto"])
def test_a_ray_client_is_refused(
    sentences: Path, tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "ray://127.0.0.1:1")
    process = begin(sentences, tmp_path / "out", *_PARTS, "--address", address)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2
    assert errors.startswith(f"musnad: --address {address}: Ray Data does not run through a Ray client")
    assert not (tmp_path / "out").exists()
