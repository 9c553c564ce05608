"""Documents are cut into sentences with all that lies inside one; what reaches across is never lost in silence."""

from __future__ import annotations

from hypothesis import given
from made_up_documents import sentences

from model.annotation import AnnotatedSentence, Relation, Span
from model.annotation_check import check_sentence
from training.exchange.documents import canonical
from training.exchange.splitting import Across, split_document

FIRST, SECOND, THIRD = "قصف الجيش حلب أمس.", "وقتل مدنيون في إدلب.", "وانتهى اليوم."
TEXT = f"  {FIRST} {SECOND}\n\n{THIRD} "


def _span(number: int, label: str, word: str, event_class: str | None = None) -> Span:
    start = TEXT.index(word)
    factuality = "asserted" if event_class else None
    return Span(number, label, start, start + len(word), event_class, factuality)


SPANS = (
    _span(0, "ACT", "قصف", "ASSAULT"),
    _span(1, "NOM", "الجيش"),
    _span(2, "LOC", "حلب"),
    _span(3, "ACT", "قتل", "ASSAULT"),
    _span(4, "NOM", "مدنيون"),
    _span(5, "LOC", "إدلب"),
)
INSIDE = (Relation(0, 0, 1, "actor"), Relation(1, 0, 2, "target"), Relation(2, 3, 4, "target"))


def _document(*links: Relation, spans: tuple[Span, ...] = SPANS) -> AnnotatedSentence:
    return canonical(AnnotatedSentence("politics-0001", TEXT, spans, (*INSIDE, *links)))


def _said(sentence: AnnotatedSentence) -> list[tuple[str, str, str]]:
    spans = {span.id: sentence.text_of(span) for span in sentence.spans}
    return [(spans[link.action], link.role, spans[link.entity]) for link in sentence.relations]


def test_relations_inside_a_sentence_are_kept() -> None:
    pieces = split_document(_document())
    assert pieces.across == []
    assert [piece.text for piece in pieces.sentences] == [FIRST, SECOND, THIRD]
    assert [piece.id for piece in pieces.sentences] == ["politics-0001.1", "politics-0001.2", "politics-0001.3"]
    assert [_said(piece) for piece in pieces.sentences] == [
        [("قصف", "actor", "الجيش"), ("قصف", "target", "حلب")],
        [("قتل", "target", "مدنيون")],
        [],
    ]
    assert [[piece.text_of(span) for span in piece.spans] for piece in pieces.sentences] == [
        ["قصف", "الجيش", "حلب"],
        ["قتل", "مدنيون", "إدلب"],
        [],
    ]


def test_one_sentence_stays_as_it_is() -> None:
    sentence = AnnotatedSentence("x-1", f" {FIRST}\n", (), ())
    assert split_document(sentence).sentences == [sentence]


ACROSS = Relation(3, 3, 1, "actor")


def test_a_relation_across_sentences_refuses_the_document() -> None:
    pieces = split_document(_document(ACROSS))
    assert pieces.refused
    assert pieces.sentences == []
    assert [str(fault) for fault in pieces.across] == ["relations: actor reaches across sentences: «قتل → الجيش»"]


def test_a_relation_across_sentences_is_dropped() -> None:
    pieces = split_document(_document(ACROSS), Across.DROP)
    assert len(pieces.across) == 1
    assert pieces.sentences == split_document(_document()).sentences


def test_what_has_no_role_without_what_is_dropped_goes_too() -> None:
    spans = (SPANS[0], SPANS[3], SPANS[4], SPANS[5])
    links = (Relation(0, 0, 4, "target"), Relation(1, 0, 5, "place"), Relation(2, 3, 5, "target"))
    pieces = split_document(AnnotatedSentence("x-1", TEXT, spans, links), Across.DROP)
    assert [fault.message.partition(" ")[2] for fault in pieces.across] == [
        "reaches across sentences",
        "reaches across sentences",
        "has no role without what was dropped, and is dropped",
        "has no role without what was dropped, and is dropped",
    ]
    assert [fault.text for fault in pieces.across[2:]] == ["قصف", "مدنيون"]
    assert [_said(piece) for piece in pieces.sentences] == [[], [("قتل", "target", "إدلب")], []]
    assert not any(check_sentence(piece.to_dict()) for piece in pieces.sentences)


def test_sentences_of_a_relation_across_stay_together() -> None:
    pieces = split_document(_document(ACROSS), Across.KEEP)
    assert len(pieces.across) == 1
    assert [piece.text for piece in pieces.sentences] == [f"{FIRST} {SECOND}", THIRD]
    assert ("قتل", "actor", "الجيش") in _said(pieces.sentences[0])
    assert len(_said(pieces.sentences[0])) == 4


def test_a_span_across_sentences() -> None:
    wide = Span(6, "ORG", TEXT.index("أمس"), TEXT.index("وقتل") + 1)
    document = _document(spans=(*SPANS, wide))
    assert split_document(document).refused
    dropped = split_document(document, Across.DROP)
    assert dropped.sentences == split_document(_document()).sentences
    assert [str(fault) for fault in dropped.across] == ["entities: ORG reaches across sentences: «أمس. و»"]
    kept = split_document(document, Across.KEEP)
    assert kept.sentences[0].text_of(next(s for s in kept.sentences[0].spans if s.label == "ORG")) == "أمس. و"


def test_a_span_between_sentences_refuses_the_document() -> None:
    between = Span(6, "ORG", TEXT.index("\n"), TEXT.index("\n") + 2)
    for across in Across:
        pieces = split_document(_document(spans=(*SPANS, between)), across)
        assert pieces.refused
        assert pieces.across[0].message == "the span lies between sentences"


@given(sentences())
def test_nothing_is_lost_but_what_is_named(document: AnnotatedSentence) -> None:
    for across in Across:
        pieces = split_document(document, across)
        if pieces.refused:
            assert pieces.across
            continue
        spans = [(piece.text_of(span), span.label) for piece in pieces.sentences for span in piece.spans]
        links = [link.role for piece in pieces.sentences for link in piece.relations]
        if across is Across.DROP and pieces.across:
            assert len(spans) + len(links) < len(document.spans) + len(document.relations)
            continue
        assert spans == [(document.text_of(span), span.label) for span in document.spans]
        assert sorted(links) == sorted(link.role for link in document.relations)
