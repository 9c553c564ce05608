"""The one-line notation: what it says, that it is the inverse of writing it, where errors point."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.annotation import AnnotatedSentence, Relation, Span
from model.annotation_files import read_annotations
from model.labels import CLASSES, ENTITY_LABELS, FACTUALITIES, ROLES
from model.markup import MarkupError, parse_markup, read_markup, to_markup

SHARED = Path(__file__).parents[3] / "shared" / "annotation"
LINE = (
    "{دعا|REQUEST actor=1 target=2,4} [الأمين العام|NOM 1] [طرفي النزاع|NOM 2] و[داعش|ORG 4] "
    "إلى {وقف القتال|RETREAT actor=2 pot} في [السودان|LOC]."
)

# Arabic letters with and without marks, tatweel, a letter outside the basic plane, spaces, digits, punctuation.
TEXTS = st.text(alphabet="اأبتلمنوىيةء\u064e\u0651\u0640\U0001f642 .،:#-٣4a\u200f\u00a0", max_size=40)


@st.composite
def sentences(draw: st.DrawFn) -> AnnotatedSentence:
    """Any sentence whose spans and relations are numbered as a reader of the notation numbers them."""
    text = draw(TEXTS.filter(lambda text: not text.startswith("#")))
    edges = sorted(draw(st.sets(st.integers(0, len(text)), max_size=12)))
    spans: list[Span] = []
    for start, end in zip(edges[::2], edges[1::2], strict=False):
        label = draw(st.sampled_from((*ENTITY_LABELS, "ACT")))
        action = (
            (draw(st.sampled_from(CLASSES)), draw(st.sampled_from(FACTUALITIES))) if label == "ACT" else (None, None)
        )
        spans.append(Span(len(spans), label, start, end, *action))
    entities = [span.id for span in spans if not span.is_action]
    relations: list[Relation] = []
    for span in spans:
        if span.is_action and entities:
            for role in draw(st.permutations(ROLES)):
                for entity in draw(st.lists(st.sampled_from(entities), unique=True, max_size=3)):
                    relations.append(Relation(len(relations), span.id, entity, role))
    return AnnotatedSentence("x", text, tuple(spans), tuple(relations))


def test_a_line_says_text_spans_roles_and_marks() -> None:
    sentence = parse_markup(LINE, "a-1")
    assert sentence.id == "a-1"
    assert sentence.text == "دعا الأمين العام طرفي النزاع وداعش إلى وقف القتال في السودان."
    assert [(sentence.text_of(span), span.label, span.event_class, span.factuality) for span in sentence.spans] == [
        ("دعا", "ACT", "REQUEST", "asserted"),
        ("الأمين العام", "NOM", None, None),
        ("طرفي النزاع", "NOM", None, None),
        ("داعش", "ORG", None, None),
        ("وقف القتال", "ACT", "RETREAT", "potential"),
        ("السودان", "LOC", None, None),
    ]
    assert [(link.id, link.action, link.entity, link.role) for link in sentence.relations] == [
        (0, 0, 1, "actor"),
        (1, 0, 2, "target"),
        (2, 0, 3, "target"),
        (3, 4, 2, "actor"),
    ]


def test_the_marks() -> None:
    sentence = parse_markup("{أ|STATE neg} {ب|OTHER pot} {ج|OTHER}", "x")
    assert [action.factuality for action in sentence.actions] == ["negated", "potential", "asserted"]


def test_writing_numbers_the_mentions_with_roles_in_the_texts_order() -> None:
    assert to_markup(parse_markup(LINE, "x")) == LINE.replace("2,4", "2,3").replace("ORG 4", "ORG 3")


@given(sentences())
def test_what_is_written_is_read_back(sentence: AnnotatedSentence) -> None:
    assert parse_markup(to_markup(sentence), sentence.id) == sentence


@given(st.text(alphabet="[]{}|#ابACT STOHER=1,2negpot\n", max_size=30))
def test_any_line_is_read_or_refused_with_its_column(line: str) -> None:
    refusal = None
    try:
        sentence = parse_markup(line, "x")
    except MarkupError as error:
        refusal = error
    if refusal is None:
        assert parse_markup(to_markup(sentence), "x") == sentence
    else:
        assert 1 <= (refusal.column or 0) <= len(line)
        assert str(refusal).startswith(f"column {refusal.column}: ")


@pytest.mark.parametrize(
    ("line", "column", "message"),
    [
        ("قال [زيد|PER 1", 5, "[ is not closed by ]"),
        ("قال [زيد|PER}", 5, "[ is not closed by ]"),
        ("قال [زيد [عمرو|PER]", 5, "[ is not closed by ]"),
        ("قال زيد] ثم", 8, "] without an opening bracket"),
        ("قال | زيد", 5, "a bar outside of brackets"),
        ("[زيد]", 1, "needs one bar between text and label: «[زيد]»"),
        ("[زيد|PER|1]", 1, "needs one bar between text and label"),
        ("[|PER]", 1, "nothing stands before the bar"),
        ("[زيد| ]", 1, "nothing stands behind the bar"),
        ("[زيد|GPE]", 6, "GPE is not one of PER, ORG, LOC, NUM, NOM: «[زيد|GPE]»"),
        ("[زيد|ACT]", 6, "ACT is not one of"),
        ("[زيد|PER one]", 10, "only one number may follow the label"),
        ("[زيد|PER 1 2]", 10, "only one number may follow the label"),
        ("[زيد|PER 1] [عمرو|PER 1]", 23, "another mention has the number 1"),
        ("{قال|SAY}", 6, "SAY is not one of AGREE"),
        ("{قال|STATE agent=1} [زيد|PER 1]", 12, "agent=1 is no role and no mark"),
        ("{قال|STATE neg pot}", 16, "pot is no role and no mark, or a second mark"),
        ("{قال|STATE actor=1 actor=1} [زيد|PER 1]", 20, "actor is given twice: write actor=n,n"),
        ("{قال|STATE actor=1,} [زيد|PER 1]", 12, "actor needs numbers, with commas between them"),
        ("{قال|STATE actor=2} [زيد|PER 1]", 12, "no mention has the number 2"),
        ("{قال|STATE actor=1,1} [زيد|PER 1]", 12, "1 is actor twice"),
        ("# تعليق", 1, "a comment is not a sentence"),
        ("قال\nزيد", 4, "a line break within a line"),
    ],
)
def test_an_error_names_the_column_and_the_piece(line: str, column: int, message: str) -> None:
    with pytest.raises(MarkupError) as caught:
        parse_markup(line, "x")
    assert caught.value.column == column
    assert str(caught.value).startswith(f"column {column}: {message}")


ACTION = Span(0, "ACT", 0, 1, "STATE", "asserted")


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        (AnnotatedSentence("x", "قال [هو]", (), ()), "a character of the markup"),
        (AnnotatedSentence("x", "قال\nهو", (), ()), "a line break"),
        (AnnotatedSentence("x", "#قال", (), ()), "would be a comment"),
        (AnnotatedSentence("x", "قال", (Span(0, "PER", 0, 2), Span(1, "ORG", 1, 3)), ()), "overlaps another: «ال»"),
        (AnnotatedSentence("x", "قال", (ACTION,), (Relation(0, 0, 0, "actor"),)), "does not run from an action"),
        (AnnotatedSentence("x", "قال", (Span(0, "PER", 0, 3),), (Relation(0, 0, 0, "actor"),)), "does not run"),
        (AnnotatedSentence("x", "قال", (ACTION,), (Relation(0, 0, 7, "actor"),)), "no span of the sentence"),
        (
            AnnotatedSentence(
                "x", "قال", (ACTION, Span(1, "PER", 1, 3)), (Relation(0, 0, 1, "actor"), Relation(1, 0, 1, "actor"))
            ),
            "given twice: «ق»",
        ),
    ],
)
def test_what_the_notation_cannot_say_is_refused(sentence: AnnotatedSentence, message: str) -> None:
    with pytest.raises(MarkupError) as caught:
        to_markup(sentence)
    assert message.split(":")[0] in str(caught.value)
    assert caught.value.column is None


def test_a_file_numbers_its_sentences_by_line_and_names_the_line_of_an_error(tmp_path: Path) -> None:
    path = tmp_path / "news.txt"
    path.write_bytes("# تعليق\n[زيد|PER] هنا\r\n\n[عمرو|PER] هناك\nخطأ ]\n".encode())
    found = read_markup(path)
    assert [next(found).id, next(found).id] == ["news-0002", "news-0004"]
    with pytest.raises(MarkupError) as caught:
        next(found)
    assert str(caught.value) == f"{path}:5: column 5: ] without an opening bracket: «خطأ ]»"


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the annotated sets are not at {SHARED}")
def test_the_annotated_sets_compile_to_the_json_lines_beside_them() -> None:
    paths = sorted(SHARED.glob("*/*.txt"))
    assert paths
    for path in paths:
        compiled = list(read_markup(path))
        assert compiled == list(read_annotations(path.with_suffix(".jsonl"))), path
        assert [parse_markup(to_markup(sentence), sentence.id) for sentence in compiled] == compiled
