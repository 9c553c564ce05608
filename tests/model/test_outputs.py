from __future__ import annotations

import numpy as np
import pytest

from model.encoding import Window
from model.outputs import HEADS, Floats, PairBlock, WordLogits, merge

SIZES = {"names": 7, "rest": 7, "clitics": 4, "classes": 18, "factuality": 3}


def window(first: int, last: int) -> Window:
    return Window(first, last, tuple(range(last - first + 2)), tuple(range(1, last - first + 1)))


def marked(own: Window, mark: float, padding: int = 3) -> dict[str, Floats]:
    """Outputs of a window in a padded batch: `mark` in every logit of a word, NaN in the padding."""
    size = own.last - own.first
    row = {head: np.full((size + padding, width), np.nan, dtype=np.float32) for head, width in SIZES.items()}
    for values in row.values():
        values[:size] = mark
    roles = np.full((size + padding, size + padding, 5), np.nan, dtype=np.float32)
    roles[:size, :size] = mark
    return {**row, "roles": roles}


def test_heads_are_the_fields_of_the_outputs() -> None:
    assert set(HEADS) == {*SIZES, "roles"}


def test_one_window_is_read_as_it_is() -> None:
    own = window(0, 4)
    logits = merge([own], [marked(own, 2.0)])
    for head, width in SIZES.items():
        np.testing.assert_array_equal(getattr(logits, head), np.full((4, width), 2.0))
    np.testing.assert_array_equal(logits.roles(np.array([0, 3]), np.array([1, 2, 3])), np.full((2, 3, 5), 2.0))


def test_each_word_is_read_where_it_stands_farthest_from_a_border() -> None:
    windows = [window(0, 10), window(5, 15), window(10, 20)]
    logits = merge(windows, [marked(own, float(mark)) for mark, own in enumerate(windows)])
    # 7 is two words from a border in both of the first windows; the earlier one is kept
    np.testing.assert_array_equal(logits.names[:, 0], [0] * 8 + [1] * 5 + [2] * 7)
    assert not np.isnan(logits.classes).any()


def test_a_pair_is_read_where_both_words_stand_farthest_from_a_border() -> None:
    windows = [window(0, 10), window(5, 15)]
    logits = merge(windows, [marked(own, float(mark)) for mark, own in enumerate(windows)])
    read = logits.roles(np.array([2, 6, 9]), np.array([4, 8, 12]))[..., 1]
    assert read[0].tolist() == [0, 0, -1e4]  # words 2 and 12 share no window
    assert read[1].tolist() == [0, 0, 1]
    assert read[2].tolist() == [0, 1, 1]


def test_words_that_share_no_window_have_no_role() -> None:
    block = np.zeros((5, 5, 5), dtype=np.float32)
    empty = {head: np.zeros((10, width), dtype=np.float32) for head, width in SIZES.items()}
    logits = WordLogits(**empty, blocks=(PairBlock(0, 5, block), PairBlock(5, 10, block)))
    pair = logits.roles(np.array([1]), np.array([8]))[0, 0]
    assert pair.argmax() == 0
    assert np.exp(pair - pair.max())[1:].sum() == pytest.approx(0.0)


def test_no_pairs() -> None:
    own = window(0, 4)
    none = np.array([], dtype=np.int64)
    assert merge([own], [marked(own, 2.0)]).roles(none, none).shape == (0, 0, 5)
