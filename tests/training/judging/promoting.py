"""Promotes as a process of its own: `promoting.py REGISTRY CHECKPOINT [COPIES]`; no network runs.

A checkpoint is right in the first sentences, as many as its `model.safetensors` says, and finds nothing in others.
With COPIES the process dies, as by SIGKILL, when it has copied so many files.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from model.annotation import AnnotatedSentence
from model.labels import ENTITY_LABELS
from training.evaluation import MEASURES, Evaluation, compare
from training.judging import promotion
from training.judging.pairs import document_of
from training.judging.registry import Registry


def load(checkpoint: Path) -> Any:
    right = int((checkpoint / "model.safetensors").read_text(encoding="utf-8"))
    return SimpleNamespace(right=right, info=SimpleNamespace(name="child"))


def evaluate_files(extractor: Any, _: object, sentences: Sequence[Sequence[AnnotatedSentence]], __: str) -> Evaluation:
    result = Evaluation(labels=ENTITY_LABELS, counts={measure: [] for measure in MEASURES})
    for place, sentence in enumerate(sentences[0]):
        found = sentence if place < extractor.right else AnnotatedSentence(sentence.id, sentence.text, (), ())
        compare(result, sentence, document_of(found))
    return result


def dying(copies: int) -> Any:
    original, done = shutil.copyfile, []

    def copy(*arguments: Any) -> Any:
        if len(done) == copies:
            os._exit(9)
        done.append(original(*arguments))

    return copy


if __name__ == "__main__":
    promotion.evaluate_files = evaluate_files  # type: ignore[assignment]
    if len(sys.argv) > 3:
        shutil.copyfile = dying(int(sys.argv[3]))
    promotion.promote(Registry(Path(sys.argv[1])), Path(sys.argv[2]), load=load, resamples=100)
