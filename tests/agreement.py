"""That a checkpoint's runtimes say the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from model.extractor import Extractor
from model.network import MusnadModel
from model.runtime import Runtime
from training.trainer import extractor_of


def assert_agrees_with_pytorch(checkpoint: Path, runtime: Runtime, texts: Sequence[str]) -> None:
    """Compare every logit of a runtime and of PyTorch to 1e-3."""
    onnx = Extractor.load(checkpoint, runtime=runtime)
    model = MusnadModel.from_pretrained(checkpoint, dtype=torch.float32)
    pytorch = extractor_of(model, onnx.encoder.tokenizer)
    encoded = onnx.encoder.encode_many([(text, (0, len(text))) for text in texts])
    for one, other in zip(onnx.logits(encoded), pytorch.logits(encoded), strict=True):
        assert one is not None
        assert other is not None
        for head in ("names", "rest", "clitics", "classes", "factuality"):
            np.testing.assert_allclose(getattr(one, head), getattr(other, head), atol=1e-3)
        for block, other_block in zip(one.blocks, other.blocks, strict=True):
            np.testing.assert_allclose(block.roles, other_block.roles, atol=1e-3)
