"""What the simulation says an arm saves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.suggest_report import needed, plot, savings, savings_table


def _rounds(*f1: float, step: int = 100, words: int = 20) -> list[dict[str, Any]]:
    own = enumerate(f1, start=1)
    return [
        {"sentences": n * step, "words": n * step * words, "dev": {"triples": f}, "rest": {"triples": f}}
        for n, f in own
    ]


RUNS = {
    "random": [_rounds(0.1, 0.2, 0.3, 0.4), _rounds(0.1, 0.2, 0.3, 0.4)],
    "quick": [_rounds(0.1, 0.3, 0.4, 0.5, words=30), _rounds(0.1, 0.3, 0.4, 0.5, words=30)],
    "slow": [_rounds(0.1, 0.15, 0.2, 0.25), _rounds(0.1, 0.15, 0.2, 0.25)],
}


def test_where_a_curve_reaches_a_target() -> None:
    spent, f1 = np.array([100.0, 200.0, 300.0]), np.array([0.1, 0.3, 0.2])
    assert needed(spent, f1, 0.2) == pytest.approx(150)
    assert needed(spent, f1, 0.1) == 100
    assert needed(spent, f1, 0.05) == 100
    assert needed(spent, f1, 0.31) is None


def test_what_is_saved_by_sentences_and_by_words() -> None:
    assert savings(RUNS, "quick", "sentences", "dev") == pytest.approx([1 - 150 / 200, 1 - 200 / 300, 1 - 300 / 400])
    assert savings(RUNS, "quick", "words", "dev") == pytest.approx([1 - 4500 / 4000, 1 - 6000 / 6000, 1 - 9000 / 8000])
    assert savings(RUNS, "slow", "sentences", "dev") == [pytest.approx(1 - 300 / 200), None, None]
    assert savings(RUNS, "random", "sentences", "rest") == pytest.approx([0, 0, 0])


def test_the_table_has_every_arm_and_judge() -> None:
    table = savings_table(RUNS)
    assert len(table.columns) == 7
    assert list(table.columns[1].cells).count("quick") == 2
    assert "never" in list(table.columns[6].cells)


def test_the_same_figures_give_the_same_picture(tmp_path: Path) -> None:
    plot(RUNS, tmp_path / "a.svg")
    plot(RUNS, tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert "triple F1 on dev" in (tmp_path / "a.svg").read_text(encoding="utf-8")
