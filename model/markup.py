"""The one-line notation of an annotated sentence, for people who write and correct annotations in a text editor.

A mention is `[text|LABEL n]`, where `n`, which may be left out, is a number of its own in the line; an action is
`{text|CLASS role=n,n role=n mark}`, where a mark `neg` says negated, `pot` potential, and none asserted::

    {أعلن|STATE actor=1} [الجيش العراقي|ORG 1] {مقتل|ASSAULT target=3 count=2} [خمسة|NUM 2] [مسلحين|NOM 3].

The characters `[ ] { } |` are markup only. A line that begins with `#` is a comment.
Source: section 4 of `annotations/GUIDELINES.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from model.annotation import AnnotatedSentence, Relation, Span
from model.labels import ACTION_LABEL, CLASSES, ENTITY_LABELS, ROLES

#: Factualities by their mark; an action without a mark is asserted.
MARKS = {"neg": "negated", "pot": "potential"}
_MARK_OF = {factuality: mark for mark, factuality in MARKS.items()}

_BRACKET = re.compile(r"[\[\]{}]")
_LINE_BREAK = re.compile(r"[\n\r]")
_MARKUP_CHARACTER = re.compile(r"[\[\]{}|\n\r]")
_CLOSING = {"[": "]", "{": "}"}
_NUMBER = re.compile(r"[0-9]{1,9}")


class MarkupError(ValueError):
    """A line that is not in the notation; its text says the column (from 1, in code points), what, and the piece.

    `column` is None where a sentence cannot be written in the notation.
    """

    def __init__(self, message: str, piece: str, column: int | None = None, place: str = "") -> None:
        self.message = message
        self.piece = piece
        self.column = column
        where = "" if column is None else f"column {column}: "
        super().__init__(f"{place}{where}{message}: «{piece}»")


@dataclass(slots=True)
class _Reading:
    """What has been read of a line; `pending` are the roles of each action as (role, number, column)."""

    text: str = ""
    spans: list[Span] = field(default_factory=list)
    numbers: dict[int, int] = field(default_factory=dict)
    pending: dict[int, list[tuple[str, int, int]]] = field(default_factory=dict)


def parse_markup(line: str, id: str) -> AnnotatedSentence:
    """Return the sentence, with that id, that a line of markup says; spans and relations are numbered from 0.

    Raises MarkupError for what is not in the notation. Whether the annotation follows the guidelines is not asked.
    """
    if line.startswith("#"):
        raise MarkupError("a comment is not a sentence", line[:40], 1)
    if found := _LINE_BREAK.search(line):
        raise MarkupError("a line break within a line", line[: found.start()][-20:], found.start() + 1)
    reading = _Reading()
    position = 0
    while bracket := _BRACKET.search(line, position):
        reading.text += _plain(line, position, bracket.start())
        position = _read_bracket(line, bracket.start(), reading)
    reading.text += _plain(line, position, len(line))
    return AnnotatedSentence(id, reading.text, tuple(reading.spans), tuple(_relations(line, reading)))


def read_markup(path: Path) -> Iterator[AnnotatedSentence]:
    """Yield the sentences of a file of markup, one a line; comments and blank lines are passed over.

    The id is the file's name without ending and the line number, as in `politics-0001`. Raises MarkupError, naming
    file, line and column, or UnicodeDecodeError.
    """
    with path.open(encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(file, start=1):
            content = line.removesuffix("\n").removesuffix("\r")
            if not content.strip() or content.startswith("#"):
                continue
            try:
                yield parse_markup(content, f"{path.stem}-{number:04}")
            except MarkupError as error:
                raise MarkupError(error.message, error.piece, error.column, f"{path}:{number}: ") from None


def to_markup(sentence: AnnotatedSentence) -> str:
    """Return the line of markup of a sentence; mentions that have a role are numbered from 1 in the text's order.

    `parse_markup` gives the sentence back with spans and relations in the text's order and numbered from 0. Raises
    MarkupError where the notation cannot say it: overlapping spans, a role given twice, markup characters in the text.
    """
    if found := _MARKUP_CHARACTER.search(sentence.text):
        raise MarkupError("the text holds a character of the markup or a line break", found.group())
    if sentence.text.startswith("#"):
        raise MarkupError("a text that begins with # would be a comment", sentence.text[:40])
    spans = sorted(sentence.spans, key=lambda span: span.start)
    actions = {span.id for span in spans if span.is_action}
    for link in sentence.relations:
        if link.action not in actions or link.entity in actions:
            raise MarkupError("the role does not run from an action to a mention", link.role)
    linked = {link.entity for link in sentence.relations}
    with_role = [span.id for span in spans if span.id in linked]
    numbers = {identity: number for number, identity in enumerate(with_role, start=1)}
    pieces: list[str] = []
    position = 0
    for span in spans:
        if span.start < position or span.start >= span.end:
            raise MarkupError("the span overlaps another or is empty", sentence.text_of(span))
        pieces += [sentence.text[position : span.start], _written(sentence, span, numbers)]
        position = span.end
    return "".join(pieces) + sentence.text[position:]


def _plain(line: str, start: int, end: int) -> str:
    bar = line.find("|", start, end)
    if bar >= 0:
        raise MarkupError("a bar outside of brackets", line[bar : bar + 20], bar + 1)
    return line[start:end]


def _read_bracket(line: str, start: int, reading: _Reading) -> int:
    """Read the mention or action whose bracket opens at `start`, and return the position behind it."""
    opening = line[start]
    if opening not in _CLOSING:
        raise MarkupError(f"{opening} without an opening bracket", line[max(0, start - 20) : start + 1], start + 1)
    closing = _BRACKET.search(line, start + 1)
    if closing is None or closing.group() != _CLOSING[opening]:
        raise MarkupError(f"{opening} is not closed by {_CLOSING[opening]}", line[start : start + 20], start + 1)
    piece = line[start : closing.end()]
    covered, bar, notes = piece[1:-1].partition("|")
    if not bar or "|" in notes:
        raise MarkupError("needs one bar between text and label", piece, start + 1)
    if not covered:
        raise MarkupError("nothing stands before the bar", piece, start + 1)
    words = [(match.group(), start + len(covered) + 2 + match.start()) for match in re.finditer(r"\S+", notes)]
    if not words:
        raise MarkupError("nothing stands behind the bar", piece, start + 1)
    begin, end = len(reading.text), len(reading.text) + len(covered)
    if opening == "[":
        reading.spans.append(Span(len(reading.spans), _mention(words, piece, reading), begin, end))
    else:
        event_class, factuality = _action(words, piece, reading)
        reading.spans.append(Span(len(reading.spans), ACTION_LABEL, begin, end, event_class, factuality))
    reading.text += covered
    return closing.end()


def _mention(words: list[tuple[str, int]], piece: str, reading: _Reading) -> str:
    (label, position), *rest = words
    if label not in ENTITY_LABELS:
        raise MarkupError(f"{label} is not one of {', '.join(ENTITY_LABELS)}", piece, position + 1)
    if rest:
        (number, position), *surplus = rest
        if surplus or not _NUMBER.fullmatch(number):
            raise MarkupError("only one number may follow the label", piece, position + 1)
        if int(number) in reading.numbers:
            raise MarkupError(f"another mention has the number {number}", piece, position + 1)
        reading.numbers[int(number)] = len(reading.spans)
    return label


def _action(words: list[tuple[str, int]], piece: str, reading: _Reading) -> tuple[str, str]:
    """Return the class and the factuality, and keep the roles until all mentions are read."""
    (event_class, position), *rest = words
    if event_class not in CLASSES:
        raise MarkupError(f"{event_class} is not one of {', '.join(CLASSES)}", piece, position + 1)
    factuality = "asserted"
    roles: dict[str, list[tuple[str, int, int]]] = {}
    for word, position in rest:
        role, equals, fillers = word.partition("=")
        if word in MARKS and factuality == "asserted":
            factuality = MARKS[word]
        elif not equals or role not in ROLES:
            raise MarkupError(f"{word} is no role and no mark, or a second mark", piece, position + 1)
        elif role in roles:
            raise MarkupError(f"{role} is given twice: write {role}=n,n", piece, position + 1)
        elif not all(_NUMBER.fullmatch(number) for number in fillers.split(",")):
            raise MarkupError(f"{role} needs numbers, with commas between them", piece, position + 1)
        else:
            roles[role] = [(role, int(number), position) for number in fillers.split(",")]
    reading.pending[len(reading.spans)] = [filler for fillers in roles.values() for filler in fillers]
    return event_class, factuality


def _relations(line: str, reading: _Reading) -> Iterator[Relation]:
    count = 0
    for action, fillers in reading.pending.items():
        seen: set[tuple[str, int]] = set()
        for role, number, position in fillers:
            if number not in reading.numbers:
                raise MarkupError(f"no mention has the number {number}", line[position : position + 20], position + 1)
            if (role, number) in seen:
                raise MarkupError(f"{number} is {role} twice", line[position : position + 20], position + 1)
            seen.add((role, number))
            yield Relation(count, action, reading.numbers[number], role)
            count += 1


def _written(sentence: AnnotatedSentence, span: Span, numbers: dict[int, int]) -> str:
    covered = sentence.text_of(span)
    if not span.is_action:
        return f"[{covered}|{span.label} {numbers[span.id]}]" if span.id in numbers else f"[{covered}|{span.label}]"
    roles: dict[str, list[int]] = {}
    for link in sentence.relations:
        if link.action == span.id:
            if link.entity not in numbers or numbers[link.entity] in roles.get(link.role, []):
                raise MarkupError(f"the {link.role} is no span of the sentence, or given twice", covered)
            roles.setdefault(link.role, []).append(numbers[link.entity])
    notes = [f"{role}={','.join(map(str, fillers))}" for role, fillers in roles.items()]
    notes += [_MARK_OF[span.factuality]] if span.factuality in _MARK_OF else []
    return f"{{{covered}|{' '.join([str(span.event_class), *notes])}}}"
