"""The store of annotations: submitted, exported, reviewed, counted. All of it blocks, and belongs in threads."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Select, Text, cast, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from serving.feedback.databases import DatabaseError, now, open_engine, reason, shown, writing
from serving.feedback.migrations import require_head
from serving.feedback.records import Annotation, Filter, Receipt, Submission
from serving.feedback.tables import STATUSES, AnnotationRow

#: Records that an export holds at a time.
PAGE = 20


class FeedbackStore:
    """Annotations in a database that `serving.feedback.migrations.upgrade` has brought up to date.

    Its methods may be called from several threads, in several processes; they raise sqlalchemy.exc.SQLAlchemyError
    where the database fails, and then nothing was changed.
    """

    def __init__(self, url: str) -> None:
        """Open the database; raises DatabaseError where it cannot be used, or is not up to date."""
        self._engine = open_engine(url)
        try:
            with self._engine.connect() as connection:
                require_head(connection)
        except SQLAlchemyError as error:
            self.close()
            raise DatabaseError(f"{shown(self._engine.url)}: {reason(error)}") from None
        except DatabaseError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def submit(self, submission: Submission) -> list[Receipt]:
        """Store the documents that are not stored yet, all or none; return a receipt of each, in their order.

        When this returns, they are on disk.
        """
        if not submission.documents:
            return []
        ids = submission.ids()
        receipts: list[Receipt] = []
        rows: dict[str, dict[str, Any]] = {}
        with writing(self._engine) as connection:
            created = now(connection)
            for id, document in zip(ids, submission.documents, strict=True):
                if id in rows:
                    receipts.append(Receipt(id, STATUSES[0], False))
                    continue
                status = connection.scalar(select(AnnotationRow.status).where(AnnotationRow.id == id))
                receipts.append(Receipt(id, status or STATUSES[0], status is None))
                if status is None:
                    rows[id] = {
                        "id": id,
                        "status": STATUSES[0],
                        "created": created,
                        "updated": created,
                        "annotator": submission.annotator,
                        "model_name": submission.model_name,
                        "model_version": submission.model_version,
                        "document_id": document.id or None,
                        "text": document.text,
                        "entities": [span.to_dict() for span in document.spans],
                        "relations": [link.to_dict() for link in document.relations],
                    }
            if rows:
                connection.execute(insert(AnnotationRow), list(rows.values()))
        return receipts

    def export(self, filter: Filter = Filter()) -> Iterator[Annotation]:  # noqa: B008  # immutable
        """Yield the records that fit, in the order of their creation, PAGE of them in memory at a time.

        Ends with the last that was stored when it began. Each page is a transaction of its own, so that a slow reader
        keeps no connection, nor the database from clearing up.
        """
        with self._engine.connect() as connection:
            last = connection.scalar(select(func.max(AnnotationRow.number))) or 0
        done = 0
        query = _fitting(filter).where(AnnotationRow.number <= last).order_by(AnnotationRow.number).limit(PAGE)
        while True:
            with self._engine.connect() as connection:
                page = _annotations(connection, query.where(AnnotationRow.number > done))
            yield from page
            if len(page) < PAGE:
                return
            done = page[-1].number

    def set_status(self, id: str, status: str) -> Annotation | None:
        """Set a record's status, one of STATUSES, and return the record; None where there is none with that id."""
        if status not in STATUSES:
            raise ValueError(f"{status!r} is not one of {', '.join(STATUSES)}")
        with writing(self._engine) as connection:
            changed = update(AnnotationRow).where(AnnotationRow.id == id, AnnotationRow.status != status)
            connection.execute(changed.values(status=status, updated=now(connection)))
            found = _annotations(connection, _records().where(AnnotationRow.id == id))
        return found[0] if found else None

    def count_by_status(self) -> dict[str, int]:
        """How many records have each of STATUSES."""
        query = select(AnnotationRow.status, func.count()).group_by(AnnotationRow.status)
        with self._engine.connect() as connection:
            found = {status: count for status, count in connection.execute(query)}
        return {status: found.get(status, 0) for status in STATUSES}


def _records() -> Select[*tuple[Any, ...]]:
    """The columns of `Annotation`, in its order."""
    row = AnnotationRow
    return select(
        row.number,
        row.id,
        row.status,
        row.created,
        row.updated,
        row.annotator,
        row.model_name,
        row.model_version,
        row.document_id,
        row.text,
        cast(row.entities, Text),
        cast(row.relations, Text),
    )


def _fitting(filter: Filter) -> Select[*tuple[Any, ...]]:
    query = _records()
    if filter.annotator is not None:
        query = query.where(AnnotationRow.annotator == filter.annotator)
    if filter.status is not None:
        query = query.where(AnnotationRow.status == filter.status)
    if filter.since is not None:
        query = query.where(AnnotationRow.created >= filter.since)
    if filter.until is not None:
        query = query.where(AnnotationRow.created < filter.until)
    return query


def _annotations(connection: Connection, query: Select[*tuple[Any, ...]]) -> list[Annotation]:
    return [Annotation(*row) for row in connection.execute(query)]
