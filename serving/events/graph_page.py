"""The graph as one HTML file, which opens in a browser without a network: data, style, script and library in it.

Nothing can leave the file or come into it: its content-security policy allows the inline scripts and styles by their
digests, and no address at all. Names are data, never markup: they stand in a JSON block in which no `<` is left, and
the script sets them as text.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from serving.events.graph import EventGraph, node_ids, single_word
from serving.events.quads import QUADS
from serving.events.rows import EventRow

_OWN = Path(__file__).with_name("page")
_SERVICE = Path(__file__).parents[1] / "page" / "static"
_LIBRARY = _SERVICE / "vendor" / "cytoscape.esm.min.mjs"
_LICENCE = _SERVICE / "vendor" / "cytoscape.LICENSE.txt"
_LIBRARY_END = "export{Gh as default};"
#: In this order one script: they see each other's names.
_SCRIPTS = ("strings.js", "events.js", "drawing.js", "lists.js", "main.js")


def graph_page(graph: EventGraph, title: str) -> str:
    """Return the HTML of a graph, which says the same for the same graph and title."""
    library = _library()
    script = "\n".join((_OWN / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    style = "\n".join(path.read_text(encoding="utf-8") for path in (_SERVICE / "colours.css", _OWN / "graph.css"))
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_digest(library)} {_digest(script)}",
            f"style-src {_digest(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    parts = {
        "TITLE": html.escape(title),
        "POLICY": html.escape(policy),
        "STYLE": style,
        "LICENCE": _LICENCE.read_text(encoding="utf-8").strip(),
        "LIBRARY": library,
        "DATA": _inert(json.dumps(page_data(graph, title), ensure_ascii=False, separators=(",", ":"))),
        "SCRIPT": script,
    }
    return _filled((_OWN / "graph.html").read_text(encoding="utf-8"), parts)


def _filled(template: str, parts: dict[str, str]) -> str:
    """The template with `{{NAME}}` replaced; what is put in is not looked at again."""
    pieces = []
    for number, piece in enumerate(template.split("{{")):
        name, found, rest = piece.partition("}}")
        pieces.append(piece if number == 0 or not found else parts[name] + rest)
    return "".join(pieces)


def _library() -> str:
    """The vendored library, which is a module, as a script that leaves `cytoscape` behind; the file is its own."""
    source = _LIBRARY.read_text(encoding="utf-8").strip()
    if not source.endswith(_LIBRARY_END):
        raise RuntimeError(f"{_LIBRARY.name} does not end in {_LIBRARY_END}: another version of the library?")
    return f"globalThis.cytoscape=(()=>{{{source.removesuffix(_LIBRARY_END)}return Gh}})();"


def _digest(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def _inert(text: str) -> str:
    """JSON that cannot end its element, or open a comment, whatever its strings hold."""
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def page_data(graph: EventGraph, title: str) -> dict[str, Any]:
    """What the page's script reads: nodes, each event once, edges with the events that they have."""
    ids = node_ids(graph)
    numbers: dict[int, int] = {}
    events: list[dict[str, Any]] = []
    for rows in graph.edges.values():
        for row in rows:
            if id(row) not in numbers:
                numbers[id(row)] = len(events)
                events.append(_event(row))
    nodes = [
        {
            "id": ids[key],
            "name": node.name,
            "label": node.label,
            "labels": dict(node.labels),
            "spellings": dict(node.spellings),
            "document": key.document or None,
            "singleWord": single_word(key, node),
        }
        for key, node in sorted(graph.nodes.items(), key=lambda pair: int(ids[pair[0]][1:]))
    ]
    edges = [
        {
            "source": ids[key.source],
            "target": ids[key.target],
            "relation": key.relation.value,
            "events": [numbers[id(row)] for row in rows],
        }
        for key, rows in graph.edges.items()
    ]
    quads = {name: quad.value for name, quad in QUADS.items()}
    return {"title": title, "quads": quads, "nodes": nodes, "edges": edges, "events": events}


def _event(row: EventRow) -> dict[str, Any]:
    return {
        "document": row.document,
        "sentence": row.sentence,
        "date": row.date,
        "class": row.event_class,
        "factuality": row.factuality,
        "text": row.text,
        "score": row.score,
        "places": _names(filler.name for filler in row.fillers["place"]),
        "counts": _names(filler.text for filler in row.fillers["count"]),
    }


def _names(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
