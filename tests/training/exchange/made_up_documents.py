"""Annotated documents that hypothesis makes up: sound by the annotation format, of the characters that make trouble."""

from __future__ import annotations

from hypothesis import strategies as st

from model.annotation import AnnotatedSentence, Relation, Span
from model.labels import CLASSES, ENTITY_LABELS, FACTUALITIES, ROLES
from training.exchange.documents import Document, Origin, canonical

#: Letters, tashkeel, tatweel, emoji (one, with a joiner, a flag), bidi controls, line ends, tabs, quotes, escapes.
PIECES = (
    *"ابتثنوهيءأإ٤5aZ .,،؛؟«»\"'\\/#%_-|:;=",
    *("\u064e", "\u0651", "\u0640", "\u0670", "\u200f", "\u202b", "\u202c", "\u2067", "\u2069", "\ufeff", "\u200d"),
    *("😀", "👨\u200d👩\u200d👧", "🇱🇧", "𐤀", "\r\n", "\n", "\r", "\t", "\u00a0", "\u2028", "\x85", "\x0b", "\x1c"),
    *("بغداد", "قال ", "<b>", "&amp;", "[", "]", "{", "}", "e\u0301", "\\n", "null"),
)
texts = st.lists(st.sampled_from(PIECES), min_size=1, max_size=25).map("".join)
identities = st.text(st.sampled_from("abcXYZ012-_./ %:بغ😀é#\"'"), min_size=1, max_size=12)


@st.composite
def sentences(draw: st.DrawFn, text: st.SearchStrategy[str] = texts) -> AnnotatedSentence:
    """A canonical document whose spans do not overlap, and whose relations run from actions to entities, once each."""
    content = draw(text)
    cuts = sorted(draw(st.sets(st.integers(0, len(content)), max_size=12)))
    spans = [draw(_span(number, *cuts[number * 2 : number * 2 + 2])) for number in range(len(cuts) // 2)]
    actions = [span.id for span in spans if span.is_action]
    entities = [span.id for span in spans if not span.is_action]
    links: set[tuple[int, int, str]] = set()
    if actions and entities:
        triples = st.tuples(st.sampled_from(actions), st.sampled_from(entities), st.sampled_from(ROLES))
        links = draw(st.sets(triples, max_size=6))
    relations = tuple(Relation(number, *link) for number, link in enumerate(sorted(links)))
    return canonical(AnnotatedSentence(draw(identities), content, tuple(spans), relations))


@st.composite
def _span(draw: st.DrawFn, number: int, start: int, end: int) -> Span:
    label = draw(st.sampled_from((*ENTITY_LABELS, "ACT")))
    if label != "ACT":
        return Span(number, label, start, end)
    return Span(number, label, start, end, draw(st.sampled_from(CLASSES)), draw(st.sampled_from(FACTUALITIES)))


def documents(*contents: AnnotatedSentence) -> list[Document]:
    """The documents, placed by their order."""
    return [Document(content, Origin(f"given {number}")) for number, content in enumerate(contents)]
