from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nasty_texts import NASTY_TEXTS
from rdflib import RDF, RDFS, Graph, Literal, URIRef
from rdflib.compare import isomorphic
from rdflib.namespace import DCTERMS
from rdflib.term import Node

from model.labels import CLASSES, ENTITY_LABELS, FACTUALITIES, ROLES
from model.records import Action, Document, Entity, RoleFiller, Sentence, Triple
from serving.examples import ANSWER, DOCUMENT
from serving.problems import Problem
from serving.rdf import GAF, MUSNAD, NIF, PREFIXES, ROLE_PROPERTIES, SEM, document_iri
from serving.rdf_forms import JSON_LD, TURTLE, serialize
from serving.selection import PARTS, Selection, select

MODEL = {"name": "musnad", "version": "0.1.0"}
FAILURE = {"id": "1042", "error": {"type": "urn:musnad:problem:internal-error", "detail": 'No "luck".\n'}}
DOCS = Path(__file__).parents[2] / "docs" / "rdf.md"
INTEGER, DECIMAL = Literal(1).datatype, Literal(Decimal(1)).datatype
FORMATS = {TURTLE: "turtle", JSON_LD: "json-ld"}


def parsed(documents: list[dict[str, Any]], form: str) -> Graph:
    return Graph().parse(data=serialize(documents, form, MODEL), format=FORMATS[form])


# ---- a document from its graph


def one(graph: Graph, subject: Node, property: Node) -> Any:
    values = list(graph.objects(subject, property))
    assert len(values) == 1, (subject, property, values)
    return values[0]


def local(term: Node) -> str:
    """The last part of an IRI, as it was before it was encoded."""
    return unquote(str(term).partition("#")[2])


def number(literal: Any) -> int | float:
    assert literal.datatype in (INTEGER, DECIMAL)
    return int(literal) if literal.datatype == INTEGER else float(Decimal(str(literal)))


def span(graph: Graph, string: Node, text: str) -> dict[str, int]:
    """The offsets of a string, which must be in its IRI and hold its text."""
    start, end = int(one(graph, string, NIF.beginIndex)), int(one(graph, string, NIF.endIndex))
    assert str(string).endswith(f"#char={start},{end}")
    assert str(one(graph, string, NIF.anchorOf)) == text[start:end]
    assert str(one(graph, one(graph, string, NIF.referenceContext), NIF.isString)) == text
    return {"start": start, "end": end}


def mentioned(graph: Graph, thing: Node, text: str) -> dict[str, Any]:
    found = span(graph, one(graph, thing, GAF.denotedBy), text)
    return {"id": local(thing), **found, "text": text[found["start"] : found["end"]]}


def roles(graph: Graph, event: Node) -> dict[str, Any]:
    found: dict[str, Any] = {role: [] for role in ROLES}
    for role in graph.objects(event, MUSNAD.role):
        assert (role, RDF.type, SEM.Role) in graph
        name, entity = local(one(graph, role, SEM.roleType)), one(graph, role, RDF.value)
        assert (event, ROLE_PROPERTIES[name], entity) in graph
        found[name].append({"entity": local(entity), "score": number(one(graph, role, MUSNAD.score))})
    for name, property in ROLE_PROPERTIES.items():
        assert len(list(graph.objects(event, property))) == len(found[name])
    return found


def restored(graph: Graph, document: Node) -> dict[str, Any]:
    """What the graph says of a document, in the form of `Document.to_dict()`."""
    (context,) = graph.subjects(NIF.sourceUrl, document)
    assert one(graph, context, NIF.referenceContext) == context
    text = str(one(graph, context, NIF.isString))
    assert int(one(graph, context, NIF.endIndex)) == len(text)

    def own(kind: URIRef) -> Iterator[Node]:
        return (node for node in graph.subjects(RDF.type, kind) if str(node).startswith(f"{document}#"))

    return {
        "id": str(one(graph, document, DCTERMS.identifier)),
        "text": text,
        "sentences": [span(graph, sentence, text) for sentence in own(NIF.Sentence)],
        "entities": [
            {
                **mentioned(graph, entity, text),
                "label": local(one(graph, entity, MUSNAD.label)),
                "name": str(one(graph, entity, RDFS.label)),
                "value": number(value) if (value := graph.value(entity, MUSNAD.value)) is not None else None,
                "score": number(one(graph, entity, MUSNAD.score)),
            }
            for entity in own(MUSNAD.Entity)
        ],
        "actions": [
            {
                **mentioned(graph, event, text),
                "class": local(one(graph, event, SEM.eventType)),
                "factuality": local(one(graph, event, MUSNAD.factuality)),
                "score": number(one(graph, event, MUSNAD.score)),
                "roles": roles(graph, event),
            }
            for event in own(SEM.Event)
        ],
        "triples": [
            {
                **{
                    end: None if (node := graph.value(triple, MUSNAD[end])) is None else local(node)
                    for end in ("actor", "action", "target")
                },
                "score": number(one(graph, triple, MUSNAD.score)),
            }
            for triple in own(MUSNAD.Triple)
        ],
    }


def unordered(value: Any) -> Any:
    """The same with its lists in one order, as a graph has none."""
    if isinstance(value, dict):
        return {key: unordered(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted((unordered(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


# ---- documents of any text and any spans that do not overlap

NASTY_PIECES = [
    '"',
    '"""',
    "\\",
    '\\"',
    "\\u0041",
    "\n",
    "\r\n",
    "\t",
    "\x01",
    "\x1b",
    "\x7f",
    "\x85",
    "\u2028",
    "\ufffe",
]
NASTY_PIECES += [
    "😀",
    "👨\u200d👩",
    "\u202b",
    "\u2067",
    "\u2069",
    "\ufeff",
    "e\u0301",
    "<a>",
    "@ar",
    "^^",
    "الجيش",
    "Biden",
    " .\n",
]
_CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXTS = st.lists(st.sampled_from(NASTY_PIECES) | st.text(_CHARACTERS, max_size=3), max_size=10).map("".join)
IDS = st.text(_CHARACTERS, min_size=1, max_size=8) | st.sampled_from(["a b", "../x", "#char=0,1", "urn:x", "%41", "ب"])
_SCORES = st.floats(0, 1).map(lambda score: round(score, 4)) | st.sampled_from([0.0, 1.0, 1e-07])
_VALUES = st.none() | st.integers(0, 10**30) | st.floats(0, 1e25).filter(lambda value: value != int(value))


@st.composite
def documents(draw: st.DrawFn) -> Document:
    text = draw(TEXTS)
    borders = sorted(draw(st.sets(st.integers(0, len(text)), max_size=10)))
    spans = list(zip(borders[::2], borders[1::2], strict=False))
    kinds = [draw(st.booleans()) for _ in spans]
    entities = tuple(
        Entity(
            f"e{start}",
            draw(st.sampled_from(ENTITY_LABELS)),
            start,
            end,
            text[start:end],
            draw(TEXTS),
            draw(_VALUES),
            draw(_SCORES),
        )
        for (start, end), is_entity in zip(spans, kinds, strict=True)
        if is_entity
    )
    names = [entity.id for entity in entities]

    def fillers() -> tuple[RoleFiller, ...]:
        chosen = draw(st.lists(st.sampled_from(names), unique=True, max_size=2)) if names else []
        return tuple(RoleFiller(name, draw(_SCORES)) for name in chosen)

    actions = tuple(
        Action(
            f"a{start}",
            start,
            end,
            text[start:end],
            draw(st.sampled_from(CLASSES)),
            draw(st.sampled_from(FACTUALITIES)),
            draw(_SCORES),
            {role: fillers() for role in ROLES},
        )
        for (start, end), is_entity in zip(spans, kinds, strict=True)
        if not is_entity
    )
    triples = [
        Triple(actor.entity if actor else None, action.id, target.entity if target else None, draw(_SCORES))
        for action in actions
        for actor in action.roles["actor"] or [None]
        for target in action.roles["target"] or [None]
        if actor or target
    ]
    sentences = (Sentence(0, len(text)),) if text else ()
    return Document(draw(IDS), text, sentences, entities, actions, tuple(triples))


@settings(max_examples=60)
@given(documents(), st.sampled_from([TURTLE, JSON_LD]))
def test_the_graph_holds_exactly_the_document(document: Document, form: str) -> None:
    answer = document.to_dict()
    assert unordered(restored(parsed([answer], form), document_iri(document.id))) == unordered(answer)


@pytest.mark.parametrize("form", FORMATS)
def test_nasty_texts_come_back(form: str) -> None:
    answers = [
        Document(id, text, (Sentence(0, len(text)),) if text else (), _whole(text)).to_dict()
        for id, text in NASTY_TEXTS.items()
    ]
    graph = parsed(answers, form)
    for answer in answers:
        assert unordered(restored(graph, document_iri(answer["id"]))) == unordered(answer)


def _whole(text: str) -> tuple[Entity, ...]:
    """An entity that is the whole text: its span is the context's, too."""
    return (Entity("e0", "PER", 0, len(text), text, text, None, 0.5),) if text else ()


@settings(max_examples=30)
@given(st.lists(documents(), max_size=2, unique_by=lambda document: document.id))
def test_both_forms_say_the_same(documents: list[Document]) -> None:
    answers = [*(document.to_dict() for document in documents), FAILURE]
    assert isomorphic(parsed(answers, TURTLE), parsed(answers, JSON_LD))


@given(TEXTS)
def test_a_turtle_string_is_on_one_line_as_the_grammar_has_it(text: str) -> None:
    turtle = serialize([Document("1", text).to_dict()], TURTLE, MODEL).decode()
    (quoted,) = re.findall(r'nif:isString ("(?:[^"\\\n\r]|\\[tbnrf"\'\\])*") ;\n', turtle)
    assert json.loads(quoted, strict=False) == text  # the escapes that are used are JSON's, too


# ---- names


def test_iris_are_stable_and_of_safe_characters() -> None:
    assert document_iri("1042") == URIRef("urn:musnad:document:1042")
    assert document_iri("خبر 1/2#<>%") == URIRef("urn:musnad:document:%D8%AE%D8%A8%D8%B1%201%2F2%23%3C%3E%25")


@given(IDS, IDS)
def test_another_id_is_another_iri(first: str, second: str) -> None:
    assert (document_iri(first) == document_iri(second)) == (first == second)
    assert re.fullmatch(r"urn:musnad:document:(?:[\w.~-]|%[0-9A-F]{2})+", document_iri(first), re.ASCII)


@pytest.mark.parametrize("form", FORMATS)
def test_documents_of_one_id_and_two_texts_are_refused(form: str) -> None:
    with pytest.raises(Problem) as problem:
        serialize(
            [Document("1", "أ").to_dict(), Document("2", "أ").to_dict(), Document("1", "ب").to_dict()], form, MODEL
        )
    assert problem.value.errors == [("documents[2].id", "the same as documents[0].id")]


@pytest.mark.parametrize("form", FORMATS)
def test_a_document_that_comes_twice_is_said_once(form: str) -> None:
    assert serialize([DOCUMENT.to_dict()] * 2, form, MODEL) == serialize([DOCUMENT.to_dict()], form, MODEL)


# ---- literals


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("الجيش العراقي", "ar"),
        ("القرن 21", "ar"),
        ("«الأهرام»", "ar"),
        ("قَصَفَ", "ar"),
        ("ﷺ", "ar"),
        ("25", None),
        ("٢٥", None),
        ("Biden", None),
        ("شركة Google", None),
        ("Москва", None),
        ("", None),
        ("😀", None),
    ],
)
def test_only_arabic_words_are_said_to_be_arabic(name: str, language: str | None) -> None:
    document = Document("1", "x", (), (Entity("e0", "ORG", 0, 1, "x", name, None, 0.5),))
    label = one(parsed([document.to_dict()], TURTLE), URIRef("urn:musnad:document:1#e0"), RDFS.label)
    assert label == Literal(name, lang=language)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (5, Literal(5)),
        (10**30, Literal(10**30)),
        (0, Literal(0)),
        (1234567.891, Literal(Decimal("1234567.891"))),
        (0.5, Literal(Decimal("0.5"))),
        (1e-07, Literal(Decimal("0.0000001"))),
    ],
)
def test_numbers_keep_all_their_digits(value: int | float, literal: Literal, form: str) -> None:
    document = Document("1", "x", (), (Entity("e0", "NUM", 0, 1, "x", "x", value, 1.0),))
    graph = parsed([document.to_dict()], form)
    entity = URIRef("urn:musnad:document:1#e0")
    assert one(graph, entity, MUSNAD.value) == literal
    assert one(graph, entity, MUSNAD.score) == Literal(Decimal("1.0"))


# ---- what is asked


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("include", [[], ["entities"], ["actions"], ["triples"], PARTS])
def test_lists_that_are_left_out_are_not_described(form: str, include: list[str]) -> None:
    graph = parsed([select(DOCUMENT, Selection(include=include))], form)
    counts = {"entities": MUSNAD.Entity, "actions": SEM.Event, "triples": MUSNAD.Triple}
    for part, kind in counts.items():
        assert len(list(graph.subjects(RDF.type, kind))) == (len(getattr(DOCUMENT, part)) if part in include else 0)
    assert len(list(graph.subjects(RDF.type, NIF.Sentence))) == 1


@pytest.mark.parametrize("form", FORMATS)
def test_a_failure_is_said_and_is_not_the_document_of_the_same_id(form: str) -> None:
    graph = parsed([DOCUMENT.to_dict(), FAILURE, {**FAILURE, "id": None}], form)
    failures = {int(one(graph, node, MUSNAD.position)): node for node in graph.subjects(RDF.type, MUSNAD.Failure)}
    assert sorted(failures) == [1, 2]
    assert one(graph, failures[1], MUSNAD.problem) == URIRef("urn:musnad:problem:internal-error")
    assert str(one(graph, failures[1], MUSNAD.detail)) == 'No "luck".\n'
    assert str(one(graph, failures[1], DCTERMS.identifier)) == "1042"
    assert graph.value(failures[2], DCTERMS.identifier) is None
    assert unordered(restored(graph, document_iri("1042"))) == unordered(DOCUMENT.to_dict())


@pytest.mark.parametrize("form", FORMATS)
def test_no_documents_are_an_empty_graph(form: str) -> None:
    assert len(parsed([], form)) == 0


def test_the_same_documents_are_the_same_bytes_in_every_process() -> None:
    program = (
        "import hashlib; from serving.examples import *; from serving.rdf_forms import *; from serving.rdf import *\n"
        "for form in (TURTLE, JSON_LD): print(hashlib.sha256("
        "serialize(ANSWER['documents'] * 1 + [{'id': None, 'error': {'type': 'urn:x', 'detail': 'd'}}],"
        " form, ANSWER['model'])).hexdigest())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(DOCS.parents[1])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1
    assert len(outputs.pop().split()) == 2


# ---- the documentation


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)


def test_the_documentation_shows_real_output() -> None:
    (shown,) = blocks("turtle")
    assert shown == serialize(ANSWER["documents"], TURTLE, ANSWER["model"]).decode()


def test_the_documented_query_answers_as_documented() -> None:
    (query,) = blocks("sparql")
    (shown,) = blocks("text")
    rows = parsed(ANSWER["documents"], TURTLE).query(query)
    lines = [" | ".join("–" if term is None else str(term) for term in row) for row in rows]  # type: ignore[union-attr]
    assert lines == shown.splitlines()


def test_every_term_is_documented() -> None:
    graph = parsed([*ANSWER["documents"], FAILURE], TURTLE)
    terms = {term for statement in graph for term in statement if isinstance(term, URIRef)}
    names = {
        iri.replace(namespace, f"{prefix}:")
        for iri in terms
        for prefix, namespace in PREFIXES.items()
        if namespace in iri
    }
    text = DOCS.read_text(encoding="utf-8")
    values = {f"musnad:{value}" for value in (*ENTITY_LABELS, *CLASSES, *FACTUALITIES)}
    assert len(names) > 35
    assert [name for name in names - values - {"rdf:type"} if f"`{name}`" not in text] == []
