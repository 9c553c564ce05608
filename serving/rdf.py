"""Documents as RDF: their strings in NIF 2.0, their events in SEM. `docs/rdf.md` is the vocabulary, with an example.

A string is not what it speaks of: `…#char=6,30` is the span (RFC 5147), and `…#e0` the entity that it names. All
functions take documents as `serving.selection.select` gives them, with offsets in code points, which NIF counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import regex
from rdflib import RDF, RDFS, XSD, BNode, Graph, Literal, Namespace, URIRef
from rdflib.namespace import DCTERMS
from rdflib.term import Node

NIF = Namespace("http://persistence.uni-leipzig.org/nlp2rdf/ontologies/nif-core#")
SEM = Namespace("http://semanticweb.cs.vu.nl/2009/11/sem/")
GAF = Namespace("http://groundedannotationframework.org/gaf#")
SCHEMA = Namespace("http://schema.org/")
#: What no vocabulary above has a term for; local names are those of the JSON.
MUSNAD = Namespace("urn:musnad:ns#")
PREFIXES = {
    "dcterms": str(DCTERMS),
    "gaf": str(GAF),
    "musnad": str(MUSNAD),
    "nif": str(NIF),
    "rdf": str(RDF),
    "rdfs": str(RDFS),
    "schema": str(SCHEMA),
    "sem": str(SEM),
    "xsd": str(XSD),
}

#: The property that links an event to the entity in a role.
ROLE_PROPERTIES = {
    "actor": SEM.hasActor,
    "target": MUSNAD.hasTarget,
    "place": SEM.hasPlace,
    "count": MUSNAD.hasCount,
}

_ARABIC_LETTER = regex.compile(r"[\p{L}&&\p{Script=Arabic}]", regex.V1)
_OTHER_LETTER = regex.compile(r"[\p{L}--\p{Script=Arabic}--\p{Script=Common}]", regex.V1)

Statement = tuple[Node, URIRef, Node]


def document_iri(id: str) -> URIRef:
    """Return the IRI of a document: the same for the same id, and another for another; any id but lone surrogates."""
    return URIRef(f"urn:musnad:document:{quote(id, safe='')}")


def model_iri(model: Mapping[str, str]) -> URIRef:
    """Return the IRI of a model by its `name` and `version`."""
    return URIRef(f"urn:musnad:model:{quote(model['name'], safe='')}:{quote(model['version'], safe='')}")


def model_statements(model: Mapping[str, str]) -> Iterator[Statement]:
    """What is said of a model: its `name` and `version`."""
    iri = model_iri(model)
    yield iri, RDF.type, SCHEMA.SoftwareApplication
    yield iri, SCHEMA.name, Literal(model["name"])
    yield iri, SCHEMA.softwareVersion, Literal(model["version"])


def failure_statements(failure: Mapping[str, Any], position: int) -> Iterator[Statement]:
    """What became of a document that could not be done: its `id`, maybe None, and `error`, problem details.

    It is a blank node, as its id may be another document's. `position`: from 0, in the request.
    """
    node = BNode(f"document{position}")
    yield node, RDF.type, MUSNAD.Failure
    yield node, MUSNAD.position, Literal(position)
    if failure["id"] is not None:
        yield node, DCTERMS.identifier, Literal(failure["id"])
    yield node, MUSNAD.problem, URIRef(failure["error"]["type"])
    yield node, MUSNAD.detail, Literal(failure["error"]["detail"])


def graph_of(statements: Iterable[Statement]) -> Graph:
    """Return statements as a graph that knows PREFIXES."""
    graph = Graph(bind_namespaces="none")
    for prefix, namespace in PREFIXES.items():
        graph.bind(prefix, namespace)
    for statement in statements:
        graph.add(statement)
    return graph


def document_statements(document: Mapping[str, Any], model: Mapping[str, str]) -> Iterator[Statement]:
    """What is said of a document and of everything found in it, in the order of its lists."""
    iri = document_iri(document["id"])
    text = document["text"]
    yield iri, RDF.type, MUSNAD.Document
    yield iri, DCTERMS.identifier, Literal(document["id"])
    yield iri, MUSNAD.extractedBy, model_iri(model)
    context = _span(iri, 0, len(text))
    yield context, RDF.type, NIF.Context
    yield from _string(iri, context, 0, len(text))
    yield context, NIF.isString, Literal(text)
    yield context, NIF.referenceContext, context
    yield context, NIF.sourceUrl, iri
    for sentence in document["sentences"]:
        yield from _named_string(document, NIF.Sentence, sentence)
    for entity in document.get("entities", ()):
        yield from _entity(document, entity)
    for action in document.get("actions", ()):
        yield from _event(document, action)
    for triple in document.get("triples", ()):
        yield from _triple(iri, triple)


def _span(document: URIRef, start: int, end: int) -> URIRef:
    return URIRef(f"{document}#char={start},{end}")


def _part(document: URIRef, *names: str) -> URIRef:
    """The IRI of an entity, an event, or what is named by several; `names` have their commas encoded."""
    return URIRef(f"{document}#{','.join(quote(name, safe='') for name in names)}")


def _string(document: URIRef, string: URIRef, start: int, end: int) -> Iterator[Statement]:
    yield string, RDF.type, NIF.RFC5147String
    yield string, NIF.beginIndex, Literal(start, datatype=XSD.nonNegativeInteger)
    yield string, NIF.endIndex, Literal(end, datatype=XSD.nonNegativeInteger)


def _named_string(document: Mapping[str, Any], kind: URIRef, span: Mapping[str, Any]) -> Iterator[Statement]:
    iri = document_iri(document["id"])
    string = _span(iri, span["start"], span["end"])
    yield string, RDF.type, kind
    yield from _string(iri, string, span["start"], span["end"])
    yield string, NIF.anchorOf, Literal(document["text"][span["start"] : span["end"]])
    yield string, NIF.referenceContext, _span(iri, 0, len(document["text"]))


def _mention(document: Mapping[str, Any], thing: URIRef, span: Mapping[str, Any]) -> Iterator[Statement]:
    """What an entity or event is denoted by, after all else that is said of it."""
    yield thing, GAF.denotedBy, _span(document_iri(document["id"]), span["start"], span["end"])
    yield from _named_string(document, NIF.Phrase, span)


def _entity(document: Mapping[str, Any], entity: Mapping[str, Any]) -> Iterator[Statement]:
    iri = _part(document_iri(document["id"]), entity["id"])
    yield iri, RDF.type, MUSNAD.Entity
    yield iri, RDFS.label, _words(entity["name"])
    yield iri, MUSNAD.label, MUSNAD[entity["label"]]
    yield iri, MUSNAD.score, _decimal(entity["score"])
    if entity["value"] is not None:
        value = entity["value"]
        yield iri, MUSNAD.value, Literal(value) if isinstance(value, int) else _decimal(value)
    yield from _mention(document, iri, entity)


def _event(document: Mapping[str, Any], action: Mapping[str, Any]) -> Iterator[Statement]:
    own = document_iri(document["id"])
    iri = _part(own, action["id"])
    yield iri, RDF.type, SEM.Event
    yield iri, RDFS.label, _words(action["text"])
    yield iri, SEM.eventType, MUSNAD[action["class"]]
    yield iri, MUSNAD.factuality, MUSNAD[action["factuality"]]
    yield iri, MUSNAD.score, _decimal(action["score"])
    for name, fillers in action["roles"].items():
        for filler in fillers:
            entity = _part(own, filler["entity"])
            role = _part(own, action["id"], name, filler["entity"])
            yield iri, ROLE_PROPERTIES[name], entity
            yield iri, MUSNAD.role, role
            yield role, RDF.type, SEM.Role
            yield role, SEM.roleType, MUSNAD[name]
            yield role, RDF.value, entity
            yield role, MUSNAD.score, _decimal(filler["score"])
    yield from _mention(document, iri, action)


def _triple(document: URIRef, triple: Mapping[str, Any]) -> Iterator[Statement]:
    iri = _part(document, triple["actor"] or "", triple["action"], triple["target"] or "")
    yield iri, RDF.type, MUSNAD.Triple
    for end in ("actor", "action", "target"):
        if triple[end] is not None:
            yield iri, MUSNAD[end], _part(document, triple[end])
    yield iri, MUSNAD.score, _decimal(triple["score"])


def _decimal(number: float) -> Literal:
    """An xsd:decimal with the digits of the JSON: rdflib rounds an xsd:double to seven."""
    return Literal(Decimal(repr(float(number))))


def _words(words: str) -> Literal:
    """A label: in Arabic where its letters are, all of them; numerals and mixed scripts have no language."""
    arabic = _ARABIC_LETTER.search(words) and not _OTHER_LETTER.search(words)
    return Literal(words, lang="ar" if arabic else None)
