"""CoNLL: a word and its BIO tag a line, with a tab between, and a blank line behind each sentence.

The format has no room for what it does not know, so writing must be told what may be lost (`Loss`), and counts it. A
line `# document {"id": …, "text": …}` before each sentence keeps its id and its text as it stands; reading a file that
has none joins the words with single spaces. PER, ORG, LOC and NUM come back. An ACT would lack its class and a NOM its
role, so their tags are reported and left out; so are those of types without a counterpart (MISC).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from model.annotation import AnnotatedSentence, Fault, Span
from model.labels import ACTION_LABEL, ENTITY_LABELS
from model.text import Offsets, split_words
from training.exchange.documents import Document, Finding, Origin, assemble, bad, notes, shown
from training.sources import CONLL, Row, word_spans

_HEADER = "# document "
#: Labels that say all there is to say.
KEPT = ("PER", "ORG", "LOC", "NUM")
#: Types of tags by their meaning: CoNLL's names, and our own labels.
_TYPES = {**CONLL.labels, **{label: label for label in (*ENTITY_LABELS, ACTION_LABEL)}}
_NAMES_ONLY = (
    "CoNLL knows no actions and roles, so in the annotation format its sentences say that there are none: "
    "to train on names alone, give the CoNLL file itself to the training, with the format conll"
)


class Loss(StrEnum):
    """What CoNLL cannot hold."""

    BOUNDARIES = "boundaries"  #: where a span begins behind a clitic or ends inside a word: it becomes whole words
    ACTIONS = "actions"  #: the class and the factuality of actions, which become bare B-ACT
    ROLES = "roles"  #: all relations
    OVERLAPS = "overlaps"  #: a span that shares a word with an earlier one, and is not written at all


@dataclass(slots=True)
class _Block:
    """A sentence of a file: the line of its first word, its words, and its header."""

    line: int
    rows: list[Row]
    header: dict[str, str] | None = None


def read(path: Path) -> Iterator[Document | Finding]:
    """Yield the sentences of a two-column file, and a finding for what cannot be read or is not kept."""
    any_read = False
    for item in _blocks(path):
        if isinstance(item, Finding):
            yield item
            continue
        for found in _read_block(item, path):
            any_read = any_read or isinstance(found, Document)
            yield found
    if any_read:
        yield Finding(str(path), Fault("", _NAMES_ONLY), bad=False)


def _blocks(path: Path) -> Iterator[_Block | Finding]:
    block = _Block(1, [])
    sound = True
    with path.open("rb") as lines:
        for number, raw in enumerate([*lines, b""], start=1):
            place = f"{path}:{number}"
            try:
                line = raw.decode("utf-8").rstrip("\r\n")
                columns = line.split()
                if line.startswith(_HEADER) or not columns:
                    if sound and (block.rows or block.header):
                        yield block
                    block, sound = _Block(number, []), True
                    block.header = _header(line) if line else None
                elif len(columns) != 2:
                    raise ValueError(f"a line has two columns, a word and its tag, not {len(columns)}")
                elif columns[1] != "O" and columns[1][:2] not in ("B-", "I-"):
                    raise ValueError("a tag is O, B-… or I-…")
                elif columns[1] != "O" and columns[1][2:] not in (*_TYPES, *CONLL.ignored):
                    raise ValueError(f"a tag of an unknown type: known are {', '.join((*_TYPES, *CONLL.ignored))}")
                else:
                    block.rows.append((columns[0], (columns[1],)))
            except ValueError as error:
                sound = False
                yield Finding(place, Fault("", str(error), shown(raw.decode("utf-8", "replace").strip())))


def _header(line: str) -> dict[str, str] | None:
    """Return the id and text in a line of ours, None for a header of another kind (AQMAR)."""
    try:
        header = json.loads(line.removeprefix(_HEADER))
    except ValueError:
        return None
    if not isinstance(header, dict) or set(header) != {"id", "text"}:
        return None
    return header if all(isinstance(value, str) for value in header.values()) else None


def _read_block(block: _Block, path: Path) -> Iterator[Document | Finding]:
    place = f"{path}:{block.line}"
    header = block.header or {
        "id": f"{path.stem}-{block.line:04}",
        "text": " ".join(word for word, _ in block.rows),
    }
    places = _places(header["text"], [word for word, _ in block.rows])
    if places is None:
        yield Finding(place, Fault("text", "the words below are not those of the text", shown(header["text"])))
        return
    found = word_spans(block.rows, _TYPES)
    spans = [
        (
            f"words[{first}]",
            {"id": number, "label": label, "start_offset": places[first][0], "end_offset": places[last][1]},
        )
        for number, (label, first, last) in enumerate(span for span in found if span[0] in KEPT)
    ]
    content, faults = assemble(header["id"], header["text"], spans, [])
    if faults:
        yield from bad(place, faults)
        return
    yield Document(content, Origin(place))
    dropped = Counter(label for label, _, _ in found if label not in KEPT)
    dropped.update(tags[0][2:] for _, tags in block.rows if tags[0].startswith("B-") and tags[0][2:] in CONLL.ignored)
    yield from notes(place, (Fault("", f"tags of {label} are not kept: {count}") for label, count in dropped.items()))


def _places(text: str, words: Iterable[str]) -> list[Offsets] | None:
    """Return the offsets of the words that, with white space between, make up a text; None if they do not."""
    places: list[Offsets] = []
    position = 0
    for word in words:
        while position < len(text) and text[position].isspace():
            position += 1
        if not text.startswith(word, position):
            return None
        places.append((position, position + len(word)))
        position += len(word)
    return places if not text[position:].strip() else None


def write(path: Path, documents: Iterable[Document], lose: Collection[Loss] = ()) -> list[Finding]:
    """Write sentences with their words tagged, and return what was lost.

    What `lose` does not name is no note but keeps the sentence out.
    """
    findings: list[Finding] = []
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for document in documents:
            content = document.content
            tags, losses = _tag(content)
            faults = [
                Fault("", f"{loss.value} are lost in CoNLL: {count}") for loss, count in losses.items() if loss in lose
            ]
            refused = [
                Fault("", f"{loss.value} would be lost in CoNLL: {count} (allow it with --lose {loss.value})")
                for loss, count in losses.items()
                if loss not in lose
            ]
            findings += bad(document.origin.place, refused) or notes(document.origin.place, faults)
            if not refused:
                header = json.dumps({"id": content.id, "text": content.text}, ensure_ascii=False)
                rows = "".join(f"{content.text[start:end]}\t{tag}\n" for (start, end), tag in tags)
                file.write(f"{_HEADER}{header}\n{rows}\n")
    return findings


def _tag(content: AnnotatedSentence) -> tuple[list[tuple[Offsets, str]], Counter[Loss]]:
    """Return the words with their tags, and what these do not say."""
    words = split_words(content.text)
    tags = ["O"] * len(words)
    losses: Counter[Loss] = Counter()
    for span in sorted(content.spans, key=lambda span: (span.start, span.end)):
        covered = [index for index, (start, end) in enumerate(words) if start < span.end and span.start < end]
        if not covered or any(tags[index] != "O" for index in covered):
            losses[Loss.OVERLAPS] += 1
            continue
        losses[Loss.BOUNDARIES] += not _is_whole(span, words[covered[0]], words[covered[-1]])
        losses[Loss.ACTIONS] += span.is_action
        for index in covered:
            tags[index] = f"I-{span.label}"
        tags[covered[0]] = f"B-{span.label}"
    losses[Loss.ROLES] += len(content.relations)
    return list(zip(words, tags, strict=True)), +losses


def _is_whole(span: Span, first: Offsets, last: Offsets) -> bool:
    return (span.start, span.end) == (first[0], last[1])
