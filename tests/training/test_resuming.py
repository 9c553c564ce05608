"""Going on only with whole checkpoints, and only of the same training."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.config import ConfigError, Source, TrainingConfig
from training.resuming import COMPLETE, claim, inputs_of, last_complete


def test_torn_checkpoints_are_passed_over(tmp_path: Path) -> None:
    for step, whole in ((5, True), (10, True), (15, False)):
        (tmp_path / f"checkpoint-{step}").mkdir()
        if whole:
            (tmp_path / f"checkpoint-{step}" / COMPLETE).touch()
    assert last_complete(tmp_path) == tmp_path / "checkpoint-10"
    assert not (tmp_path / "checkpoint-15").exists()
    assert last_complete(tmp_path / "nothing") is None


def test_an_output_belongs_to_one_training(tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    data.write_text("one", encoding="utf-8")
    config = TrainingConfig(encoder="hub/name", sources=[Source(path="data.jsonl")], dev=[Source(path="data.jsonl")])
    output = tmp_path / "output"
    claim(output, inputs_of(config, "hub/name", [data], tmp_path))
    claim(output, inputs_of(config, "hub/name", [data], tmp_path))
    with pytest.raises(ConfigError, match="configuration: epochs differs"):
        claim(output, inputs_of(config.model_copy(update={"epochs": 3}), "hub/name", [data], tmp_path))
    data.write_text("another", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"files: data\.jsonl differs"):
        claim(output, inputs_of(config, "hub/name", [data], tmp_path))
