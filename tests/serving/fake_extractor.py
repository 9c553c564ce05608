"""An extractor without a network: each word is an entity, the first an action whose actor is the second."""

from __future__ import annotations

import re
from collections.abc import Sequence

from model.extractor import CheckpointInfo, Extractor, text_id
from model.labels import ROLES
from model.records import Action, Document, Entity, RoleFiller, Sentence, Triple
from serving.examples import DOCUMENT, TEXT

SCORE = 0.5


class FakeExtractor(Extractor):
    """Documents that can be foretold; `calls` are the texts of each batch."""

    def __init__(self) -> None:
        config = {"max_pieces": 512, "calibration": {"entity": [1.0, 0.0]}}
        self.info = CheckpointInfo("fake", "1.2.3", config)
        self.calls: list[list[str]] = []

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
