"""The network on ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from onnxruntime import OrtValue

from model.encoding import Batch
from model.matrices import SMALL_GRAPH, WEIGHTS, constants
from model.outputs import HEADS, Floats


class OnnxNetwork:
    """A checkpoint's ONNX graph as a `Network`; thread-safe.

    `threads` cores are shared by `calls` calls at a time. With `int8`, the graph beside it, whose matrices are bytes,
    with as little memory as can be.
    """

    pieces = 256

    def __init__(self, graph: Path, threads: int, calls: int, *, int8: bool = False) -> None:
        self.calls = calls
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = max(1, threads // calls)
        # threads that wait by spinning take the cores from other calls, and from the rest of the process
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        if int8:
            graph = graph.with_name(SMALL_GRAPH)
            if not graph.is_file():
                raise FileNotFoundError(f"there is no {SMALL_GRAPH} beside it (exports before 0.3.0 wrote none)")
            # what a batch needed is given back: the next one is of another shape
            options.enable_cpu_mem_arena = options.enable_mem_pattern = False
            values = {name: OrtValue.ortvalue_from_numpy(value) for name, value in constants(graph.with_name(WEIGHTS))}
            options.add_external_initializers(list(values), list(values.values()))
            self._values = values  # ONNX Runtime reads them where they are, and does not keep them alive
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
