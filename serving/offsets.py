"""Offsets of an answer in the units of the caller's language: code points, UTF-16 units, or bytes of UTF-8."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: The lists of a document whose items have a `start` and an `end`.
_SPANS = ("sentences", "entities", "actions")


class OffsetUnit(StrEnum):
    """What offsets count: Unicode code points, 16-bit units of UTF-16 (JavaScript, Java), or bytes of UTF-8."""

    CODEPOINT = "codepoint"
    UTF16 = "utf16"
    BYTE = "byte"


OFFSET_UNITS = tuple(unit.value for unit in OffsetUnit)


def convert(answer: Mapping[str, Any], unit: OffsetUnit) -> dict[str, Any]:
    """Return a document of an answer, with offsets in code points, as the same with offsets in `unit`.

    `answer` is what `Document.to_dict()` gives, maybe without some of its lists; or the place of a document that
    failed, which has no text and comes back as it is. Takes time linear in the text and the spans.
    """
    converted = dict(answer)
    if "text" not in answer:
        return converted
    offsets = unit_offsets(answer["text"], unit)
    if offsets is None:
        return converted
    for part in _SPANS:
        if part in answer:
            converted[part] = _converted(answer[part], offsets)
    return converted


def unit_offsets(text: str, unit: OffsetUnit) -> NDArray[np.int64] | None:
    """Return the offset in `unit` of every code point of `text` and of its end; None where both count the same.

    The array has shape [len(text) + 1].
    """
    if unit is OffsetUnit.CODEPOINT or text.isascii():
        return None
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    if unit is OffsetUnit.UTF16:
        if codes.max() < 0x10000:
            return None
        more = (codes >= 0x10000).astype(np.int64)
    else:
        more = (codes >= 0x80).astype(np.int64) + (codes >= 0x800) + (codes >= 0x10000)
    offsets = np.arange(len(codes) + 1, dtype=np.int64)
    offsets[1:] += np.cumsum(more)
    return offsets


def _converted(spans: Sequence[Mapping[str, Any]], offsets: NDArray[np.int64]) -> list[dict[str, Any]]:
    starts = offsets[[span["start"] for span in spans]].tolist() if spans else []
    ends = offsets[[span["end"] for span in spans]].tolist() if spans else []
    return [dict(span, start=start, end=end) for span, start, end in zip(spans, starts, ends, strict=True)]
