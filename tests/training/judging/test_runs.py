from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from training.judging.runs import Run, RunError, read_run

EPOCHS = [{"epoch": 1.0, "eval_score": 0.5, "eval_dev_roles": 0.4}, {"epoch": 2.0, "eval_score": 0.6}]


def write_run(directory: Path, *, made: dict[str, Any] | None = None, step: int = 0) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    if made is not None:
        (directory / "training.json").write_text(json.dumps(made), encoding="utf-8")
    if step:
        state = directory / "run" / f"checkpoint-{step}"
        state.mkdir(parents=True)
        history = [{"epoch": 0.5, "loss": 3.0, "step": 1}, *EPOCHS]
        text = {"log_history": history, "global_step": step, "epoch": 2.0, "train_batch_size": 16}
        (state / "trainer_state.json").write_text(json.dumps(text), encoding="utf-8")
    return directory


def test_a_whole_run(tmp_path: Path) -> None:
    made = {
        "configuration": {"gradient_accumulation": 2, "dev": [{"path": "./d/dev*.jsonl"}]},
        "files": {"d/dev1.jsonl": "aa", "d/dev2.jsonl": "bb", "train.jsonl": "cc"},
        "dev": {"eval_score": 0.61},
    }
    (tmp_path / "run" / "run" / "checkpoint-7").mkdir(parents=True)  # torn: without a state
    run = read_run(write_run(tmp_path / "run", made=made, step=100))
    assert run.epochs == ((1.0, {"eval_score": 0.5, "eval_dev_roles": 0.4}), (2.0, {"eval_score": 0.6}))
    assert (run.final, run.best) == ({"eval_score": 0.61}, {"eval_score": 0.6})
    assert run.examples == 50 * 16 * 2
    assert run.dev == {"aa", "bb"}


def test_a_run_that_goes_on(tmp_path: Path) -> None:
    write_run(tmp_path, step=100)
    write_run(tmp_path, step=20)
    run = read_run(tmp_path)
    assert (len(run.epochs), run.final, run.examples, run.dev) == (2, {}, 800, frozenset())


def test_a_checkpoint_alone(tmp_path: Path, shipped: Path) -> None:
    run = read_run(write_run(tmp_path, made={"dev": {"eval_score": 0.7}}))
    assert run == Run(str(tmp_path), (), {"eval_score": 0.7}, None, frozenset())
    assert run.best == run.final
    own = read_run(shipped)
    assert 0.5 < own.best["eval_score"] < 1
    assert len(own.dev) == 2


def test_what_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no training"):
        read_run(tmp_path)
    (tmp_path / "training.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(RunError, match=r"training\.json: not a JSON object"):
        read_run(tmp_path)
    (tmp_path / "training.json").write_text("{", encoding="utf-8")
    with pytest.raises(RunError, match=r"training\.json: not JSON"):
        read_run(tmp_path)
