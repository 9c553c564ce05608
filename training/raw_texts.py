"""Texts without annotation: JSON lines of articles, maybe compressed, without those that hold certain sentences."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from training.suggesting.corpus import read_texts


def comparable(text: str) -> str:
    """Letters and digits of a text alone: how a sentence is found again that differs in spaces and punctuation."""
    return "".join(filter(str.isalnum, text))


def texts_without(path: Path, files: Iterable[Path]) -> Iterator[str]:
    """Yield the texts of `path` that hold none of the sentences (`text`) of some JSON lines files."""
    lines = [line for file in files for line in file.read_text("utf-8").splitlines()]
    held_out = [comparable(json.loads(line)["text"]) for line in lines]
    for _, text in read_texts(path):
        plain = comparable(text)
        if not any(sentence in plain for sentence in held_out):
            yield text
