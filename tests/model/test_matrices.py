"""Matrices in int8, and the graph that multiplies them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper
from safetensors.numpy import save_file

from model.matrices import BLOCK, SMALL_GRAPH, WEIGHTS, constants, is_matrix, rounded
from model.onnx_network import OnnxNetwork
from model.small_graph import with_int8_matrices


def test_steps_and_scales_give_the_matrix_back() -> None:
    matrix = np.random.default_rng(1).normal(size=(3, 2 * BLOCK + 5)).astype(np.float16)
    matrix[1, :BLOCK] = 0  # a block that has no scale of its own
    steps, scales = rounded(matrix)
    assert (steps.shape, steps.dtype) == ((3, 3, BLOCK), np.uint8)
    assert (scales.shape, scales.dtype) == ((3, 3), np.float32)
    back = ((steps.astype(np.float32) - 128) * scales[:, :, None]).reshape(3, -1)
    assert not back[:, matrix.shape[1] :].any()
    error = np.abs(back[:, : matrix.shape[1]] - matrix.astype(np.float32))
    assert (error <= np.repeat(scales, BLOCK, axis=1)[:, : matrix.shape[1]] * 0.5001).all()
    assert error.any()
    assert (back[1, :BLOCK] == 0).all()


def test_only_matrices_are_rounded(tmp_path: Path) -> None:
    half = np.ones((4, BLOCK), np.float16)
    tensors = {"tags.weight": half, "tags.bias": half[0], "word_embeddings.weight": half, "roles.form": half[None]}
    save_file(tensors, tmp_path / WEIGHTS)
    assert dict((name, value.shape) for name, value in constants(tmp_path / WEIGHTS)) == {
        "tags.weight.steps": (4, 1, BLOCK),
        "tags.weight.scales": (4, 1),
    }
    assert not is_matrix("encoder.position_embeddings.weight", [512, 384])


def _graph(table: str) -> ModelProto:
    """A lookup in a table of 8 rows, and a product of what comes out with a matrix of 4 outputs."""
    weights = {f"model.{table}": [8, BLOCK], "model.tags.weight": [4, BLOCK]}
    casts = [helper.make_node("Cast", [f"{name}.fp16"], [name], to=TensorProto.FLOAT) for name in weights]
    nodes = [
        *casts,
        helper.make_node("Gather", [f"model.{table}", "input_ids"], ["rows"]),
        helper.make_node("Transpose", ["model.tags.weight"], ["turned"], perm=[1, 0]),
        helper.make_node("MatMul", ["rows", "turned"], ["tags"], "product"),
    ]
    stored = [
        TensorProto(name=f"{name}.fp16", data_type=TensorProto.FLOAT16, dims=dims) for name, dims in weights.items()
    ]
    graph = helper.make_graph(
        nodes,
        "lookup",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["rows"])],
        [helper.make_tensor_value_info("tags", TensorProto.FLOAT, ["rows", 4])],
        stored,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])


def test_products_are_of_bytes_and_tables_stay_as_they_are() -> None:
    before = _graph("word_embeddings.weight")
    kept = before.SerializeToString()
    small = with_int8_matrices(before)
    assert before.SerializeToString() == kept
    assert [node.op_type for node in small.graph.node] == ["Gather", "Cast", "MatMulNBits"]
    product = small.graph.node[-1]
    assert list(product.input) == ["rows", "tags.weight.steps", "tags.weight.scales"]
    assert {own.name: own.i for own in product.attribute} == {
        "K": BLOCK,
        "N": 4,
        "bits": 8,
        "block_size": BLOCK,
        "accuracy_level": 4,
    }
    assert [tensor.name for tensor in small.graph.initializer] == [
        "model.word_embeddings.weight.fp16",
        "tags.weight.steps",
        "tags.weight.scales",
    ]


def test_a_table_that_is_called_like_a_matrix_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"export: table\.weight \[8, 128\] is a matrix by its name"):
        with_int8_matrices(_graph("table.weight"))


def test_a_checkpoint_without_the_graph_says_so(tmp_path: Path) -> None:
    onnx.save(_graph("word_embeddings.weight"), tmp_path / "model.onnx")
    with pytest.raises(FileNotFoundError, match=rf"there is no {SMALL_GRAPH} beside it"):
        OnnxNetwork(tmp_path / "model.onnx", 1, 1, int8=True)
