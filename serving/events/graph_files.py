"""The graph in files: GraphML and GEXF for Gephi, Cytoscape, networkx and igraph; HTML for everybody."""

from __future__ import annotations

import os
import re
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from serving.events.graph import EventGraph, to_networkx
from serving.events.tables import EXTRA, TableError

#: What XML 1.0 cannot hold at all, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class GraphForm(StrEnum):
    """What a file of a graph holds, by its ending."""

    GRAPHML = ".graphml"
    GEXF = ".gexf"
    HTML = ".html"


def graph_form_of(path: Path) -> GraphForm:
    """The form of a file by its ending; raises TableError for another ending, and for XML without networkx."""
    try:
        form = GraphForm(path.suffix.lower())
    except ValueError:
        raise TableError(f"{path}: a graph ends in {', '.join(GraphForm)}") from None
    if form is not GraphForm.HTML and find_spec("networkx") is None:
        raise TableError(f"{path}: a graph in {form.value[1:]} {EXTRA}")
    return form


def write_graph(graph: EventGraph, path: Path, title: str) -> None:
    """Write a graph in the form of its file's ending, whole or not at all. Raises TableError, and OSError."""
    form = graph_form_of(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        if form is GraphForm.HTML:
            from serving.events.graph_page import graph_page

            temporary.write_text(graph_page(graph, title), encoding="utf-8", newline="\n")
        else:
            _write_xml(graph, temporary, form)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _write_xml(graph: EventGraph, path: Path, form: GraphForm) -> None:
    import networkx as nx

    out = to_networkx(graph)
    for _, attributes in out.nodes(data=True):
        attributes.update(_xml(attributes))
    for _, _, attributes in out.edges(data=True):
        attributes.update(_xml(attributes))
    if form is GraphForm.GRAPHML:
        nx.write_graphml_xml(out, path, encoding="utf-8")
    else:
        nx.write_gexf(out, path, encoding="utf-8")


def _xml(attributes: dict[str, Any]) -> dict[str, Any]:
    """The attributes, with U+FFFD for characters that XML has no place for."""
    return {name: _NOT_XML.sub("\ufffd", own) if isinstance(own, str) else own for name, own in attributes.items()}
