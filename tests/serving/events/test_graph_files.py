"""GraphML and GEXF: what networkx reads back, and what XML cannot hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from event_samples import RAID, TALKS, between, rows

from serving.events import graph_files
from serving.events.graph import build
from serving.events.graph_files import write_graph
from serving.events.tables import TableError

nx = pytest.importorskip("networkx")


@pytest.mark.parametrize(("ending", "read"), [("graphml", nx.read_graphml), ("gexf", nx.read_gexf)])
def test_a_graph_is_read_back_with_counts_and_dates(tmp_path: Path, ending: str, read: object) -> None:
    path = tmp_path / f"graph.{ending}"
    events = [
        between("روسيا", "أوكرانيا", date="2024-05-02"),
        between("روسيا", "أوكرانيا", date="2024-05-09", event_class="THREATEN"),
        between("روسيا", "أوكرانيا", event_class="STATE"),
        *rows((TALKS, "2024-05-01"), (RAID, None)),
    ]
    graph = build(events)
    write_graph(graph, path, "عنوان")
    assert callable(read)
    found = read(path)
    assert (found.number_of_nodes(), found.number_of_edges()) == (len(graph.nodes), len(graph.edges)) == (7, 5)
    ids = {data["label"]: id for id, data in found.nodes(data=True)}
    node = found.nodes[ids["روسيا"]]
    assert (node["type"], node["events"], node["named"], node["spellings"]) == ("LOC", 3, True, "روسيا 3")
    assert found.nodes[ids["مسلحين"]]["document"] == "talks"
    ((_, _, edge),) = [each for each in found.edges(data=True) if each[:2] == (ids["روسيا"], ids["أوكرانيا"])]
    assert (edge["weight"], edge["classes"]) == (3, "ASSAULT 1; STATE 1; THREATEN 1")
    assert (edge["material_conflict"], edge["verbal_conflict"], edge["ASSAULT"]) == (1, 1, 1)
    assert (edge["first"], edge["last"], edge["undated"]) == ("2024-05-02", "2024-05-09", 1)


@pytest.mark.parametrize("ending", ["graphml", "gexf"])
def test_names_that_xml_cannot_hold(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"graph.{ending}"
    write_graph(build([between("أ\x01\uffff<&>\"'", "ب")]), path, "x")
    found = nx.read_graphml(path) if ending == "graphml" else nx.read_gexf(path)
    assert sorted(data["label"] for _, data in found.nodes(data=True)) == ["أ\ufffd\ufffd<&>\"'", "ب"]


def test_other_endings_and_a_missing_networkx_are_clear_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = build([between("أ", "ب")])
    with pytest.raises(TableError, match=r"a graph ends in .graphml, .gexf, .html"):
        write_graph(graph, tmp_path / "graph.svg", "x")
    monkeypatch.setattr(graph_files, "find_spec", lambda name: None)
    with pytest.raises(TableError, match=r"graph.gexf: a graph in gexf needs the extra `cluster`: pip install"):
        write_graph(graph, tmp_path / "graph.gexf", "x")
    write_graph(graph, tmp_path / "graph.html", "x")
    assert [entry.name for entry in tmp_path.iterdir()] == ["graph.html"]
