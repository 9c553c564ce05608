"""The network on PyTorch, as the extractor calls it."""

from __future__ import annotations

import torch

from model.encoding import Batch
from model.network import MusnadModel
from model.outputs import HEADS, Floats


class TorchNetwork:
    """A `MusnadModel` as a `model.outputs.Network`."""

    #: PyTorch puts all cores to one call.
    calls = 1
    pieces = 512

    def __init__(self, model: MusnadModel) -> None:
        self.model = model

    def __call__(self, batch: Batch) -> dict[str, Floats]:
        was_training = self.model.training
        self.model.eval()
        with torch.inference_mode():
            outputs = self.model(
                **{
                    name: torch.from_numpy(getattr(batch, name)).to(self.model.device)
                    for name in ("input_ids", "attention_mask", "word_pieces")
                }
            )
        self.model.train(was_training)
        return {head: getattr(outputs, head).float().cpu().numpy() for head in HEADS}
