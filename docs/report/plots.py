"""The plots of the report: python docs/report/plots.py EVENTS.csv FOLDER.

Needs matplotlib 3.11, the first that shapes Arabic; the letters are those of DejaVu Sans, which comes with it.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import matplotlib

matplotlib.use("svg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from model.labels import CLASSES, NAME_LABELS
from serving.events.quads import QUADS, Quad
from serving.events.rows import EventRow
from serving.events.tables import read_events

#: Of each quad category, and of STATE and OTHER, which have none.
COLOURS = {
    Quad.VERBAL_COOPERATION: "#2f7fb5",
    Quad.MATERIAL_COOPERATION: "#23682f",
    Quad.VERBAL_CONFLICT: "#c98a1b",
    Quad.MATERIAL_CONFLICT: "#ab2440",
    None: "#8d8a83",
}
ACTORS = 15


def by_class(rows: Iterable[EventRow], axes: Axes) -> None:
    """Events by class, in the order of the quad categories."""
    counts = Counter(row.event_class for row in rows)
    order = [*QUADS, *(name for name in CLASSES if name not in QUADS)]
    axes.bar(order, [counts[name] for name in order], color=[COLOURS[QUADS.get(name)] for name in order])
    axes.tick_params(axis="x", rotation=60)
    axes.set_ylabel("events")
    handles = [Rectangle((0, 0), 1, 1, color=colour) for colour in COLOURS.values()]
    axes.legend(handles, [quad.value if quad else "no PLOVER type" for quad in COLOURS], frameon=False)


def by_subject(rows: Iterable[EventRow], axes: Axes) -> None:
    """The share of each quad category, by what documents are about: the first part of their ids."""
    counts = Counter((row.document.rpartition("-")[0], row.quad) for row in rows)
    subjects = sorted({subject for subject, _ in counts}, reverse=True)
    left = dict.fromkeys(subjects, 0.0)
    for quad, colour in COLOURS.items():
        totals = {subject: sum(counts[subject, own] for own in COLOURS) for subject in subjects}
        shares = [100 * counts[subject, quad] / totals[subject] for subject in subjects]
        axes.barh(subjects, shares, left=list(left.values()), color=colour)
        left = {subject: before + share for (subject, before), share in zip(left.items(), shares, strict=True)}
    axes.set_xlabel("% of the events")
    axes.margins(x=0)


def top_actors(rows: Iterable[EventRow], axes: Axes) -> None:
    """The named actors of most events of PLOVER types, with what they did; each event counts for all its actors."""
    counts: dict[str, Counter[Quad]] = {}
    spellings: dict[str, Counter[str]] = {}
    for row in rows:
        for actor in {filler.key: filler for filler in row.fillers["actor"] if filler.label in NAME_LABELS}.values():
            if row.quad is not None:
                counts.setdefault(actor.key, Counter())[row.quad] += 1
                spellings.setdefault(actor.key, Counter())[actor.name] += 1
    top = sorted(counts, key=lambda key: (-counts[key].total(), key))[:ACTORS][::-1]
    left = [0] * len(top)
    for quad in Quad:
        own = [counts[key][quad] for key in top]
        axes.barh(range(len(top)), own, left=left, color=COLOURS[quad])
        left = [before + more for before, more in zip(left, own, strict=True)]
    axes.set_yticks(range(len(top)), [spellings[key].most_common(1)[0][0] for key in top])
    axes.set_xlabel("events")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def main() -> None:
    table, folder = (Path(argument) for argument in sys.argv[1:])
    rows = list(read_events(table))
    sentences = [row for row in rows if not row.document.endswith(".txt")]
    plt.rcParams.update({"svg.hashsalt": "musnad", "axes.spines.top": False, "axes.spines.right": False})
    for name, draw, own in (
        ("classes", by_class, rows),
        ("subjects", by_subject, sentences),
        ("actors", top_actors, rows),
    ):
        figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
        draw(own, axes)
        figure.savefig(folder / f"{name}.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
