"""RDF as text: Turtle and JSON-LD, document by document, always in the same order."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any

from rdflib import XSD, BNode, Literal, URIRef
from rdflib.plugins.serializers.jsonld import Converter
from rdflib.plugins.serializers.turtle import TurtleSerializer
from rdflib.plugins.shared.jsonld.context import Context
from rdflib.term import Node

from serving.problems import invalid_fields
from serving.rdf import (
    MUSNAD,
    NIF,
    PREFIXES,
    Statement,
    document_statements,
    failure_statements,
    graph_of,
    model_statements,
)

TURTLE = "text/turtle"
JSON_LD = "application/ld+json"

_PREFIX_LINES = "".join(f"@prefix {prefix}: <{namespace}> .\n" for prefix, namespace in PREFIXES.items()).encode()
_PREFIX_OF = {namespace: prefix for prefix, namespace in PREFIXES.items()}
#: The JSON-LD context: the prefixes of Turtle, and what makes numbers strings of their digits.
CONTEXT: dict[str, Any] = {
    **PREFIXES,
    "nif:beginIndex": {"@id": str(NIF.beginIndex), "@type": str(XSD.nonNegativeInteger)},
    "nif:endIndex": {"@id": str(NIF.endIndex), "@type": str(XSD.nonNegativeInteger)},
    "musnad:score": {"@id": str(MUSNAD.score), "@type": str(XSD.decimal)},
}


def serialize(documents: Sequence[Mapping[str, Any]], form: str, model: Mapping[str, str]) -> bytes:
    """Return documents as RDF, in `form` TURTLE or JSON_LD.

    `documents` are as `select` gives them, offsets in code points; one that failed has `id` and `error`. `model` has
    `name` and `version`. Takes time linear in what was found, and belongs in a thread. Raises Problem
    `invalid-request` where two documents of different texts have one id, and so one IRI.
    """
    write = {TURTLE: _turtle, JSON_LD: _json_ld}[form]
    return b"".join(write(_parts(documents, model)))


def _parts(documents: Sequence[Mapping[str, Any]], model: Mapping[str, str]) -> Iterator[list[Statement]]:
    """What is said of the model, and of each document; a text that comes twice under one id comes once."""
    if documents:
        yield list(model_statements(model))
    first: dict[str, int] = {}
    for position, document in enumerate(documents):
        if "error" in document:
            yield list(failure_statements(document, position))
            continue
        same = first.setdefault(document["id"], position)
        if same == position:
            yield list(document_statements(document, model))
        elif documents[same]["text"] != document["text"]:
            raise invalid_fields([(f"documents[{position}].id", f"the same as documents[{same}].id")])


def _subjects(statements: Sequence[Statement]) -> list[Node]:
    """Each subject once, in order; a graph has none."""
    return list(dict.fromkeys(subject for subject, _, _ in statements))


class _Turtle(TurtleSerializer):
    """Without prefixes, in the order in which the graph was made, and strings on one line each."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        super().__init__(graph_of(statements))
        self._order = _subjects(statements)

    def startDocument(self) -> None:  # noqa: N802  # rdflib's name
        """Write nothing."""

    def orderSubjects(self) -> list[Node]:  # noqa: N802  # rdflib's name
        return self._order

    def get_pname(self, uri: Node, gen_prefix: bool = True) -> str | None:
        return _pname(uri) if isinstance(uri, URIRef) else None  # rdflib's own takes most of its time

    def label(self, node: Node, position: int) -> str:
        # rdflib puts text with a newline between three quotes each, and one that ends in \" it ends wrongly
        if isinstance(node, Literal) and node.datatype is None:
            return _quoted(node) + (f"@{node.language}" if node.language else "")
        return super().label(node, position)


def _pname(iri: str) -> str | None:
    """The IRI of a term with a prefix in place of its namespace; None for what is no term."""
    namespace, hash, name = iri.rpartition("#")
    if not hash:
        namespace, hash, name = iri.rpartition("/")
    prefix = _PREFIX_OF.get(namespace + hash)
    return f"{prefix}:{name}" if prefix is not None and name.isidentifier() else None


_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})


def _quoted(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"'


def _turtle(parts: Iterator[list[Statement]]) -> Iterator[bytes]:
    yield _PREFIX_LINES
    for statements in parts:
        stream = BytesIO()
        _Turtle(statements).serialize(stream)
        yield stream.getvalue().rstrip(b"\n") + b"\n"


def _json_ld(parts: Iterator[list[Statement]]) -> Iterator[bytes]:
    yield b'{"@context":' + _json(CONTEXT) + b',"@graph":['
    separator = b""
    for statements in parts:
        for node in _nodes(statements):
            yield separator + _json(node)
            separator = b","
    yield b"]}\n"


def _nodes(statements: Sequence[Statement]) -> list[dict[str, Any]]:
    """The JSON-LD of each subject, in order."""
    converter = Converter(Context(CONTEXT), False, False)
    converter.use_native_types = False  # those who read JSON's numbers as doubles would round them
    nodes = {str(node["@id"]): node for node in converter.from_graph(graph_of(statements))}
    names = (subject.n3() if isinstance(subject, BNode) else str(subject) for subject in _subjects(statements))
    return [nodes[name] for name in names]


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
