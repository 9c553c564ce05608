from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from markupsafe import Markup

from training.judging import plots
from training.judging.breakdown import Row, Slice
from training.judging.runs import Run
from training.judging.significance import compare_f1
from training.matching import Counts

SCORED = {"entity": [(0.9, True), (0.95, False), (0.3, False)], "role": [(1.0, True)], "triple": []}
RUNS = [
    Run("runs/a", ((1.0, {"eval_score": 0.5}), (2.0, {"eval_score": 0.6})), {}, 800, frozenset()),
    Run("_أول $x$", (), {"eval_score": 0.7}, 1600, frozenset()),
]


def slices() -> list[Slice]:
    rows = (Row("entities", Counts(1, 2, 2), 0.4, 0.6), Row("roles", Counts(0, 0, 0), 0.0, 0.0))
    return [Slice("politics_$1$", 3, rows), Slice("اقتصاد", 2, rows)]


def every_plot() -> dict[str, Markup]:
    one, other = [Counts(1, 1, 1)] * 5, [Counts(0, 1, 1)] * 5
    return {
        "reliability": plots.reliability(SCORED),
        "slices": plots.slices(slices(), "domain"),
        "differences": plots.differences({"roles": compare_f1(one, other, resamples=50)}),
        "curves": plots.learning_curves(RUNS),
        "size": plots.score_by_size(RUNS),
    }


@pytest.fixture(scope="module")
def drawn() -> dict[str, Markup]:
    return every_plot()


def texts(svg: Markup) -> list[str]:
    return [
        "".join(element.itertext()) for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("}text")
    ]


def test_every_plot_is_one_sound_element(drawn: dict[str, Markup]) -> None:
    for name, svg in drawn.items():
        root = ElementTree.fromstring(svg)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.get("role") == "img"
        assert root.get("aria-label"), name


def test_nothing_outside_is_referred_to(drawn: dict[str, Markup]) -> None:
    for svg in drawn.values():
        assert not re.search(r"<(?:style|script|image|metadata|a)\b", svg)
        references = {*re.findall(r'(?:url\(|href=")([^")]+)', svg)}
        assert references
        assert all(reference.startswith("#") for reference in references)
        ids = re.findall(r'\bid="([^"]+)"', svg)
        assert {f"#{name}" for name in ids} == references
        assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", svg)


def test_ids_are_unique_in_a_page_of_all_plots(drawn: dict[str, Markup]) -> None:
    ids = re.findall(r'\bid="([^"]+)"', "".join(drawn.values()))
    assert len(ids) == len(set(ids))


def test_colours_are_those_of_the_page(drawn: dict[str, Markup]) -> None:
    for svg in drawn.values():
        assert not re.findall(r"#[0-9a-f]{6}\b", svg)
        assert "currentColor" in svg


def test_text_stays_text(drawn: dict[str, Markup]) -> None:
    assert {"politics_$1$ (3)", "اقتصاد (2)", "entities", "roles"} <= {*texts(drawn["slices"])}
    assert {"runs/a", "\u200b_أول $x$ (final)"} <= {*texts(drawn["curves"])}
    assert {"runs/a", "_أول $x$"} <= {*texts(drawn["size"])}
    assert {"entity (n = 3)", "role (n = 1)"} <= {*texts(drawn["reliability"])}
    assert not any("triple" in text for text in texts(drawn["reliability"]))
    assert "DejaVu" not in "".join(drawn.values())


def test_the_same_data_gives_the_same_plot(drawn: dict[str, Markup]) -> None:
    assert every_plot() == drawn
