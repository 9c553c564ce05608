"""The form of an answer: which of the media types on offer an `Accept` header asks for (RFC 9110, section 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from serving.problems import Problem

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
#: RFC 9110 wants a digit before the point, but Java's own client sends `q=.2`.
_WEIGHT = re.compile(r"(?:0?\.[0-9]{1,3}|0\.?|1(?:\.0{0,3})?)\Z")
#: The most of a header that a problem quotes, in characters.
_QUOTED = 200


@dataclass(frozen=True, slots=True)
class _Range:
    """A media type, or a range of them: `*` stands for any type or subtype. `weight` is from 0, not at all, to 1."""

    type: str
    subtype: str
    parameters: frozenset[tuple[str, str]]
    weight: float = 1.0

    def takes(self, offer: _Range) -> bool:
        return (
            self.type in ("*", offer.type)
            and self.subtype in ("*", offer.subtype)
            and self.parameters <= offer.parameters
        )

    @property
    def specificity(self) -> tuple[bool, bool, int]:
        """Orders the ranges that take an offer: the greatest is the one that counts."""
        return self.type != "*", self.subtype != "*", len(self.parameters)


def negotiate(accept: str | None, offers: Sequence[str]) -> str:
    """Return the offer that `accept` likes best, the earlier of equals; without a header, the first.

    `accept` is the value of all Accept headers, joined by commas. Elements that are not media ranges are passed over,
    save the lone `*` of old clients. Ranges with parameters that an offer lacks do not take it, except `charset=utf-8`,
    which is true of every offer, and `profile`, which may be ignored (RFC 6906). Raises Problem `not-acceptable`.
    """
    if accept is None or not accept.strip(" \t,"):
        return offers[0]
    ranges = list(_ranges(accept))
    weights = {offer: _weight(_offer(offer), ranges) for offer in offers}
    best = max(offers, key=lambda offer: weights[offer])  # the first of equals
    if weights[best] == 0:
        shown = accept if len(accept) <= _QUOTED else f"{accept[:_QUOTED]}…"
        raise Problem("not-acceptable", f"Accept is {shown!r}; there is {', '.join(offers)}.")
    return best


def _weight(offer: _Range, ranges: list[_Range]) -> float:
    """The weight that the most specific of the ranges gives an offer, the highest of equals; 0 where none takes it."""
    taking = [(found.specificity, found.weight) for found in ranges if found.takes(offer)]
    return max(taking)[1] if taking else 0.0


def _offer(media_type: str) -> _Range:
    parsed = _range(media_type)
    assert parsed is not None, media_type
    return parsed


def _ranges(accept: str) -> Iterator[_Range]:
    for element in _split(accept, ","):
        if (found := _range(element)) is not None:
            yield found


def _range(element: str) -> _Range | None:
    """Return the media range that an element of the header is, or None where it is none."""
    name, *parameters = _split(element, ";")
    type, slash, subtype = ("*", "/", "*") if name == "*" else name.lower().partition("/")
    if not (slash and _TOKEN.match(type) and _TOKEN.match(subtype)) or (type == "*" and subtype != "*"):
        return None
    weight = 1.0
    named: set[tuple[str, str]] = set()
    for parameter in filter(None, parameters):
        key, equals, value = (part.strip(" \t") for part in parameter.partition("="))
        key = key.lower()
        if key == "q":
            if not _WEIGHT.match(value):
                return None
            weight = float(value)
            break  # what follows would be an extension of RFC 7231, which says nothing of the range
        if not (equals and _TOKEN.match(key)):
            return None
        value = _unquoted(value)
        if key != "profile" and (key, value.lower()) not in (("charset", "utf-8"), ("charset", "utf8")):
            named.add((key, value))
    return _Range(type, subtype, frozenset(named), weight)


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


def _split(text: str, separator: str) -> Iterator[str]:
    """Split at separators outside quoted strings, in linear time; parts are stripped of white space."""
    start = 0
    quoted = escaped = False
    for index, character in enumerate(text):
        if escaped:
            escaped = False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character == separator and not quoted:
            yield text[start:index].strip(" \t")
            start = index + 1
    yield text[start:].strip(" \t")
