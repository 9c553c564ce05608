"""The ONNX graph whose matrices are int8, for ONNX Runtime where memory counts; `model.export` writes it.

It has no weights. A product with a constant matrix is a `MatMulNBits`, an operation of ONNX Runtime that multiplies
bytes; `model.onnx_network` makes its weights out of `model.safetensors` when it loads. All else points into that file,
as in the other graph. Source: https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
"""

from __future__ import annotations

from onnx import ModelProto, NodeProto, TensorProto, external_data_helper, helper

from model.matrices import BLOCK, PLACE, SCALES, STEPS, is_matrix

_DOMAIN = "com.microsoft"
#: Inputs are rounded to bytes as well, in the same blocks.
_BYTES = 4
#: What the exporter calls a weight of the checkpoint in the graph, after the name of its cast.
HALF = ".fp16"


def with_int8_matrices(model: ModelProto) -> ModelProto:
    """Return the graph of a checkpoint, which casts its fp16 weights to fp32, with int8 matrices.

    A table of embeddings is cast after its rows are taken, so that it stays as it is in the file. Raises ValueError
    for a weight whose name does not say whether it is a matrix (`model.matrices.is_matrix`).
    """
    small = ModelProto()
    small.CopyFrom(model)
    stored = {tensor.name: tensor for tensor in small.graph.initializer}
    weights = {
        node.output[0]: stored[node.input[0]]
        for node in small.graph.node
        if node.op_type == "Cast" and node.input[0].endswith(HALF)
    }
    matrices = {
        node.output[0]: weights[node.input[0]]
        for node in small.graph.node
        if node.op_type == "Transpose" and node.input[0] in weights
    }
    _check_names(weights, matrices)
    nodes: list[NodeProto] = []
    constants: dict[str, TensorProto] = {}
    for node in small.graph.node:
        if node.op_type == "MatMul" and node.input[1] in matrices:
            product, own = _product(node, matrices[node.input[1]])
            nodes.append(product)
            constants |= {tensor.name: tensor for tensor in own}
        elif node.op_type == "Gather" and node.input[0] in weights:
            nodes += _lookup(node, weights[node.input[0]])
        else:
            nodes.append(node)
    _replace(small, nodes, [*stored.values(), *constants.values()])
    small.opset_import.append(helper.make_opsetid(_DOMAIN, 1))
    return small


def _name(weight: TensorProto) -> str:
    """What a weight is called in the checkpoint."""
    return weight.name.removesuffix(HALF).removeprefix("model.")


def _check_names(weights: dict[str, TensorProto], matrices: dict[str, TensorProto]) -> None:
    multiplied = {weight.name for weight in matrices.values()}
    for weight in weights.values():
        if is_matrix(_name(weight), list(weight.dims)) != (weight.name in multiplied):
            kind = "no matrix" if weight.name in multiplied else "a matrix"
            raise ValueError(f"export: {_name(weight)} {list(weight.dims)} is {kind} by its name, and used otherwise")


def _product(node: NodeProto, weight: TensorProto) -> tuple[NodeProto, list[TensorProto]]:
    """The product of bytes, and what stands for its steps, uint8 [outputs, blocks, BLOCK], and scales, fp32 [outputs,
    blocks]."""
    outputs, inputs = weight.dims
    shape = [outputs, -(-inputs // BLOCK)]
    steps = TensorProto(name=f"{_name(weight)}{STEPS}", data_type=TensorProto.UINT8, dims=[*shape, BLOCK])
    scales = TensorProto(name=f"{_name(weight)}{SCALES}", data_type=TensorProto.FLOAT, dims=shape)
    for tensor in (steps, scales):
        tensor.raw_data = b""  # set_external_data asks for the field
        external_data_helper.set_external_data(tensor, location=PLACE)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
    product = helper.make_node(
        "MatMulNBits",
        [node.input[0], steps.name, scales.name],
        list(node.output),
        node.name,
        domain=_DOMAIN,
        **{"K": inputs, "N": outputs, "bits": 8, "block_size": BLOCK, "accuracy_level": _BYTES},
    )
    return product, [steps, scales]


def _lookup(node: NodeProto, weight: TensorProto) -> list[NodeProto]:
    """Rows of a table that stays fp16, and their cast."""
    rows = f"{node.output[0]}{HALF}"
    found = helper.make_node("Gather", [weight.name, node.input[1]], [rows], node.name)
    found.attribute.extend(node.attribute)
    return [found, helper.make_node("Cast", [rows], list(node.output), to=TensorProto.FLOAT)]


def _replace(model: ModelProto, nodes: list[NodeProto], weights: list[TensorProto]) -> None:
    """Put nodes and weights in the place of the graph's, without those that nothing uses any more."""
    results = {output.name for output in model.graph.output}
    while True:
        used = results.union(*(node.input for node in nodes))
        kept = [node for node in nodes if not used.isdisjoint(node.output)]
        if len(kept) == len(nodes):
            break
        nodes = kept
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(tensor for tensor in weights if tensor.name in used)
