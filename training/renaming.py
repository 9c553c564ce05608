"""Copies of annotated sentences with other names in them, so that a network learns names from their surroundings.

A name is replaced by one of the same label from a pool; everything else, annotation included, stays. Where the name
occurs again in the sentence as an entity, it is replaced alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from model.annotation import AnnotatedSentence, Span
from model.labels import NAME_LABELS
from model.text import possible_clitics
from training.sources import LabelledSentence

#: Label to the names that may stand for one another.
NamePool = dict[str, list[str]]

_MAX_WORDS = 6


def collect_names(sentences: Iterable[AnnotatedSentence], whole_words: bool) -> NamePool:
    """The distinct names of some sentences, by label and sorted.

    With `whole_words` a span may begin with a clitic that belongs to the sentence: a name whose first letter could be
    one is left out. So are names of more than six words, and what does not begin with a letter.
    """
    found: dict[str, set[str]] = {label: set() for label in NAME_LABELS}
    for sentence in sentences:
        for span in sentence.entities:
            name = sentence.text_of(span)
            if span.label not in found or len(name.split()) > _MAX_WORDS or not name[0].isalpha():
                continue
            if whole_words and possible_clitics(name.split()[0], 1):
                continue
            if not whole_words and sentence.text[span.start - 1 : span.start] == "ل":
                continue  # «العراق» has lost its article's alef in «للعراق»
            found[span.label].add(name)
    return {label: sorted(names) for label, names in found.items()}


def pool_of(sentences: Iterable[LabelledSentence]) -> NamePool:
    """The names of training sentences; those that know names only are of corpora that tag whole words."""
    own = list(sentences)
    pools = [
        collect_names((one.sentence for one in own if one.names_only == whole_words), whole_words)
        for whole_words in (False, True)
    ]
    return {label: sorted({name for pool in pools for name in pool[label]}) for label in NAME_LABELS}


def renamed_copies(
    sentences: Sequence[LabelledSentence], pool: NamePool, copies: int, share: float, seed: int
) -> list[LabelledSentence]:
    """So many copies of every sentence with about `share` of its names replaced; without those in which none was."""
    made = []
    for copy in range(copies):
        rng = np.random.default_rng((seed, copy))
        for own in sentences:
            other = rename(own.sentence, pool, share, rng)
            if other.text != own.sentence.text:
                made.append(replace(own, sentence=other))
    return made


def rename(sentence: AnnotatedSentence, pool: NamePool, share: float, rng: np.random.Generator) -> AnnotatedSentence:
    """Return the sentence with about `share` of its names replaced; id and annotation stay.

    A name with an attached ل stays too: what it would become depends on its article.
    """
    chosen: dict[tuple[str, str], str] = {}
    spans = sorted(sentence.spans, key=lambda span: span.start)
    pieces: list[str] = []
    moved: dict[int, Span] = {}
    position = length = 0
    for span in spans:
        pieces.append(sentence.text[position : span.start])
        length += span.start - position
        old = sentence.text_of(span)
        new = old
        attached = sentence.text[span.start - 1 : span.start]
        if span.label in pool and pool[span.label] and attached != "ل":
            key = (span.label, old)
            if key not in chosen:
                chosen[key] = _other(span.label, pool, rng) if rng.random() < share else old
            new = chosen[key]
        pieces.append(new)
        moved[span.id] = replace(span, start=length, end=length + len(new))
        length += len(new)
        position = span.end
    pieces.append(sentence.text[position:])
    return replace(sentence, text="".join(pieces), spans=tuple(moved[span.id] for span in sentence.spans))


def _other(label: str, pool: NamePool, rng: np.random.Generator) -> str:
    """A name of the pool; a person may get the first name of one and the last of another."""
    names = pool[label]
    name = names[rng.integers(len(names))]
    if label == "PER" and rng.random() < 0.5:
        first, last = name.split(), names[rng.integers(len(names))].split()
        if len(first) > 1 and len(last) > 1:
            return " ".join([first[0], *last[1:]])
    return name
