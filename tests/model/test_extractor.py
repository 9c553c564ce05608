from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from model.calibration import Calibration
from model.encoding import Batch
from model.extractor import (
    SHIPPED,
    CheckpointError,
    Extractor,
    directory_of,
    is_name,
    load_tokenizer,
    read_config,
    text_id,
)
from model.outputs import Floats
from model.records import Action, Document, Entity

Make = Callable[..., Extractor]

NEWS = [
    "أعلن الجيش العراقي مقتل خمسة مسلحين في الأنبار وبغداد أمس. قصف الجيش «داعش» في صلاح الدين!",
    "وَبِالأنبار قُتِلَ ٤٥ شاهدا، وقال لـ«داعش» إن 3.5% من المنازل دمرت.\r\nاستقبل الرئيس رئيس الوزراء.",
    "",
    "ـ",
    "من قال إن الوزير غادر العاصمة إلى القاهرة؟",
    " \n ",
    "بحث معه زيارة لبنان ثم كتب علي كتابا عن هذا لا غير. " * 4,
]


def found_in(document: Document) -> int:
    return len(document.entities) + len(document.actions)


def check(document: Document, text: str) -> None:
    """What holds of every document."""
    assert document.text == text
    spans: list[Entity | Action] = [*document.entities, *document.actions]
    taken: set[int] = set()
    for span in spans:
        assert text[span.start : span.end] == span.text != ""
        assert 0.0 <= span.score <= 1.0
        assert any(s.start <= span.start and span.end <= s.end for s in document.sentences)
        assert taken.isdisjoint(range(span.start, span.end))
        taken |= set(range(span.start, span.end))
    entities, actions = {e.id for e in document.entities}, {a.id for a in document.actions}
    assert len(entities) == len(document.entities)
    assert len(actions) == len(document.actions)
    for action in document.actions:
        assert {filler.entity for fillers in action.roles.values() for filler in fillers} <= entities
    for triple in document.triples:
        assert triple.action in actions
        assert {triple.actor, triple.target} <= entities | {None}
        assert (triple.actor, triple.target) != (None, None)


def test_documents_of_news(make_extractor: Make) -> None:
    extractor = make_extractor()
    documents = extractor.extract_batch(NEWS)
    for document, text in zip(documents, NEWS, strict=True):
        check(document, text)
    assert sum(map(found_in, documents)) > 20
    assert sum(len(document.triples) for document in documents) > 5
    assert [found_in(documents[place]) for place in (2, 3, 5)] == [0, 0, 0]
    assert [len(documents[place].sentences) for place in (0, 2, 3)] == [2, 0, 1]


@settings(max_examples=60)
@given(
    st.text(
        alphabet="وبقصفلاجيش\u064e\u0640\u200f\u200d٤5 .،«»\n\r👍🏽\ufe0fﻻﷺⅣ™½e\u0301\u2028▁#[]\ud800\x00", max_size=60
    )
)
def test_offsets_of_any_text(make_extractor: Make, text: str) -> None:
    check(make_extractor(max_pieces=24).extract(text), text)


@settings(max_examples=40)
@given(st.text(max_size=40))
def test_offsets_of_any_unicode(make_extractor: Make, text: str) -> None:
    check(make_extractor().extract(text), text)


def test_the_batch_size_changes_nothing(make_extractor: Make) -> None:
    extractor = make_extractor()
    expected = extractor.extract_batch(NEWS, batch_size=1)
    for batch_size in (2, 3, 32):
        assert extractor.extract_batch(NEWS, batch_size=batch_size) == expected


def test_the_other_texts_change_nothing(make_extractor: Make) -> None:
    extractor = make_extractor()
    alone = [extractor.extract(text) for text in NEWS]
    assert extractor.extract_batch(NEWS) == alone
    assert extractor.extract_batch(NEWS[::-1]) == alone[::-1]


def test_batches_are_no_larger_than_asked_for(make_extractor: Make) -> None:
    extractor = make_extractor()
    extractor.extract_batch(NEWS, batch_size=2)
    rows = [len(batch.input_ids) for batch in extractor.network.batches]  # type: ignore[attr-defined]
    assert max(rows) == 2
    assert sum(rows) == sum(1 for text in NEWS for _ in extractor.extract(text).sentences) - 1  # «ـ» has no pieces


def test_windows_give_what_one_input_gives(make_extractor: Make) -> None:
    line = "أعلن الجيش مقتل خمسة مسلحين في وبالأنبار وبغداد أمس وقال 45 شاهدا إن المنازل دمرت"
    words = line.split()
    random = np.random.default_rng(0)
    text = " ".join(random.choice(words, 3000))
    (windowed,) = make_extractor(max_pieces=128).extract_split([text], [[(0, len(text))]])
    (whole,) = make_extractor(max_pieces=1_000_000).extract_split([text], [[(0, len(text))]])
    assert windowed == whole
    check(windowed, text)
    assert len(windowed.entities) > 500
    assert len(windowed.triples) > 100
    assert windowed.entities[-1].end > len(text) - 100


def test_more_windows_than_one_batch_holds_are_all_read(make_extractor: Make) -> None:
    extractor = make_extractor(max_pieces=16)
    text = "قصف الجيش مقتل خمسة " * 40
    document = extractor.extract_batch([text], batch_size=4)[0]
    assert document.entities == make_extractor(max_pieces=10_000).extract(text).entities
    assert len(document.entities) >= 40
    assert len(extractor.network.batches) > 2  # type: ignore[attr-defined]


def test_an_endless_word(make_extractor: Make) -> None:
    text = f"قصف الجيش {'لا' * 100_000} في بغداد."
    started = time.perf_counter()
    document = make_extractor().extract(text)
    check(document, text)
    assert time.perf_counter() - started < 10


def test_lone_surrogates(make_extractor: Make) -> None:
    text = "قصف\ud83d الجيش \udc4d في بغداد."
    document = make_extractor().extract(text)
    check(document, text)
    assert document.id == text_id(text)


@pytest.mark.parametrize("min_score", [0.3, 0.6, 0.9])
def test_min_score_leaves_out_and_changes_nothing_else(make_extractor: Make, min_score: float) -> None:
    extractor = make_extractor(calibration=Calibration({"role": (0.6, 0.5), "triple": (0.4, 0.5)}))
    everything = extractor.extract(NEWS[0])
    document = extractor.extract(NEWS[0], min_score=min_score)
    check(document, NEWS[0])
    spans = {(e.label, e.start, e.end, e.score) for e in everything.entities if e.score >= min_score}
    assert {(e.label, e.start, e.end, e.score) for e in document.entities} == spans
    actions = {(a.event_class, a.start, a.end, a.score) for a in everything.actions if a.score >= min_score}
    assert {(a.event_class, a.start, a.end, a.score) for a in document.actions} == actions
    assert found_in(document) < found_in(everything)
    scores = [filler.score for a in document.actions for fillers in a.roles.values() for filler in fillers]
    assert all(score >= min_score for score in [*scores, *(triple.score for triple in document.triples)])
    assert triples(document) <= triples(everything)


def triples(document: Document) -> set[tuple[Any, ...]]:
    place: dict[str | None, tuple[int, int] | None] = {None: None}
    spans: list[Entity | Action] = [*document.entities, *document.actions]
    place |= {span.id: (span.start, span.end) for span in spans}
    return {(place[t.actor], place[t.action], place[t.target], t.score) for t in document.triples}


def test_ids(make_extractor: Make) -> None:
    extractor = make_extractor()
    assert extractor.extract("قصف", id="x").id == "x"
    assert [d.id for d in extractor.extract_batch(["قصف", "قصف"], ids=["1", "2"])] == ["1", "2"]
    assert extractor.extract("قصف").id == text_id("قصف") == extractor.extract_batch(["قصف"])[0].id
    assert len(text_id("")) == 16
    assert text_id("أ") != text_id("ا")


def test_no_texts(make_extractor: Make) -> None:
    assert make_extractor().extract_batch([]) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ids": ["1", "2"]}, "2 ids for 1 texts"),
        ({"min_score": 1.5}, "min_score: 1.5 is not between 0 and 1"),
        ({"min_score": float("nan")}, "min_score: nan"),
        ({"batch_size": 0}, "batch_size: 0 is less than 1"),
    ],
)
def test_bad_arguments_are_errors(make_extractor: Make, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_extractor().extract_batch(["قصف"], **arguments)


def test_one_string_is_no_list_of_texts(make_extractor: Make) -> None:
    with pytest.raises(TypeError, match="not one string"):
        make_extractor().extract_batch("قصف الجيش")


def test_sentences_that_are_known_already(make_extractor: Make) -> None:
    text = "قصف. الجيش. داعش"
    (document,) = make_extractor().extract_split([text], [[(0, 10), (11, 16)]])
    assert [(s.start, s.end) for s in document.sentences] == [(0, 10), (11, 16)]
    check(document, text)
    with pytest.raises(ValueError, match="is not a span of a text"):
        make_extractor().extract_split([text], [[(0, 99)]])


def no_network(batch: Batch) -> dict[str, Floats]:
    raise AssertionError("the network is not needed here")


def checkpoint_of(folder: Path, tokenizer: Tokenizer | None = None, **config: Any) -> Path:
    fields = {"model_type": "musnad", "max_pieces": 64, "encoder": {"pad_token_id": 1}, **config}
    (folder / "config.json").write_text(json.dumps(fields), encoding="utf-8")
    if tokenizer is not None:
        tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def test_a_checkpoint_around_any_network(tmp_path: Path, tokenizer: Tokenizer) -> None:
    calibration = {"role": [0.5, 0.1]}
    path = checkpoint_of(tmp_path, tokenizer, name="n", version="3", calibration=calibration)
    extractor = Extractor.with_network(path, no_network)
    assert (extractor.info.name, extractor.info.version) == ("n", "3")
    assert extractor.info.config["model_type"] == "musnad"
    assert (extractor.encoder.max_pieces, extractor.encoder.pad_id) == (64, 1)
    assert extractor.calibration.parameters == calibration
    text = "قَصَفَ ﺍﻟﺠﻴﺶ"
    assert load_tokenizer(path).encode(text).ids == tokenizer.encode(text).ids
    assert extractor.extract("").entities == ()


def test_defaults_of_a_checkpoint(tmp_path: Path, tokenizer: Tokenizer) -> None:
    extractor = Extractor.with_network(checkpoint_of(tmp_path, tokenizer, encoder={"pad_token_id": None}), no_network)
    assert (extractor.info.name, extractor.info.version) == (tmp_path.name, "0")
    assert extractor.encoder.pad_id == 0
    assert extractor.calibration == Calibration({})


def test_no_checkpoint_there(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"there is no config\.json"):
        Extractor.load(tmp_path)
    with pytest.raises(CheckpointError, match=r"there is no config\.json"):
        Extractor.load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ("[]", "`model_type` is not 'musnad'"),
        ('{"model_type": "bert"}', "`model_type` is not 'musnad'"),
        ('{"model_type": "musnad", "encoder": {}}', "`max_pieces` is missing, or not a number"),
        ('{"model_type": "musnad", "max_pieces": 64}', "`encoder` is missing, or not an object"),
    ],
)
def test_bad_configurations_are_errors(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "config.json").write_text(content, encoding="utf-8")
    with pytest.raises(CheckpointError, match=message) as caught:
        read_config(tmp_path)
    assert str(tmp_path / "config.json") in str(caught.value)


def test_missing_and_broken_files_of_a_checkpoint(tmp_path: Path, tokenizer: Tokenizer) -> None:
    checkpoint_of(tmp_path)
    with pytest.raises(CheckpointError, match=r"there is no model\.onnx"):
        Extractor.load(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(CheckpointError, match=r"model\.onnx: not a network"):
        Extractor.load(tmp_path)
    with pytest.raises(CheckpointError, match=r"there is no tokenizer\.json"):
        Extractor.with_network(tmp_path, no_network)
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"tokenizer\.json: not a tokenizer"):
        Extractor.with_network(tmp_path, no_network)
    checkpoint_of(tmp_path, tokenizer, calibration={"roles": [1, 0]})
    with pytest.raises(CheckpointError, match="calibration: 'roles' is not one of"):
        Extractor.with_network(tmp_path, no_network)


def test_a_shipped_checkpoint_has_a_name_where_nothing_else_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert directory_of(None) == directory_of("default") == SHIPPED["default"]
    assert directory_of("fast") == SHIPPED["fast"]
    assert directory_of("./fast") == SHIPPED["fast"]  # Path takes it for the same
    assert directory_of(tmp_path / "fast") == tmp_path / "fast"
    assert directory_of("slow") == Path("slow")
    assert is_name(Path("fast"))
    (tmp_path / "fast").symlink_to("nowhere")  # what a user has, even broken, is what the user means
    assert not is_name(Path("fast"))
    with pytest.raises(CheckpointError, match="fast"):
        Extractor.load("fast")
