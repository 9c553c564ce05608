"""The network on ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from model.encoding import Batch
from model.outputs import HEADS, Floats


class OnnxNetwork:
    """A checkpoint's ONNX graph as a `Network`; thread-safe.

    `threads` cores are shared by `calls` calls at a time.
    """

    def __init__(self, graph: Path, threads: int, calls: int) -> None:
        self.calls = calls
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = max(1, threads // calls)
        # threads that wait by spinning take the cores from other calls, and from the rest of the process
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    def __call__(self, batch: Batch) -> dict[str, Floats]:
        values = self._session.run(
            list(HEADS),
            {
                "input_ids": batch.input_ids,
                "attention_mask": batch.attention_mask,
                "word_pieces": batch.word_pieces,
            },
        )
        return {head: np.asarray(value, dtype=np.float32) for head, value in zip(HEADS, values, strict=True)}
