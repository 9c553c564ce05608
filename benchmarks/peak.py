"""How far the encoder is from what this machine multiplies at best, in fp32, bf16 and int8.

    python -m benchmarks.peak [--sentences 400] [--seconds 1] [--threads 2]

Peaks are measured with the best of two libraries, a product on each core, for the sizes of the encoder's own layers (in
a batch of eight sentences) and for squares: the best of all is the machine's peak. PyTorch multiplies numbers that are
already bf16 or bytes; OpenVINO takes fp32 and rounds, as in our network. What the network has to do for a sentence is
counted from the shapes of the graph's products: two operations a multiplication, padding not counted.
"""

from __future__ import annotations

import math
import time
import warnings
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import numpy as np
import torch
import typer
from rich.console import Console
from rich.table import Table
from torch.nn import functional

from benchmarks.speed import misuse, sample, use_cores
from model import openvino_network
from model.cores import cores
from model.encoding import SentenceEncoder, Window, batches
from model.extractor import BATCH_SIZE, DEFAULT_CHECKPOINT, Extractor
from model.openvino_network import OpenVinoNetwork, Precision, best_precision
from model.outputs import Network

#: (rows, inputs, outputs): attention, both of the feed-forward layer, and squares. Rows of a full batch of ours.
LAYERS = ((480, 384, 384), (480, 384, 1536), (480, 1536, 384))
KINDS: tuple[Precision, ...] = ("fp32", "bf16", "int8")
SQUARES = tuple((side, side, side) for side in (256, 512, 1024, 2048, 4096))

Shape = tuple[int, int, int]
Product = Callable[[], object]


def pytorch(shape: Shape, kind: Precision) -> Product:
    """A product of numbers as they are."""
    rows, inputs, outputs = shape
    if kind == "int8":
        left, right = (torch.randint(-127, 128, (side, inputs), dtype=torch.int8) for side in (rows, outputs))
        turned = right.t()
        return lambda: torch._int_mm(left, turned)
    dtype = torch.bfloat16 if kind == "bf16" else torch.float32
    first, second = torch.randn(rows, inputs, dtype=dtype), torch.randn(outputs, inputs, dtype=dtype)
    return lambda: functional.linear(first, second)


def openvino_product(shape: Shape, kind: Precision) -> Product:
    """A network of one product, as `model.openvino_network` runs its own: it takes fp32, and rounds it on the way."""
    import openvino  # not before `model.openvino_network`, which keeps its telemetry from loading
    from openvino import opset13 as operations

    rows, inputs, outputs = shape
    chance = np.random.default_rng(0)
    matrix = operations.constant(chance.standard_normal((outputs, inputs), dtype=np.float32))
    given = operations.parameter([-1, inputs], np.float32, name="x")
    product = operations.matmul(given, matrix, transpose_a=False, transpose_b=True)
    network = openvino.Model([product], [given], "product")
    if kind == "int8":
        openvino_network._round_weights(network)
    compiled = openvino.Core().compile_model(
        network,
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": "bf16" if kind == "bf16" else "f32",
            "INFERENCE_NUM_THREADS": 1,
            "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False,
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": openvino_network._INPUTS,
        },
    )
    request = compiled.create_infer_request()
    floats = {"x": chance.standard_normal((rows, inputs), dtype=np.float32)}
    return lambda: request.infer(floats, share_inputs=True)


#: What multiplies, by name.
LIBRARIES: Mapping[str, Callable[[Shape, Precision], Product]] = {"PyTorch": pytorch, "OpenVINO": openvino_product}


def rate(shape: Shape, library: Callable[[Shape, Precision], Product], kind: Precision, seconds: float) -> float:
    """Operations a second, in thousand millions, with a product on each core: the sum of the best of each."""
    products = [library(shape, kind) for _ in range(cores())]
    # PyTorch keeps the number of its threads for each thread that calls it
    with ThreadPoolExecutor(len(products), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        best = list(pool.map(lambda product: _shortest(product, seconds), products))
    rows, inputs, outputs = shape
    return sum(2e-9 * rows * inputs * outputs / own for own in best)


def _shortest(product: Product, seconds: float) -> float:
    """Seconds of the shortest of the calls that some seconds have room for."""
    product()
    best = float("inf")
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        product()
        best = min(best, time.perf_counter() - began)
    return best


def operations_of(windows: Sequence[Window]) -> int:
    """Operations in the matrix products of the graph for windows, each alone and without padding."""
    import openvino

    network = openvino.Core().read_model(DEFAULT_CHECKPOINT / "model.onnx")
    by_size: dict[tuple[int, int], int] = {}
    total = 0
    for window in windows:
        size = len(window.input_ids), len(window.word_pieces)
        if size not in by_size:
            pieces, words = size
            shapes = {"input_ids": [1, pieces], "attention_mask": [1, pieces], "word_pieces": [1, words]}
            network.reshape(shapes)
            by_size[size] = sum(_operations(node) for node in network.get_ordered_ops())
        total += by_size[size]
    return total


def _operations(node: Any) -> int:
    """Operations of a matrix product in a network whose inputs have one row; none of any other node."""
    if node.get_type_name() != "MatMul":
        return 0
    inputs = _sizes(node.input(1))[-1 if node.get_attributes()["transpose_b"] else -2]
    return 2 * inputs * math.prod(_sizes(node.output(0)))


def _sizes(port: Any) -> list[int]:
    first, *others = port.get_partial_shape()
    # the graph computes the number of rows where it divides attention by heads, and OpenVINO does not know it there
    return [1 if first.is_dynamic else first.get_length(), *(own.get_length() for own in others)]


def network_rate(network: Network, encoder: SentenceEncoder, windows: Sequence[Window], seconds: float) -> float:
    """The most windows a second that a network takes, in batches as they come in a long run."""
    groups = batches([len(window.input_ids) for window in windows], BATCH_SIZE, network.pieces)
    own = [encoder.batch([windows[index] for index in group]) for group in groups][::-1]
    with ThreadPoolExecutor(network.calls) as pool:
        return len(windows) / _shortest(lambda: deque(pool.map(network, own), maxlen=0), seconds)


def main(
    sentences: Annotated[int, typer.Option(help="How many sentences.", min=16)] = 400,
    seconds: Annotated[float, typer.Option(help="Time for each measurement.", min=0.1)] = 1.0,
    threads: Annotated[int, typer.Option(help="Cores; 0 is all.", min=0)] = 0,
) -> None:
    """Measure and print two tables."""
    with misuse():
        use_cores(threads)
        texts, _ = sample(sentences)
    warnings.simplefilter("ignore")
    console = Console(width=150)
    peaks: dict[Precision, float] = {}
    reached: dict[Precision, float] = {}
    for kind in KINDS:
        shown = Table("rows x inputs x outputs", *LIBRARIES, title=f"{kind}, 10^9 operations a second, {cores()} cores")
        for shape in (*LAYERS, *SQUARES):
            rates = [rate(shape, library, kind, seconds) for library in LIBRARIES.values()]
            peaks[kind] = max(peaks.get(kind, 0.0), *rates)
            if shape in LAYERS:
                reached[kind] = max(reached.get(kind, 0.0), rates[-1])
            shown.add_row(" x ".join(map(str, shape)), *(f"{own:.0f}" for own in rates))
        console.print(shown)
    shown = Table("network", "sentences/s", "10^9 operations/s", "of the peak", "of its own products")
    extractor = Extractor.load(runtime="onnxruntime")
    encoded = extractor.encoder.encode_many([(text, (0, len(text))) for text in texts])
    windows = [window for sentence in encoded for window in extractor.encoder.windows(sentence)]
    each = operations_of(windows) / len(windows)
    for kind in KINDS:
        network = OpenVinoNetwork(DEFAULT_CHECKPOINT / "model.onnx", cores(), cores(), kind)
        found = network_rate(network, extractor.encoder, windows, 3 * seconds) * each / 1e9
        name = f"OpenVINO {kind}" + (", as shipped" if kind == best_precision() else "")
        shown.add_row(
            name,
            f"{found * 1e9 / each:.0f}",
            f"{found:.0f}",
            f"{found / peaks[kind]:.0%}",
            f"{found / reached[kind]:.0%}",
        )
    shown.title = f"{len(texts)} sentences, {each / 1e9:.2f} x 10^9 operations each"
    console.print(shown)


if __name__ == "__main__":
    typer.run(main)
