"""Offsets in UTF-16 code units, as JavaScript counts: a character beyond U+FFFF, such as an emoji, is two."""

from __future__ import annotations


def code_points(text: str) -> dict[int, int]:
    """Return the code point offset of each offset in code units at which a character of the text begins, or it ends."""
    offsets, unit = {}, 0
    for number, character in enumerate(text):
        offsets[unit] = number
        unit += 2 if character > "\uffff" else 1
    return {**offsets, unit: len(text)}


def code_units(text: str) -> list[int]:
    """Return the offset in code units of each code point offset, that of the end included."""
    return list(code_points(text))
