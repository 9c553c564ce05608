"""Normalization and pre-tokenization added in front of any encoder's tokenizer.

Both live inside the `tokenizers` pipeline, which keeps an alignment with the text it was given, so that every
token's offsets are code points of the original text, whatever was folded or removed on the way.
"""

from __future__ import annotations

from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers

#: Arabic marks (tashkeel, Quranic signs, superscript alef), tatweel, and invisible controls (zero-width, bidi, BOM,
#: variation selectors), as the inside of a character class.
REMOVED = (
    "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0898-\u089f\u08ca-\u08ff"
    "\u0640\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad\u034f\ufe00-\ufe0f"
)

#: Presentation forms of marks alone, which NFKC would put on a space of their own, in the middle of a word.
MARKS_ALONE = "\ufc5e-\ufc63\ufe70\ufe72\ufe74\ufe76\ufe78\ufe7a\ufe7c\ufe7e"

#: What `str.isspace` calls white space and NFKC leaves, in runs; a newline inside a sentence is no more than a space.
_SPACES = r"[\s\x1c-\x1f\x85]+"

#: Persian letters that Arabic keyboards and web pages use in Arabic words.
FOLDED = {"\u06cc": "\u064a", "\u06a9": "\u0643", "\u06c1": "\u0647", "\u06be": "\u0647"}

#: Arabic-Indic and Persian digits, and the Arabic decimal, thousands and percent signs.
DIGITS = {
    **{chr(0x0660 + digit): str(digit) for digit in range(10)},
    **{chr(0x06F0 + digit): str(digit) for digit in range(10)},
    "\u066b": ".",
    "\u066c": ",",
    "\u066a": "%",
}

#: Numbers and single symbols become pieces of their own; `▁` is the space of a Metaspace pre-tokenizer.
_PIECES = r"▁?\p{N}+|▁?[^\p{L}\p{N}\p{M}\s▁]"


def with_arabic_normalization(tokenizer: Tokenizer) -> Tokenizer:
    """Return `tokenizer`, changed in place, with Arabic normalization before its own.

    It works for Unigram (Metaspace) and WordPiece (BERT) tokenizers alike. What was learned with tashkeel and
    tatweel stripped and with punctuation and digits apart from letters (AraBERT) sees text of that form.
    """
    steps: list[normalizers.Normalizer] = [
        normalizers.Replace(Regex(f"[{MARKS_ALONE}]"), ""),
        normalizers.NFKC(),
        normalizers.Replace(Regex(f"[{REMOVED}]"), ""),
        normalizers.Replace(Regex(_SPACES), " "),
        normalizers.Strip(),
        *(normalizers.Replace(old, new) for old, new in {**FOLDED, **DIGITS}.items()),
    ]
    if tokenizer.normalizer is not None:
        steps.append(tokenizer.normalizer)
    tokenizer.normalizer = normalizers.Sequence(steps)
    pieces = pre_tokenizers.Split(Regex(_PIECES), behavior="isolated")
    before = tokenizer.pre_tokenizer
    tokenizer.pre_tokenizer = pieces if before is None else pre_tokenizers.Sequence([before, pieces])
    return tokenizer
