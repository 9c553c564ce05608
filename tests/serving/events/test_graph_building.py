"""Which mentions are one node, and which events are one edge."""

from __future__ import annotations

import pytest
from event_samples import RAID, TALKS, between, rows

from serving.events.graph import EventGraph, Relation, Unnamed, build
from serving.events.selecting import Kept, Selection, select


def shown(graph: EventGraph) -> dict[tuple[str, str, str], int]:
    """Edges by the names of their ends, with their numbers of events."""
    return {
        (graph.nodes[key.source].name, key.relation.value, graph.nodes[key.target].name): len(events)
        for key, events in graph.edges.items()
    }


def test_every_actor_with_every_target_and_actors_with_each_other_where_there_is_none() -> None:
    graph = build(rows((TALKS, None), (RAID, None)))
    assert shown(graph) == {
        ("أيمن الصفدي", "with", "بدر عبد العاطي"): 1,
        ("أيمن الصفدي", "to", "مسلحين"): 1,
        ("بدر عبد العاطي", "to", "مسلحين"): 1,
        ("الجيش السوداني", "to", "الفاشر"): 1,
    }
    assert (graph.alone, graph.without_ends) == (1, 0)  # the statement of the army


def test_spellings_of_one_name_are_one_node_under_the_most_frequent() -> None:
    graph = build([between("أحمد الشرع", "ابوظبي"), between("احمد الشرع", "أبو ظبي"), between("أحمد الشرع", "أبو ظبي")])
    assert shown(graph) == {("أحمد الشرع", "to", "أبو ظبي"): 3}
    (actor, target) = graph.nodes.values()
    assert dict(actor.spellings) == {"أحمد الشرع": 2, "احمد الشرع": 1}
    assert (actor.events, actor.as_actor, target.as_target) == (3, 3, 3)


def test_the_part_of_a_name_is_another_node() -> None:
    graph = build([between("جو بايدن", "كييف"), between("بايدن", "كييف")])
    assert len(graph.nodes) == 3


def test_the_label_of_most_mentions_stands_and_the_conflict_is_counted() -> None:
    events = [between("واشنطن", "طهران"), between("واشنطن", "طهران"), between("واشنطن", "طهران", label="ORG")]
    graph = build(events)
    assert {node.name: node.label for node in graph.nodes.values()} == {"واشنطن": "LOC", "طهران": "LOC"}
    conflicts = {node.name: dict(node.labels) for _, node in graph.label_conflicts()}
    assert conflicts == {"واشنطن": {"LOC": 2, "ORG": 1}, "طهران": {"LOC": 2, "ORG": 1}}


def test_of_labels_as_frequent_the_first_of_the_inventory_stands() -> None:
    graph = build([between("جورجيا", "روسيا"), between("جورجيا", "روسيا", label="PER")])
    assert {node.label for node in graph.nodes.values()} == {"PER"}


@pytest.mark.parametrize(
    ("unnamed", "nodes", "left_out"), [(Unnamed.SEPARATE, 4, 0), (Unnamed.MERGE, 2, 0), (Unnamed.OMIT, 0, 4)]
)
def test_participants_without_a_name_are_others_in_each_document(unnamed: Unnamed, nodes: int, left_out: int) -> None:
    events = [between("مسلحون", "جنود", label="NOM", id=id) for id in ("a", "b")]
    graph = build(events, unnamed=unnamed)
    assert (len(graph.nodes), graph.unnamed_left_out) == (nodes, left_out)


def test_a_name_and_the_same_noun_without_one_are_two_nodes() -> None:
    graph = build([between("الجيش", "حلب"), between("الجيش", "حلب", label="NOM")])
    assert len(graph.nodes) == 4


def test_persons_of_one_word_are_told() -> None:
    graph = build([between("محمد", "سعيد علي", label="PER"), between("بغداد", "دمشق")])
    assert [node.name for _, node in graph.single_words()] == ["محمد"]


def test_an_event_counts_once_for_an_edge_whatever_the_spellings_in_it() -> None:
    graph = build([between(["أحمد الشرع", "احمد الشرع"], "حلب")])
    assert shown(graph) == {("أحمد الشرع", "to", "حلب"): 1}
    assert [node.events for node in graph.nodes.values()] == [1, 1]


def test_together_has_no_direction() -> None:
    graph = build([between(["قطر", "مصر"], None), between(["مصر", "قطر"], None)])
    ((key, events),) = graph.edges.items()
    assert (key.relation, len(events)) == (Relation.WITH, 2)


def test_rare_edges_and_what_then_stands_alone_are_left_out_and_counted() -> None:
    events = [between("أ", "ب"), between("أ", "ب"), between("أ", "ج"), between("د", None)]
    graph = build(events, min_count=2)
    assert shown(graph) == {("أ", "to", "ب"): 2}
    assert (graph.rare_edges, graph.lonely_nodes, graph.alone) == (1, 2, 1)
    assert len(build(events, min_count=2, isolated=True).nodes) == 4


def selected(selection: Selection) -> tuple[list[str], Kept]:
    kept = Kept()
    events = [
        between("أ", "ب", id="undated", score=0.2),
        between("أ", "ب", id="may", date="2024-05-01T23:00:00-05:00"),
        between("أ", "ب", id="june", date="2024-06-01", event_class="AID"),
    ]
    return [row.document for row in select(events, selection, kept)], kept


@pytest.mark.parametrize(
    ("selection", "left", "reasons"),
    [
        (Selection(), ["undated", "may", "june"], {}),
        (Selection(classes=frozenset({"AID"})), ["june"], {"class": 2}),
        (Selection(factualities=frozenset({"negated"})), [], {"factuality": 3}),
        (Selection(min_score=0.5), ["may", "june"], {"score": 1}),
        (Selection(since="2024-05-01", until="2024-05-01"), ["may"], {"no date": 1, "date": 1}),
        (Selection(until="2024-06-01"), ["may", "june"], {"no date": 1}),
    ],
)
def test_events_are_selected_and_what_is_left_out_is_counted(
    selection: Selection, left: list[str], reasons: dict[str, int]
) -> None:
    found, kept = selected(selection)
    assert found == left
    assert dict(kept.left_out) == reasons
    assert (kept.events, kept.kept) == (3, len(left))


def test_a_participant_of_low_score_is_left_out_and_the_event_stays() -> None:
    kept = Kept()
    (meeting, threat) = select(rows((TALKS, None)), Selection(min_score=0.65), kept)
    assert [own.score for own in meeting.fillers["actor"]] == [0.8, 0.7]
    assert meeting.fillers["place"] == ()
    assert threat.fillers["actor"] == ()
    assert kept.participants_left_out == 3
