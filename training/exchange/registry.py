"""The formats by name, with what reads and what writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from training.exchange import brat, conll, doccano, labelstudio, markup_lines, service
from training.exchange.documents import Document, Finding


class FormatName(StrEnum):
    """What `--from` and `--to` take."""

    DOCCANO = "doccano"
    LABELSTUDIO = "labelstudio"
    BRAT = "brat"
    CONLL = "conll"
    MARKUP = "markup"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Format:
    """A reader and a writer; `sentences` says that each of its records is one sentence, by its nature."""

    read: Callable[[Path], Iterator[Document | Finding]]
    write: Callable[[Path, Iterable[Document]], list[Finding]]
    sentences: bool


FORMATS: dict[FormatName, Format] = {
    FormatName.DOCCANO: Format(doccano.read, doccano.write, sentences=False),
    FormatName.LABELSTUDIO: Format(labelstudio.read, labelstudio.write, sentences=False),
    FormatName.BRAT: Format(brat.read, brat.write, sentences=False),
    FormatName.CONLL: Format(conll.read, conll.write, sentences=True),
    FormatName.MARKUP: Format(markup_lines.read, markup_lines.write, sentences=True),
    FormatName.SERVICE: Format(service.read, service.write, sentences=True),
}
