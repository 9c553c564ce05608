"""Normalization and pre-tokenization added in front of any encoder's tokenizer.

Both live inside the `tokenizers` pipeline, which keeps an alignment with the text it was given, so that every
token's offsets are code points of the original text, whatever was folded or removed on the way.
"""

from __future__ import annotations

import json
import re
import unicodedata

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


_MARKS_ALONE = re.compile(f"[{MARKS_ALONE}]")
_REMOVED = re.compile(f"[{REMOVED}]")


def plain(text: str) -> str:
    """Return `text` without Arabic marks, tatweel and invisible characters, presentation forms as plain letters."""
    return _REMOVED.sub("", spelled_out(text))


def spelled_out(text: str) -> str:
    """Return the NFKC form of `text`, marks that stand alone in a presentation form left out."""
    return unicodedata.normalize("NFKC", _MARKS_ALONE.sub("", text))


def with_arabic_normalization(tokenizer: Tokenizer) -> Tokenizer:
    """Return `tokenizer`, changed in place, with Arabic normalization before its own.

    It works for Unigram (Metaspace), WordPiece (BERT) and byte-level BPE tokenizers alike. What was learned with
    tashkeel and tatweel stripped and with punctuation and digits apart from letters (AraBERT) sees text of that form.
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
    pieces: pre_tokenizers.PreTokenizer = pre_tokenizers.Split(Regex(_PIECES), behavior="isolated")
    before = tokenizer.pre_tokenizer
    if before is not None:
        # Metaspace must see where the spaces are; a byte-level one leaves no letters to tell from digits and symbols.
        spaces_first = '"Metaspace"' in json.dumps(json.loads(tokenizer.to_str())["pre_tokenizer"])
        pieces = pre_tokenizers.Sequence([before, pieces] if spaces_first else [pieces, before])
    tokenizer.pre_tokenizer = pieces
    return tokenizer
