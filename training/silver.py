"""Silver data: sentences of unlabelled text with what earlier checkpoints find in them, taken as if it were true.

The network that is trained on it sees more text than anyone has annotated, and, with words hidden from it, learns to
find without them what its teachers found with them (noisy student; Xie et al. 2020, Self-training with Noisy Student).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from math import exp, log
from pathlib import Path

import numpy as np

from model.annotating import annotation_of
from model.annotation import AnnotatedSentence
from model.annotation_files import write_annotations
from model.encoding import Batch
from model.extractor import Extractor
from model.outputs import HEADS, Floats, Network
from model.records import Action, Document, Entity
from model.sentences import split_sentences
from training.config import ConfigError, Silver
from training.raw_texts import texts_without

logger = logging.getLogger(__name__)

#: Code points of a sentence: shorter ones say little, longer ones are often lists.
SHORTEST, LONGEST = 50, 320
_AT_ONCE = 512


class MeanNetwork:
    """Several networks over the same pieces, as one whose logits are the mean of theirs."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self.networks = networks
        self.calls = min(network.calls for network in networks)
        self.pieces = min(network.pieces for network in networks)

    def __call__(self, batch: Batch) -> dict[str, Floats]:
        outputs = [network(batch) for network in self.networks]
        return {head: np.mean([own[head] for own in outputs], axis=0, dtype=np.float32) for head in HEADS}


def teacher(checkpoints: Sequence[Path]) -> Extractor:
    """The extractor that checkpoints make together; raises ConfigError where their pieces differ."""
    extractors = [Extractor.load(path) for path in checkpoints]
    first = extractors[0]
    for path, other in zip(checkpoints, extractors, strict=True):
        if other.encoder.tokenizer.to_str() != first.encoder.tokenizer.to_str():
            raise ConfigError(f"silver: {path}: its tokenizer is not that of {checkpoints[0]}")
    return Extractor(MeanNetwork([own.network for own in extractors]), first.encoder, first.calibration, first.info)


def make_silver(settings: Silver, folder: Path, output: Path) -> int:
    """Write the silver sentences to `output`, which appears when they are done; return how many there are."""
    extractor = teacher([folder / name for name in settings.teachers])
    texts = texts_without(folder / settings.text, [folder / name for name in settings.without])
    chosen = choose(texts, settings.sentences, settings.seed)
    unfinished = output.with_name(f"{output.name}.unfinished")
    count = write_annotations(unfinished, label(extractor, chosen, settings.min_score))
    unfinished.replace(output)
    return count


def choose(texts: Iterable[str], count: int, seed: int) -> list[str]:
    """`count` sentences (or as many as there are), one of each of as many texts, drawn at random."""
    rng = np.random.default_rng(seed)
    found: dict[str, None] = {}
    for text in texts:
        own = [text[start:end] for start, end in split_sentences(text)]
        fit = [sentence for sentence in own if SHORTEST <= len(sentence) <= LONGEST and sentence not in found]
        if fit:
            found[fit[rng.integers(len(fit))]] = None
    drawn = rng.permutation(len(found))[:count]
    sentences = list(found)
    return [sentences[index] for index in sorted(drawn.tolist())]


def label(extractor: Extractor, sentences: Sequence[str], min_score: float) -> Iterator[AnnotatedSentence]:
    """Yield the sentences in which the extractor finds an action, and is sure enough of all that it finds.

    `min_score`: of the geometric mean of the entities' and actions' scores.
    """
    for start in range(0, len(sentences), _AT_ONCE):
        for index, document in enumerate(extractor.extract_batch(sentences[start : start + _AT_ONCE]), start=start):
            if document.actions and confidence(document) >= min_score:
                yield annotation_of(document, f"silver-{index}")
        logger.info("silver: %d of %d sentences", min(len(sentences), start + _AT_ONCE), len(sentences))


def confidence(document: Document) -> float:
    """Geometric mean of the scores of entities and actions; 1 for a document without any."""
    found: list[Entity | Action] = [*document.entities, *document.actions]
    return exp(sum(log(max(own.score, 1e-6)) for own in found) / len(found)) if found else 1.0
