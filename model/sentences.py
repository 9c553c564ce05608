"""Sentences of Arabic news pages with exact offsets.

All offsets are `[start, end)` in Unicode code points of the original text; white space is what `str.isspace` says.
Every function takes time linear in the text it is given, whatever the text is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import regex

from model.normalization import plain
from model.text import SPACE, Offsets, word_set

_NEWLINES = r"\n\r\v\f\x1c-\x1e\x85\u2028\u2029"
_BLANK = rf"[^\S{_NEWLINES}]"
_MARKS = r".!?\u061f\u2026\u06d4\u203c\u203d\u2047-\u2049"
_CLOSERS = r"\"'»”’›)\]}\ufd3e"
#: Marks with the quotes and brackets that close after them, or a web address, to be passed over.
_CLUSTER = regex.compile(
    r"(?P<address>(?:https?://|www\.)[!-~]*[0-9A-Za-z/])"
    rf"|[{_MARKS}](?:[{_MARKS}{_CLOSERS}\p{{Cf}}]|[«“](?=\s|\Z)|{_BLANK}++(?:[{_MARKS}]|[»)\]](?!\w)))*+"
)
_LINE = regex.compile(rf"[^{_NEWLINES}]+")
_ALPHANUMERIC = regex.compile(r"[\p{L}\p{N}]")
_FOLLOWING = regex.compile(rf"(?P<gap>[{SPACE}\p{{Cf}}]*+)(?P<word>[\p{{L}}\p{{M}}\p{{Cf}}]*+)")
_LONE_STOP = regex.compile(r"(?<![.\u2026])[.\u06d4](?![.\u2026])")
_STRONG = regex.compile(r"[!?\u061f\u203c\u203d\u2047-\u2049]")
_CLOSED = regex.compile(rf"[{_CLOSERS}«“]\p{{Cf}}*\Z")
_ENDING = regex.compile(rf"[{_MARKS}{_CLOSERS}\p{{Cf}}:]\Z")

#: Arabic names of Latin letters, in acronyms («بي. بي. سي») and initials («جيمس بي. كومي»).
_LETTER_NAMES = word_set(
    "إيه ايه أيه إي اي أي بي بيه سي دي إف اف جي جيه إتش اتش ايتش آي كيه كي إل ال إم ام أم إن ان أن أو او كيو آر ار إس"
    " اس تي يو في دبليو إكس اكس واي زد"
)
#: Nouns whose kinds a letter names: «فيتامين د. ويوجد».
_LETTERED = word_set("فيتامين المجموعة مجموعة الفئة فئة الحرف حرف النوع نوع القسم الدرجة")
#: Titles of one letter behind a clitic, and the letters that make up «أ.د.» and the like.
_TITLES = frozenset({"ود", "وأ", "وم", "لد", "للد"})
_TITLE_LETTERS = frozenset({"أ", "ا", "د", "م"})
#: Given names that begin with و, as titles and initials stand before.
_WAW_NAMES = word_set("وليد وائل وسام وسيم وفاء وداد وجدان وجيه وجدي وديع وحيد وهيب وصفي ورد ورود وردة وفيق وضاح")
_DOMAINS = frozenset({"كوم", "نت", "أورغ", "أورج"})
_LATIN_ABBREVIATIONS = word_set("Mr Mrs Ms Dr Prof St Jr Sr Gen Col Sen Rep Inc Ltd Co Corp No vs Vol")
#: What goes on with a clause after «..», the comma of opinion pages.
_CONTINUATIONS = word_set(
    "أو ثم بل لكن إذ كي حتى من في إلى الى على عن مع التي الذي الذين أي مثل لأن حيث بينما فيما رغم كما"
)
#: What ties a quotation to its speaker or source.
_ATTRIBUTIONS = word_set(
    "وفقا وفق بحسب حسب حسبما نقلا دون قائلا قائلة مضيفا مضيفة مؤكدا مؤكدة مشيرا مشيرة موضحا موضحة مبينا مبينة"
)


class _Stop(NamedTuple):
    """Marks in a text that may end a sentence, and what stands around them."""

    text: str
    sentence: int  #: where the sentence begins
    first: int  #: its first letter or digit
    paragraph_end: int
    touched: int  #: the end of what the marks touch, before invisible characters
    start: int  #: the first mark
    signs: str  #: the marks, and the quotes and brackets that close after them
    spaced: bool  #: whether white space follows
    next: int  #: the next code point that is neither blank nor invisible
    word: str  #: the letters there, without their marks

    @property
    def conjunction(self) -> bool:
        """Whether the next word begins with the conjunction «و», as most sentences of Arabic news do."""
        return self.word.startswith("و") and len(self.word) > 2 and self.word not in _WAW_NAMES


def split_sentences(text: str) -> list[Offsets]:
    """Sentences of `text`, in order, without outer white space; only white space lies between them.

    A sentence ends at a newline (but lines wrapped at one width are joined), and at `.` `؟` `!` `…` with the quotes
    and brackets that close after them, unless the mark belongs to an abbreviation, initial, number or address, or is
    «..» used as a comma. Signs alone go to the sentence before them. No sentence is ever cut for its length.
    """
    sentences: list[Offsets] = []
    for paragraph in _paragraphs(text):
        for sentence in _paragraph_sentences(text, *paragraph):
            if sentences and not _ALPHANUMERIC.search(text, *sentence):
                sentences[-1] = (sentences[-1][0], sentence[1])
            else:
                sentences.append(sentence)
    return sentences


def _paragraphs(text: str) -> Iterator[Offsets]:
    """Lines that are not blank; a block of lines wrapped at one width is one."""
    block: list[Offsets] = []
    line_end = 0
    for match in _LINE.finditer(text):
        line = _trim(text, *match.span())
        blank = line[0] == line[1]
        if blank or text[line_end : match.start()] not in ("\n", "\r\n", "\r"):
            yield from _joined(text, block)
            block = []
        if not blank:
            block.append(line)
        line_end = match.end()
    yield from _joined(text, block)


def _joined(text: str, lines: list[Offsets]) -> list[Offsets]:
    """One paragraph if `lines` are wrapped: no line has room left for the next one's first word."""
    width = max((end - start for start, end in lines), default=0)
    if len(lines) < 3 or not 40 <= width <= 140:
        return lines
    for (start, end), (following, following_end) in pairwise(lines):
        first_word = text[following : min(following_end, following + width)].split(maxsplit=1)[0]
        if end - start + 1 + len(first_word) <= width:
            return lines
    return [(lines[0][0], lines[-1][1])]


def _paragraph_sentences(text: str, start: int, end: int) -> Iterator[Offsets]:
    headline = end - start <= 200 and not _ENDING.search(text, end - 1, end)
    first = _first_alphanumeric(text, start, end)
    for cluster in _CLUSTER.finditer(text, start, end):
        if cluster["address"] or cluster.start() < first:
            continue
        stop = _stop(text, start, first, end, cluster)
        if stop.next == end or _ends_sentence(stop, headline):
            yield _trim(text, start, cluster.end())
            start = cluster.end()
            first = _first_alphanumeric(text, start, end)
    rest = _trim(text, start, end)
    if rest[0] < rest[1]:
        yield rest


def _stop(text: str, sentence: int, first: int, paragraph_end: int, cluster: regex.Match[str]) -> _Stop:
    following = _FOLLOWING.match(text, cluster.end(), paragraph_end)
    assert following is not None  # both its parts may be empty
    touched = cluster.start()
    while touched > first and unicodedata.category(text[touched - 1]) == "Cf":
        touched -= 1
    spaced = any(map(str.isspace, following["gap"]))
    word = plain(following["word"])
    next_ = following.start("word")
    return _Stop(text, sentence, first, paragraph_end, touched, cluster.start(), cluster[0], spaced, next_, word)


def _ends_sentence(stop: _Stop, headline: bool) -> bool:
    right = stop.text[stop.next]
    if stop.text[stop.start - 1] in "([{«“" or right in "\u060c,\u061b;:" or stop.word in ("إلخ", "الخ"):
        return False
    if not stop.spaced and not _breaks_unspaced(stop, right):
        return False
    closed = _CLOSED.search(stop.signs) is not None
    if _LONE_STOP.search(stop.signs):
        return not (closed and stop.word in _ATTRIBUTIONS) and not _is_abbreviation(stop, right)
    if not closed and _STRONG.search(stop.signs):
        return True
    return not headline and _divides(stop, closed)


def _breaks_unspaced(stop: _Stop, right: str) -> bool:
    """Whether a sentence may end where no space follows: «انتهى.وقال», but not «3.5», «د.أحمد», «spa.gov.sa»."""
    text, first, word = stop.text, stop.first, stop.word
    left = text[stop.touched - 1]
    if right in "«“\"'([{•●▪■*-–—#":
        return True
    if not right.isalnum() or (left.isascii() and left.isalnum() and right.isascii()):
        return False
    if stop.signs != ".":
        return True
    before, before_at = _word_before(text, first, stop.touched)
    if right.isdecimal() or right.isascii():
        return len(before) > 1
    if len(word) < 2 or word in _DOMAINS or (before in _LETTER_NAMES and word in _LETTER_NAMES):
        return False
    if left.isdecimal():
        digits_at = _digits_before(text, first, stop.touched)
        return stop.touched - digits_at > 2 or (word[0] in "وف" and digits_at > first)
    return len(before) > 1 or (before_at > first and text[before_at - 1].isdecimal())


def _divides(stop: _Stop, closed: bool) -> bool:
    """Whether «..», or a question that ends in a quote, divides two clauses each long enough to be a sentence."""
    if stop.word in _ATTRIBUTIONS or (closed and not stop.conjunction):
        return False
    clause = stop.text[max(stop.sentence, stop.start - 160) : stop.start]
    quoted = regex.split(r"[«“(\[]", clause)[-1]
    before = clause if closed or regex.search(r"[»”)\]]", quoted) else quoted
    after = regex.split(rf"[{_MARKS}]", stop.text[stop.next : min(stop.paragraph_end, stop.next + 80)], maxsplit=1)[0]
    continued = stop.word[:1] in ("و", "ف") or stop.word in _CONTINUATIONS
    return len(before.split()) >= (12 if continued else 6) and len(after.split()) >= 5


def _is_abbreviation(stop: _Stop, right: str) -> bool:
    """Whether the full stop belongs to what it touches: a list number, an initial, a title, an acronym."""
    text, first = stop.text, stop.first
    if right.isascii() and right.islower():
        return True
    left, left_at = _word_before(text, first, stop.touched)
    if not left:
        return _is_list_number(text, first, stop.touched)
    chained = left_at - 1 > first and text[left_at - 1] == "."
    if left.isascii():
        if (chained and len(left) == 1) or left in _LATIN_ABBREVIATIONS:
            return not stop.conjunction
        return len(left) == 1 and right.isascii()
    if len(left) > 1:
        acronym = left in _LETTER_NAMES and _previous_word(text, first, left_at) not in _LETTER_NAMES
        return (acronym or left in _TITLES) and not stop.conjunction
    if chained:
        return not stop.conjunction or (left in _TITLE_LETTERS and text[left_at - 2] in _TITLE_LETTERS)
    return not _is_unit(text, first, left, left_at) and _previous_word(text, first, left_at) not in _LETTERED


def _is_unit(text: str, first: int, letter: str, at: int) -> bool:
    """Whether a letter after a number is an era, unit or half of the day: «2015م.», «1436 هـ.», «10 ص.»."""
    number_end = _blanks_before(text, first, at) if letter in "مهص" else at
    return number_end > first and text[number_end - 1].isdecimal()


def _is_list_number(text: str, first: int, end: int) -> bool:
    at = _digits_before(text, first, end)
    if not 0 < end - at <= 3:
        return False
    return at == first or (end - at <= 2 and text[_blanks_before(text, first, at) - 1] == ":")


def _word_before(text: str, first: int, end: int) -> tuple[str, int]:
    """Letters that touch `end`, without marks, and where they begin; at most 24 code points are looked at."""
    at = end
    while at > max(first, end - 24) and unicodedata.category(text[at - 1])[0] in "LM":
        at -= 1
    return plain(text[at:end]), at


def _previous_word(text: str, first: int, end: int) -> str:
    return _word_before(text, first, _blanks_before(text, first, end))[0]


def _blanks_before(text: str, first: int, end: int) -> int:
    while end > first and text[end - 1].isspace():
        end -= 1
    return end


def _digits_before(text: str, first: int, end: int) -> int:
    at = end
    while at > max(first, end - 4) and text[at - 1].isdecimal():
        at -= 1
    return at


def _first_alphanumeric(text: str, start: int, end: int) -> int:
    match = _ALPHANUMERIC.search(text, start, end)
    return match.start() if match else end


def _trim(text: str, start: int, end: int) -> Offsets:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
