"""Text cut into pieces for display: which spans cover each, and which of them a reader should look at."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from model.annotation import AnnotatedSentence
from model.labels import ACTION_LABEL
from model.records import Document
from model.text import Offsets


@dataclass(frozen=True, slots=True)
class Shown:
    """A span as it is displayed: `kind` decides its colour, `tag` is written behind it."""

    kind: str
    tag: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of characters under the same spans: `kind` of the first of them or "", tags of those that end here."""

    text: str
    kind: str = ""
    tags: tuple[str, ...] = ()
    strong: bool = False


def spans_of_sentence(sentence: AnnotatedSentence) -> list[Shown]:
    """The spans of an annotated sentence; an action's tag is its class and, unless asserted, its factuality."""
    return [
        Shown(span.label, _action_tag(span.event_class, span.factuality) if span.is_action else span.label, *place)
        for span in sentence.spans
        for place in [(span.start, span.end)]
    ]


def spans_of_document(document: Document) -> list[Shown]:
    """The spans of an extracted document, in the same form."""
    return [
        *(Shown(entity.label, entity.label, entity.start, entity.end) for entity in document.entities),
        *(
            Shown(ACTION_LABEL, _action_tag(action.event_class, action.factuality), action.start, action.end)
            for action in document.actions
        ),
    ]


def _action_tag(event_class: str | None, factuality: str | None) -> str:
    return f"{event_class}" if factuality == "asserted" else f"{event_class} {factuality}"


def pieces(text: str, spans: Iterable[Shown], strong: Collection[Offsets] = ()) -> list[Piece]:
    """Cut a text at the ends of its spans; spans at one of the `strong` offsets stand out. Overlaps are kept.

    Joined, the pieces' texts are the text.
    """
    known = sorted(spans, key=lambda span: (span.start, -span.end))
    cuts = sorted({0, len(text), *(span.start for span in known), *(span.end for span in known)})
    return [_piece(text, first, last, known, strong) for first, last in itertools.pairwise(cuts)]


def _piece(text: str, first: int, last: int, spans: Sequence[Shown], strong: Collection[Offsets]) -> Piece:
    over = [span for span in spans if span.start <= first and last <= span.end]
    return Piece(
        text[first:last],
        over[0].kind if over else "",
        tuple(span.tag for span in over if span.end == last),
        any((span.start, span.end) in strong for span in over),
    )
