"""Whether an extractor can serve: a few sentences that any useful checkpoint finds something in."""

from __future__ import annotations

from model.extractor import Extractor
from model.labels import CLASSES, ENTITY_LABELS, FACTUALITIES
from model.records import Action, Document, Entity

#: Own sentences, with tashkeel, tatweel, digits of two kinds, and signs outside the Basic Multilingual Plane.
TEXTS = (
    "أعلن الجيش العراقي مقتل خمسة مسلحين في صلاح الدين.",
    "استقبلَ الرئيسُ المصـــري وزيرَ الخارجية الفرنسي في القاهرة ٢٤ مايو 2024 😀.",
    "",
)


class SelfTestError(ValueError):
    """An extractor that does not do what it should: says on which text, and what."""


def self_test(extractor: Extractor) -> None:
    """Extract the built-in texts; raise SelfTestError where the result cannot be right."""
    try:
        documents = extractor.extract_batch(TEXTS)
    except Exception as error:
        raise SelfTestError(f"the extraction fails: {type(error).__name__}: {error}") from error
    for text, document in zip(TEXTS, documents, strict=True):
        if fault := _fault(text, document):
            raise SelfTestError(f"{fault}, in «{text}»")


def _fault(text: str, document: Document) -> str | None:
    """What is wrong with a document, if anything."""
    if document.text != text:
        return "the text has changed"
    spans: list[Entity | Action] = [*document.entities, *document.actions]
    for span in spans:
        if not 0 <= span.start < span.end <= len(text) or text[span.start : span.end] != span.text:
            return f"a span's offsets are wrong: {span.start} to {span.end}"
        if not 0.0 <= span.score <= 1.0:  # NaN as well
            return f"a score is not a probability: {span.score}"
    if any(entity.label not in ENTITY_LABELS for entity in document.entities):
        return "an entity has an unknown label"
    if any(own.event_class not in CLASSES or own.factuality not in FACTUALITIES for own in document.actions):
        return "an action has an unknown class or factuality"
    if text and not document.entities:
        return "no entity is found"
    if text and not document.actions:
        return "no action is found"
    return None
