"""Matrices of a checkpoint's weights in int8: steps in blocks that share a scale."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import safe_open

#: The checkpoint's weights, and the graph that is to multiply them as bytes (see `model.small_graph`).
WEIGHTS, SMALL_GRAPH = "model.safetensors", "model.int8.onnx"
#: Inputs of an output that share a scale.
BLOCK = 128
#: How the two constants that a matrix becomes are called, after the matrix; the file that the graph names for both.
STEPS, SCALES, PLACE = ".steps", ".scales", "made-from-model.safetensors"
_ZERO, _MOST = 128, 127


def rounded(matrix: npt.NDArray[np.float16]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Return a matrix [outputs, inputs] as steps [outputs, blocks, BLOCK] from 128, and scales [outputs, blocks].

    The last block is filled up with zeros.
    """
    outputs, inputs = matrix.shape
    blocks = -(-inputs // BLOCK)
    padded = np.zeros((outputs, blocks * BLOCK), np.float32)
    padded[:, :inputs] = matrix
    grouped = padded.reshape(outputs, blocks, BLOCK)
    scales = np.abs(grouped).max(axis=2) / _MOST
    scales[scales == 0] = 1
    steps = np.rint(grouped / scales[:, :, None]) + _ZERO
    return steps.astype(np.uint8), scales.astype(np.float32)


def constants(weights: Path) -> Iterator[tuple[str, npt.NDArray[np.uint8] | npt.NDArray[np.float32]]]:
    """Yield the name and the value of every constant that stands for a matrix of a safetensors file."""
    with safe_open(weights, framework="numpy") as file:
        for name in file.keys():  # noqa: SIM118 - it is no mapping
            if is_matrix(name, file.get_slice(name).get_shape()):
                steps, scales = rounded(file.get_tensor(name))
                yield f"{name}{STEPS}", steps
                yield f"{name}{SCALES}", scales


def is_matrix(name: str, shape: list[int]) -> bool:
    """Whether a weight of this name and shape is a matrix that inputs are multiplied by, and no table of embeddings."""
    return len(shape) == 2 and not name.endswith("_embeddings.weight")
