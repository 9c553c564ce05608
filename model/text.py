"""Words of Arabic text with exact offsets, and the letters of attached clitics.

All offsets are `[start, end)` in Unicode code points of the original text; white space is what `str.isspace` says.
Every function takes time linear in the text it is given, whatever the text is.
"""

from __future__ import annotations

import unicodedata
from itertools import islice

import regex

from model.normalization import FOLDED, plain

#: `[start, end)` in Unicode code points of the text.
Offsets = tuple[int, int]

#: What may stand inside a word and is no letter: marks, tatweel, invisible characters.
IGNORED = regex.compile(r"[\p{M}\p{Cf}\u0640]+")

#: Attached clitics: a conjunction, then a preposition or the future mark.
_FOLDING = str.maketrans(FOLDED)
_CLITICS = regex.compile("[وف]?[بلكس]?")

# `regex` leaves the four information separators out of `\s`; `str.isspace` does not.
SPACE = r"\s\x1c-\x1f"
_WORD = regex.compile(
    r"\p{N}+(?:[.,\u066b\u066c]\p{N}+)*\p{M}*"  # a number with its decimal and thousands marks
    r"|\p{L}\p{M}*(?:[\p{M}\p{Cf}]*+\p{L}\p{M}*)*"  # letters, tatweel among them; marks and invisible ones inside
    r"|\p{Regional_Indicator}{1,2}\p{M}*"  # a flag; `\X` would look back over all flags before it
    r"|\p{Cf}\p{M}*|\p{M}+"  # strays; `\X` would give the character after a number sign to it
    rf"|(?![{SPACE}])\X"  # any other sign with its marks; an emoji sequence
)


def split_words(text: str, start: int = 0, end: int | None = None) -> list[Offsets]:
    """Words of `text[start:end]`, in order, with offsets in `text`; each non-space code point is in exactly one.

    A word is a number, a run of letters with their marks, or one sign. Attached clitics stay in their word.
    Raises `ValueError` if `[start, end)` does not lie in the text.
    """
    end = len(text) if end is None else end
    check_offsets(text, start, end)
    return [match.span() for match in _WORD.finditer(text, start, end)]


def clitic_end(word: str, letters: int) -> int:
    """Code points of `word` that its first `letters` letters take, with the marks, tatweel and invisible characters
    that follow them: 4 for 2 letters of «وَبِالأنبار»; all of `word` if it has no more letters.

    Raises `ValueError` if `letters` is negative.
    """
    if letters < 0:
        raise ValueError(f"a clitic of {letters} letters in {word!r}")
    if letters == 0:
        return 0
    positions = [position for position, character in enumerate(word) if is_letter(character)]
    return positions[letters] if letters < len(positions) else len(word)


def clitic_letters(word: str, offset: int) -> int:
    """Letters of `word` before code point `offset`: marks, tatweel and invisible characters do not count.

    The inverse of `clitic_end`. Raises `ValueError` if `offset` does not lie in the word.
    """
    if not 0 <= offset <= len(word):
        raise ValueError(f"offset {offset} is not in {word!r} of {len(word)} code points")
    return sum(map(is_letter, word[:offset]))


def is_letter(character: str) -> bool:
    return character != "\u0640" and unicodedata.category(character)[0] == "L"


def possible_clitics(word: str, most: int) -> int:
    """The largest number of leading letters of `word`, at most `most`, that may be attached clitics.

    Two, «وب», of «وبالأنبار» for `most` = 3. At least one letter is left over.
    """
    letters = [plain(letter).translate(_FOLDING) for letter in islice(filter(is_letter, word), most + 1)]
    count = min(most, len(letters) - 1)
    while count > 0 and not _CLITICS.fullmatch("".join(letters[:count])):
        count -= 1
    return max(count, 0)


def check_offsets(text: str, start: int, end: int) -> None:
    """Raise `ValueError` if `[start, end)` does not lie in the text."""
    if not 0 <= start <= end <= len(text):
        raise ValueError(f"[{start}, {end}) is not a span of a text of {len(text)} code points")


def word_set(listed: str) -> frozenset[str]:
    """The words of a string, for lists of words in the code."""
    return frozenset(listed.split())
