"""What the benchmarks calculate from what they measure."""

from __future__ import annotations

import pytest

from benchmarks.contestants import CONTESTANTS, YARDSTICK, Contestant
from benchmarks.growth import Run, fit
from benchmarks.peak import operations_of
from benchmarks.runtimes import loses, many_shapes
from benchmarks.speed import Row, sample, table
from model.encoding import Window
from model.extractor import DEFAULT_CHECKPOINT, Extractor, read_config
from model.labels import CLASSES, CLITIC_LETTERS, FACTUALITIES, NAME_TAGS, REST_TAGS, ROLE_TAGS


def test_line_of_runs_that_lie_on_one() -> None:
    runs = [Run(count, 0.8 + 0.004 * count, 0) for count in (1, 10, 100, 1000, 100_000)]
    assert fit(runs) == pytest.approx((0.8, 0.004))


def test_short_runs_weigh_as_much_as_long_ones() -> None:
    begins, _ = fit([Run(1, 1.0, 0), Run(10, 1.01, 0), Run(100_000, 130.0, 0)])
    assert begins == pytest.approx(1.0, rel=0.01)


def test_operations_of_the_graph_are_those_of_its_sizes() -> None:
    pieces, words = 9, 5
    config = read_config(DEFAULT_CHECKPOINT)
    encoder = config["encoder"]
    width, inner, layers = (encoder[name] for name in ("hidden_size", "intermediate_size", "num_hidden_layers"))
    layer = pieces * (4 * width * width + 2 * width * inner) + 2 * pieces * pieces * width
    tags = len(NAME_TAGS) + len(REST_TAGS) + CLITIC_LETTERS + 1 + len(CLASSES) + len(FACTUALITIES)
    one = config["role_width"] + 1
    roles = 2 * words * width * (one - 1) + len(ROLE_TAGS) * (words * one * one + words * words * one)
    expected = 2 * (layers * layer + words * width * (width + tags) + roles)
    window = Window(0, words, (7,) * pieces, tuple(range(words)))
    assert operations_of([window, window]) == 2 * expected


def test_the_worse_of_entities_and_triples_decides() -> None:
    fp32 = {"entities": 85.0, "triples": 53.0, "roles": 70.0}
    assert loses({"entities": 84.9, "triples": 52.5, "roles": 10.0}, fp32) == pytest.approx(0.5)
    assert loses({"entities": 85.2, "triples": 53.1, "roles": 10.0}, fp32) == pytest.approx(-0.1)


def test_sentences_to_warm_up_with_are_others() -> None:
    chosen, others = sample(100)
    assert len(chosen) == len(others) == 100
    assert not set(chosen) & set(others)
    with pytest.raises(ValueError, match="--sentences 5000"):
        sample(5000)


def test_batches_of_many_shapes() -> None:
    encoder = Extractor.load(runtime="onnxruntime").encoder
    encoded = encoder.encode_many([(text, (0, len(text))) for text in sample(100)[0]])
    made = many_shapes(encoder, [window for sentence in encoded for window in encoder.windows(sentence)])
    assert len({batch.input_ids.shape for batch in made}) > 20
    assert {len(batch.input_ids) for batch in made} == set(range(1, 9))


def test_ratios_are_to_the_yardstick_and_what_is_missing_is_named() -> None:
    rows = {
        "musnad": Row("ours", "all", passes=[1.0, 1.0, 9.0], alone=[0.01], articles=[0.1], peak=2**20),
        YARDSTICK: Row("theirs", "names", passes=[12.0, 13.0, 12.0], alone=[0.1], articles=[1.0], peak=2**22),
        "spacy": Row("other", "names", installed=False),
    }
    columns = [list(column.cells) for column in table(rows, 120, "").columns]
    assert columns[1] == ["120.0", "10.0", "not installed"]
    assert columns[2][:2] == ["12.00", "1.00"]
    assert columns[4][:2] == ["0.25", "1.00"]


def test_a_package_that_is_not_there_is_not_installed() -> None:
    assert CONTESTANTS["musnad"].installed
    assert not Contestant("", "", CONTESTANTS["musnad"].load, package="no_such_package_of_ours").installed
