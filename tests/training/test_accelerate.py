"""Several processes, or several batches a step, train as one process does with as much larger batches."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

from model.annotation_files import read_annotations, write_annotations
from training.optimization import WeightAverage

COMMAND = "from training.commands import app; app()"
LAUNCH = [sys.executable, "-m", "accelerate.commands.accelerate_cli", "launch", "--multi_gpu", "--num_machines", "1"]
LAUNCH += ["--mixed_precision", "no", "--dynamo_backend", "no", "--num_processes", "2", "--main_process_port", "0"]
LAUNCH += ["--no_python"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path, root: Path) -> Path:
    """An encoder without dropout, 25 sentences of our own, and three that know names only."""
    folder = tmp_path_factory.mktemp("processes")
    shutil.copytree(tiny_encoder, folder / "encoder")
    path = folder / "encoder" / "config.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    values |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    path.write_text(json.dumps(values), encoding="utf-8")
    for name, count in (("train", 22), ("dev", 6)):
        sentences = read_annotations(root / "annotations" / f"{name}.jsonl")
        write_annotations(folder / f"{name}.jsonl", islice(sentences, count))
    (folder / "names.conll").write_text("زار O\nسالم B-PER\nبغداد B-LOC\n\n" * 3, encoding="utf-8")
    return folder


def start(folder: Path, name: str, batch: int, accumulation: int, launch: list[str]) -> subprocess.Popen[bytes]:
    """Start a training of 25 sentences an epoch; the last of its steps of eight has one sentence."""
    config = {
        "encoder": "encoder",
        "sources": [{"path": "train.jsonl"}, {"path": "names.conll", "format": "conll"}],
        "dev": [{"path": "dev.jsonl"}],
        "epochs": 2,
        "batch_size": batch,
        "gradient_accumulation": accumulation,
        "learning_rate": 1e-3,
        "role_width": 16,
        "dropout": 0.0,
        "average_decay": 0.9,
        "bf16": "no",
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return launched(folder, name, launch)


def launched(folder: Path, name: str, launch: list[str]) -> subprocess.Popen[bytes]:
    """Start the training that a configuration describes, with one thread a process."""
    return subprocess.Popen(
        [*launch, sys.executable, "-c", COMMAND, "train", f"{folder / name}.yaml", "--output", str(folder / name)],
        env={
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "CUDA_VISIBLE_DEVICES": "",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture(scope="module")
def runs(folder: Path) -> dict[str, bytes]:
    """What three trainings with steps of eight sentences print: in one piece, in two batches, in two processes."""
    started = {
        "one": start(folder, "one", 8, 1, []),
        "accumulated": start(folder, "accumulated", 4, 2, []),
        "two": start(folder, "two", 4, 1, LAUNCH),
    }
    printed = {}
    for name, process in started.items():
        printed[name], errors = process.communicate()
        assert process.returncode == 0, errors.decode()
    return printed


def log_of(output: Path) -> list[dict[str, Any]]:
    path = max((output / "run").glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    log: list[dict[str, Any]] = json.loads((path / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
    return log


@pytest.mark.parametrize("name", ["accumulated", "two"])
def test_the_loss_curve_is_that_of_one_process_with_twice_the_batch(
    folder: Path, runs: dict[str, bytes], name: str
) -> None:
    expected, found = ([entry for entry in log_of(folder / own) if "loss" in entry] for own in ("one", name))
    assert len(expected) == 8, "two epochs of four steps, each in the log"
    for before, after in zip(expected, found, strict=True):
        assert after["step"] == before["step"]
        assert after["learning_rate"] == before["learning_rate"]
        assert after["loss"] == pytest.approx(before["loss"], rel=1e-4)
        assert after["grad_norm"] == pytest.approx(before["grad_norm"], rel=1e-3)


@pytest.mark.parametrize("name", ["accumulated", "two"])
def test_the_average_of_the_weights_is_the_same(folder: Path, runs: dict[str, bytes], name: str) -> None:
    one, other = (load_file(str(folder / own / "run" / "checkpoint-8" / WeightAverage.FILE)) for own in ("one", name))
    assert one.keys() == other.keys()
    for key, weights in one.items():
        torch.testing.assert_close(other[key], weights, rtol=1e-3, atol=1e-4)


def test_one_of_the_processes_speaks_and_writes_for_all(folder: Path, runs: dict[str, bytes]) -> None:
    assert runs["two"].count(b"eval_score") == runs["one"].count(b"eval_score") == 3, "after each epoch, and at the end"
    for name in ("one", "two"):
        assert len(list((folder / name / "run").glob("**/events.out.tfevents.*"))) == 1
    made = json.loads((folder / "two" / "training.json").read_text(encoding="utf-8"))
    assert made["machine"]["processes"] == 2
    assert made["launch"] == {"processes": 2}
    assert (folder / "two" / "model.onnx").is_file()


def test_a_mistake_ends_all_processes(folder: Path, runs: dict[str, bytes]) -> None:
    config = yaml.safe_load((folder / "two.yaml").read_text(encoding="utf-8"))
    (folder / "mistaken.yaml").write_text(
        yaml.safe_dump({**config, "sources": [{"path": "nowhere.jsonl"}]}), encoding="utf-8"
    )
    process = launched(folder, "mistaken", LAUNCH)
    _, errors = process.communicate()
    assert process.returncode != 0
    assert errors.decode().count("musnad: no file matches 'nowhere.jsonl'") == 1
