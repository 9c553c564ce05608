"""The network on OpenVINO: the fastest of the runtimes measured (docs/performance.md), and what serving uses."""

from __future__ import annotations

import queue
from pathlib import Path
from typing import Any, Literal

import numpy as np
import openvino
from openvino import opset13 as operations

from model.cores import multiplies_bytes
from model.encoding import Batch
from model.outputs import HEADS, Floats

Precision = Literal["auto", "int8", "fp32"]

#: Inputs whose scale is shared when they are rounded to int8: 128 is as fast and rounds worse, 32 is slower.
_GROUP = 64
#: Shapes times operations that it keeps code for; those of a batch of any usual length.
_KEPT = 2000


class OpenVinoNetwork:
    """A checkpoint's ONNX graph as a `Network`; thread-safe.

    `threads` cores are shared by `calls` calls at a time; further ones wait. `precision`: `int8` multiplies matrices
    of bytes (weights rounded by output, inputs by groups as they come; all else stays fp32), `auto` does where the
    processor has instructions for it.
    """

    def __init__(self, graph: Path, threads: int, calls: int, precision: Precision = "auto") -> None:
        self.calls = calls
        self.precision = precision if precision != "auto" else "int8" if multiplies_bytes() else "fp32"
        core = openvino.Core()
        network = core.read_model(graph)
        if self.precision == "int8":
            _round_weights(network)
        compiled = core.compile_model(
            network,
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": "f32",
                "INFERENCE_NUM_THREADS": threads,
                "NUM_STREAMS": calls,
                "ENABLE_CPU_PINNING": False,
                "DYNAMIC_QUANTIZATION_GROUP_SIZE": _GROUP,
                "CPU_RUNTIME_CACHE_CAPACITY": _KEPT,
            },
        )
        self._outputs = [compiled.output(head) for head in HEADS]
        self._requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(calls):
            self._requests.put(compiled.create_infer_request())

    def __call__(self, batch: Batch) -> dict[str, Floats]:
        inputs = {
            "input_ids": batch.input_ids,
            "attention_mask": batch.attention_mask,
            "word_pieces": batch.word_pieces,
        }
        request = self._requests.get()
        try:
            request.infer(inputs, share_inputs=True)
            found = [request.get_tensor(output).data.copy() for output in self._outputs]
            return dict(zip(HEADS, found, strict=True))
        finally:
            self._requests.put(request)


def _round_weights(network: Any) -> None:
    """Put int8 weights, with one scale for each output, in the place of every constant matrix that is multiplied."""
    for node in network.get_ordered_ops():
        if node.get_type_name() != "MatMul":
            continue
        weights = _constant(node.input_value(1).get_node())
        if weights is None or weights.ndim != 2:
            continue
        inputs = 1 if node.get_attributes()["transpose_b"] else 0
        scale = np.abs(weights).max(axis=inputs, keepdims=True) / 127
        scale[scale == 0] = 1
        rounded = operations.constant(np.round(weights / scale).astype(np.int8))
        restored = operations.multiply(operations.convert(rounded, "f32"), operations.constant(scale))
        node.input(1).replace_source_output(restored.output(0))
    network.validate_nodes_and_infer_types()


def _constant(node: Any) -> Floats | None:
    """The matrix that a constant holds, maybe behind casts and transpositions; None for what is no constant."""
    transposed = False
    while node.get_type_name() in ("Convert", "Transpose"):
        transposed ^= node.get_type_name() == "Transpose"
        node = node.input_value(0).get_node()
    if node.get_type_name() != "Constant":
        return None
    matrix = np.asarray(node.get_data(), dtype=np.float32)
    return np.ascontiguousarray(matrix.T) if transposed else matrix
