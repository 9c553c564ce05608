"""The runtimes for the shipped checkpoint: sentences a second in batches of several sizes, memory, and what they find.

    python -m benchmarks.runtimes [--sentences 400] [--rounds 3] [--threads 2] [--only NAME] [--gold FILE] [--json FILE]

Each runs in a process of its own, one after the other. First it takes 500 batches of many shapes, after which its
resident memory is read; then the same sentences in batches of each size, the network alone, without what comes before
and after it; then annotated sentences (dev), end to end. A runtime may ship only where entity and triple F1 stay within
0.3 points of fp32: the last column says so.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.speed import misuse, sample, use_cores
from model.cores import cores
from model.encoding import Batch, SentenceEncoder, Window, batches
from model.extractor import DEFAULT_CHECKPOINT, Extractor
from model.outputs import Network

if TYPE_CHECKING:  # a process of another runtime is not to load OpenVINO
    from model.openvino_network import Precision

DEV = Path(__file__).parents[1] / "annotations" / "dev.jsonl"
#: Sentences and padded pieces of a batch, at most.
SIZES = ((1, 9999), (4, 256), (8, 512), (16, 1024), (32, 2048))
#: Points of F1 that int8 may lose, and what they are counted from.
MAY_LOSE = 0.3
REFERENCE = "onnxruntime"
_MANY_SHAPES = 500

_GRAPH = DEFAULT_CHECKPOINT / "model.onnx"
_INT8 = "int8.onnx"
#: A group of weights that is larger than any matrix: a scale for each output.
_ALL = 2**20


@dataclass
class Figures:
    """Of a runtime: MiB once loaded and after many shapes, seconds of each pass by batch size, F1 on dev."""

    loaded: int = 0
    resident: int = 0
    passes: dict[str, list[float]] = field(default_factory=dict)
    f1: dict[str, float] = field(default_factory=dict)


def _onnxruntime(folder: Path, calls: int = 0, int8: bool = False) -> Network:
    from model.onnx_network import OnnxNetwork

    return OnnxNetwork(_GRAPH, cores(), calls or cores(), int8=int8)


def _onnxruntime_dynamic(folder: Path) -> Network:
    from model.onnx_network import OnnxNetwork

    return OnnxNetwork(folder / _INT8, cores(), cores())


def _openvino(folder: Path, precision: Precision, calls: int = 0) -> Network:
    from model.openvino_network import OpenVinoNetwork

    return OpenVinoNetwork(_GRAPH, cores(), calls or cores(), precision)


def _openvino_int8(folder: Path, weights: int, inputs: int) -> Network:
    """Other groups than the shipped ones: so many weights, and inputs, share a scale (no inputs: they stay fp32)."""
    from model import openvino_network

    openvino_network._WEIGHTS, openvino_network._INPUTS = weights, inputs
    return _openvino(folder, "int8")


def _pytorch(folder: Path, precision: str) -> Network:
    import torch

    from model.network import MusnadModel
    from training.torch_network import TorchNetwork

    torch.set_num_threads(cores())
    network = MusnadModel.from_pretrained(DEFAULT_CHECKPOINT, dtype=torch.float32).to(getattr(torch, precision))
    network.encoder.set_attn_implementation("sdpa")
    return TorchNetwork(network)


#: By name; without more words, as many calls at a time as there are cores, each on one. int8: weights/inputs that
#: share a scale.
RUNTIMES: Mapping[str, Callable[[Path], Network]] = {
    REFERENCE: _onnxruntime,
    "onnxruntime, one call": partial(_onnxruntime, calls=1),
    "onnxruntime int8, dynamic": _onnxruntime_dynamic,
    "onnxruntime int8 128/128": partial(_onnxruntime, int8=True),
    "openvino": partial(_openvino, precision="fp32"),
    "openvino bf16": partial(_openvino, precision="bf16"),
    "openvino bf16, one call": partial(_openvino, precision="bf16", calls=1),
    "openvino int8 all/64": partial(_openvino_int8, weights=_ALL, inputs=64),
    "openvino int8 128/0": partial(_openvino_int8, weights=128, inputs=0),
    "openvino int8 128/32": partial(_openvino_int8, weights=128, inputs=32),
    "openvino int8 128/64": partial(_openvino, precision="int8"),
    "openvino int8 128/128": partial(_openvino_int8, weights=128, inputs=128),
    "openvino int8 64/64": partial(_openvino_int8, weights=64, inputs=64),
    "pytorch": partial(_pytorch, precision="float32"),
    "pytorch bf16": partial(_pytorch, precision="bfloat16"),
}


def quantize(folder: str) -> None:
    """Write the graph for ONNX Runtime with all matrices in int8: dynamic quantization, a scale for each output."""
    import onnx
    import onnxruntime
    from onnxruntime.quantization import QuantType, quantize_dynamic

    options = onnxruntime.SessionOptions()
    # folds the casts from fp16, so that the quantizer sees constant matrices
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(Path(folder) / "fp32.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(_GRAPH), options, providers=["CPUExecutionProvider"])
    graph = onnx.load(options.optimized_model_filepath).graph
    # the biaffine form has three dimensions, for which ONNX Runtime takes no scale for each output
    matrices = {tensor.name for tensor in graph.initializer if len(tensor.dims) == 2}
    multiplied = [node.name for node in graph.node if node.op_type in ("MatMul", "Gemm") and node.input[1] in matrices]
    quantize_dynamic(
        options.optimized_model_filepath,
        Path(folder) / _INT8,
        nodes_to_quantize=multiplied,
        per_channel=True,
        weight_type=QuantType.QInt8,
    )


def measure(connection: Connection, name: str, folder: str, texts: Sequence[str], rounds: int, gold: Path) -> None:
    """Everything of one runtime, in a process of its own; sends Figures."""
    figures = Figures()
    network = RUNTIMES[name](Path(folder))
    extractor = Extractor.with_network(DEFAULT_CHECKPOINT, network)
    figures.loaded = _resident()
    encoder = extractor.encoder
    encoded = encoder.encode_many([(text, (0, len(text))) for text in texts])
    windows = [window for sentence in encoded for window in encoder.windows(sentence)]
    _run(network, many_shapes(encoder, windows))
    figures.resident = _resident()
    for rows, pieces in SIZES:
        groups = batches([len(window.input_ids) for window in windows], rows, pieces)
        own = [encoder.batch([windows[index] for index in group]) for group in groups]
        _run(network, own)
        figures.passes[f"{rows}/{pieces}"] = [_run(network, own) for _ in range(rounds)]
    figures.f1 = _f1(extractor, gold)
    connection.send(figures)


def many_shapes(encoder: SentenceEncoder, windows: Sequence[Window]) -> list[Batch]:
    """Batches as a service meets them: one to eight windows of about one length, of all lengths."""
    chance = random.Random(0)
    ordered = sorted(windows, key=lambda window: len(window.input_ids))
    made = []
    for _ in range(_MANY_SHAPES):
        rows = chance.randint(1, 8)
        first = chance.randrange(len(ordered) - rows)
        made.append(encoder.batch(ordered[first : first + rows]))
    return made


def _run(network: Network, own: Sequence[Batch]) -> float:
    """Wall-clock seconds of some batches, the longest first, in as many calls at a time as the network takes."""
    began = time.perf_counter()
    with ThreadPoolExecutor(network.calls) as pool:
        deque(pool.map(network, reversed(own)), maxlen=0)
    return time.perf_counter() - began


def _resident() -> int:
    """MiB that this process has resident."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024
    raise RuntimeError("/proc/self/status: there is no VmRSS")


def _f1(extractor: Extractor, gold: Path) -> dict[str, float]:
    """F1 of what is found in annotated sentences, in points."""
    from model.annotation_files import read_annotations
    from training.trainer import dev_metrics

    metrics = dev_metrics(extractor, {"gold": list(read_annotations(gold))})
    return {name: 100 * metrics[f"eval_gold_{name}"] for name in ("entities", "actions", "roles", "triples")}


def in_process(target: Callable[..., None], *arguments: object) -> Any:
    """What a function sends from a process of its own; None for one that takes no connection and only returns."""
    context = multiprocessing.get_context("spawn")
    parent, child = context.Pipe()
    sends = target is measure
    process = context.Process(target=target, args=(child, *arguments) if sends else arguments)
    process.start()
    child.close()
    try:
        found = parent.recv() if sends else None
    except EOFError:
        found = None
    process.join()
    if process.exitcode:
        raise RuntimeError(f"{target.__name__}{arguments[:1]} failed; the error stands above")
    return found


def loses(own: Mapping[str, float], reference: Mapping[str, float]) -> float:
    """The larger of the points that entities and triples lose against a reference."""
    return max(reference[name] - own[name] for name in ("entities", "triples"))


def table(found: Mapping[str, Figures], sentences: int, title: str) -> Table:
    """A line a runtime; what it loses where the reference was measured."""
    shown = Table("runtime", *(f"{rows}/{pieces}" for rows, pieces in SIZES), title=title)
    for column in ("loaded", "after 500 shapes, MiB", "entities", "actions", "roles", "triples", "loses", "may ship"):
        shown.add_column(column)
    for name, own in found.items():
        rates = (f"{sentences / statistics.median(passes):.0f}" for passes in own.passes.values())
        lost = loses(own.f1, found[REFERENCE].f1) if REFERENCE in found else None
        verdict = ("-", "-") if lost is None else (f"{lost:+.2f}", "yes" if lost <= MAY_LOSE else "no")
        f1 = (f"{value:.2f}" for value in own.f1.values())
        shown.add_row(name, *rates, str(own.loaded), str(own.resident), *f1, *verdict)
    return shown


def main(
    sentences: Annotated[int, typer.Option(help="How many sentences.", min=16)] = 400,
    rounds: Annotated[int, typer.Option(help="Passes of each batch size.", min=1)] = 3,
    threads: Annotated[int, typer.Option(help="Cores; 0 is all.", min=0)] = 0,
    only: Annotated[list[str] | None, typer.Option(help="A runtime by its name; can be given more than once.")] = None,
    gold: Annotated[Path, typer.Option(help="Annotated sentences that F1 is of.", exists=True)] = DEV,
    out: Annotated[Path | None, typer.Option("--json", help="All figures, also to a file.")] = None,
) -> None:
    """Measure and print a table: sentences a second by batch size (sentences/pieces), MiB, F1 on dev."""
    names = list(RUNTIMES) if only is None else only
    if unknown := sorted(set(names) - set(RUNTIMES)):
        raise typer.BadParameter(f"--only: {', '.join(unknown)}: not one of: {'; '.join(RUNTIMES)}")
    with misuse():
        use_cores(threads)
        texts, _ = sample(sentences)
    console = Console(width=180)
    found = {}
    with tempfile.TemporaryDirectory(prefix="musnad-runtimes-") as folder:
        if "onnxruntime int8, dynamic" in names:
            in_process(quantize, folder)
        for name in names:
            found[name] = in_process(measure, name, folder, texts, rounds, gold)
            console.print(f"{name}: done", style="dim")
    console.print(table(found, len(texts), f"{len(texts)} sentences, {cores()} cores, median of {rounds} passes"))
    if out is not None:
        figures = {"sentences": len(texts), "runtimes": {name: asdict(own) for name, own in found.items()}}
        out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
