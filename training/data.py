"""What a configuration trains on: its sources read, with what is made of them, and the examples of all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from model.annotation import AnnotatedSentence
from model.encoding import SentenceEncoder
from model.network import IGNORED, WORD_HEADS
from training.config import ConfigError, Source, TrainingConfig
from training.features import Example, examples
from training.held_out import LeftOut, kept
from training.renaming import pool_of, renamed_copies
from training.sources import LabelledSentence, read_source

#: The file of the output that keeps the silver sentences.
SILVER = "silver.jsonl"

#: Sentences, and how often an epoch draws each of them.
Weighted = tuple[list[LabelledSentence], float]


def read_all(sources: list[Source], folder: Path) -> tuple[list[list[LabelledSentence]], list[LeftOut]]:
    """The sentences of each source, and those that were left out; raises ConfigError for a source that has none."""
    read: list[list[LabelledSentence]] = []
    left_out: list[LeftOut] = []
    for source in sources:
        if source.without:
            sentences, dropped = kept(source, folder)
            left_out += dropped
        else:
            sentences = [own for path in source.files(folder) for own in read_source(path, source.format)]
        if not sentences:
            raise ConfigError(f"{source.path}: no sentences")
        read.append(sentences)
    return read, left_out


def weighted(sources: list[Source], read: list[list[LabelledSentence]]) -> list[Weighted]:
    """The sentences of each source, with its weight."""
    return [(sentences, source.weight) for source, sentences in zip(sources, read, strict=True)]


def renamed(config: TrainingConfig, read: list[list[LabelledSentence]]) -> list[Weighted]:
    """The copies with other names of the sources that ask for them, with the share of them that an epoch draws."""
    asked = [(source.renamed, own) for source, own in zip(config.sources, read, strict=True) if source.renamed]
    if not asked:
        return []
    pool = pool_of(sentence for own in read for sentence in own)
    found: list[Weighted] = []
    for how, own in asked:
        copies = renamed_copies(own, pool, how.copies, how.share, config.seed)
        if copies:
            found.append((copies, how.weight * len(own) / len(copies)))
    return found


def silver(config: TrainingConfig, output: Path) -> list[Weighted]:
    """The sentences that the configuration's teachers labelled, which `output` keeps, with their weight."""
    if config.silver is None:
        return []
    return [(read_source(output / SILVER, "annotations"), config.silver.weight)]


def read_dev(sources: list[Source], folder: Path) -> dict[str, list[AnnotatedSentence]]:
    """The sentences of each dev source by its file name; they must know all labels."""
    dev: dict[str, list[AnnotatedSentence]] = {}
    for source, sentences in zip(sources, read_all(sources, folder)[0], strict=True):
        name = Path(source.path).stem.replace("*", "")
        if name in dev:
            raise ConfigError(f"dev: two sources are called {name!r}: {source.path}")
        if source.format != "annotations":
            raise ConfigError(f"dev: {source.path}: its format {source.format!r} knows nothing of actions and roles")
        dev[name] = [own.sentence for own in sentences]
    return dev


def data_files(config: TrainingConfig, folder: Path) -> list[Path]:
    """Every data file that a configuration names."""
    files = [path for source in (*config.sources, *config.dev) for path in source.files(folder)]
    files += [folder / name for source in config.sources for name in source.without]
    if config.pretraining is not None:
        files += [folder / name for name in (config.pretraining.text, *config.pretraining.without)]
    if config.silver is not None:
        files += [folder / name for name in (config.silver.text, *config.silver.without)]
        files += [folder / name / "model.safetensors" for name in config.silver.teachers]
    return files


def training_examples(
    parts: Iterable[Weighted], encoder: SentenceEncoder
) -> tuple[list[Example], list[tuple[int, float]]]:
    """The examples of all parts, one part after another, and (examples, weight) of each part."""
    data: list[Example] = []
    sizes: list[tuple[int, float]] = []
    for sentences, weight in parts:
        own = list(examples(sentences, encoder))
        data += own
        sizes.append((len(own), weight))
    return data, sizes


def without_labels(example: Example) -> Example:
    """The same pieces, of which nothing is known: what a process trains on that has no sentence left in a step."""
    unknown = {name: [IGNORED] * len(example[name]) for name in WORD_HEADS}
    return {**example, **unknown, "actions": [], "entities": [], "roles": []}
