"""The best of a stream in bounded memory, without near-duplicates."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from model.annotation import AnnotatedSentence
from model.annotation_files import write_annotations
from model.calibration import Calibration
from model.encoding import Batch, SentenceEncoder
from model.extractor import CheckpointInfo, Extractor
from model.labels import CLASSES, CLITIC_LETTERS, FACTUALITIES, NAME_TAGS, REST_TAGS, ROLE_TAGS
from model.outputs import HEADS, Floats
from training.suggesting import suggest
from training.suggesting.candidates import Candidate, Candidates, SimilarTexts
from training.suggesting.choosing import Profile
from training.suggesting.corpus import CorpusSentence
from training.suggesting.suggest import Settings, Tally, choose_from, drawn
from training.suggesting.uncertainty import Uncertainty

TEXT = "أعلن الجيش مقتل خمسة مسلحين في عملية أمنية واسعة شمال المدينة فجر اليوم"
LIKE = TEXT.replace("خمسة", "ستة")
FILE = Path("news.txt")
NONE = Uncertainty(np.zeros(0), np.zeros(0), 0.0, 0.0, 0.0)


def _candidate(text: str, score: float, line: int = 1) -> Candidate:
    profile = Profile(np.zeros(0, dtype=np.int64), np.zeros(0), 1)
    return Candidate(CorpusSentence(text, FILE, line), (), NONE, profile, score)


def _texts(candidates: Candidates) -> list[str]:
    return [own.sentence.text for own in candidates]


@given(st.lists(st.integers(0, 20), max_size=40), st.integers(1, 8))
def test_the_highest_scores_stay_and_of_equal_ones_the_earlier(scores: list[int], capacity: int) -> None:
    candidates = Candidates(capacity)
    for line, score in enumerate(scores):
        candidates.add(_candidate(f"خبر{line}", score, line))
        assert len(candidates) <= capacity
    best = sorted(range(len(scores)), key=lambda line: (-scores[line], line))[:capacity]
    assert [own.sentence.line for own in candidates] == best


def test_of_near_duplicates_the_better_stays() -> None:
    for first, second, stays in ((2.0, 1.0, TEXT), (1.0, 2.0, LIKE), (1.0, 1.0, TEXT)):
        candidates = Candidates(5)
        candidates.add(_candidate(TEXT, first))
        candidates.add(_candidate(LIKE, second))
        assert _texts(candidates) == [stays]
        assert candidates.duplicates == 1


def test_punctuation_marks_and_digits_make_no_difference() -> None:
    candidates = Candidates(5)
    candidates.add(_candidate("بلغ العدد 12 جريحا في المدينة", 1.0))
    assert not candidates.add(_candidate("«بلغ العددُ ١٢ جريحًا، في المدينة.»".replace("ً", ""), 0.5))
    assert len(candidates) == 1


def test_what_is_like_an_annotated_sentence_is_left_out() -> None:
    candidates = Candidates(5)
    candidates.leave_out(LIKE)
    assert not candidates.add(_candidate(TEXT, 9.0))
    assert candidates.add(_candidate("زار الرئيس بغداد", 1.0))
    assert _texts(candidates) == ["زار الرئيس بغداد"]


def test_better_copies_one_after_another_do_not_grow_the_heap() -> None:
    candidates = Candidates(2)
    candidates.add(_candidate("زار الرئيس بغداد", 1e6))
    for score in range(1000):
        candidates.add(_candidate(TEXT, score))
        assert len(candidates._heap) <= 5
    assert [own.score for own in candidates] == [1e6, 999]


def test_a_copy_of_what_was_pushed_out_stays_out() -> None:
    candidates = Candidates(1)
    candidates.add(_candidate(TEXT, 1.0))
    candidates.add(_candidate("زار الرئيس بغداد", 2.0))
    assert not candidates.add(_candidate(TEXT, 1.0))
    assert _texts(candidates) == ["زار الرئيس بغداد"]


def test_texts_taken_out_are_not_found() -> None:
    texts = SimilarTexts()
    texts.add(1, TEXT)
    assert texts.similar(LIKE) == [1]
    texts.remove(1)
    assert texts.similar(TEXT) == []


@pytest.mark.parametrize("threshold", [0.0, 1.1])
def test_a_threshold_out_of_range(threshold: float) -> None:
    with pytest.raises(ValueError, match="threshold"):
        SimilarTexts(threshold)


def test_no_room() -> None:
    with pytest.raises(ValueError, match="room for 0"):
        Candidates(0)


def _sentences(count: int) -> Iterator[CorpusSentence]:
    """Different sentences, none like another."""
    rng = np.random.default_rng(0)
    for line in range(1, count + 1):
        words = ["".join("ابتثجحخدذرزسشص"[letter] for letter in rng.integers(14, size=5)) for _ in range(9)]
        yield CorpusSentence(" ".join(words), FILE, line)


def test_a_draw_depends_on_the_sentences_and_the_seed_alone() -> None:
    sentences = list(_sentences(200))
    tally = Tally()
    own = drawn([*sentences, *sentences[:50]], 30, 1, tally)
    assert len(own) == 30
    assert [sentence.line for sentence in own] == sorted(sentence.line for sentence in own)
    assert sum(tally.left_out.values()) == 220
    assert {sentence.text for sentence in own} == {sentence.text for sentence in drawn(sentences[::-1], 30, 1, Tally())}
    assert own != drawn(sentences, 30, 2, Tally())
    assert drawn(sentences, 500, 1, Tally()) == sentences


def test_a_draw_is_even() -> None:
    """Each of 40 sentences is among 10 drawn in a quarter of 400 draws, within five standard deviations."""
    sentences = list(_sentences(40))
    times = np.zeros(40)
    for seed in range(400):
        for sentence in drawn(sentences, 10, seed, Tally()):
            times[sentence.line - 1] += 1
    assert np.abs(times - 100).max() < 5 * np.sqrt(400 * 0.25 * 0.75)


class Noise:
    """A network that says something else of every sentence, and the same of the same."""

    calls = 1
    pieces = 512

    def __call__(self, batch: Batch) -> dict[str, Floats]:
        rows, words = batch.word_pieces.shape
        own = (len(NAME_TAGS), len(REST_TAGS), CLITIC_LETTERS + 1, len(CLASSES), len(FACTUALITIES))
        outputs = {head: np.zeros((rows, words, size), np.float32) for head, size in zip(HEADS, own, strict=False)}
        outputs["roles"] = np.zeros((rows, words, words, len(ROLE_TAGS)), np.float32)
        for row, ids in enumerate(batch.input_ids):
            rng = np.random.default_rng(int(ids @ np.arange(1, len(ids) + 1)))
            outputs["names"][row] = rng.normal(size=outputs["names"].shape[2])
            outputs["rest"][row] = rng.normal(size=outputs["rest"].shape[2])
        return outputs


@pytest.fixture
def noise(tokenizer: Tokenizer) -> Extractor:
    encoder = SentenceEncoder(tokenizer, 512, 0)
    return Extractor(Noise(), encoder, Calibration({}), CheckpointInfo("noise", "0", {}))


def _peak(count: int, extractor: Extractor, settings: Settings) -> int:
    """Highest number of bytes allocated while so many sentences pass."""

    def sentences() -> Iterator[CorpusSentence]:
        for sentence in _sentences(count):
            if sentence.line % 50 == 0:
                gc.collect()  # which also empties Python's lists of free tuples
            yield sentence

    tracemalloc.start()
    try:
        choose_from(sentences(), extractor, settings)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("sample", [None, 60])
def test_memory_does_not_grow_with_the_corpus(
    noise: Extractor, sample: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggest, "_AT_ONCE", 16)
    settings = Settings(count=2, sample=sample)
    _peak(20, noise, settings)  # what is loaded on first use
    assert _peak(500, noise, settings) < 1.2 * _peak(150, noise, settings)


def test_the_same_corpus_gives_the_same_choice(noise: Extractor, tmp_path: Path) -> None:
    settings = Settings(count=20, sample=200)
    first = choose_from(_sentences(400), noise, settings)
    again = choose_from(_sentences(400), noise, settings)
    assert [own.candidate.sentence for own in first] == [own.candidate.sentence for own in again]
    assert len({own.candidate.sentence.text for own in first}) == 20
    gains = [own.gain for own in first]
    assert gains == sorted(gains, reverse=True)
    done = [AnnotatedSentence(str(n), own.candidate.sentence.text, (), ()) for n, own in enumerate(first)]
    write_annotations(tmp_path / "done.jsonl", done)
    tally = Tally()
    others = choose_from(_sentences(400), noise, settings, [tmp_path / "done.jsonl"], tally)
    assert not {own.candidate.sentence.text for own in others} & {own.text for own in done}
    assert tally.seen == 400
    assert tally.read == 200
    assert tally.left_out["not drawn"] == 200
    assert tally.left_out["near-duplicates"] == 20


def test_what_does_not_fit_is_counted(noise: Extractor) -> None:
    texts = ["قصير.", "خبر " * 200, "Nothing of this is in Arabic, and it is long enough.", TEXT, TEXT, LIKE]
    sentences = [CorpusSentence(text.strip(), FILE, line) for line, text in enumerate(texts, start=1)]
    tally = Tally()
    chosen = choose_from(sentences, noise, Settings(count=9), tally=tally)
    assert len(chosen) == 1
    assert tally.seen == 6
    assert dict(tally.left_out) == {
        "too short": 1,
        "too long": 1,
        "not Arabic": 1,
        "exact duplicates": 1,
        "near-duplicates": 1,
    }
