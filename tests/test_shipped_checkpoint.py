"""The shipped checkpoint on our own articles and sentences."""

from __future__ import annotations

from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
from agreement import assert_agrees_with_pytorch

from model.annotation_files import read_annotations
from model.cores import multiplies_bytes
from model.extractor import Extractor
from model.runtime import Runtime
from training.evaluation import evaluate

ARTICLES = sorted((Path(__file__).parent / "articles").glob("*.txt"))


@pytest.fixture(scope="module")
def extractor() -> Extractor:
    return Extractor.load()


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
def test_a_runtime_and_pytorch_agree(runtime: Runtime, shipped: Path, root: Path) -> None:
    sentences = islice(read_annotations(root / "annotations" / "dev.jsonl"), 24)
    assert_agrees_with_pytorch(shipped, runtime, [sentence.text for sentence in sentences])


@pytest.mark.skipif(not multiplies_bytes(), reason="this processor has no instructions for int8 matrices")
def test_int8_finds_what_fp32_finds(extractor: Extractor, shipped: Path, root: Path) -> None:
    exact = Extractor.load(shipped, runtime="openvino-fp32")
    texts = [sentence.text for sentence in islice(read_annotations(root / "annotations" / "dev.jsonl"), 120)]
    pairs = list(zip(extractor.extract_batch(texts), exact.extract_batch(texts), strict=True))
    ours = [{(e.start, e.end, e.label) for e in document.entities} for document, _ in pairs]
    theirs = [{(e.start, e.end, e.label) for e in document.entities} for _, document in pairs]
    shared = sum(len(one & other) for one, other in zip(ours, theirs, strict=True))
    assert shared > 0.97 * sum(map(len, theirs))
    assert shared > 0.97 * sum(map(len, ours))
    assert [d.to_dict() for d, _ in pairs] != [d.to_dict() for _, d in pairs]  # or int8 was not used
