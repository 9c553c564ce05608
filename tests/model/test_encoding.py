from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from model.encoding import WORD_PIECES, EncodedSentence, SentenceEncoder, batches
from model.text import split_words

NASTY = "قصفلاجيش\u064e\u0640\u200f\u200d٤5 .،«\n\r\t👍🏽\ufe0f🇮🇶ﻻﷺⅣ™½e\u0301\u2028▁#[]<>\ud800\x00"


@pytest.fixture
def encoder(tokenizer: Tokenizer) -> SentenceEncoder:
    return SentenceEncoder(tokenizer, 64, 0)


def words_of(encoder: SentenceEncoder, text: str) -> list[str]:
    (encoded,) = encoder.encode(text, [(0, len(text))])
    return [text[start:end] for start, end in encoded.words]


def test_words_have_offsets_in_the_whole_text(encoder: SentenceEncoder) -> None:
    text = "كلام. قَصَفَ الجيـش «داعش»"
    (encoded,) = encoder.encode(text, [(6, len(text))])
    assert [text[start:end] for start, end in encoded.words] == ["قَصَفَ", "الجيـش", "«", "داعش", "»"]
    assert encoded.length == sum(len(pieces) for pieces in encoded.pieces)


def test_pieces_are_those_of_the_tokenizer(encoder: SentenceEncoder) -> None:
    text = "أعلن الجيش مقتل 45 في بغداد."
    (encoded,) = encoder.encode(text, [(0, len(text))])
    expected = encoder.tokenizer.encode(text, add_special_tokens=False).ids
    assert [piece for own in encoded.pieces for piece in own] == expected


def test_a_word_is_read_at_its_first_piece_with_a_letter(encoder: SentenceEncoder) -> None:
    text = "أعلن الجيش مقتل 45 في بغداد."
    (encoded,) = encoder.encode(text, [(0, len(text))])
    (window,) = encoder.windows(encoded)
    read = [window.input_ids[place] for place in window.word_pieces]
    assert encoder.space_id not in read
    assert all(piece in own for piece, own in zip(read, encoded.pieces, strict=True))


@pytest.mark.parametrize("empty", ["ـ", "\u200f", "\u064e", "\u200b\u064b"])
def test_a_word_without_pieces_is_passed_over(encoder: SentenceEncoder, empty: str) -> None:
    text = f"قصف {empty} الجيش"
    assert len(split_words(text)) == 3
    assert words_of(encoder, text) == ["قصف", "الجيش"]
    assert words_of(encoder, empty) == []
    assert words_of(encoder, "") == []


def test_special_tokens_in_a_text_are_text(encoder: SentenceEncoder) -> None:
    text = "قصف [SEP] </s> <pad> [MASK] الجيش"
    (encoded,) = encoder.encode(text, [(0, len(text))])
    specials = {encoder.tokenizer.token_to_id(name) for name in ("[SEP]", "[MASK]", "</s>", "<pad>")}
    assert not specials & {piece for own in encoded.pieces for piece in own}
    assert words_of(encoder, text)[:4] == ["قصف", "[", "SEP", "]"]


def test_a_piece_over_two_words_is_seen_in_both(wordpiece_tokenizer: Tokenizer) -> None:
    encoder = SentenceEncoder(wordpiece_tokenizer, 64, 0)
    assert words_of(encoder, "قصف هنريⅣ بغداد") == ["قصف", "هنري", "Ⅳ", "بغداد"]  # «هنريIV» is one [UNK]


def test_lone_surrogates(encoder: SentenceEncoder) -> None:
    assert words_of(encoder, "قصف\ud83d الجيش \udc4d") == ["قصف", "\ud83d", "الجيش", "\udc4d"]


def test_an_endless_word_shows_its_first_pieces(encoder: SentenceEncoder) -> None:
    text = f"قصف {'لا' * 100_000} بغداد"
    (encoded,) = encoder.encode(text, [(0, len(text))])
    assert [end - start for start, end in encoded.words] == [3, 200_000, 5]
    assert 1 <= len(encoded.pieces[1]) <= WORD_PIECES
    assert len(encoder.windows(encoded)) == 1


@settings(max_examples=150)
@given(st.text(alphabet=NASTY, max_size=30))
def test_every_word_that_normalization_leaves_is_seen(tokenizer: Tokenizer, text: str) -> None:
    encoder = SentenceEncoder(tokenizer, 64, 0)
    (encoded,) = encoder.encode(text, [(0, len(text))])
    words = split_words(text)
    assert [word for word in words if word in encoded.words] == list(encoded.words)
    for start, end in set(words) - set(encoded.words):
        rest = tokenizer.normalizer.normalize_str(text[start:end].encode("utf-8", "replace").decode())
        assert rest.strip() in ("", "\u0301", "▁")


def test_many_texts_at_once_and_none(encoder: SentenceEncoder) -> None:
    assert encoder.encode_many([]) == []
    texts = ["قصف الجيش", "", " \n", "في بغداد."]
    encoded = encoder.encode_many([(text, (0, len(text))) for text in texts])
    assert encoded == [encoder.encode(text, [(0, len(text))])[0] for text in texts]
    assert [len(own.words) for own in encoded] == [2, 0, 0, 3]


def test_a_window_has_room_for_a_word(tokenizer: Tokenizer) -> None:
    with pytest.raises(ValueError, match="max_pieces: 2 leaves no room"):
        SentenceEncoder(tokenizer, 2, 0)
    encoder = SentenceEncoder(tokenizer, 4, 0)
    text = "قصف خخخخخ بغداد"
    (encoded,) = encoder.encode(text, [(0, len(text))])
    assert max(map(len, encoded.pieces)) <= 2
    assert {word for window in encoder.windows(encoded) for word in range(window.first, window.last)} == {0, 1, 2}


def test_a_tokenizer_without_special_tokens_is_an_error() -> None:
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    with pytest.raises(ValueError, match="special token"):
        SentenceEncoder(tokenizer, 64, 0)


def encoded_of(counts: list[int]) -> EncodedSentence:
    words = tuple((2 * place, 2 * place + 1) for place in range(len(counts)))
    pieces = tuple(tuple(range(100 * place, 100 * place + count)) for place, count in enumerate(counts))
    return EncodedSentence(words, pieces)


@given(st.lists(st.integers(1, WORD_PIECES), max_size=60), st.integers(WORD_PIECES + 2, 100))
def test_windows_hold_every_word_and_fit(counts: list[int], size: int) -> None:
    encoder = SentenceEncoder(_template(), size, 0)
    encoded = encoded_of(counts)
    windows = encoder.windows(encoded)
    assert {word for window in windows for word in range(window.first, window.last)} == set(range(len(counts)))
    for window in windows:
        assert len(window.input_ids) <= size
        assert (window.input_ids[0], window.input_ids[-1]) == (1, 2)
        firsts = [encoded.pieces[word][0] for word in range(window.first, window.last)]
        assert [window.input_ids[place] for place in window.word_pieces] == firsts
    for left, right in pairwise(windows):
        assert left.first < right.first <= left.last
        assert left.last < right.last


def test_neighbouring_windows_share_half_their_words() -> None:
    windows = SentenceEncoder(_template(), 42, 0).windows(encoded_of([2] * 50))
    assert [(window.first, window.last) for window in windows] == [(0, 20), (10, 30), (20, 40), (30, 50)]


def _template() -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2}, unk_token="[UNK]"))
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    return tokenizer


def test_batches_are_padded_to_a_multiple_of_eight() -> None:
    encoder = SentenceEncoder(_template(), 64, 9)
    windows = [encoder.windows(encoded_of(counts))[0] for counts in ([1, 2], [3])]
    batch = encoder.batch(windows)
    np.testing.assert_array_equal(batch.input_ids, [[1, 0, 100, 101, 2, 9, 9, 9], [1, 0, 1, 2, 2, 9, 9, 9]])
    np.testing.assert_array_equal(batch.attention_mask, [[1, 1, 1, 1, 1, 0, 0, 0]] * 2)
    np.testing.assert_array_equal(batch.word_pieces, [[1, 2, *[0] * 6], [1, *[0] * 7]])
    longer = encoder.batch([*windows, encoder.windows(encoded_of([1] * 9))[0]])
    assert longer.input_ids.shape == longer.attention_mask.shape == (3, 16)
    assert longer.word_pieces.shape == (3, 16)


def test_batches_are_not_padded_beyond_the_window() -> None:
    encoder = SentenceEncoder(_template(), 13, 9)
    batch = encoder.batch([encoder.windows(encoded_of([1] * 10))[0]])
    assert batch.input_ids.shape == (1, 13)


@given(st.lists(st.integers(1, 50), max_size=80), st.integers(1, 9), st.integers(1, 120))
def test_batches_hold_every_index_once_within_limits(lengths: list[int], rows: int, pieces: int) -> None:
    groups = list(batches(lengths, rows, pieces))
    assert sorted(index for group in groups for index in group) == list(range(len(lengths)))
    for group in groups:
        assert len(group) <= rows
        assert len(group) == 1 or len(group) * max(lengths[index] for index in group) <= pieces
