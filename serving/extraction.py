"""Texts with and without ids of their own through an extractor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from model.extractor import Extractor
from model.records import Document
from serving.reading import Source


def extract(extractor: Extractor, sources: Sequence[Source], min_score: float = 0.0) -> list[Document]:
    """Extract texts, in order; one without an id of its own gets the extractor's default."""
    documents = extractor.extract_batch([source.text for source in sources], min_score=min_score)
    return [
        document if source.id is None else replace(document, id=source.id)
        for document, source in zip(documents, sources, strict=True)
    ]
