"""Files of the one-line notation (section 4 of the guidelines), one sentence a line.

A comment `# id: politics-0030` names the sentence of the next line; other readers pass over it. A sentence without
one is called by the file and its line, `politics-0001`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from model.annotation import AnnotatedSentence, Fault
from model.markup import MarkupError, parse_markup, to_markup
from training.exchange.documents import Document, Finding, Origin, canonical, shown

_ID = "# id: "


def read(path: Path) -> Iterator[Document | Finding]:
    """Yield the sentences of a file, and a finding with line and column for every line that is not in the notation."""
    name: str | None = None
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            place = f"{path}:{number}"
            try:
                line = raw.decode("utf-8").removesuffix("\n").removesuffix("\r")
            except UnicodeDecodeError as error:
                yield Finding(place, Fault("", f"not UTF-8: {error.reason} at byte {error.start} of the line"))
                name = None
                continue
            if line.startswith(_ID) or not line.strip() or line.startswith("#"):
                name = line.removeprefix(_ID) if line.startswith(_ID) else name
                continue
            try:
                sentence = parse_markup(line, name or f"{path.stem}-{number:04}")
            except MarkupError as error:
                where = "" if error.column is None else f"column {error.column}"
                yield Finding(place, Fault(where, error.message, error.piece))
            else:
                yield Document(canonical(sentence), Origin(place))
            name = None


def write(path: Path, documents: Iterable[Document]) -> list[Finding]:
    """Write sentences with their ids, and return those that the notation cannot say (`model.markup.to_markup`)."""
    findings: list[Finding] = []
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for document in documents:
            fault, line = _line(document.content)
            if fault:
                findings.append(Finding(document.origin.place, fault))
            else:
                file.write(f"{_ID}{document.content.id}\n{line}\n")
    return findings


def _line(content: AnnotatedSentence) -> tuple[Fault | None, str]:
    if "\n" in content.id or content.id.endswith("\r"):
        return Fault("id", "has a line break, which a comment cannot hold", content.id), ""
    if not content.text.strip():
        return Fault("text", "is blank, which the notation passes over"), ""
    try:
        line = to_markup(content)
        # what cannot be read back is better refused here
        if canonical(parse_markup(line, content.id)) != canonical(content):
            return Fault("text", "the notation cannot say it", shown(content.text)), ""
    except MarkupError as error:
        return Fault("text", error.message, error.piece), ""
    return None, line
