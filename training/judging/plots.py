"""Plots as inline SVG whose colours are those of the page, light or dark, and whose text the browser sets.

Text stays text, so that Arabic names are shaped and ordered by the browser. Nothing in the SVG refers outside it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

import matplotlib
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.judging.breakdown import Slice
from training.judging.runs import SCORE, Run
from training.judging.significance import Difference, Verdict

_SVG = "http://www.w3.org/2000/svg"
_LINK = "http://www.w3.org/1999/xlink"

# what matplotlib is told to draw with, and what becomes of it
_TEXT, _MUTED, _FAINT = "#010101", "#010102", "#020202"
_SERIES = tuple(f"#0{number}0304" for number in range(1, 9))
_COLOURS = {_TEXT: "currentColor", _MUTED: "var(--muted)", _FAINT: "var(--line)"} | {
    colour: f"var(--series-{number})" for number, colour in enumerate(_SERIES, start=1)
}
_LINES = ("-", "--", ":", "-.")

#: Any: what the type stubs want of the keys differs between versions of matplotlib.
_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "musnad",
    "font.size": 9,
    "text.color": _TEXT,
    "axes.edgecolor": _FAINT,
    "axes.labelcolor": _TEXT,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _TEXT,
    "ytick.color": _TEXT,
    "grid.color": _FAINT,
    "grid.linewidth": 0.6,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": f"cycler(color={list(_SERIES)!r})",
    "legend.frameon": False,
}


def reliability(scored: dict[str, Sequence[tuple[float, bool]]], bins: int = 10) -> Markup:
    """Share right by score, a panel for each kind: points on the diagonal are calibrated (Guo et al. 2017).

    Bins of equal width, as of `expected_calibration_error`; below, the share of all items in each bin.
    """
    with matplotlib.rc_context(_SETTINGS):
        kinds = [kind for kind, own in scored.items() if own]
        figure = Figure(figsize=(2.6 * len(kinds), 3.2), layout="constrained")
        rows = figure.subplots(2, len(kinds), squeeze=False, sharex=True, height_ratios=(4, 1))
        for column, kind in enumerate(kinds):
            _reliability_panel(rows[0][column], rows[1][column], kind, scored[kind], bins)
        rows[0][0].set_ylabel("share right")
        rows[1][0].set_ylabel("share of all")
        return _svg(figure, "reliability", "Share right by score: " + ", ".join(kinds))


def _reliability_panel(upper: Axes, lower: Axes, kind: str, scored: Sequence[tuple[float, bool]], bins: int) -> None:
    binned: dict[int, list[tuple[float, bool]]] = {}
    for score, right in scored:
        binned.setdefault(min(int(score * bins), bins - 1), []).append((score, right))
    points = [
        (sum(score for score, _ in own) / len(own), sum(right for _, right in own) / len(own))
        for _, own in sorted(binned.items())
    ]
    upper.plot([0, 1], [0, 1], color=_MUTED, linestyle="--", linewidth=1)
    upper.plot([x for x, _ in points], [y for _, y in points], color=_SERIES[0], marker="o", markersize=4)
    upper.set(title=f"{kind} (n = {len(scored)})", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    places = sorted(binned)
    shares = [len(binned[place]) / len(scored) for place in places]
    lower.bar([(place + 0.5) / bins for place in places], shares, width=0.8 / bins, color=_SERIES[0])
    lower.set(xlabel="score", ylim=(0, max(shares) * 1.1))


def slices(own: Sequence[Slice], title: str) -> Markup:
    """F1 of every measure in each slice, with its bootstrap interval."""
    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(8.4, 1.0 + 0.42 * len(own)), layout="constrained")
        axes = figure.subplots()
        measures = [row.name for row in own[0].rows]
        for place, measure in enumerate(measures):
            rows = [(index, row) for index, part in enumerate(own) for row in part.rows if row.name == measure]
            # a slice with nothing to find and nothing found has no F1
            rows = [(index, row) for index, row in rows if row.counts.gold or row.counts.predicted]
            heights = [index + (place - (len(measures) - 1) / 2) * 0.2 for index, _ in rows]
            values = [100 * row.counts.f1 for _, row in rows]
            low = [max(0.0, value - 100 * row.low) for value, (_, row) in zip(values, rows, strict=True)]
            high = [max(0.0, 100 * row.high - value) for value, (_, row) in zip(values, rows, strict=True)]
            axes.errorbar(values, heights, xerr=[low, high], fmt="o", markersize=4, linewidth=1.2, label=measure)
        axes.set_yticks(range(len(own)), [f"{part.name} ({part.sentences})" for part in own], parse_math=False)
        axes.set(xlim=(0, 100), ylim=(len(own) - 0.5, -0.5), xlabel="F1, percent")
        axes.grid(visible=False, axis="y")
        figure.legend(loc="outside upper center", ncols=len(measures))
        return _svg(figure, f"slices-{title}", f"F1 by {title}")


def differences(own: dict[str, Difference]) -> Markup:
    """Differences of F1 with their intervals; what is significant is filled."""
    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(6.4, 0.8 + 0.36 * len(own)), layout="constrained")
        axes = figure.subplots()
        axes.axvline(0, color=_TEXT, linewidth=0.8)
        colours = {Verdict.BETTER: _SERIES[2], Verdict.WORSE: _SERIES[1], Verdict.UNKNOWN: _SERIES[0]}
        for height, one in enumerate(own.values()):
            bars = [[100 * max(0.0, one.difference - one.low)], [100 * max(0.0, one.high - one.difference)]]
            axes.errorbar(
                [100 * one.difference],
                [height],
                xerr=bars,
                fmt="o",
                markersize=6,
                color=colours[one.verdict],
                fillstyle="none" if one.verdict is Verdict.UNKNOWN else "full",
            )
        axes.set_yticks(range(len(own)), list(own))
        axes.set(ylim=(len(own) - 0.5, -0.5), xlabel="difference of F1, percent points")
        axes.grid(visible=False, axis="y")
        return _svg(figure, "differences", "Differences of F1 with their intervals")


def learning_curves(runs: Sequence[Run]) -> Markup:
    """The dev score of each run after each epoch; a run of which only the end is known is a level line."""
    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(7.2, 3.4), layout="constrained")
        axes = figure.subplots()
        for number, run in enumerate(runs):
            style: Any = {
                "color": _SERIES[number % len(_SERIES)],
                "linestyle": _LINES[number // len(_SERIES) % len(_LINES)],
            }
            points = [(epoch, 100 * figures[SCORE]) for epoch, figures in run.epochs]
            if points:
                axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=_plain(run.name), **style)
            elif SCORE in run.final:
                axes.axhline(100 * run.final[SCORE], label=f"{_plain(run.name)} (final)", **style)
        axes.set(xlabel="epoch", ylabel="dev score, percent")
        axes.legend(loc="lower right")
        return _svg(figure, "learning", "Dev score after each epoch, by run")


def score_by_size(runs: Sequence[Run]) -> Markup:
    """The best dev score of each run by the examples of an epoch."""
    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(7.2, 3.0), layout="constrained")
        axes = figure.subplots()
        points = sorted((run.examples or 0, 100 * run.best[SCORE], run.name) for run in runs)
        axes.plot([size for size, _, _ in points], [score for _, score, _ in points], marker="o", color=_SERIES[0])
        for size, score, name in points:
            axes.annotate(name, (size, score), textcoords="offset points", xytext=(4, -10), parse_math=False)
        axes.set(xlabel="examples an epoch", ylabel="best dev score, percent")
        return _svg(figure, "size", "Best dev score by examples an epoch")


def _plain(name: str) -> str:
    """A name for a legend as it is: dollars are no mathematics, and a leading underscore does not hide it."""
    return re.sub(r"^_", "\u200b_", name.replace("$", r"\$"))


def _svg(figure: Figure, name: str, title: str) -> Markup:
    """The figure as an SVG element with the page's colours and ids of its own."""
    written = io.BytesIO()
    figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    root = ElementTree.fromstring(written.getvalue())
    for parent in list(root.iter()):
        for child in list(parent):
            # a style element would hold for the whole page
            if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
                parent.remove(child)
    _own_ids(root, name)
    for length in ("width", "height"):
        root.attrib.pop(length, None)
    width = float(root.attrib["viewBox"].split()[2])
    root.set("style", f"max-width:{width * 96 / 72:.0f}px;stroke-linejoin:round;stroke-linecap:butt")
    root.set("role", "img")
    root.set("aria-label", title)
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _LINK)
    text = ElementTree.tostring(root, encoding="unicode")
    for colour, own in _COLOURS.items():
        text = text.replace(colour, own)
    # matplotlib's own font is only measured with
    text = re.sub(r"font-family: [^;\"]*;? ?", "", text)
    return Markup(re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", text))


def _own_ids(root: ElementTree.Element, name: str) -> None:
    """Leave only the ids that something refers to, and make them the figure's own in a page of several."""
    used = {*re.findall(r'(?:url\(|href=")#([^")]+)', ElementTree.tostring(root, encoding="unicode"))}
    for element in root.iter():
        own = element.attrib.pop("id", None)
        if own in used:
            element.set("id", f"{name}-{own}")
        for key, value in element.attrib.items():
            if key == f"{{{_LINK}}}href":
                element.set(key, value.replace("#", f"#{name}-", 1))
            elif "url(#" in value:
                element.set(key, value.replace("url(#", f"url(#{name}-"))
