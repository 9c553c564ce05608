"""The shipped checkpoints on our own articles and sentences."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
from agreement import assert_agrees_with_pytorch

from model.annotation_files import read_annotations
from model.cores import multiplies
from model.extractor import SHIPPED, Extractor
from model.openvino_network import OpenVinoNetwork, Precision
from model.runtime import Runtime
from training.evaluation import evaluate

ARTICLES = sorted((Path(__file__).parent / "articles").glob("*.txt"))


@pytest.fixture(scope="module", params=SHIPPED)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def extractor(name: str) -> Extractor:
    return Extractor.load(name)


@pytest.mark.parametrize("path", ARTICLES, ids=lambda path: path.stem)
def test_articles_give_exact_spans_and_whole_triples(extractor: Extractor, path: Path) -> None:
    text = path.read_bytes().decode("utf-8")
    document = extractor.extract(text)
    assert document.text == text
    rest = text
    for sentence in reversed(document.sentences):
        rest = rest[: sentence.start] + rest[sentence.end :]
    assert rest.strip() == "", "sentences and the gaps between them rebuild the text"
    spans = sorted((span.start, span.end) for span in (*document.entities, *document.actions))
    assert spans
    assert all(first[1] <= second[0] for first, second in pairwise(spans)), "spans overlap"
    ids = {entity.id for entity in document.entities}
    for span in (*document.entities, *document.actions):
        assert text[span.start : span.end] == span.text
        assert span.text == span.text.strip() != ""
        assert 0.0 <= span.score <= 1.0
    for triple in document.triples:
        assert (triple.actor or triple.target) is not None
        assert {triple.actor, triple.target} - {None} <= ids
    assert document.triples


def test_a_sentence_of_3000_words_loses_nothing(extractor: Extractor) -> None:
    sentence = "وقال المتحدث سالم المنصوري إن 12 جنديا قتلوا في بغداد و"
    text = sentence * (3000 // 11 + 1)
    document = extractor.extract_split([text], [[(0, len(text))]])[0]
    found = [entity.start for entity in document.entities if entity.text == "بغداد"]
    assert found == [index * len(sentence) + sentence.index("بغداد") for index in range(len(found))]
    assert len(found) == text.count("بغداد")


def test_answers_do_not_depend_on_the_company(shipped: Path) -> None:
    extractor = Extractor.load(shipped, runtime="openvino-fp32")
    texts = [path.read_text(encoding="utf-8") for path in ARTICLES[:4]]
    together = extractor.extract_batch(texts, batch_size=7)
    for text, document in zip(texts, together, strict=True):
        alone = extractor.extract(text)
        assert [(e.start, e.end, e.label) for e in alone.entities] == [
            (e.start, e.end, e.label) for e in document.entities
        ]
        np.testing.assert_allclose([e.score for e in alone.entities], [e.score for e in document.entities], atol=2e-3)


def test_quality_on_our_own_dev_sentences(extractor: Extractor, root: Path) -> None:
    # far below what the model card says: this is to notice a broken checkpoint, not to measure one
    result = evaluate(extractor, list(islice(read_annotations(root / "annotations" / "dev.jsonl"), 80)))
    assert result.total("entities").f1 > 0.7
    assert result.total("actions").f1 > 0.8
    assert result.total("triples").f1 > 0.35
    assert result.accuracy(result.classes) > 0.7


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino-fp32"])
def test_a_runtime_and_pytorch_agree(runtime: Runtime, name: str, root: Path) -> None:
    sentences = islice(read_annotations(root / "annotations" / "dev.jsonl"), 24)
    assert_agrees_with_pytorch(SHIPPED[name], runtime, [sentence.text for sentence in sentences])


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_rounded_matrices_find_what_fp32_finds(precision: Precision, name: str, root: Path) -> None:
    if not multiplies(precision):
        pytest.skip(f"this processor has no instructions for {precision} matrices")
    network = OpenVinoNetwork(SHIPPED[name] / "model.onnx", 2, 2, precision)
    _assert_finds_what_fp32_finds(Extractor.with_network(SHIPPED[name], network), name, root)


def test_bytes_on_onnx_runtime_find_what_fp32_finds(name: str, root: Path) -> None:
    _assert_finds_what_fp32_finds(Extractor.load(name, runtime="onnxruntime-int8"), name, root)


def _assert_finds_what_fp32_finds(rounded: Extractor, name: str, root: Path) -> None:
    exact = Extractor.load(name, runtime="openvino-fp32")
    texts = [sentence.text for sentence in islice(read_annotations(root / "annotations" / "dev.jsonl"), 120)]
    pairs = list(zip(rounded.extract_batch(texts), exact.extract_batch(texts), strict=True))
    ours = [{(e.start, e.end, e.label) for e in document.entities} for document, _ in pairs]
    theirs = [{(e.start, e.end, e.label) for e in document.entities} for _, document in pairs]
    shared = sum(len(one & other) for one, other in zip(ours, theirs, strict=True))
    assert shared > 0.97 * sum(map(len, theirs))
    assert shared > 0.97 * sum(map(len, ours))
    assert [d.to_dict() for d, _ in pairs] != [d.to_dict() for _, d in pairs]  # or nothing was rounded


def test_nothing_is_told_to_anyone(tmp_path: Path) -> None:
    # openvino's own import would send a message, and keep a number for this machine in the home directory
    program = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise AssertionError('a connection was asked for')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from model.extractor import Extractor\n"
        "Extractor.load().extract('زار الوزير بغداد.')\n"
        "assert not any(name.startswith('openvino_telemetry.') for name in sys.modules)\n"
    )
    environment = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_each_ships_whole_and_says_what_it_is(name: str, extractor: Extractor) -> None:
    assert extractor.info.name == f"musnad-{name}"
    assert f"# {extractor.info.name} {extractor.info.version}\n" in (SHIPPED[name] / "README.md").read_text("utf-8")
    assert (
        SHIPPED[name].joinpath("tokenizer.json").read_bytes()
        == SHIPPED["default"].joinpath("tokenizer.json").read_bytes()
    )


def test_the_weights_stay_under_100_mb() -> None:
    assert sum((path / "model.safetensors").stat().st_size for path in SHIPPED.values()) <= 100_000_000
