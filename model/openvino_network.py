"""The network on OpenVINO: the fastest of the runtimes measured (docs/performance.md), and what serving uses."""

from __future__ import annotations

import queue
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from model.cores import multiplies
from model.encoding import Batch
from model.outputs import HEADS, Floats

# openvino tells its makers through this package that it was imported, without asking; nothing of ours leaves the host
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

import openvino  # noqa: E402
from openvino import opset13 as operations  # noqa: E402

Precision = Literal["bf16", "int8", "fp32"]

#: Weights that share a scale where they are rounded to int8, and inputs: as coarse as leaves the quality where it is.
_WEIGHTS, _INPUTS = 128, 64
#: Shapes times operations that OpenVINO keeps code for; those of a batch of any usual length.
_KEPT = 2000


def best_precision() -> Precision:
    """The fastest precision for which this processor has instructions, and bf16 before int8: it rounds less."""
    return "bf16" if multiplies("bf16") else "int8" if multiplies("int8") else "fp32"


class OpenVinoNetwork:
    """A checkpoint's ONNX graph as a `Network`; thread-safe.

    `threads` cores are shared by `calls` calls at a time; further ones wait. `precision`: `int8` multiplies matrices
    of bytes, weights and inputs rounded by groups, and leaves all else in fp32.
    """

    pieces = 512

    def __init__(self, graph: Path, threads: int, calls: int, precision: Precision) -> None:
        self.calls = calls
        core = openvino.Core()
        core.set_property({"ENABLE_MMAP": False})  # a mapped file stays in memory for what little is used of it
        network = core.read_model(graph)
        if precision == "int8":
            _round_weights(network)
        if precision == "bf16":
            _halve_weights(network)
        compiled = core.compile_model(
            network,
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
                "INFERENCE_NUM_THREADS": threads,
                "NUM_STREAMS": calls,
                "ENABLE_CPU_PINNING": False,
                "DYNAMIC_QUANTIZATION_GROUP_SIZE": _INPUTS,
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
    """Put int8 weights, with a scale for every group of an output's, in the place of every constant matrix."""
    for node, weights in _products(network):
        outputs, inputs = weights.shape
        groups = weights.reshape(outputs, -1, _WEIGHTS if inputs % _WEIGHTS == 0 else inputs)
        scale = np.abs(groups).max(axis=2, keepdims=True) / 127
        scale[scale == 0] = 1
        rounded = operations.convert(operations.constant(np.round(groups / scale).astype(np.int8)), "f32")
        restored = operations.multiply(rounded, operations.constant(scale))
        matrix = operations.reshape(restored, operations.constant(np.array(weights.shape)), False)
        node.output(0).replace(_product(node, node.input_value(0), matrix).output(0))
    network.validate_nodes_and_infer_types()


def _halve_weights(network: Any) -> None:
    """Put bf16 weights in the place of every constant matrix, which OpenVINO would keep in fp32 beside its own bf16."""
    for node, weights in _products(network):
        half = operations.convert(node.input_value(0), "bf16")
        product = _product(node, half, operations.constant(_bf16(weights)))
        node.output(0).replace(operations.convert(product, "f32").output(0))
    network.validate_nodes_and_infer_types()


def _products(network: Any) -> Iterator[tuple[Any, Floats]]:
    """The products with a constant matrix, and that matrix as [outputs, inputs]."""
    for node in network.get_ordered_ops():
        if node.get_type_name() != "MatMul":
            continue
        weights = _constant(node.input_value(1).get_node())
        if weights is not None and weights.ndim == 2:
            yield node, weights if node.get_attributes()["transpose_b"] else weights.T


def _product(node: Any, inputs: Any, matrix: Any) -> Any:
    """The product in the place of another, with a matrix that is [outputs, inputs]."""
    return operations.matmul(inputs, matrix, node.get_attributes()["transpose_a"], True)


def _bf16(matrix: Floats) -> Any:
    """A matrix rounded to bf16, as an OpenVINO tensor: numpy has no such type."""
    bits = np.ascontiguousarray(matrix).view(np.uint32)
    nearest = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16  # ties to even
    tensor = openvino.Tensor(openvino.Type.bf16, openvino.Shape(list(matrix.shape)))
    tensor.data.view(np.uint16)[...] = nearest
    return tensor


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
