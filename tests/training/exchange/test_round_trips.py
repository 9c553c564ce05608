"""What is written in a tool's format and read back is what it was, whatever the text."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

from hypothesis import assume, given
from hypothesis import strategies as st
from made_up_documents import documents, identities, sentences, texts

from model.annotation import AnnotatedSentence
from model.text import split_words
from training.exchange import brat, conll, doccano, labelstudio, markup_lines, service
from training.exchange.conll import Loss
from training.exchange.documents import Authorship, Document, Finding, Origin, canonical
from training.sources import read_rows

PAIRS = st.lists(sentences(), min_size=1, max_size=3, unique_by=lambda sentence: sentence.id.casefold())


def _contents(items: list[Document | Finding]) -> list[AnnotatedSentence]:
    assert not [str(item) for item in items if isinstance(item, Finding) and item.bad]
    return [item.content for item in items if isinstance(item, Document)]


@given(PAIRS)
def test_doccano(given: list[AnnotatedSentence]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "all.jsonl"
        assert doccano.write(path, documents(*given)) == []
        items = list(doccano.read(path))
        assert path.read_bytes().isascii()
    assert _contents(items) == given
    assert len(items) == len(given)


@given(PAIRS)
def test_label_studio(given: list[AnnotatedSentence]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tasks.json"
        assert labelstudio.write(path, documents(*given)) == []
        items = list(labelstudio.read(path))
    assert _contents(items) == given
    assert len(items) == len(given)


@given(PAIRS)
def test_brat(given: list[AnnotatedSentence]) -> None:
    breaks = "\t\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
    for sentence in given:
        assume(not any({sentence.text[s.start], sentence.text[s.end - 1]} & set(breaks) for s in sentence.spans))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "collection"
        assert brat.write(path, documents(*given)) == []
        items = list(brat.read(path))
    assert sorted(_contents(items), key=lambda s: s.id) == sorted(given, key=lambda s: s.id)
    assert len(items) == len(given)


@given(PAIRS, st.sampled_from((None, "accepted", "pending")), st.one_of(st.none(), st.text(max_size=5)))
def test_service(given: list[AnnotatedSentence], status: str | None, annotator: str | None) -> None:
    authorship = Authorship("9", annotator, {"name": "default", "version": "1"}, None, status, "2026-11-22T00:00:00Z")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "annotations.jsonl"
        service.write(path, [Document(sentence, Origin(authorship=authorship)) for sentence in given])
        items = list(service.read(path))
    assert _contents(items) == given
    assert all(item.origin.authorship == authorship for item in items if isinstance(item, Document))


_PLAIN = texts.map(lambda text: "".join(c for c in text if c not in "[]{}|\r\n").lstrip("#") + "ب")


@given(st.lists(sentences(_PLAIN), min_size=1, max_size=3))
def test_markup(given: list[AnnotatedSentence]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lines.txt"
        assert markup_lines.write(path, documents(*given)) == []
        items = list(markup_lines.read(path))
    assert _contents(items) == given


@given(sentences())
def test_what_markup_cannot_say_is_refused_by_name(given: AnnotatedSentence) -> None:
    unsayable = any(character in given.text for character in "[]{}|\r\n") or given.text.startswith("#")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lines.txt"
        refused = markup_lines.write(path, documents(given))
        items = list(markup_lines.read(path))
    assert bool(refused) == (unsayable or not given.text.strip())
    assert _contents(items) == ([] if refused else [given])


@given(sentences())
def test_conll_keeps_names_and_text_and_says_what_it_loses(given: AnnotatedSentence) -> None:
    kept = tuple(span for span in given.spans if span.label in conll.KEPT)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "words.conll"
        allowed = (Loss.ACTIONS, Loss.ROLES)
        findings = conll.write(path, documents(given), lose=allowed)
        items = list(conll.read(path))
        blocks = list(read_rows(path))
    refused = any(finding.bad for finding in findings)
    assert not refused or {finding.fault.message.split()[0] for finding in findings} & {"boundaries", "overlaps"}
    lost = {finding.fault.message.split()[0] for finding in findings if not finding.bad}
    if not refused:
        assert ("actions" in lost) == bool(given.actions)
        assert ("roles" in lost) == bool(given.relations)
        assert _contents(items) == [canonical(replace(given, spans=kept, relations=()))]
        # the training reads the words and passes over our header
        assert [word for _, rows in blocks for word, _ in rows] == [given.text[a:b] for a, b in split_words(given.text)]


@given(identities)
def test_names_of_files_give_the_id_back_and_are_plain(identity: str) -> None:
    name = brat.file_name(identity)
    assert unquote(name) == identity
    assert name.isascii()
    assert not set(name) & set('/\\:*?"<>|')
    assert not name.startswith(".")
