from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from model.normalization import plain, with_arabic_normalization

SAME = [
    ("قَصَفَ الجَيْشُ", "قصف الجيش"),
    ("قـــصف الجيــــش", "قصف الجيش"),
    ("قصف ـ الجيش ـ", "قصف الجيش"),
    ("ه\u0670ذا", "هذا"),
    ("ا\u0654علن", "أعلن"),  # alef and the hamza above it, apart
    ("قصف\u06d6 الجيش\u08f0", "قصف الجيش"),
    ("ﻗﺼﻒ ﺍﻟﺠﻴﺶ", "قصف الجيش"),
    ("ﻻ غير", "لا غير"),
    ("ق\ufe70ص\ufe77ف ال\ufc60جيش", "قصف الجيش"),  # presentation forms of marks alone
    ("٤٥ شاهدا و۴۵", "45 شاهدا و45"),
    ("٣٫٥٪", "3.5%"),
    ("٦٬٠٠٠", "6,000"),
    ("کتب علی کتابا", "كتب علي كتابا"),
    ("\u06beذا", "هذا"),
    ("قص\u200cف ال\u200bجيش\u200f", "قصف الجيش"),
    ("\ufeff\u202bقصف\u202c \u2067الجيش\u2069", "قصف الجيش"),
    ("قص\u00adف الجيش", "قصف الجيش"),
    ("قصف\r\nالجيش", "قصف الجيش"),
    ("قصف\t \u00a0\u2003الجيش", "قصف الجيش"),
    ("قصف\u2028الجيش\x1cفي\x85بغداد", "قصف الجيش في بغداد"),
    ("قصف❤\ufe0f الجيش", "قصف❤ الجيش"),
    ("قصف 👨\u200d👩\u200d👧 الجيش", "قصف 👨👩👧 الجيش"),
]


@pytest.mark.parametrize(("written", "plain"), SAME)
def test_the_same_pieces_as_the_plain_form(tokenizer: Tokenizer, written: str, plain: str) -> None:
    assert tokenizer.encode(written).ids == tokenizer.encode(plain).ids


@pytest.mark.parametrize("written", [written for pair in SAME for written in pair if "\u0654" not in written])
def test_offsets_point_into_the_original(tokenizer: Tokenizer, written: str) -> None:
    encoding = tokenizer.encode(written, add_special_tokens=False)
    unknown = tokenizer.token_to_id("<unk>"), tokenizer.token_to_id("[UNK]")
    covered = set()
    for piece, token, (start, end) in zip(encoding.ids, encoding.tokens, encoding.offsets, strict=True):
        covered |= set(range(start, end))
        original = tokenizer.normalizer.normalize_str(written[start:end])
        assert piece in unknown or token.removeprefix("##").removeprefix("▁") in original
    for position, character in enumerate(written):
        if tokenizer.normalizer.normalize_str(character).strip():
            assert position in covered


def test_digits_and_symbols_stand_apart(tokenizer: Tokenizer) -> None:
    encoding = tokenizer.encode("كوفيد19«قصف»45%", add_special_tokens=False)
    places = {offsets for offsets in encoding.offsets if offsets[0] < offsets[1]}
    borders = {border for place in places for border in place}
    assert {5, 7, 8, 11, 12, 14, 15} <= borders


def test_it_survives_saving(tokenizer: Tokenizer) -> None:
    text = "قَصَفَ ﺍﻟﺠﻴﺶ\r\n«داعـش» ٤٥٪"
    again = Tokenizer.from_str(tokenizer.to_str())
    assert again.encode(text).ids == tokenizer.encode(text).ids
    assert again.encode(text).offsets == tokenizer.encode(text).offsets


@settings(max_examples=100)
@given(
    st.text(alphabet="قصفلاجيش\u064e\u0640\u200f\u200d٤5 .،«\n\r\t👍🏽\ufe0fﻻﷺⅣ™½e\u0301\u2028▁#[]\x00", max_size=40)
)
def test_offsets_of_any_text_are_in_order_and_in_the_text(tokenizer: Tokenizer, text: str) -> None:
    last = 0
    for start, end in tokenizer.encode(text, add_special_tokens=False).offsets:
        assert 0 <= start <= end <= len(text)
        assert start >= last or start == end
        last = max(last, start)


def test_a_byte_level_tokenizer_keeps_its_pieces() -> None:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(["قصف الجيش العراقي بغداد أمس"] * 9, trainer)
    own = tokenizer.encode("قصف الجيش").tokens
    with_arabic_normalization(tokenizer)
    assert tokenizer.encode("قَصَفَ الجـيش").tokens == own
    assert len(own) == 2
    encoding = tokenizer.encode("قصف19«الجيش»")
    assert {3, 5, 6, 11} <= {border for offsets in encoding.offsets for border in offsets}


def test_plain_text() -> None:
    assert plain("م\ufe70حمد") == "محمد"
    assert plain("قَصَفَ ﺍﻟﺠﻴـﺶ\u200f") == "قصف الجيش"
