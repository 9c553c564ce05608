"""The table of annotations."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, DateTime, Dialect, Index, Integer, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

STATUSES = ("pending", "accepted", "rejected")
#: Characters of an annotator's name, and of a model's name and version.
NAME_CHARACTERS = 200
#: Hexadecimal digits of a record's id.
ID_DIGITS = 32


class Moment(TypeDecorator[datetime]):
    """A time with zone, kept in UTC to the microsecond."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        # SQLite has no zones
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class Base(DeclarativeBase):
    """The tables of the feedback database."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )


class AnnotationRow(Base):
    """One corrected document: who corrected which model's output, and what became of it.

    `number` is the order of creation. `id` is a digest of what was said, so the same is never stored twice.
    `document_id` is the annotator's own id of the document. `entities` and `relations` are as they were sent.
    The long columns come last: SQLite reads a row from its beginning.
    """

    __tablename__ = "annotations"

    number: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    id: Mapped[str] = mapped_column(String(ID_DIGITS), unique=True)
    status: Mapped[str] = mapped_column(String(8))
    created: Mapped[datetime] = mapped_column(Moment)
    updated: Mapped[datetime] = mapped_column(Moment)
    annotator: Mapped[str] = mapped_column(String(NAME_CHARACTERS))
    model_name: Mapped[str] = mapped_column(String(NAME_CHARACTERS))
    model_version: Mapped[str] = mapped_column(String(NAME_CHARACTERS))
    document_id: Mapped[str | None] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    entities: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    relations: Mapped[list[dict[str, Any]]] = mapped_column(JSON)

    __table_args__ = (
        CheckConstraint(f"status IN {STATUSES}", name="status"),
        # pages of the export go on from a number; `created` alone would make each page sort all that are left
        Index(None, "annotator", "number"),
        Index(None, "status", "number"),
    )
