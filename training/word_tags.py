"""IOB2 tags of words, as seqeval takes them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from model.text import Offsets

#: A label with first and last place, in code points or words.
LabelledSpan = tuple[str, int, int]


def touched(words: Sequence[Offsets], place: Offsets) -> tuple[int, int]:
    """First and last of the words that share characters with `place`; (-1, -1) where none does."""
    first = bisect_right(words, place[0], key=lambda word: word[1])
    last = bisect_left(words, place[1], key=lambda word: word[0]) - 1
    return (first, last) if first <= last else (-1, -1)


def tags_of(words: Sequence[Offsets], spans: Sequence[tuple[str, Offsets]]) -> list[str]:
    """IOB2 tags of words: a span takes every word that it touches, and from the spans before it, too."""
    tags = ["O"] * len(words)
    for label, place in spans:
        first, last = touched(words, place)
        if first >= 0:
            tags[first] = f"B-{label}"
            tags[first + 1 : last + 1] = [f"I-{label}"] * (last - first)
    return tags


def spans_of(tags: Sequence[str]) -> set[LabelledSpan]:
    """(label, first word, last word) of the spans of IOB2 tags, as strict as seqeval: an `I-` opens none."""
    found: set[LabelledSpan] = set()
    for first, tag in enumerate(tags):
        if tag.startswith("B-"):
            last = first
            while last + 1 < len(tags) and tags[last + 1] == f"I-{tag[2:]}":
                last += 1
            found.add((tag[2:], first, last))
    return found


def token_offsets(text: str) -> list[Offsets]:
    """Offsets of the words of a column file in its text, where single spaces divide them."""
    offsets: list[Offsets] = []
    start = 0
    for token in text.split(" "):
        offsets.append((start, start + len(token)))
        start += len(token) + 1
    return offsets
