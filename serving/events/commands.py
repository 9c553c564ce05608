"""Sub-commands `events` and `graph`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from model.console import fail, say
from model.labels import CLASSES, FACTUALITIES

if TYPE_CHECKING:
    from serving.events.graph import EventGraph
    from serving.events.selecting import Kept, Selection

app = typer.Typer()

#: Bad documents that are reported one by one; the rest is counted.
_SHOWN = 20


class Participants(StrEnum):
    """As `serving.events.graph.Unnamed`, which is not imported before it is needed."""

    SEPARATE = "separate"
    MERGE = "merge"
    OMIT = "omit"


def _class(value: str) -> str:
    return _one_of(value, CLASSES)


def _factuality(value: str) -> str:
    return _one_of(value, FACTUALITIES)


def _one_of(value: str, names: tuple[str, ...]) -> str:
    if value not in names:
        raise typer.BadParameter(f"{value!r} is not one of {', '.join(names)}")
    return value


def _reason(error: Exception, out: Path) -> str:
    """What went wrong, and with which file: never the temporary one beside the output."""
    if not isinstance(error, OSError) or error.strerror is None:
        return str(error)
    name = str(error.filename or out)
    return f"{out if name.endswith('.tmp') else name}: {error.strerror}"


@app.command()
def events(
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="DOCUMENTS", help="JSON lines of `predict` or `bulk`; or what `bulk` wrote to."),
    ],
    out: Annotated[Path, typer.Option(help="The table: .parquet or .csv; or PLOVER records: .json or .jsonl.")],
    date: Annotated[str | None, typer.Option(help="Date of documents that have none, ISO 8601.")] = None,
) -> None:
    """Turn documents into a table with one row an event.

    A document that cannot be used is reported, the others are done, and the
    exit status is then 1. docs/events.md lists the columns.
    """
    from serving.bulk.job import BulkError
    from serving.events.dates import DateError, iso_date
    from serving.events.documents import read_inputs
    from serving.events.making import make_table
    from serving.events.tables import TableError

    shown = 0

    def report(place: str, message: str) -> None:
        nonlocal shown
        shown += 1
        if shown <= _SHOWN:
            say(f"{place}: {message}")

    try:
        default = None if date is None else iso_date(date)
    except DateError as error:
        fail(f"--date: {error}")
    try:
        made = make_table(read_inputs(inputs), out, default, report)
    except (TableError, BulkError, OSError) as error:
        fail(_reason(error, out))
    if made.bad > _SHOWN:
        say(f"and {made.bad - _SHOWN:,} more documents that cannot be used")
    written = made.written
    left_out = f"; {written.left_out:,} of STATE and OTHER, no PLOVER types, left out" if written.left_out else ""
    say(f"{written.events:,} events of {made.documents:,} documents{left_out}; {made.bad:,} documents failed")
    raise typer.Exit(1 if made.bad else 0)


@app.command()
def graph(
    table: Annotated[Path, typer.Argument(metavar="EVENTS", help="The table of `musnad events`: .parquet or .csv.")],
    out: Annotated[Path, typer.Option(help="The graph: .html, .graphml or .gexf.")],
    event_class: Annotated[
        list[str] | None,
        typer.Option("--class", parser=_class, metavar="CLASS", help="Only events of this class; may be repeated."),
    ] = None,
    factuality: Annotated[
        list[str] | None,
        typer.Option(
            parser=_factuality, metavar="|".join(FACTUALITIES), help="Only events of this factuality; may be repeated."
        ),
    ] = None,
    min_score: Annotated[float, typer.Option(min=0.0, max=1.0, help="Least score of an action and of a role.")] = 0.0,
    since: Annotated[str | None, typer.Option(help="Only events from this day on, ISO 8601.")] = None,
    until: Annotated[str | None, typer.Option(help="Only events up to this day, which is included.")] = None,
    min_count: Annotated[int, typer.Option(min=1, help="Fewest events of an edge.")] = 1,
    unnamed: Annotated[
        Participants, typer.Option(help="Participants without a name: a node in each document, one in all, or none.")
    ] = Participants.SEPARATE,
    isolated: Annotated[bool, typer.Option("--isolated", help="Keep entities without an edge.")] = False,
    title: Annotated[str | None, typer.Option(help="Title of the HTML; by default the table's name.")] = None,
) -> None:
    """Draw who did what to whom: entities as nodes, events as edges.

    What is left out or merged is counted on standard error. docs/events.md
    has the rules.
    """
    from serving.events.graph import Unnamed, build
    from serving.events.graph_files import graph_form_of, write_graph
    from serving.events.selecting import Kept, Selection, select
    from serving.events.tables import TableError, read_events

    selection = Selection(
        classes=None if not event_class else frozenset(event_class),
        factualities=None if not factuality else frozenset(factuality),
        min_score=min_score,
        since=_day("--since", since),
        until=_day("--until", until),
    )
    kept = Kept()
    try:
        graph_form_of(out)
        rows = select(read_events(table), selection, kept)
        built = build(rows, unnamed=Unnamed(unnamed.value), min_count=min_count, isolated=isolated)
        write_graph(built, out, title or table.stem)
    except (TableError, OSError) as error:
        fail(_reason(error, out))
    _report(built, kept, selection, min_count)


def _day(option: str, text: str | None) -> str | None:
    from serving.events.dates import DateError, day_of, iso_date

    try:
        return None if text is None else day_of(iso_date(text))
    except DateError as error:
        fail(f"{option}: {error}")


def _report(built: EventGraph, kept: Kept, selection: Selection, min_count: int) -> None:
    """Say what became of the events, and which merging of names may be wrong."""
    say(f"{len(built.nodes):,} entities and {len(built.edges):,} edges of {kept.kept:,} events")
    spellings = sum(len(node.spellings) > 1 for node in built.nodes.values())
    conflicts = list(built.label_conflicts())
    overruled = sum(node.labels.total() - node.labels[node.label] for _, node in conflicts)
    singles = sum(1 for _ in built.single_words())
    left_out = ", ".join(f"{count:,} by {reason}" for reason, count in sorted(kept.left_out.items()))
    for count, what in (
        (kept.left_out.total(), f"events left out ({left_out})"),
        (kept.participants_left_out, f"participants left out that score below {selection.min_score}"),
        (built.without_ends, "events with nobody as actor or target, which are in no graph"),
        (built.alone, "events with one participant only, which are no edge"),
        (built.unnamed_left_out, "participants without a name left out"),
        (built.rare_edges, f"edges of fewer than {min_count} events left out"),
        (built.lonely_nodes, "entities without an edge left out (--isolated keeps them)"),
        (spellings, "entities with several spellings, merged"),
        (len(conflicts), f"entities with several labels: the most frequent stands, against {overruled:,} mentions"),
        (singles, "persons of one word, who may be several people"),
    ):
        if count:
            say(f"{count:,} {what}")
