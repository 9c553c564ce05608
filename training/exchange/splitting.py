"""Cutting an annotated document into sentences (`model.sentences.split_sentences`) with its relations kept.

What reaches across sentences, a relation or a span, is always reported, and then dropped, kept by leaving the
sentences from its first to its last together as one record, or refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from model.annotation import AnnotatedSentence, Fault, Relation, Span
from model.sentences import split_sentences
from model.text import Offsets
from training.exchange.documents import canonical, shown


class Across(StrEnum):
    """What happens to a relation or span across sentences."""

    ERROR = "error"  #: the document is refused
    DROP = "drop"  #: it is left out, and so are an action and a NOM that have no role without it
    KEEP = "keep"  #: its sentences stay together


@dataclass(frozen=True, slots=True)
class Pieces:
    """The sentences of a document, in order, and what reached across them; refused, there are no sentences."""

    sentences: list[AnnotatedSentence]
    across: list[Fault] = field(default_factory=list)
    refused: bool = False


def split_document(document: AnnotatedSentence, across: Across = Across.ERROR) -> Pieces:
    """Cut a document into sentences, called `ID.1`, `ID.2` and so on; one of one sentence stays as it is.

    Every span lies in exactly one piece, every relation in that of its action, save what `across` drops. A span in
    the white space between sentences always refuses the document.
    """
    cuts = split_sentences(document.text)
    if len(cuts) < 2:
        return Pieces([document])
    homes = {span.id: _home(span, cuts) for span in document.spans}
    faults = [
        Fault("entities", "the span lies between sentences", document.text_of(span))
        for span in document.spans
        if not homes[span.id]
    ]
    if faults:
        return Pieces([], faults, refused=True)
    crossing_spans = [span for span in document.spans if len(homes[span.id]) > 1 or not _inside(span, cuts, homes)]
    crossing_links = [
        link
        for link in document.relations
        if homes[link.action] != homes[link.entity] and not {link.action, link.entity} & {s.id for s in crossing_spans}
    ]
    faults = [_span_fault(document, span) for span in crossing_spans]
    faults += [_link_fault(document, link) for link in crossing_links]
    if faults and across is Across.ERROR:
        return Pieces([], faults, refused=True)
    if across is Across.KEEP:
        groups = [set(homes[span.id]) for span in crossing_spans]
        groups += [set(homes[link.action]) | set(homes[link.entity]) for link in document.relations]
        cuts = _joined(cuts, groups, crossing_spans)
    elif faults:
        document, dropped = _without(document, {span.id for span in crossing_spans}, set(crossing_links))
        faults += dropped
    return Pieces([_piece(document, number, cut) for number, cut in enumerate(cuts, start=1)], faults)


def _home(span: Span, cuts: list[Offsets]) -> range:
    """Return the indices of the sentences that a span touches."""
    touched = [index for index, (start, end) in enumerate(cuts) if span.start < end and start < span.end]
    return range(touched[0], touched[-1] + 1) if touched else range(0)


def _inside(span: Span, cuts: list[Offsets], homes: dict[int, range]) -> bool:
    start, end = cuts[homes[span.id][0]][0], cuts[homes[span.id][-1]][1]
    return start <= span.start and span.end <= end


def _span_fault(document: AnnotatedSentence, span: Span) -> Fault:
    return Fault("entities", f"{span.label} reaches across sentences", shown(document.text_of(span)))


def _link_fault(document: AnnotatedSentence, link: Relation) -> Fault:
    spans = {span.id: span for span in document.spans}
    said = f"{document.text_of(spans[link.action])} → {document.text_of(spans[link.entity])}"
    return Fault("relations", f"{link.role} reaches across sentences", shown(said))


def _joined(cuts: list[Offsets], groups: list[set[int]], spans: list[Span]) -> list[Offsets]:
    """Return the cuts with each group's sentences, and those between them, as one that holds the spans whole."""
    apart = set(range(1, len(cuts)))
    for group in groups:
        apart -= set(range(min(group) + 1, max(group) + 1))
    starts = [0, *sorted(apart)]
    ends = [*starts[1:], len(cuts)]
    joined = [(cuts[first][0], cuts[last - 1][1]) for first, last in zip(starts, ends, strict=True)]
    for span in spans:
        joined = [
            (min(start, span.start), max(end, span.end)) if start < span.end and span.start < end else (start, end)
            for start, end in joined
        ]
    return joined


def _without(
    document: AnnotatedSentence, spans: set[int], links: set[Relation]
) -> tuple[AnnotatedSentence, list[Fault]]:
    """Return the document without spans and relations, nor the actions and NOMs that thereby lose all their roles."""
    before = {span.id for span in document.spans if _takes_part(span, document.relations)}
    kept_spans = [span for span in document.spans if span.id not in spans]
    kept_links = [link for link in document.relations if link not in links]
    faults: list[Fault] = []
    while True:
        present = {span.id for span in kept_spans}
        kept_links = [link for link in kept_links if {link.action, link.entity} <= present]
        idle = [span for span in kept_spans if span.id in before and not _takes_part(span, kept_links)]
        if not idle:
            return AnnotatedSentence(document.id, document.text, tuple(kept_spans), tuple(kept_links)), faults
        for span in idle:
            message = f"{span.label} has no role without what was dropped, and is dropped"
            faults.append(Fault("entities", message, shown(document.text_of(span))))
        kept_spans = [span for span in kept_spans if span not in idle]


def _takes_part(span: Span, links: list[Relation] | tuple[Relation, ...]) -> bool:
    """Whether a span may stand: an action needs an actor or target, a NOM a role."""
    if span.is_action:
        return any(link.action == span.id and link.role in ("actor", "target") for link in links)
    return span.label != "NOM" or any(link.entity == span.id for link in links)


def _piece(document: AnnotatedSentence, number: int, cut: Offsets) -> AnnotatedSentence:
    start, end = cut
    inside = [span for span in document.spans if start <= span.start and span.end <= end]
    identities = {span.id for span in inside}
    spans = tuple(
        Span(span.id, span.label, span.start - start, span.end - start, span.event_class, span.factuality)
        for span in inside
    )
    links = tuple(link for link in document.relations if link.action in identities)
    return canonical(AnnotatedSentence(f"{document.id}.{number}", document.text[start:end], spans, links))
