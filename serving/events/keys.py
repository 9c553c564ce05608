"""When two names are spelled so alike that they are taken to be one name.

Only spellings are folded, never words: «بايدن» and «جو بايدن» stay apart, and so do «الصدر» and «صدر». Two people of
one name cannot be told apart by their name, and become one node; the graph says of which names that is likely.
"""

from __future__ import annotations

import re

from model.normalization import DIGITS, FOLDED, plain

#: Spellings that newspapers exchange: hamza on an alef or none, alef maksura for a final ya, ha for ta marbuta.
_LETTERS = str.maketrans(
    {**FOLDED, **DIGITS, "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "’": "'", "–": "-"}
)
#: Names of two words that are as often written as one: «عبد الله», «أبو ظبي».
_JOINED = re.compile(r"(?<!\S)(عبد|ابو) (?=\S)")
#: Quotation marks and the like around and between words say nothing of the name.
_SIGNS = re.compile(r"[«»\"“”()\[\]،؛:!؟?.]+")


def merge_key(name: str) -> str:
    """Return the key that all spellings of a name share.

    On top of what `Entity.name` leaves out (tashkeel, tatweel): أ إ آ ٱ are ا, ى is ي, ة is ه, Persian letters and
    digits of other scripts are the Arabic and Latin ones, Latin letters are lower case, quotation marks and full stops
    are dropped, and «عبد» and «أبو» are joined to what follows. A name of nothing else is its own key.
    """
    folded = " ".join(_SIGNS.sub(" ", plain(name).translate(_LETTERS).casefold()).split())
    return _JOINED.sub(r"\1", folded) or name
