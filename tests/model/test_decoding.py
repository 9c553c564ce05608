from __future__ import annotations

from functools import cache
from itertools import pairwise, product

import numpy as np
import pytest
from numpy.typing import NDArray

from model.chain import LABELS, STATES, chains, emissions, log_softmax, spans_of, viterbi
from model.decoding import DecodedSentence, DecodedSpan, decode, roles_between
from model.labels import CLASSES, FACTUALITIES, NAME_TAGS, REST_TAGS, ROLE_FILLERS, ROLE_TAGS
from model.outputs import Floats, PairBlock, WordLogits


@cache
def sequences(words: int) -> NDArray[np.int64]:
    """All allowed state sequences, [N, words]."""

    def allowed(path: tuple[int, ...]) -> bool:
        names = ["O", *(STATES[state] for state in path)]
        return all(b[0] != "I" or a in (f"B{b[1:]}", b) for a, b in pairwise(names))

    return np.array([path for path in product(range(len(STATES)), repeat=words) if allowed(path)])


def random_scores(words: int, seed: int, sharpness: float = 2.0) -> Floats:
    return (sharpness * np.random.default_rng(seed).standard_normal((words, len(STATES)))).astype(np.float32)


def logits(tags: list[str], **changes: Floats) -> WordLogits:
    """Logits that say `tags` (O, or a tag of either layer), with room for changes."""
    words = len(tags)
    names = np.zeros((words, len(NAME_TAGS)), dtype=np.float32)
    rest = np.zeros((words, len(REST_TAGS)), dtype=np.float32)
    for word, tag in enumerate(tags):
        names[word, NAME_TAGS.index(tag) if tag in NAME_TAGS else 0] = 9.0
        rest[word, REST_TAGS.index(tag) if tag in REST_TAGS else 0] = 9.0
    fields = {
        "names": names,
        "rest": rest,
        "clitics": np.zeros((words, 4), dtype=np.float32),
        "classes": np.zeros((words, len(CLASSES)), dtype=np.float32),
        "factuality": np.zeros((words, len(FACTUALITIES)), dtype=np.float32),
    }
    roles = changes.pop("roles", np.zeros((words, words, len(ROLE_TAGS)), dtype=np.float32))
    return WordLogits(**{**fields, **changes}, blocks=(PairBlock(0, words, roles),))


def probabilities(scores: Floats, spans: list[tuple[str, int, int]]) -> list[float]:
    """Of one sentence, as a row among others that are shorter and longer."""
    words = len(scores)
    padded = np.full((3, words + 2, len(STATES)), 7.0, dtype=np.float32)
    padded[1, :words] = scores
    return chains(padded, np.array([1, words, words + 2]))[1].probabilities(spans)


@pytest.mark.parametrize("words", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(5))
def test_viterbi_finds_what_enumeration_finds(words: int, seed: int) -> None:
    scores = random_scores(words, seed)
    paths = sequences(words)
    best = paths[scores[np.arange(words), paths].sum(axis=1).argmax()]
    np.testing.assert_array_equal(viterbi(scores[None], np.array([words]))[0], best)


def test_viterbi_of_padded_sentences_is_that_of_each_alone() -> None:
    lengths = np.array([3, 1, 7, 5])
    padded = 50 * np.ones((4, 7, len(STATES)), dtype=np.float32)
    padded[..., 2] = 99.0  # what is in the padding plays no part
    for row, length in enumerate(lengths):
        padded[row, :length] = random_scores(int(length), 10 + row)
    paths = viterbi(padded, lengths)
    for row, length in enumerate(lengths):
        alone = viterbi(padded[row : row + 1, :length], lengths[row : row + 1])[0]
        np.testing.assert_array_equal(paths[row, :length], alone)
        assert not paths[row, length:].any()


@pytest.mark.parametrize("words", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(3))
def test_span_probabilities_are_those_of_enumeration(words: int, seed: int) -> None:
    scores = random_scores(words, seed, sharpness=1.0)
    paths = sequences(words)
    weights = np.exp(scores[np.arange(words), paths].sum(axis=1, dtype=np.float64))
    spans = [(label, first, last) for label in LABELS for first in range(words) for last in range(first, words)]
    expected = []
    for label, first, last in spans:
        begin, inside = STATES.index(f"B-{label}"), STATES.index(f"I-{label}")
        has = (paths[:, first] == begin) & (paths[:, first + 1 : last + 1] == inside).all(axis=1)
        if last + 1 < words:
            has &= paths[:, last + 1] != inside
        expected.append(weights[has].sum() / weights.sum())
    assert probabilities(scores, spans) == pytest.approx(expected, rel=1e-4)


def test_span_probabilities_stay_exact_over_thousands_of_words() -> None:
    short = random_scores(6, 1)
    scores = np.tile(np.full(len(STATES), -60.0, dtype=np.float32), (3000, 1))
    scores[:, 0] = -40.0  # certainly O, at a high cost a word
    scores[1500:1506] = short
    alone = np.full((8, len(STATES)), -20.0, dtype=np.float32)
    alone[:, 0] = 0.0
    alone[1:7] = short
    spans = [("PER", 1, 2), ("ACT", 4, 4), ("NUM", 3, 6)]
    far = [(label, first + 1499, last + 1499) for label, first, last in spans]
    assert probabilities(scores, far) == pytest.approx(probabilities(alone, spans), rel=1e-4)


def test_spans_of_a_path() -> None:
    names = ["B-PER", "I-PER", "B-PER", "O", "B-ACT", "B-NUM", "I-NUM"]
    path = np.array([STATES.index(name) for name in names])
    assert spans_of(path) == [("PER", 0, 1), ("PER", 2, 2), ("ACT", 4, 4), ("NUM", 5, 6)]


def test_emissions_join_the_two_layers() -> None:
    random = np.random.default_rng(0)
    names, rest = (random.standard_normal((2, 7)).astype(np.float32) for _ in range(2))
    joined = emissions(names, rest)
    for state, name in enumerate(STATES):
        of_names = NAME_TAGS.index(name) if name in NAME_TAGS else 0
        of_rest = REST_TAGS.index(name) if name in REST_TAGS else 0
        expected = log_softmax(names)[:, of_names] + log_softmax(rest)[:, of_rest]
        np.testing.assert_allclose(joined[:, state], expected, rtol=1e-6)


def test_a_sentence_is_decoded() -> None:
    classes = np.zeros((4, len(CLASSES)), dtype=np.float32)
    classes[0, CLASSES.index("ASSAULT")] = 9.0
    factuality = np.zeros((4, len(FACTUALITIES)), dtype=np.float32)
    factuality[0, FACTUALITIES.index("negated")] = 9.0
    clitics = np.zeros((4, 4), dtype=np.float32)
    clitics[3, 2] = 9.0
    roles = np.zeros((4, 4, len(ROLE_TAGS)), dtype=np.float32)
    roles[0, 1, ROLE_TAGS.index("actor")] = 9.0
    roles[0, 3, ROLE_TAGS.index("target")] = 9.0
    own = logits(
        ["B-ACT", "B-ORG", "I-ORG", "B-NOM"], classes=classes, factuality=factuality, clitics=clitics, roles=roles
    )
    (found,) = decode([own])
    assert [(span.label, span.first, span.last, span.clitics) for span in found.entities] == [
        ("ORG", 1, 2, 0),
        ("NOM", 3, 3, 2),
    ]
    (action,) = found.actions
    assert (action.first, action.last, action.event_class, action.factuality) == (0, 0, "ASSAULT", "negated")
    assert [(role.action, role.entity, role.role) for role in found.roles] == [(0, 0, "actor"), (0, 1, "target")]
    probabilities = [span.probability for span in (*found.entities, *found.actions)]
    assert all(0.99 < probability <= 1.0 for probability in probabilities)
    assert action.class_probability == pytest.approx(np.exp(9) / (np.exp(9) + 17), rel=1e-5)


def test_an_inside_tag_without_its_beginning_is_never_decoded() -> None:
    (found,) = decode([logits(["O", "I-PER", "O", "B-LOC", "I-PER"])])
    assert found.entities[-1].first == 3
    for seed in range(20):
        path = viterbi(random_scores(30, seed, sharpness=5.0)[None], np.array([30]))[0]
        names = ["O", *(STATES[state] for state in path)]
        for before, name in pairwise(names):
            assert name[0] != "I" or before[1:] == name[1:]


def test_sentences_are_decoded_in_order_and_none_has_nothing() -> None:
    tags = [["B-PER"], ["O"] * 9 + ["B-LOC"], ["B-NUM", "I-NUM"]]
    decoded = decode([logits(tags[0]), None, logits(tags[1]), logits(tags[2]), None])
    empty = DecodedSentence((), (), ())
    assert decoded[1] == decoded[4] == empty
    spans = [[(span.label, span.first, span.last) for span in found.entities] for found in decoded]
    assert spans == [[("PER", 0, 0)], [], [("LOC", 9, 9)], [("NUM", 0, 1)], []]
    assert decode([]) == []
    assert decode([None]) == [empty]


@pytest.mark.parametrize("label", ["PER", "ORG", "LOC", "NUM", "NOM"])
def test_a_label_fills_only_its_roles(label: str) -> None:
    for wanted in ROLE_TAGS[1:]:
        roles = np.full((2, 2, len(ROLE_TAGS)), -9.0, dtype=np.float32)
        roles[0, 1, 0] = 1.0
        roles[0, 1, ROLE_TAGS.index(wanted)] = 5.0
        action = DecodedSpan("ACT", 0, 0, 1.0, 0, "OTHER", 1.0, "asserted")
        found = roles_between(logits(["O", "O"], roles=roles), [action], [DecodedSpan(label, 1, 1, 1.0, 0)])
        if label in ROLE_FILLERS[wanted]:
            assert [(role.role, round(role.probability, 2)) for role in found] == [(wanted, 0.98)]
        else:
            assert found == []


def test_the_second_best_role_is_taken_where_the_best_is_not_allowed() -> None:
    roles = np.zeros((2, 2, len(ROLE_TAGS)), dtype=np.float32)
    roles[0, 1] = [0.0, 5.0, 1.0, 4.0, 3.0]  # none, actor, target, place, count
    action = DecodedSpan("ACT", 0, 0, 1.0, 0, "OTHER", 1.0, "asserted")
    (role,) = roles_between(logits(["O", "O"], roles=roles), [action], [DecodedSpan("NUM", 1, 1, 1.0, 0)])
    assert role.role == "count"
    allowed = np.exp([0.0, 1.0, 3.0])
    assert role.probability == pytest.approx(allowed[2] / allowed.sum(), rel=1e-5)


def test_no_roles_without_actions_or_entities() -> None:
    span = DecodedSpan("PER", 0, 0, 1.0, 0)
    assert roles_between(logits(["O"]), [], [span]) == []
    assert roles_between(logits(["O"]), [span], []) == []
