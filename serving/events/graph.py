"""Events as a graph: entities are nodes, and who did what to whom are edges with counts.

**Nodes.** Named entities (PER, ORG, LOC) of one merge key (`keys.py`) are one node, in whatever documents they stand;
its label is the one that most mentions have. Participants without a name (NOM, and a NUM that stands for victims) are
different ones in every document: those of one document with one key are a node. A node's mentions are its events.

**Edges.** An event is an edge from each of its actors to each of its targets; one with several actors and no target,
as «اتفقت إثيوبيا والصومال», is an edge *with* between every two of them. An event counts once for an edge.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations, product
from typing import TYPE_CHECKING, Any, NamedTuple

from model.labels import ENTITY_LABELS, NAME_LABELS
from serving.events.rows import EventRow, Filler

if TYPE_CHECKING:
    import networkx as nx


class Unnamed(StrEnum):
    """What becomes of participants without a name: a node in each document, one in all, or none."""

    SEPARATE = "separate"
    MERGE = "merge"
    OMIT = "omit"


class Relation(StrEnum):
    """What an edge says: done to someone, or together (or to each other), which has no direction."""

    TO = "to"
    WITH = "with"


class NodeKey(NamedTuple):
    """What makes a node one: whether it has a name, the document where it has none, the key of its name."""

    named: bool
    document: str
    name: str


class EdgeKey(NamedTuple):
    source: NodeKey
    target: NodeKey
    relation: Relation


@dataclass(slots=True)
class Node:
    """Mentions by label and by spelling, and in how many events it is an actor and a target."""

    labels: Counter[str] = field(default_factory=Counter)
    spellings: Counter[str] = field(default_factory=Counter)
    events: int = 0
    as_actor: int = 0
    as_target: int = 0
    alone: int = 0  #: events that are no edge, having no other end

    @property
    def label(self) -> str:
        """The label of most mentions; of two with as many, the first of ENTITY_LABELS."""
        return max(ENTITY_LABELS, key=lambda label: self.labels[label])

    @property
    def name(self) -> str:
        """The spelling of most mentions; of two with as many, the first by code points."""
        return min(self.spellings, key=lambda name: (-self.spellings[name], name))


@dataclass(slots=True)
class EventGraph:
    """Nodes, edges with their events, and what is not in them: `without_ends` events have no actor and no target."""

    nodes: dict[NodeKey, Node] = field(default_factory=dict)
    edges: dict[EdgeKey, list[EventRow]] = field(default_factory=dict)
    without_ends: int = 0
    alone: int = 0
    rare_edges: int = 0
    lonely_nodes: int = 0
    unnamed_left_out: int = 0

    def label_conflicts(self) -> Iterator[tuple[NodeKey, Node]]:
        """Nodes whose mentions have several labels."""
        return ((key, node) for key, node in self.nodes.items() if len(node.labels) > 1)

    def single_words(self) -> Iterator[tuple[NodeKey, Node]]:
        """Persons of one word, as «محمد»: the names that several people most likely share."""
        return ((key, node) for key, node in self.nodes.items() if single_word(key, node))


def single_word(key: NodeKey, node: Node) -> bool:
    """Whether a node is a person whose name is one word."""
    return key.named and node.label == "PER" and " " not in node.name


def build(
    rows: Iterable[EventRow], *, unnamed: Unnamed = Unnamed.SEPARATE, min_count: int = 1, isolated: bool = False
) -> EventGraph:
    """Return the graph of events; edges of fewer than `min_count` events are left out, and counted.

    So are nodes that no edge is left of, unless `isolated`.
    """
    graph = EventGraph()
    for row in rows:
        _add(graph, row, unnamed)
    rare = [key for key, events in graph.edges.items() if len(events) < min_count]
    for key in rare:
        del graph.edges[key]
    graph.rare_edges = len(rare)
    if not isolated:
        joined = {end for key in graph.edges for end in (key.source, key.target)}
        lonely = [key for key in graph.nodes if key not in joined]
        for node in lonely:
            del graph.nodes[node]
        graph.lonely_nodes = len(lonely)
    return graph


def _add(graph: EventGraph, row: EventRow, unnamed: Unnamed) -> None:
    ends: dict[str, list[NodeKey]] = {}
    for role in ("actor", "target"):
        ends[role] = []
        for filler in row.fillers[role]:
            if unnamed is Unnamed.OMIT and filler.label not in NAME_LABELS:
                graph.unnamed_left_out += 1
                continue
            key = _node_key(row, filler, unnamed)
            node = graph.nodes.setdefault(key, Node())
            node.labels[filler.label] += 1
            node.spellings[filler.name] += 1
            if key not in ends[role]:
                ends[role].append(key)
    actors, targets = ends["actor"], ends["target"]
    edges = _edges(actors, targets)
    for edge in edges:
        graph.edges.setdefault(edge, []).append(row)
    for key in actors:
        graph.nodes[key].as_actor += 1
    for key in targets:
        graph.nodes[key].as_target += 1
    everyone = {*actors, *targets}
    for key in everyone:
        graph.nodes[key].events += 1
        graph.nodes[key].alone += not edges
    graph.without_ends += not everyone
    graph.alone += bool(everyone) and not edges


def _node_key(row: EventRow, filler: Filler, unnamed: Unnamed) -> NodeKey:
    named = filler.label in NAME_LABELS
    own_document = row.document if not named and unnamed is Unnamed.SEPARATE else ""
    return NodeKey(named, own_document, filler.key)


def _edges(actors: list[NodeKey], targets: list[NodeKey]) -> list[EdgeKey]:
    if targets:
        return [EdgeKey(source, target, Relation.TO) for source, target in product(actors, targets)]
    return [EdgeKey(min(pair), max(pair), Relation.WITH) for pair in combinations(actors, 2)]


# ---------------------------------------------------------------------------------------------------------------------
# networkx


def node_ids(graph: EventGraph) -> dict[NodeKey, str]:
    """An id of each node, `n0`, `n1`, …: those in most events first, then by name."""
    order = sorted(graph.nodes, key=lambda key: (-graph.nodes[key].events, key.name, key))
    return {key: f"n{number}" for number, key in enumerate(order)}


def to_networkx(graph: EventGraph) -> nx.MultiDiGraph[str]:
    """Return the graph with attributes that GraphML and GEXF can hold; docs/events.md lists them.

    Raises ImportError without networkx (extra `cluster`).
    """
    import networkx as nx

    ids = node_ids(graph)
    out: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for key, id in ids.items():
        out.add_node(id, **_node_attributes(key, graph.nodes[key]))
    order = sorted(graph.edges, key=lambda key: (-len(graph.edges[key]), key))
    for edge in order:
        attributes = edge_attributes(edge, graph.edges[edge])
        out.add_edge(ids[edge.source], ids[edge.target], key=edge.relation.value, **attributes)
    return out


def _node_attributes(key: NodeKey, node: Node) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "label": node.name,
        "type": node.label,
        "types": counts(node.labels),
        "spellings": counts(node.spellings),
        "named": key.named,
        "single_word_person": single_word(key, node),
        "events": node.events,
        "as_actor": node.as_actor,
        "as_target": node.as_target,
        "alone": node.alone,
    }
    return attributes | ({"document": key.document} if key.document else {})


def edge_attributes(key: EdgeKey, events: list[EventRow]) -> dict[str, Any]:
    """Counts of an edge's events, and the first and last of their dates, where any has one."""
    dates = sorted(row.date for row in events if row.date is not None)
    attributes: dict[str, Any] = {
        "relation": key.relation.value,
        "weight": len(events),
        "classes": counts(Counter(row.event_class for row in events)),
        "factualities": counts(Counter(row.factuality for row in events)),
        "undated": len(events) - len(dates),
    }
    for quad, count in Counter(row.quad for row in events if row.quad is not None).items():
        attributes[quad.value.replace(" ", "_")] = count
    for event_class, count in Counter(row.event_class for row in events).items():
        attributes[event_class] = count
    return attributes | ({"first": dates[0], "last": dates[-1]} if dates else {})


def counts(counter: Counter[str]) -> str:
    """Counts as one text, the highest first: `ASSAULT 3; STATE 1`."""
    return "; ".join(f"{name} {count}" for name, count in sorted(counter.items(), key=lambda pair: (-pair[1], pair[0])))
