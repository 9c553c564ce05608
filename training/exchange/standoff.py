"""Annotations kept apart from their sentences, for texts that may be read but not passed on (standoff annotation).

A line is that of an annotated sentence with, in place of `text`, where the sentence stands in JSON lines of texts::

    {"id": "saudinews-0001", "document": 17, "start_offset": 208, "end_offset": 315, "sha256": "...",
     "entities": [...], "relations": [...]}

`document` is the line of the texts' file, from 1; the offsets are `[start, end)` in code points of that line's `title`
and `text`, a line break between them (`training.suggesting.corpus.read_texts`); `sha256` is that of the sentence in
UTF-8, so that other texts are never taken for those annotated. Offsets of `entities` count within the sentence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from model.annotation import AnnotatedSentence, AnnotationError, Fault
from model.annotation_files import parse_sentence, read_records
from training.config import first_fault
from training.suggesting.corpus import read_texts


class StandoffError(ValueError):
    """Annotations and texts that do not belong together: says file, line and what."""


class _Standoff(BaseModel):
    """A line of standoff annotation."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str
    document: int = Field(ge=1)
    start_offset: int = Field(ge=0)
    end_offset: int = Field(ge=1)
    sha256: str
    entities: list[object]
    relations: list[object]


def attach(path: Path, texts: Path) -> Iterator[AnnotatedSentence]:
    """Yield the sentences of a standoff file, in its order, with their text.

    Raises StandoffError, naming file and line, for a line that is no such record, a document that is not there, and a
    sentence that is another one; AnnotationError for annotations that are not sound.
    """
    records = list(_records(path))
    wanted = {record.document for _, record in records}
    found = {number: text for number, text in read_texts(texts) if number in wanted}
    for line, record in records:
        place = f"{path}:{line}"
        if record.document not in found:
            raise StandoffError(f"{place}: {texts} has no document {record.document}")
        sentence = found[record.document][record.start_offset : record.end_offset]
        if _digest(sentence) != record.sha256:
            raise StandoffError(
                f"{place}: [{record.start_offset}, {record.end_offset}) of document {record.document} of {texts} "
                f"is not the sentence that was annotated: «{sentence[:60]}»"
            )
        try:
            yield parse_sentence({**record.model_dump(include={"id", "entities", "relations"}), "text": sentence})
        except AnnotationError as error:
            raise AnnotationError(error.fault, path, line) from None


def detach(sentences: Sequence[AnnotatedSentence], texts: Path) -> Iterator[dict[str, object]]:
    """Yield the standoff record of each sentence, at the first place of the texts where it stands.

    Raises StandoffError where a sentence stands nowhere in the texts.
    """
    places = _places({own.text for own in sentences}, read_texts(texts))
    for own in sentences:
        if own.text not in places:
            raise StandoffError(f"{own.id}: stands nowhere in {texts}: «{own.text[:60]}»")
        document, start = places[own.text]
        annotation = own.to_dict()
        yield {
            "id": own.id,
            "document": document,
            "start_offset": start,
            "end_offset": start + len(own.text),
            "sha256": _digest(own.text),
            "entities": annotation["entities"],
            "relations": annotation["relations"],
        }


def _records(path: Path) -> Iterator[tuple[int, _Standoff]]:
    for line, record in read_records(path):
        if isinstance(record, Fault):
            raise AnnotationError(record, path, line)
        try:
            yield line, _Standoff.model_validate(record)
        except ValidationError as error:
            raise StandoffError(f"{path}:{line}: {first_fault(error)}") from None


def _places(sentences: set[str], texts: Iterable[tuple[int, str]]) -> dict[str, tuple[int, int]]:
    """The document, from 1, and the offset where each sentence first stands; those that stand nowhere are left out."""
    missing = set(sentences)
    found: dict[str, tuple[int, int]] = {}
    for number, text in texts:
        here = {sentence: (number, text.index(sentence)) for sentence in missing if sentence in text}
        found |= here
        missing -= here.keys()
    return found


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
