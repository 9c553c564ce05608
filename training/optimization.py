"""Parameter groups with layer-wise learning rates, and the running average of the weights."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from model.network import MusnadModel

_LAYER = re.compile(r"\.(\d+)\.")


def parameter_groups(
    model: MusnadModel, learning_rate: float, head_learning_rate: float, layer_decay: float, weight_decay: float
) -> list[dict[str, Any]]:
    """Optimizer groups: heads at their own rate, each encoder layer at `layer_decay` of the one above it.

    Vectors (biases, norms) are not decayed.
    """
    numbers = [int(found[1]) for name, _ in model.encoder.named_parameters() if (found := _LAYER.search(name))]
    depth = max(numbers, default=-1) + 1
    groups: dict[tuple[float, float], list[Tensor]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        if name.startswith("encoder."):
            found = _LAYER.search(name)
            layer = int(found[1]) if found else -1  # embeddings lie below the first layer
            rate = learning_rate * layer_decay ** (depth - 1 - layer)
        else:
            rate = head_learning_rate
        decay = weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    return [{"params": own, "lr": rate, "weight_decay": decay} for (rate, decay), own in groups.items()]


class WeightAverage(TrainerCallback):
    """Exponential running average of the weights, swapped in for evaluation; saved and resumed with checkpoints.

    The decay grows with the steps (`(1 + t) / (10 + t)`) up to `decay`, so that early weights do not linger.
    """

    FILE = "average.safetensors"

    def __init__(self, model: nn.Module, decay: float, resume_from: Path | None) -> None:
        self.decay = decay
        self.average = {name: value.detach().clone() for name, value in _weights(model)}
        if resume_from is not None:
            self.average = load_file(str(resume_from / self.FILE))
        self._kept: dict[str, Tensor] | None = None

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        decay = min(self.decay, (1 + state.global_step) / (10 + state.global_step))
        for name, value in _weights(kwargs["model"]):
            own = self.average[name] = self.average[name].to(value.device)
            own.lerp_(value.detach(), 1.0 - decay)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if not state.is_world_process_zero:  # every process has the same average
            return
        folder = Path(args.output_dir or ".") / f"checkpoint-{state.global_step}"
        save_file(self.average, str(folder / self.FILE))

    def swap(self, model: nn.Module) -> None:
        """Put the average into the model; a second call puts the trained weights back."""
        with torch.no_grad():
            current = {name: value.detach().clone() for name, value in _weights(model)}
            for name, value in _weights(model):
                value.copy_((self.average if self._kept is None else self._kept)[name])
        self._kept = current if self._kept is None else None


def _weights(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from model.named_parameters()
