from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from model.annotation import AnnotatedSentence
from training.judging.marked_text import Piece, Shown, pieces, spans_of_document, spans_of_sentence
from training.judging.pairs import document_of


def test_pieces(annotate: Callable[..., AnnotatedSentence]) -> None:
    sentence = annotate("لم يزر بغداد", "CONSULT/negated يزر", "LOC بغداد")
    spans = spans_of_sentence(sentence)
    assert pieces(sentence.text, spans, [(7, 12)]) == [
        Piece("لم "),
        Piece("يزر", "ACT", ("CONSULT negated",)),
        Piece(" "),
        Piece("بغداد", "LOC", ("LOC",), strong=True),
    ]
    assert sorted(spans_of_document(document_of(sentence)), key=lambda own: own.start) == spans


def test_overlapping_spans_are_all_kept() -> None:
    spans = [Shown("PER", "PER", 0, 6), Shown("LOC", "LOC", 4, 9), Shown("ORG", "ORG", 0, 9)]
    assert pieces("abcdefghij", spans, [(4, 9)]) == [
        Piece("abcd", "ORG"),
        Piece("ef", "ORG", ("PER",), strong=True),
        Piece("ghi", "ORG", ("ORG", "LOC"), strong=True),
        Piece("j"),
    ]


@given(st.text(max_size=12), st.data())
def test_the_pieces_are_the_text(text: str, data: st.DataObject) -> None:
    ends = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).filter(lambda own: own[0] < own[1])
    places = data.draw(st.lists(ends, max_size=4)) if text else []
    cut = pieces(text, [Shown("PER", str(n), *place) for n, place in enumerate(places)])
    assert "".join(piece.text for piece in cut) == text
    assert sorted(tag for piece in cut for tag in piece.tags) == [str(n) for n in range(len(places))]
    assert all(piece.text for piece in cut)
