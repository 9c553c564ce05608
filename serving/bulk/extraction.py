"""A chunk's documents extracted: the same calls of the extractor in every process, so the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from model.extractor import Extractor
from model.records import Document
from serving.bulk.job import BulkError, Job, Told
from serving.bulk.output import EncodedRow, Finished, Output, write_part
from serving.bulk.records import Failure, Item, Reason, Record
from serving.formats import json_line
from serving.reading import GROUP_CHARACTERS, GROUP_DOCUMENTS


def extract_chunk(
    extractor: Extractor, job: Job, output: Output, chunk: int, items: Sequence[Item], told: Told
) -> Finished:
    """Extract a chunk and write its part; a document that the extractor fails on is a failure. Raises BulkError."""
    rows: list[EncodedRow] = []
    failures = [item for item in items if isinstance(item, Failure)]
    told(len(failures))
    for group in _groups([item for item in items if isinstance(item, Record)]):
        for record, result in zip(group, _extract(extractor, job, group), strict=True):
            if isinstance(result, Document):
                rows.append(_row(record, result))
            else:
                message = f"{type(result).__name__}: {result}".partition("\n")[0]
                failures.append(Failure(record.place, Reason.EXTRACTION, message, record.id))
        told(len(group))
    order = {item.place: number for number, item in enumerate(items)}
    failures.sort(key=lambda failure: order[failure.place])
    return write_part(output, job.format, chunk, rows, [failure.to_dict() for failure in failures])


def _row(record: Record, document: Document) -> EncodedRow:
    place = record.place
    text = json_line(document)
    return EncodedRow(record.id, record.date, place.source, place.line, text, len(document.sentences))


def _groups(records: Sequence[Record]) -> Iterator[list[Record]]:
    """Documents whose sentences share batches: enough to fill these, few enough to be seen going on."""
    group: list[Record] = []
    characters = 0
    for record in records:
        group.append(record)
        characters += len(record.text)
        if len(group) == GROUP_DOCUMENTS or characters >= GROUP_CHARACTERS:
            yield group
            group, characters = [], 0
    if group:
        yield group


def _extract(extractor: Extractor, job: Job, group: Sequence[Record]) -> Sequence[Document | Exception]:
    try:
        return _documents(extractor, job, group)
    except MemoryError:
        raise BulkError("not enough memory; a smaller --batch-size takes less") from None
    except Exception as error:
        if len(group) == 1:
            return [error]
        return [result for record in group for result in _extract(extractor, job, [record])]


def _documents(extractor: Extractor, job: Job, group: Sequence[Record]) -> list[Document]:
    texts, ids = [record.text for record in group], [record.id for record in group]
    if job.batch_size is None:
        return extractor.extract_batch(texts, ids=ids, min_score=job.min_score)
    return extractor.extract_batch(texts, ids=ids, batch_size=job.batch_size, min_score=job.min_score)
