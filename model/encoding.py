"""From sentences to arrays for the network: words, their pieces, windows, and padded batches.

A word that normalization empties (a lone tatweel, a stray bidi mark) has no piece and is not shown to the network;
it keeps its place in the text. A sentence longer than the encoder's window becomes several overlapping windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from model.text import Offsets, split_words

#: A word shows the network at most this many of its pieces: no name is longer, and one endless word (a URL, a line
#: of dashes) must not push its neighbours out of the window.
WORD_PIECES = 32

#: Batches are padded to multiples of this many pieces and words: a runtime keeps code for every shape that it meets.
STEP = 8

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class EncodedSentence:
    """A sentence's words (offsets in the whole text) and the pieces of each, without special tokens."""

    words: tuple[Offsets, ...]
    pieces: tuple[tuple[int, ...], ...]

    @property
    def length(self) -> int:
        """Pieces in all."""
        return sum(map(len, self.pieces))


@dataclass(frozen=True, slots=True)
class Window:
    """Words `[first, last)` of a sentence, as one input of the network."""

    first: int
    last: int
    input_ids: tuple[int, ...]
    word_pieces: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded arrays of `B` windows, `T` pieces and `W` words."""

    input_ids: Ints  # [B, T]
    attention_mask: Ints  # [B, T]
    word_pieces: Ints  # [B, W]


class SentenceEncoder:
    """Splits sentences into words and pieces with a checkpoint's tokenizer.

    `max_pieces` is the encoder's window with its two special tokens. Raises ValueError for a window without room for
    a piece, and for a tokenizer that does not put one special token before and one after a text.
    """

    def __init__(self, tokenizer: Tokenizer, max_pieces: int, pad_id: int) -> None:
        if max_pieces < 3:
            raise ValueError(f"max_pieces: {max_pieces} leaves no room for a word between two special tokens")
        self.tokenizer = tokenizer
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.tokenizer.encode_special_tokens = True  # «[SEP]» in a text is text
        special = tokenizer.encode("").ids
        if len(special) != 2:
            raise ValueError(f"tokenizer: expected a first and a last special token around a text, found ids {special}")
        self.first_id, self.last_id = special
        #: The piece of a Metaspace tokenizer that is a space alone; None for a tokenizer without one.
        self.space_id = tokenizer.token_to_id("▁")
        self.max_pieces = max_pieces
        self.pad_id = pad_id

    def encode(self, text: str, sentences: Sequence[Offsets]) -> list[EncodedSentence]:
        """Encode the sentences of one text."""
        return self.encode_many([(text, sentence) for sentence in sentences])

    def encode_many(self, sentences: Sequence[tuple[str, Offsets]]) -> list[EncodedSentence]:
        """Encode (text, offsets) pairs, in order."""
        strings = [text[start:end].encode("utf-8", "replace").decode() for text, (start, end) in sentences]
        encodings = self.tokenizer.encode_batch(strings, add_special_tokens=False)
        encoded = []
        for (text, (start, end)), encoding in zip(sentences, encodings, strict=True):
            words = split_words(text, start, end)
            limit = min(WORD_PIECES, self.max_pieces - 2)
            encoded.append(_group(words, start, encoding.ids, encoding.offsets, limit))
        return encoded

    def windows(self, sentence: EncodedSentence) -> list[Window]:
        """Cut a sentence into windows that fit the encoder; neighbours share half their words, or what leaves room."""
        room = self.max_pieces - 2
        counts = [len(pieces) for pieces in sentence.pieces]
        if sum(counts) <= room:
            return [self._window(sentence, 0, len(counts))] if counts else []
        windows = []
        first = 0
        while True:
            last, used = first, 0
            while last < len(counts) and used + counts[last] <= room:
                used += counts[last]
                last += 1
            windows.append(self._window(sentence, first, last))
            if last == len(counts):
                return windows
            first = max(first + 1, (first + last) // 2)
            while sum(counts[first : last + 1]) > room:  # each window shows a word that none before it did
                first += 1

    def _window(self, sentence: EncodedSentence, first: int, last: int) -> Window:
        ids = [self.first_id]
        starts = []
        for pieces in sentence.pieces[first:last]:
            # a word is read at its first piece that has a letter: not at the space that may come before it
            starts.append(len(ids) + (len(pieces) > 1 and pieces[0] == self.space_id))
            ids.extend(pieces)
        return Window(first, last, (*ids, self.last_id), tuple(starts))

    def batch(self, windows: Sequence[Window]) -> Batch:
        """Pad windows to the longest, and that to a multiple of `STEP` where the encoder has room for it."""
        pieces = min(_up(max(len(window.input_ids) for window in windows)), self.max_pieces)
        words = _up(max(len(window.word_pieces) for window in windows))
        input_ids = np.full((len(windows), pieces), self.pad_id, dtype=np.int64)
        attention_mask = np.zeros((len(windows), pieces), dtype=np.int64)
        word_pieces = np.zeros((len(windows), words), dtype=np.int64)
        for row, window in enumerate(windows):
            input_ids[row, : len(window.input_ids)] = window.input_ids
            attention_mask[row, : len(window.input_ids)] = 1
            word_pieces[row, : len(window.word_pieces)] = window.word_pieces
        return Batch(input_ids, attention_mask, word_pieces)


def _up(length: int) -> int:
    """The next multiple of `STEP`."""
    return -(-length // STEP) * STEP


def _group(
    words: Sequence[Offsets], start: int, ids: Sequence[int], offsets: Sequence[Offsets], limit: int
) -> EncodedSentence:
    """Give every piece to the word that holds its last character; offsets count from `start`.

    A piece that runs over several words («هنريⅣ» is one run of letters after NFKC) goes also to those of them that
    have none yet: the network sees every word that any piece touches. A piece of white space alone opens the word
    after it, as when the encoder was pretrained. A word keeps its first `limit` pieces.
    """
    pieces: list[list[int]] = [[] for _ in words]
    word = 0
    space: list[int] = []
    for piece, (piece_start, piece_end) in zip(ids, offsets, strict=True):
        if piece_end == piece_start:
            continue
        first, end = start + piece_start, start + piece_end
        while word < len(words) and words[word][1] <= first:
            word += 1
        if word == len(words) or words[word][0] >= end:
            space = [piece]
            continue
        for index in range(word, len(words)):
            own_start, own_end = words[index]
            if own_start >= end:
                break
            own = pieces[index]
            if not own or (own_end >= end and len(own) < limit):
                own += [*space, piece][-limit:] if space else (piece,)
                space = []
            if own_end >= end:
                break
    kept = [index for index, group in enumerate(pieces) if group]
    return EncodedSentence(tuple(words[index] for index in kept), tuple(tuple(pieces[index]) for index in kept))


def batches(lengths: Sequence[int], max_rows: int, max_pieces: int) -> Iterator[list[int]]:
    """Yield groups of indices of like length: at most `max_rows` rows and `max_pieces` padded pieces a group.

    A single window longer than `max_pieces` is a group of its own.
    """
    group: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if group and (len(group) == max_rows or (len(group) + 1) * lengths[index] > max_pieces):
            yield group
            group = []
        group.append(index)
    if group:
        yield group
