"""From labelled sentences to training examples and padded batches."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from model.annotation import AnnotatedSentence, Span
from model.encoding import EncodedSentence, SentenceEncoder, Window
from model.labels import CLASSES, CLITIC_LETTERS, FACTUALITIES, NAME_LABELS, NAME_TAGS, REST_TAGS, ROLE_TAGS
from model.network import IGNORED
from model.text import clitic_letters
from training.sources import LabelledSentence

#: A training example: lists of integers, as `datasets` stores them.
Example = dict[str, Any]


def word_range(sentence: EncodedSentence, span: Span) -> tuple[int, int] | None:
    """First and last word that a span touches; None where the network sees none of its words."""
    starts = [start for start, _ in sentence.words]
    first = bisect_right(starts, span.start) - 1
    if first < 0 or sentence.words[first][1] <= span.start:
        first += 1
    last = bisect_right(starts, span.end - 1) - 1
    return (first, last) if first <= last else None


def examples(labelled: Sequence[LabelledSentence], encoder: SentenceEncoder) -> Iterator[Example]:
    """Yield one example a window of each sentence."""
    encoded = encoder.encode_many([(own.sentence.text, (0, len(own.sentence.text))) for own in labelled])
    for own, words in zip(labelled, encoded, strict=True):
        labels = _word_labels(own, words)
        for window in encoder.windows(words):
            yield _example(window, labels)


def _word_labels(labelled: LabelledSentence, words: EncodedSentence) -> Example:
    """Labels of all words of a sentence, and its roles as [action word, entity word, role] rows."""
    sentence = labelled.sentence
    count = len(words.words)
    unknown = [IGNORED] * count
    labels: Example = {
        "names": [0] * count,
        "rest": list(unknown) if labelled.names_only else [0] * count,
        "clitics": list(unknown),
        "classes": list(unknown),
        "factuality": list(unknown),
    }
    first_word: dict[int, int] = {}
    for span in sentence.spans:
        place = word_range(words, span)
        if place is None:
            continue
        first, last = place
        first_word[span.id] = first
        layer, tags = ("names", NAME_TAGS) if span.label in NAME_LABELS else ("rest", REST_TAGS)
        labels[layer][first] = tags.index(f"B-{span.label}")
        labels[layer][first + 1 : last + 1] = [tags.index(f"I-{span.label}")] * (last - first)
        if not labelled.names_only:
            _label_first_word(labels, sentence, span, words, first)
    labels["actions"] = [first_word[span.id] for span in sentence.actions if span.id in first_word]
    labels["entities"] = [first_word[span.id] for span in sentence.entities if span.id in first_word]
    labels["roles"] = [
        [first_word[link.action], first_word[link.entity], ROLE_TAGS.index(link.role)]
        for link in sentence.relations
        if link.action in first_word and link.entity in first_word
    ]
    return labels


def _label_first_word(
    labels: Example, sentence: AnnotatedSentence, span: Span, words: EncodedSentence, first: int
) -> None:
    start, end = words.words[first]
    letters = clitic_letters(sentence.text[start:end], span.start - start) if span.start > start else 0
    if letters <= CLITIC_LETTERS:  # more is a missing space in the source, not a clitic
        labels["clitics"][first] = letters
    if span.event_class is not None and span.factuality is not None:
        labels["classes"][first] = CLASSES.index(span.event_class)
        labels["factuality"][first] = FACTUALITIES.index(span.factuality)


def _example(window: Window, labels: Example) -> Example:
    """The part of a sentence's labels that a window holds."""
    first, last = window.first, window.last
    example: Example = {"input_ids": list(window.input_ids), "word_pieces": list(window.word_pieces)}
    for layer in ("names", "rest", "clitics", "classes", "factuality"):
        example[layer] = labels[layer][first:last]
    for kind in ("actions", "entities"):
        example[kind] = [word - first for word in labels[kind] if first <= word < last]
    example["roles"] = [
        [action - first, entity - first, role]
        for action, entity, role in labels["roles"]
        if first <= action < last and first <= entity < last
    ]
    example["length"] = len(window.input_ids)
    return example


class Collator:
    """Pads examples to arrays for `MusnadModel.forward`.

    In a share `masked_words` of the words every piece (but a space before it) is replaced by `mask_id`: the network
    must then tell from the context what a word is, as for a name that it never saw. Drawn from torch's generator.
    """

    def __init__(
        self, pad_id: int, mask_id: int | None = None, space_id: int | None = None, masked_words: float = 0.0
    ) -> None:
        if masked_words and mask_id is None:
            raise ValueError("masking words needs a tokenizer with a mask token")
        self.pad_id, self.mask_id, self.space_id, self.masked_words = pad_id, mask_id, space_id, masked_words

    def __call__(self, batch: Sequence[Example]) -> dict[str, Any]:
        """Return input_ids, attention_mask [B, T], word_pieces [B, W], and labels as `total_loss` takes them."""
        words = max(len(example["word_pieces"]) for example in batch)
        labels = {
            layer: _padded([example[layer] for example in batch], IGNORED)
            for layer in ("names", "rest", "clitics", "classes", "factuality")
        }
        roles = torch.full((len(batch), words, words), IGNORED, dtype=torch.long)
        pairs = torch.zeros(len(batch), dtype=torch.long)
        for row, example in enumerate(batch):
            # every word of the sentence, entity or not: a word tagged by mistake should find no role
            roles[row, example["actions"], : len(example["word_pieces"])] = 0
            for action, entity, role in example["roles"]:
                roles[row, action, entity] = role
            pairs[row] = len(example["actions"]) * len(example["entities"])
        ids = _padded([example["input_ids"] for example in batch], self.pad_id)
        if self.mask_id is not None and self.masked_words:
            for row, example in enumerate(batch):
                starts = example["word_pieces"]
                chosen = (torch.rand(len(starts)) < self.masked_words).tolist()
                for start, end, masked in zip(starts, [*starts[1:], example["length"] - 1], chosen, strict=True):
                    if masked:
                        # a space piece before the next word is the next word's
                        last = end - (example["input_ids"][end - 1] == self.space_id)
                        ids[row, start : max(last, start + 1)] = self.mask_id
        lengths = torch.tensor([len(example["input_ids"]) for example in batch])
        return {
            "input_ids": ids,
            "attention_mask": (torch.arange(ids.shape[1])[None, :] < lengths[:, None]).long(),
            "word_pieces": _padded([example["word_pieces"] for example in batch], 0),
            "labels": {**labels, "roles": roles, "role_pairs": pairs},
        }


def _padded(rows: Sequence[Sequence[int]], value: int) -> Tensor:
    width = max(map(len, rows))
    return torch.tensor([list(row) + [value] * (width - len(row)) for row in rows], dtype=torch.long)
