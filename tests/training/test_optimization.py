"""Learning rates by layer, and the running average of the weights."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from model.network import MusnadModel
from training.optimization import WeightAverage, parameter_groups


def test_lower_layers_learn_slower(tiny_encoder: Path) -> None:
    model = MusnadModel.from_encoder(str(tiny_encoder), role_width=8)
    rates = {
        id(parameter): (group["lr"], group["weight_decay"])
        for group in parameter_groups(model, 1.0, 7.0, 0.5, 0.1)
        for parameter in group["params"]
    }
    named = {name: rates[id(parameter)] for name, parameter in model.named_parameters()}
    assert named["names.weight"] == (7.0, 0.1)
    assert named["names.bias"] == (7.0, 0.0)
    assert named["encoder.encoder.layer.1.output.dense.weight"] == (1.0, 0.1)
    assert named["encoder.encoder.layer.0.output.dense.weight"] == (0.5, 0.1)
    assert named["encoder.embeddings.word_embeddings.weight"] == (0.25, 0.1)


def test_the_average_follows_and_swaps_back() -> None:
    model = torch.nn.Linear(1, 1, bias=False)
    average = WeightAverage(model, 0.5, None)
    state: Any = SimpleNamespace(global_step=1000)
    start = model.weight.item()
    with torch.no_grad():
        model.weight.fill_(start + 4.0)
    average.on_step_end(None, state, None, model=model)  # type: ignore[arg-type]
    average.swap(model)
    assert model.weight.item() == pytest.approx(start + 2.0)
    average.swap(model)
    assert model.weight.item() == pytest.approx(start + 4.0)
