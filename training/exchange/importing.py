"""From a tool's file to one checked file of the annotation format.

Nothing is lost in silence: each record that is left out, and each part of one, is a finding with its place; and what
is written passes `musnad annotations check`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from model.annotation import AnnotatedSentence, Fault
from model.annotation_check import check
from model.annotation_files import write_annotations
from training.exchange.documents import Document, Finding, bad, notes
from training.exchange.registry import Format
from training.exchange.splitting import Across, split_document

_LINE = re.compile(r"\bline (\d+)\b")


class Several(StrEnum):
    """What happens to several annotations of one text."""

    ERROR = "error"  #: all of them are refused
    LATEST = "latest"  #: the one that was updated last is read


@dataclass(frozen=True, slots=True)
class Choices:
    """What the person who imports decides.

    `split`: whether documents are cut into sentences; `annotator` and `statuses`: whose annotations, and of which
    status, are read (None: all). What has no status is read whatever `statuses` says.
    """

    split: bool = True
    across: Across = Across.ERROR
    several: Several = Several.ERROR
    annotator: str | None = None
    statuses: Collection[str] | None = None


@dataclass(slots=True)
class Imported:
    """What an import made: sentences with the place that each comes from, and all findings."""

    sentences: list[tuple[str, AnnotatedSentence]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def bad(self) -> list[Finding]:
        """The findings that keep a record out."""
        return [finding for finding in self.findings if finding.bad]


def import_documents(format: Format, source: Path, target: Path, choices: Choices, skip_bad: bool = False) -> Imported:
    """Read a tool's file and write its sentences; with bad records, nothing, unless `skip_bad` leaves them out.

    `target` is replaced only when all is written. Raises OSError for a file that cannot be read or written.
    """
    imported = Imported()
    documents: list[Document] = []
    for item in format.read(source):
        if isinstance(item, Finding):
            imported.findings.append(item)
        else:
            documents.append(item)
    for document in _chosen(documents, choices, imported.findings):
        place = document.origin.place
        if not choices.split:
            imported.sentences.append((place, document.content))
            continue
        pieces = split_document(document.content, choices.across)
        imported.findings += (bad if pieces.refused else notes)(place, _explained(pieces.across, choices.across))
        imported.sentences += [(place, sentence) for sentence in pieces.sentences]
    _write_checked(imported, target, skip_bad)
    return imported


def _explained(faults: Iterable[Fault], across: Across) -> Iterable[Fault]:
    outcome = {
        Across.ERROR: "choose --across drop or keep, or --whole",
        Across.DROP: "dropped",
        Across.KEEP: "its sentences are kept together",
    }[across]
    for fault in faults:
        told = f"{fault.message}: {outcome}" if "reaches across" in fault.message else fault.message
        yield Fault(fault.field, told, fault.text)


def _chosen(documents: Sequence[Document], choices: Choices, findings: list[Finding]) -> list[Document]:
    """Return the documents of the annotator and statuses that are wanted, one of each task."""
    tasks: dict[str, list[Document]] = {}
    for number, document in enumerate(documents):
        origin = document.origin
        by, status = origin.authorship.annotator, origin.authorship.status
        if choices.annotator is not None and by != choices.annotator:
            findings += notes(origin.place, [Fault("annotator", "another annotator's, and not read", str(by))])
        elif choices.statuses is not None and status is not None and status not in choices.statuses:
            findings += notes(origin.place, [Fault("status", "of this status, and not read", status)])
        else:
            tasks.setdefault(origin.task or f"\0{number}", []).append(document)
    return [document for group in tasks.values() for document in _one_of(group, choices.several, findings)]


def _one_of(group: list[Document], several: Several, findings: list[Finding]) -> list[Document]:
    if len(group) == 1:
        return group
    annotators = ", ".join(str(document.origin.authorship.annotator) for document in group)
    if several is Several.ERROR:
        message = f"{len(group)} annotations of one text, by {annotators}: choose --annotator NAME, or --several latest"
        findings += bad(group[0].origin.place, [Fault("", message, group[0].content.text[:60])])
        return []
    undated = [document for document in group if not document.origin.dated]
    if undated:
        findings += bad(
            undated[0].origin.place, [Fault("", "has no date: which annotation of the text is the latest?")]
        )
        return []
    *earlier, latest = sorted(group, key=lambda document: document.origin.dated)
    for document in earlier:
        message = f"an earlier annotation of the text, by {document.origin.authorship.annotator}, and not read"
        findings += notes(document.origin.place, [Fault("", message)])
    return [latest]


def _write_checked(imported: Imported, target: Path, skip_bad: bool) -> None:
    """Write the sentences and check the file; those at fault become findings, and the rest is written again."""
    unfinished = target.with_name(f".{target.name}.importing")
    try:
        while True:
            write_annotations(unfinished, (sentence for _, sentence in imported.sentences))
            problems = list(check([unfinished]))
            for problem in problems:
                place, sentence = imported.sentences[problem.line - 1]
                message = _LINE.sub(lambda match: imported.sentences[int(match[1]) - 1][0], problem.message)
                imported.findings.append(Finding(place, Fault(f"sentence {sentence.id}", message, problem.text)))
            at_fault = {problem.line for problem in problems}
            imported.sentences = [item for line, item in enumerate(imported.sentences, start=1) if line not in at_fault]
            if not problems:
                break
        if not imported.bad or skip_bad:
            unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
