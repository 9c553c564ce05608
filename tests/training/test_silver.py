from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.annotating import annotation_of
from model.annotation_check import check
from model.annotation_files import read_annotations, write_annotations
from model.extractor import DEFAULT_CHECKPOINT, Extractor
from model.outputs import HEADS
from model.records import Action, Document, Entity, RoleFiller
from model.sentences import split_sentences
from training.config import ConfigError, Silver
from training.silver import MeanNetwork, choose, confidence, label, make_silver, teacher

TEXT = "أعلن الجيش العراقي مقتل خمسة مسلحين في صلاح الدين."
ENTITIES = (
    Entity("e0", "ORG", 5, 18, "الجيش العراقي", "الجيش العراقي", None, 0.9),
    Entity("e1", "NOM", 29, 35, "مسلحين", "مسلحين", None, 0.4),
)
ROLES = {"actor": (RoleFiller("e0", 0.9),), "target": (RoleFiller("e1", 0.9),), "place": (), "count": ()}
DOCUMENT = Document("1", TEXT, (), ENTITIES, (Action("a0", 19, 23, "مقتل", "ASSAULT", "asserted", 0.6, ROLES),))


class Fixed(Extractor):
    """Finds the same in every text."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def extract_batch(self, texts: Sequence[str], **options: Any) -> list[Document]:
        return [replace(self.document, text=text) for text in texts]


def test_what_was_found_is_the_annotation() -> None:
    assert annotation_of(DOCUMENT, "silver-1").to_dict() == {
        "id": "silver-1",
        "text": TEXT,
        "entities": [
            {"id": 0, "label": "ORG", "start_offset": 5, "end_offset": 18},
            {"id": 1, "label": "NOM", "start_offset": 29, "end_offset": 35},
            {
                "id": 2,
                "label": "ACT",
                "class": "ASSAULT",
                "factuality": "asserted",
                "start_offset": 19,
                "end_offset": 23,
            },
        ],
        "relations": [
            {"id": 0, "from_id": 2, "to_id": 0, "type": "actor"},
            {"id": 1, "from_id": 2, "to_id": 1, "type": "target"},
        ],
    }


def test_unsure_sentences_and_those_without_actions_are_left_out() -> None:
    assert confidence(DOCUMENT) == pytest.approx((0.9 * 0.4 * 0.6) ** (1 / 3))
    assert confidence(replace(DOCUMENT, entities=(), actions=())) == 1.0
    assert [own.id for own in label(Fixed(DOCUMENT), [TEXT] * 3, 0.59)] == ["silver-0", "silver-1", "silver-2"]
    assert list(label(Fixed(DOCUMENT), [TEXT] * 3, 0.61)) == []
    assert list(label(Fixed(replace(DOCUMENT, actions=())), [TEXT], 0.0)) == []


def test_sentences_are_drawn_one_a_text() -> None:
    long = "قال الوزير إن الحكومة ستعلن عن خطتها الجديدة في الأسبوع المقبل رقم {}."
    texts = ["\n".join([long.format(10 * text + own) for own in range(5)] + ["قصير."]) for text in range(30)]
    chosen = choose(texts, 10, 1)
    assert len(chosen) == len(set(chosen)) == 10
    assert len({next(index for index, text in enumerate(texts) if own in text) for own in chosen}) == 10
    assert choose(texts, 10, 1) == chosen != choose(texts, 10, 2)
    assert len(choose(texts, 100, 1)) == 30
    assert choose(["قصير."], 10, 1) == []


def test_the_mean_of_networks_is_of_their_logits() -> None:
    extractor = Extractor.load()
    batch = extractor.encoder.batch(extractor.encoder.windows(extractor.encoder.encode(TEXT, split_sentences(TEXT))[0]))
    one = extractor.network(batch)

    class Threefold:
        calls = 1
        pieces = 512

        def __call__(self, batch: object) -> dict[str, Any]:
            return {head: 3 * value for head, value in one.items()}

    mean = MeanNetwork([extractor.network, Threefold()])(batch)
    for head in HEADS:
        np.testing.assert_allclose(mean[head], 2 * one[head], rtol=1e-5)
        assert mean[head].dtype == np.float32


def test_silver_of_articles(tmp_path: Path) -> None:
    articles = [{"title": "خبر", "text": f"{TEXT} رقم {number}."} for number in range(3)]
    articles.append({"title": "", "text": "استقبل الرئيس المصري وزير الخارجية الفرنسي في القاهرة أمس الأحد."})
    lines = "".join(json.dumps(article, ensure_ascii=False) + "\n" for article in articles)
    (tmp_path / "articles.jsonl").write_text(lines, encoding="utf-8")
    write_annotations(tmp_path / "dev.jsonl", [annotation_of(DOCUMENT, "1")])
    settings = Silver(
        text="articles.jsonl", without=["dev.jsonl"], teachers=[str(DEFAULT_CHECKPOINT)] * 2, min_score=0.0
    )
    assert make_silver(settings, tmp_path, tmp_path / "silver.jsonl") == 1
    [own] = read_annotations(tmp_path / "silver.jsonl")
    assert own.text.startswith("استقبل الرئيس المصري")
    assert "القاهرة" in [own.text_of(span) for span in own.entities]
    assert list(check([tmp_path / "silver.jsonl"])) == []


def test_teachers_see_the_same_pieces(tmp_path: Path) -> None:
    for name in ("config.json", "model.onnx", "model.safetensors", "tokenizer.json"):
        shutil.copy(DEFAULT_CHECKPOINT / name, tmp_path)
    assert teacher([DEFAULT_CHECKPOINT, tmp_path]).info.name == Extractor.load().info.name
    tokenizer = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["added_tokens"][0]["lstrip"] = not tokenizer["added_tokens"][0]["lstrip"]
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    with pytest.raises(ConfigError, match="its tokenizer is not that of"):
        teacher([DEFAULT_CHECKPOINT, tmp_path])
