"""The value of a number as Arabic news writes it: in digits, in words, or in both («4 آلاف و897»).

A span is read whole or not at all, and what has two readings has no value. Words are looked up without marks, hamzas
and article; terms joined by «و» must each be below the scale of the term before.

Separators in digits: two kinds of them are groups of three and a decimal mark («1.234,5»); one kind that repeats makes
groups of three («1,250,000»); a single one is a decimal mark, unless exactly three digits follow a head of one to three
digits without a leading zero: «1.200» and «1,200» are 1200. Forms that the press uses both ways are left unread, save
where SaudiNewsNet (2015, 8.8M words) settles them:

- «1.250 مليار»: before «مليار» and above, a full stop is a decimal mark (in all 59 forms there). A comma is not settled
  («2,650 مليار» was 2.65, «2,700 مليار» was 2700), nor is anything before «ألف» and «مليون».
- «٢١٫٠٠٠»: the Arabic decimal mark (U+066B) is typed for groups, too. «٬» (U+066C) and no-break spaces only group.
- «542.963,440», «253,753.468»: three digits after a second kind of separator were mostly one more group.

«ر» as the decimal mark stands where a right-to-left reader sees it, after the fraction: «3ر5 مليار» is 5.3 billion
(beside «5.3 مليار» for the same sum there), «000ر22» is 22 thousand.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from math import prod

from model.normalization import DIGITS, FOLDED, plain, spelled_out

#: Longer runs of digits are codes, not quantities, and not read.
MAX_DIGITS = 30

#: A term, what «و» joins into a number, over one letter for each token: N for digits, the others as in `_lexicon`.
_BELOW_HUNDRED = r"(?:[2abUV][XW]|[12aUV]\+Y|[12UVXWY])"
_TERM = re.compile(
    rf"""
      (?P<part>F|[UV]Q) (?P<of>S)?                      # «نصف مليون»; without a scale, of the term before: «ونصف»
    | (?: (?P<numeral>N)
        | (?![VW][SE])                                  # «خمس مليون»: five million, or a fifth of one
          (?P<times>[UV](?=[HI]))?                      # «ثلاث مئة»
          (?P<sum>(?(times)[HI]|[HJ])(?:\+{_BELOW_HUNDRED})?|{_BELOW_HUNDRED})
      )
      (?:\+(?P<half>F|[UV]Q)(?=S))?                     # «ثلاثة ونصف مليون»
      (?P<scale>[SM]S?|E)?                              # «ألف مليون»: scales may be stacked
    | (?P<one>SS?|E(?=\+))                              # «ألفا وخمسمئة» cannot be dual, as «ألفا» alone can
    | (?P<two>DS?)
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class _Token:
    kind: str
    value: Fraction
    digits: str = ""


@dataclass(frozen=True)
class _Term:
    value: Fraction
    scale: Fraction
    #: The next term is less than this; 0 where none may follow: after a decimal or a fraction.
    below: Fraction


class _UnreadableError(ValueError):
    """The span has no reading, or more than one."""


def number_value(text: str) -> int | float | None:
    """Return the number that `text`, the characters of one NUM span, stands for, or None where that is not certain.

    An integral value is an int. Read are cardinals, decimals, scales up to «تريليون» and fractions of a scale («نصف
    مليون», «مليون ونصف»). Not read are ordinals, ranges, signs, percentages, codes (a leading zero, or more than
    `MAX_DIGITS` digits), vague plurals («آلاف»), bare fractions («نصف»), and what may be either of two numbers: «ألفا»
    alone (1000 or 2000), «خمس مليون» (five million or a fifth of one), and the forms named above. No text raises.
    """
    try:
        value = _number(_tokens(text))
    except _UnreadableError:
        return None
    return value.numerator if value.denominator == 1 else float(value)


def _lexicon() -> dict[str, _Token]:
    """Return the token of every form of a number word, folded by `_FOLDING`."""
    words: dict[str, _Token] = {}

    def add(kind: str, value: int | Fraction, forms: str) -> None:
        words.update((form, _Token(kind, Fraction(value))) for form in forms.split())

    add("+", 0, "و")
    add("Z", 0, "صفر صفرا")
    add("1", 1, "واحد واحده واحدا")
    add("2", 2, "اثنان اثنين اثنتان اثنتين ثنتان ثنتين")
    add("a", 1, "احد احدي")  # only in compounds
    add("b", 2, "اثنا اثني اثنتا اثنتي ثنتا ثنتي")  # only before عشر
    stems = {3: "ثلاث", 4: "اربع", 5: "خمس", 6: "ست", 7: "سبع", 8: "ثمان", 9: "تسع"}
    for unit, stem in stems.items():
        add("V" if unit in (5, 7, 9) else "U", unit, stem)  # V, W: spelled as a fraction is (خُمس، عُشر)
        add("U", unit, f"{stem}ه {stem}ا")
        add("Y", unit * 10, f"{stem}ون {stem}ين")
        add("J", unit * 100, f"{stem}ميه {stem}مايه")
    add("U", 8, "ثماني ثمانيه ثمانيا")
    add("W", 10, "عشر")
    add("X", 10, "عشره عشرا")
    add("Y", 20, "عشرون عشرين")
    add("H", 100, "ميه مايه")
    add("I", 100, "ميات")
    add("J", 200, "ميتان ميتين ميتا ميتي مايتان مايتين مايتا مايتي")
    add("J", 300, "ثلثميه ثلثمايه")
    add("J", 800, "ثمانيميه ثمانيمايه")
    scales = {"الف": 10**3, "مليون": 10**6, "مليار": 10**9, "بليون": 10**9, "تريليون": 10**12, "ترليون": 10**12}
    for stem, scale in scales.items():
        add("S", scale, stem)
        add("E", scale, f"{stem}ا")  # either one in the accusative or, in the construct state, two
        add("D", scale, f"{stem}ان {stem}ين {stem}ي")
        add("M", scale, f"{stem}ات")
    add("M", 10**3, "الاف الوف")
    add("M", 10**6, "ملايين")
    add("M", 10**9, "بلايين")
    add("F", Fraction(1, 2), "نصف")
    add("F", Fraction(1, 3), "ثلث")
    add("F", Fraction(2, 3), "ثلثا ثلثي ثلثان ثلثين")
    add("F", Fraction(1, 4), "ربع")
    add("Q", Fraction(1, 4), "ارباع")
    # Colloquial spelling has ت for ث: تلاتة، تمانين.
    return {form.replace("ث", "ت"): token for form, token in words.items()} | words


_LEXICON = _lexicon()
# «٫» and «٬» say more than the «.» and «,» that `DIGITS` folds them to, so of it only the digits are taken.
_FOLDING = str.maketrans(
    {
        **FOLDED,
        **{mark: digit for mark, digit in DIGITS.items() if digit.isdecimal()},
        **dict.fromkeys("أإآٱ", "ا"),
        **{"ى": "ي", "ئ": "ي", "ة": "ه", "،": ","},
    }
)
# A written tanwin tells ألفًا, one thousand, from ألفا.
_TANWIN = re.compile("\u064b\u0627|\u0627\u064b")
_NO_BREAK_GROUP = re.compile(r"(?<=\d)[\u00a0\u2007\u2009\u202f](?=\d{3}(?!\d))")
_ARTICLE_OF_DIGITS = re.compile(r"(?<![^\sو])ال\s*(?=[0-9])")
_TOKEN = re.compile(r"\s+|(?P<numeral>[0-9]+(?:[.,٫٬ر][0-9]+)*)|(?P<word>[^\W\d_]+)|(?P<other>.)", re.DOTALL)


def _tokens(text: str) -> list[_Token]:
    if any(unicodedata.category(character) == "No" for character in text):
        raise _UnreadableError  # NFKC would make 102 of 10², and 11⁄2 of 1½
    text = spelled_out(_NO_BREAK_GROUP.sub("٬", text))
    text = plain(_TANWIN.sub("", text)).translate(_FOLDING)
    tokens: list[_Token] = []
    for match in _TOKEN.finditer(_ARTICLE_OF_DIGITS.sub("", text)):
        if match["numeral"]:
            tokens.append(_Token("N", Fraction(0), match["numeral"]))
        elif match["word"]:
            tokens += _word(match["word"], tokens)
        elif match["other"]:
            raise _UnreadableError
    return tokens


def _word(word: str, before: list[_Token]) -> list[_Token]:
    """Return the token of a word that follows the tokens `before`, after that of an attached «و»."""
    if word in _LEXICON and (word != "واحد" or not before or before[-1].kind == "+"):
        return [_LEXICON[word]]
    # Folded, «وأحد» as in «مئة وأحد عشر» is «واحد», which never follows a number word without «و».
    conjunction = [_LEXICON["و"]] if word.startswith("و") else []
    stem = word[len(conjunction) :]
    # After a trimmed ل, the article of the span's first word is another ل: ل[لخمسة].
    for form in (stem, stem.removeprefix("ال"), stem if before else stem.removeprefix("ل")):
        if form in _LEXICON:
            return [*conjunction, _LEXICON[form]]
    raise _UnreadableError


def _numeral(written: str, scale: Fraction) -> Fraction:
    """Return the value of digits with separators, standing before `scale` (1 for none), by the module's rules."""
    if "ر" in written:
        written = ".".join(reversed(written.split("ر")))
    head, *groups = re.split(r"\D", written)
    marks = re.sub(r"\d", "", written)
    digits = head + "".join(groups)
    if len(digits) > MAX_DIGITS or (head.startswith("0") and head != "0"):
        raise _UnreadableError
    if not marks:
        return Fraction(int(digits))
    mark, last = marks[-1], groups[-1]
    by_three = len(head) <= 3 and head != "0" and all(len(group) == 3 for group in groups[:-1])
    as_groups = by_three and len(last) == 3 and len(set(marks)) == 1
    as_decimal = mark != "٬" and (
        len(marks) == 1 or (by_three and len(last) != 3 and mark not in marks[:-1] and len(set(marks)) == 2)
    )
    if as_groups and as_decimal:
        as_decimal = mark != "," and scale >= 10**9
        as_groups = mark != "٫" and scale == 1
    if not (as_groups or as_decimal):
        raise _UnreadableError
    return Fraction(int(digits), 10 ** len(last) if as_decimal else 1)


def _number(tokens: list[_Token]) -> Fraction:
    """Return the sum of all terms."""
    kinds = "".join(token.kind for token in tokens)
    if kinds == "Z":
        return Fraction(0)
    terms: list[_Term] = []
    position = 0
    while match := _TERM.match(kinds, position):
        term = _term(match, tokens, terms)
        if terms and not 0 < term.value < terms[-1].below:
            raise _UnreadableError
        terms.append(term)
        position = match.end() + 1
        if position > len(kinds):
            return sum((term.value for term in terms), Fraction(0))
        if kinds[match.end()] != "+":
            break
    raise _UnreadableError


def _term(match: re.Match[str], tokens: list[_Token], before: list[_Term]) -> _Term:
    """Return the value of the tokens that `match` covers, after the terms `before`."""

    def values(group: str) -> list[Fraction]:
        return [token.value for token in tokens[slice(*match.span(group))]]

    if match["part"]:
        return _fraction(prod(values("part"), start=Fraction(1)), values("of"), before)
    scales = values("scale") + values("one") + values("two")
    if len(scales) == 2 and not scales[0] == 1000 < scales[1]:
        raise _UnreadableError
    scale = prod(scales, start=Fraction(1))
    coefficient = Fraction(2 if match["two"] else 1)
    if match["numeral"]:
        coefficient = _numeral(tokens[match.start("numeral")].digits, scale)
    elif match["sum"]:
        coefficient = sum(values("sum"), 100 * (values("times")[0] - 1) if match["times"] else Fraction(0))
    hundreds = coefficient % 100 == 0
    half = prod(values("half"), start=Fraction(1)) if match["half"] else Fraction(0)
    if (scale > 1 and not coefficient) or (half and (half >= 1 or hundreds or coefficient.denominator > 1)):
        raise _UnreadableError
    # «مئة ألف وألف» is as good as «مئة وواحد ألف».
    below = 100 * scale if match["sum"] and hundreds else scale
    if half or coefficient.denominator > 1:
        below = Fraction(0)
    return _Term((coefficient + half) * scale, scale, below)


def _fraction(part: Fraction, of: list[Fraction], before: list[_Term]) -> _Term:
    """Return the term of a fraction of the scale `of`, or where there is none, of that of the only term before."""
    if not of and len(before) == 1 and not (before[0].scale == 1 and before[0].value % 100 == 0):
        of = [before[0].scale]  # but «مئة ونصف» may be 150
    if not of or part >= 1:
        raise _UnreadableError
    return _Term(part * of[0], of[0], below=Fraction(0))
