"""Sentences a second: the shipped checkpoint, against entity tagging alone with a BERT of AraBERT base's shape.

    python -m benchmarks.speed [--sentences 200]

Both run on this machine's processor with the same number of threads, over the same sentences, in turn. The yardstick
is what people run today: a Hugging Face token-classification pipeline, batch size 16, over a BERT of 12 layers, 768
wide, with a 64k vocabulary and random weights (the speed is the same); it tags entities and nothing more.
"""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.table import Table
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertForTokenClassification, PreTrainedTokenizerFast, pipeline

from model.annotation_files import read_annotations
from model.extractor import Extractor

ANNOTATIONS = Path(__file__).parents[1] / "annotations" / "train.jsonl"


def arabert_shaped(texts: list[str]) -> Callable[[list[str]], object]:
    """A token-classification pipeline over a random BERT of AraBERT base's shape."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=64_000, special_tokens=special))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    config = BertConfig(vocab_size=64_000)
    config.num_labels = 9
    network = BertForTokenClassification(config).eval()
    with tempfile.TemporaryDirectory() as folder:
        network.save_pretrained(folder)
        fast.save_pretrained(folder)
        tagger = pipeline("token-classification", model=folder, tokenizer=folder, batch_size=16, device="cpu")
    return lambda sentences: tagger(sentences)


def seconds(run: Callable[[list[str]], object], sentences: list[str]) -> float:
    """Wall-clock seconds of one pass."""
    began = time.perf_counter()
    run(sentences)
    return time.perf_counter() - began


def main(
    sentences: Annotated[int, typer.Option(help="How many sentences.", min=16)] = 200,
    rounds: Annotated[int, typer.Option(help="Passes of each, in turn.", min=1)] = 3,
) -> None:
    """Measure and print a table."""
    logging.getLogger("transformers").setLevel(logging.ERROR)
    threads = torch.get_num_threads()
    texts = [own.text for own in islice(read_annotations(ANNOTATIONS), 3000)]
    chosen = texts[:: max(1, len(texts) // sentences)][:sentences]
    extractor = Extractor.load(threads=threads)
    contestants: dict[str, Callable[[list[str]], object]] = {
        "musnad: entities, actions, roles, triples": extractor.extract_batch,
        "pipeline, AraBERT-shaped: entities": arabert_shaped(texts),
    }
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for run in contestants.values():
        run(chosen[:32])
    for _ in range(rounds):
        for name, run in contestants.items():
            times[name].append(seconds(run, chosen))
    latencies = sorted(seconds(lambda own: extractor.extract(own[0]), [text]) for text in chosen)
    ours, theirs = (statistics.median(own) for own in times.values())
    table = Table(title=f"{len(chosen)} sentences, {threads} threads, median of {rounds} passes")
    table.add_column("what")
    table.add_column("sentences/s", justify="right")
    for name, own in times.items():
        table.add_row(name, f"{len(chosen) / statistics.median(own):.1f}")
    console = Console()
    console.print(table)
    console.print(f"ratio: {theirs / ours:.1f} times as many sentences a second")
    middle, late = latencies[len(latencies) // 2], latencies[int(len(latencies) * 0.99)]
    console.print(f"one sentence alone: median {1000 * middle:.0f} ms, 99th percentile {1000 * late:.0f} ms")


if __name__ == "__main__":
    typer.run(main)
