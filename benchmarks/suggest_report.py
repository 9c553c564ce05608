"""What the arms of `benchmarks.suggest_simulation` need for the same triple F1: a table, and the curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

#: An arm's rounds, for each seed.
Runs = Mapping[str, Sequence[Sequence[Mapping[str, Any]]]]
Doubles = NDArray[np.float64]


def curve(runs: Sequence[Sequence[Mapping[str, Any]]], cost: str, judge: str) -> tuple[Doubles, Doubles]:
    """Means over the seeds, round by round, of what was annotated (`sentences` or `words`) and of triple F1."""
    spent = np.array([[row[cost] for row in rows] for rows in runs], dtype=np.float64)
    f1 = np.array([[row[judge]["triples"] for row in rows] for rows in runs], dtype=np.float64)
    return spent.mean(axis=0), f1.mean(axis=0)


def needed(spent: Doubles, f1: Doubles, target: float) -> float | None:
    """What is spent where a curve, straight between its points, first reaches `target`; None where it never does."""
    for place, reached in enumerate(f1):
        if reached >= target:
            if place == 0 or f1[place] == f1[place - 1]:
                return float(spent[place])
            part = (target - f1[place - 1]) / (f1[place] - f1[place - 1])
            return float(spent[place - 1] + part * (spent[place] - spent[place - 1]))
    return None


def savings(runs: Runs, arm: str, cost: str, judge: str) -> list[float | None]:
    """Share of the annotation that an arm saves to reach what `random` has after each of its rounds but the first."""
    spent, f1 = curve(runs["random"], cost, judge)
    own_spent, own_f1 = curve(runs[arm], cost, judge)
    found = []
    for place in range(1, len(f1)):
        own = needed(own_spent, own_f1, float(f1[place]))
        found.append(None if own is None else 1 - own / (needed(spent, f1, float(f1[place])) or spent[place]))
    return found


def savings_table(runs: Runs) -> Table:
    """Each arm's triple F1 round by round, and what it saves against `random`."""
    table = Table("judge", "arm", "", *(f"round {number}" for number in range(len(runs["random"][0]))))
    for judge in ("dev", "rest"):
        for arm, rounds in runs.items():
            spent, f1 = curve(rounds, "sentences", judge)
            words, _ = curve(rounds, "words", judge)
            table.add_row(judge, arm, "triple F1", *(f"{value:.3f}" for value in f1))
            table.add_row(
                "", "", "sentences / words", *(f"{a:.0f} / {b:.0f}" for a, b in zip(spent, words, strict=True))
            )
            for cost in ("sentences", "words") if arm != "random" else ():
                saved = savings(runs, arm, cost, judge)
                cells = ("never" if own is None else f"{own:.0%}" for own in saved)
                table.add_row("", "", f"{cost} saved to random's F1", "", *cells)
        table.add_section()
    return table


def plot(runs: Runs, path: Path) -> None:
    """Triple F1 on dev over sentences, and over words: the mean of the seeds, and each seed thin."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    with pyplot.rc_context({"svg.hashsalt": "musnad", "svg.fonttype": "none", "font.size": 9}):
        figure, panels = pyplot.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
        for panel, cost in zip(panels, ("sentences", "words"), strict=True):
            for number, (arm, rounds) in enumerate(runs.items()):
                for rows in rounds:
                    panel.plot(
                        [row[cost] for row in rows],
                        [row["dev"]["triples"] for row in rows],
                        color=f"C{number}",
                        linewidth=0.6,
                        alpha=0.5,
                    )
                panel.plot(*curve(rounds, cost, "dev"), color=f"C{number}", marker="o", markersize=3, label=arm)
            panel.set_xlabel(f"{cost} annotated")
            panel.grid(alpha=0.3)
        panels[0].set_ylabel("triple F1 on dev")
        panels[0].legend()
        figure.savefig(path, metadata={"Date": None})
        pyplot.close(figure)
