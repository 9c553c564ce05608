"""Writing a checkpoint directory: fp16 weights, tokenizer, configuration, and the ONNX graph that serving runs.

The weights are stored once. `model.safetensors` holds them in fp16; the graph in `model.onnx` has no weights of its
own but points into that file (ONNX external data: a file name, an offset and a length) and casts them to fp32, which
ONNX Runtime folds when it loads. So does `model.int8.onnx`, whose matrices are bytes (`model.small_graph`). Needs
PyTorch and onnx: the extra `train`.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, external_data_helper, helper
from tokenizers import Tokenizer
from torch import Tensor, nn

from model.encoding import SentenceEncoder
from model.matrices import SMALL_GRAPH, WEIGHTS
from model.network import MusnadModel
from model.outputs import HEADS
from model.small_graph import HALF, with_int8_matrices

GRAPH = "model.onnx"
OPSET = 18


class _Logits(nn.Module):
    """The network with plain tensors in and out, as the exporter wants it."""

    def __init__(self, model: MusnadModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor, word_pieces: Tensor) -> tuple[Tensor, ...]:
        outputs = self.model(input_ids, attention_mask, word_pieces)
        return tuple(getattr(outputs, head) for head in HEADS)


def export(
    model: MusnadModel,
    tokenizer: Tokenizer,
    directory: Path,
    *,
    name: str,
    version: str,
    calibration: dict[str, list[float]],
) -> None:
    """Write the checkpoint to `directory`, replacing one that is there; the model's weights are rounded to fp16.

    Files are put in place only when all are written: the graph and the weights belong together.
    """
    unfinished = directory / ".unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    model.config.name, model.config.version, model.config.calibration = name, version, calibration
    _write(model, tokenizer, unfinished)
    for path in unfinished.iterdir():
        path.replace(directory / path.name)
    unfinished.rmdir()


def _write(model: MusnadModel, tokenizer: Tokenizer, directory: Path) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.half().float())
    model.half()
    model.save_pretrained(directory)
    model.float()
    tokenizer.save(str(directory / "tokenizer.json"))
    encoder = SentenceEncoder(tokenizer, model.config.max_pieces, model.config.pad_id)
    pieces = {
        "cls_token": encoder.first_id,
        "sep_token": encoder.last_id,
        "pad_token": encoder.pad_id,
    }
    (directory / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "model_max_length": model.config.max_pieces,
                **{kind: tokenizer.id_to_token(piece) for kind, piece in pieces.items()},
            },
            ensure_ascii=False,
            indent=2,
        )
        + "\n",
        encoding="utf-8",
    )
    _write_graph(model, encoder, directory)


def _write_graph(model: MusnadModel, encoder: SentenceEncoder, directory: Path) -> None:
    attention = model.encoder.config._attn_implementation
    model.encoder.set_attn_implementation("eager")
    texts = ["قصف الجيش 3 مواقع في حلب", "أعلن ذلك"]
    windows = [encoder.windows(own)[0] for text in texts for own in encoder.encode(text, [(0, len(text))])]
    batch = encoder.batch(windows)
    inputs = ("input_ids", "attention_mask", "word_pieces")
    rows, pieces, words = torch.export.Dim("rows"), torch.export.Dim("pieces"), torch.export.Dim("words")
    try:
        program = torch.onnx.export(
            _Logits(model).eval(),
            tuple(torch.from_numpy(getattr(batch, name)) for name in inputs),
            input_names=list(inputs),
            output_names=list(HEADS),
            dynamic_shapes=({0: rows, 1: pieces}, {0: rows, 1: pieces}, {0: rows, 1: words}),
            opset_version=OPSET,
            dynamo=True,
            optimize=False,
            verbose=False,
        )
    finally:
        model.encoder.set_attn_implementation(attention)
    assert program is not None
    graph = program.model_proto
    _share_weights(graph, directory)
    _strip_traces(graph)
    onnx.save(graph, str(directory / GRAPH))
    onnx.checker.check_model(str(directory / GRAPH))
    onnx.save(with_int8_matrices(graph), str(directory / SMALL_GRAPH))


def _strip_traces(model: onnx.ModelProto) -> None:
    """Drop what the exporter notes of the source lines on this machine, which is most of the file."""
    for owner in (
        model,
        model.graph,
        *model.graph.node,
        *model.graph.value_info,
        *model.graph.input,
        *model.graph.output,
    ):
        owner.ClearField("metadata_props")
        owner.ClearField("doc_string")


def _share_weights(model: onnx.ModelProto, directory: Path) -> None:
    """Replace each fp32 initializer that is a weight of the checkpoint by a reference into its file and a cast."""
    stored = _stored_tensors(directory / WEIGHTS)
    weights: list[TensorProto] = []
    casts: list[onnx.NodeProto] = []
    for tensor in model.graph.initializer:
        name = tensor.name.removeprefix("model.")
        if name not in stored or tensor.data_type != TensorProto.FLOAT:
            weights.append(tensor)
            continue
        offset, length, shape = stored[name]
        if list(tensor.dims) != shape:
            raise ValueError(f"export: {name} has shape {list(tensor.dims)} in the graph and {shape} in {WEIGHTS}")
        half = TensorProto(name=f"{tensor.name}{HALF}", data_type=TensorProto.FLOAT16, dims=shape)
        half.raw_data = b""  # set_external_data asks for the field
        external_data_helper.set_external_data(half, location=WEIGHTS, offset=offset, length=length)
        half.ClearField("raw_data")
        half.data_location = TensorProto.EXTERNAL
        weights.append(half)
        casts.append(helper.make_node("Cast", [half.name], [tensor.name], to=TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(weights)
    model.graph.node.extend([*casts, *nodes])
    own = sum(int(np.prod(tensor.dims)) for tensor in weights if tensor.data_location != TensorProto.EXTERNAL)
    if own > 100_000:
        raise ValueError(f"export: {own} numbers of the graph are not in {WEIGHTS}: it would store weights twice")


def _stored_tensors(path: Path) -> dict[str, tuple[int, int, list[int]]]:
    """(byte offset in the file, bytes, shape) of each tensor of a safetensors file."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header: dict[str, Any] = json.loads(file.read(size))
    start = 8 + size
    return {
        name: (start + entry["data_offsets"][0], entry["data_offsets"][1] - entry["data_offsets"][0], entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__"
    }
