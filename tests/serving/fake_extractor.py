"""An extractor without a network: each word is an entity, the first an action whose actor is the second."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from model.decoding import DecodedSentence
from model.encoding import Batch, EncodedSentence, SentenceEncoder
from model.extractor import CheckpointInfo, Extractor, text_id
from model.labels import CLASSES, FACTUALITIES, NAME_TAGS, REST_TAGS, ROLE_TAGS, ROLES
from model.outputs import Floats
from model.records import Action, Document, Entity, RoleFiller, Sentence, Triple
from model.text import Offsets
from serving.examples import DOCUMENT, TEXT

SCORE = 0.5


class FakeNetwork:
    """Logits of nothing; `batches` are rows and longest row of what it saw. It waits while `open` is not set."""

    calls = 2
    pieces = 512

    def __init__(self) -> None:
        self.batches: list[tuple[int, ...]] = []
        self.open = threading.Event()
        self.open.set()
        self.entered = threading.Semaphore(0)

    def __call__(self, batch: Batch) -> dict[str, Floats]:
        self.batches.append((len(batch.input_ids), int(batch.attention_mask.sum(axis=1).max())))
        self.entered.release()
        assert self.open.wait(60)
        rows, words = batch.word_pieces.shape
        sizes = {"names": NAME_TAGS, "rest": REST_TAGS, "clitics": range(4), "classes": CLASSES}
        heads = {**sizes, "factuality": FACTUALITIES}
        logits = {head: np.zeros((rows, words, len(values)), dtype=np.float32) for head, values in heads.items()}
        return {**logits, "roles": np.zeros((rows, words, words, len(ROLE_TAGS)), dtype=np.float32)}


def _letters() -> Tokenizer:
    """A tokenizer whose pieces are words, all of them unknown."""
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    return tokenizer


class FakeExtractor(Extractor):
    """Documents that can be foretold; `calls` are the texts of each call of `extract_batch`."""

    def __init__(self, version: str = "1.2.3") -> None:
        config = {"max_pieces": 512, "calibration": {"entity": [1.0, 0.0]}}
        self.info = CheckpointInfo("fake", version, config)
        self.calls: list[list[str]] = []
        self.network = self.fake = FakeNetwork()
        self.encoder = SentenceEncoder(_letters(), 512, 0)

    def extract(self, text: str, *, id: str | None = None, min_score: float = 0.0) -> Document:
        return self.extract_batch([text], ids=None if id is None else [id], min_score=min_score)[0]

    def extract_batch(
        self,
        texts: Sequence[str],
        *,
        ids: Sequence[str] | None = None,
        batch_size: int = 32,
        min_score: float = 0.0,
    ) -> list[Document]:
        self.calls.append(list(texts))
        names = [text_id(text) for text in texts] if ids is None else ids
        return [_document(id, text, min_score) for id, text in zip(names, texts, strict=True)]

    def documents(
        self,
        texts: Sequence[str],
        sentences: Sequence[Sequence[Offsets]],
        encoded: Sequence[EncodedSentence],
        decoded: Sequence[DecodedSentence],
        ids: Sequence[str] | None = None,
        min_score: float = 0.0,
    ) -> list[Document]:
        assert len(encoded) == len(decoded) == sum(map(len, sentences))
        names = [text_id(text) for text in texts] if ids is None else ids
        return [_document(id, text, min_score) for id, text in zip(names, texts, strict=True)]


def _document(id: str, text: str, min_score: float) -> Document:
    if text == TEXT:
        return Document(id, text, DOCUMENT.sentences, DOCUMENT.entities, DOCUMENT.actions, DOCUMENT.triples)
    words = [match.span() for match in re.finditer(r"\S+", text)]
    if not words:
        return Document(id, text)
    sentences = (Sentence(words[0][0], words[-1][1]),)
    if len(words) < 2 or min_score > SCORE:
        return Document(id, text, sentences)
    entities = tuple(
        Entity(f"e{index}", "NOM", start, end, text[start:end], text[start:end], None, SCORE)
        for index, (start, end) in enumerate(words[1:])
    )
    start, end = words[0]
    roles: dict[str, tuple[RoleFiller, ...]] = {
        role: (RoleFiller("e0", SCORE),) if role == "actor" else () for role in ROLES
    }
    action = Action("a0", start, end, text[start:end], "OTHER", "negated", SCORE, roles)
    return Document(id, text, sentences, entities, (action,), (Triple("e0", "a0", None, SCORE),))
