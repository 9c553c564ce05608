"""The runtimes that run a checkpoint's ONNX graph, without PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from model.cores import cores

if TYPE_CHECKING:  # the commands import this module for `Runtime`, and should not wait for numpy
    from model.outputs import Network

#: `openvino` multiplies matrices in bf16 or int8 where the processor has instructions for it, `openvino-fp32` never;
#: `onnxruntime` multiplies in fp32, `onnxruntime-int8` in bytes and with the least memory.
Runtime = Literal["openvino", "openvino-fp32", "onnxruntime", "onnxruntime-int8"]


def load_network(graph: Path, runtime: Runtime = "openvino", threads: int = 0, calls: int = 0) -> Network:
    """Load a graph. `threads` cores (0: all) are shared by `calls` calls of the network at a time (0: one a core)."""
    threads = threads or cores()
    calls = calls or threads
    if runtime in ("onnxruntime", "onnxruntime-int8"):
        from model.onnx_network import OnnxNetwork

        return OnnxNetwork(graph, threads, calls, int8=runtime == "onnxruntime-int8")
    from model.openvino_network import OpenVinoNetwork, best_precision

    precision = "fp32" if runtime == "openvino-fp32" else best_precision()
    return OpenVinoNetwork(graph, threads, calls, precision)
