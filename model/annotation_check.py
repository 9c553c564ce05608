"""Checking annotated sentences: the format, the offsets, and what the guidelines make impossible.

`check` goes through JSON lines files, one line at a time, and names every fault; `check_sentence` does the same for
one decoded JSON object. Nothing is corrected. What is judged is only what a program can know to be wrong.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from model.annotation import AnnotatedSentence, Fault, Span
from model.annotation_files import parse_what_is_sound, read_records
from model.labels import ROLE_FILLERS
from model.normalization import DIGITS, FOLDED, plain

_SAME = str.maketrans({**FOLDED, **DIGITS})
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault with its place: the line counts from 1; `text` is the piece at fault and may be empty."""

    file: Path
    line: int
    text: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: {self.message}"
        return f"{place}: «{self.text}»" if self.text else place


@dataclass(frozen=True, slots=True)
class _Place:
    file: Path
    line: int

    def seen_from(self, file: Path) -> str:
        return f"line {self.line}" if file == self.file else f"{self.file}:{self.line}"


def check(paths: Iterable[Path]) -> Iterator[Problem]:
    """Yield every problem of the files, in their order; a bad line does not stop the rest.

    The files are taken as the splits of one corpus: a sentence's id is unique over all of them, no file has a
    sentence twice, and no two files share one, punctuation, marks and spacing aside. Only ids and hashes are kept in
    memory. Raises OSError for a file that cannot be read.
    """
    ids: dict[str, _Place] = {}
    sentences: dict[bytes, _Place] = {}
    for path in paths:
        for line, record in read_records(path):
            if isinstance(record, Fault):
                yield Problem(path, line, record.text, record.message)
                continue
            sentence, faults = _examine(record)
            faults += _repetitions(sentence, _Place(path, line), ids, sentences)
            for fault in faults:
                message = f"{fault.field}: {fault.message}" if fault.field else fault.message
                yield Problem(path, line, fault.text, message)


def check_sentence(record: object) -> list[Fault]:
    """Return every fault of one decoded JSON object, with the field that it is in; none if the annotation is sound."""
    return _examine(record)[1]


def comparable_words(text: str) -> list[str]:
    """Return the words of a text as two copies of it share them: without marks, tatweel and punctuation, and with
    digits and letters of one kind."""
    return _WORD.findall(plain(text).translate(_SAME))


def _examine(record: object) -> tuple[AnnotatedSentence, list[Fault]]:
    sentence, faults = parse_what_is_sound(record)
    fields = _fields_by_id(record, "entities")
    all_is_parsed = not faults
    if all_is_parsed and not sentence.text.strip():
        faults.append(Fault("text", "is empty"))
    for span in sentence.spans:
        faults += _boundary_faults(fields[span.id], sentence.text, span)
    faults += _overlaps(sentence, fields)
    faults += _role_faults(sentence, _fields_by_id(record, "relations"))
    if all_is_parsed:
        faults += _idle_spans(sentence, fields)
    return sentence, faults


def _fields_by_id(record: object, name: str) -> dict[int, str]:
    """Return the field of each entity or relation, such as "entities[3]", by its id."""
    values = record.get(name) if isinstance(record, dict) else None
    fields: dict[int, str] = {}
    for index, value in enumerate(values if isinstance(values, list) else []):
        if isinstance(value, dict) and type(value.get("id")) is int:
            fields.setdefault(value["id"], f"{name}[{index}]")
    return fields


def _boundary_faults(field: str, text: str, span: Span) -> list[Fault]:
    covered = text[span.start : span.end]
    faults = []
    if covered != covered.strip():
        faults.append(Fault(field, "white space at the edge of the span", covered))
    if _is_mark(covered[0]):
        faults.append(Fault(field, "the span begins with a mark, cut from its letter", covered))
    if span.end < len(text) and _is_mark(text[span.end]):
        faults.append(Fault(field, "the span's last letter is cut from its mark", covered))
    return faults


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def _overlaps(sentence: AnnotatedSentence, fields: dict[int, str]) -> Iterator[Fault]:
    reaching: Span | None = None
    for span in sorted(sentence.spans, key=lambda span: (span.start, span.end)):
        if reaching is not None and span.start < reaching.end:
            other = f"{fields[reaching.id]} «{sentence.text_of(reaching)}»"
            yield Fault(fields[span.id], f"the span overlaps {other}", sentence.text_of(span))
        if reaching is None or span.end > reaching.end:
            reaching = span


def _role_faults(sentence: AnnotatedSentence, fields: dict[int, str]) -> Iterator[Fault]:
    spans = {span.id: span for span in sentence.spans}
    seen: dict[tuple[int, int, str], int] = {}
    for link in sentence.relations:
        action, entity = spans[link.action], spans[link.entity]
        field = fields[link.id]
        said = f"{sentence.text_of(action)} → {sentence.text_of(entity)}"
        if action is entity:
            yield Fault(field, "an entity is related to itself", sentence.text_of(action))
        elif not action.is_action:
            yield Fault(field, f"runs from {action.label}, not from an action", said)
        elif entity.is_action:
            yield Fault(field, "runs to an action, not to an entity", said)
        elif entity.label not in ROLE_FILLERS[link.role]:
            allowed = ", ".join(sorted(ROLE_FILLERS[link.role]))
            yield Fault(field, f"{entity.label} cannot be {link.role}, only {allowed}", said)
        key = (link.action, link.entity, link.role)
        if key in seen:
            yield Fault(field, f"says the same as {fields[seen[key]]}", said)
        seen.setdefault(key, link.id)


def _idle_spans(sentence: AnnotatedSentence, fields: dict[int, str]) -> Iterator[Fault]:
    taking_part = {link.action for link in sentence.relations if link.role in ("actor", "target")}
    filling = {link.entity for link in sentence.relations}
    for span in sentence.spans:
        if span.is_action and span.id not in taking_part:
            yield Fault(fields[span.id], "an action without actor or target is not tagged", sentence.text_of(span))
        elif span.label == "NOM" and span.id not in filling:
            yield Fault(fields[span.id], "a NOM without a role is not tagged", sentence.text_of(span))


def _repetitions(
    sentence: AnnotatedSentence, place: _Place, ids: dict[str, _Place], sentences: dict[bytes, _Place]
) -> Iterator[Fault]:
    if sentence.id:
        earlier = ids.setdefault(sentence.id, place)
        if earlier is not place:
            yield Fault("id", f"{earlier.seen_from(place.file)} has the same id", sentence.id)
    words = comparable_words(sentence.text)
    if not words:
        return
    earlier = sentences.setdefault(hashlib.blake2b(" ".join(words).encode(), digest_size=16).digest(), place)
    if earlier.file != place.file:
        yield Fault("text", f"the sentence is in two splits: {earlier.seen_from(place.file)} has it too", sentence.text)
    elif earlier is not place:
        yield Fault("text", f"{earlier.seen_from(place.file)} has the same sentence", sentence.text)
