"""From files of the annotation format to a tool's file or folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from model.annotation_files import read_annotations
from training.exchange.documents import Document, Finding, Origin

#: Writes documents to a path and returns what could not be written, or was written without a part.
Writer = Callable[[Path, Iterable[Document]], list[Finding]]


def export_documents(
    sources: Sequence[Path], target: Path, write: Writer, skip_bad: bool = False
) -> tuple[int, list[Finding]]:
    """Write the sentences of annotated files with `write`; return how many there are, and the findings.

    If a sentence cannot be written, nothing is, unless `skip_bad` leaves it out. `target` appears only when all is
    written. Raises AnnotationError for a line that is no annotated sentence, FileExistsError if `target` is there.
    """
    if target.exists():
        raise FileExistsError(f"{target}: is there already")
    count = 0

    def documents() -> Iterator[Document]:
        nonlocal count
        for source in sources:
            for sentence in read_annotations(source):
                count += 1
                yield Document(sentence, Origin(f"{source}: {sentence.id}"))

    unfinished = target.with_name(f".{target.name}.exporting")
    try:
        findings = write(unfinished, documents())
        if skip_bad or not any(finding.bad for finding in findings):
            unfinished.replace(target)
    finally:
        if unfinished.is_dir():
            shutil.rmtree(unfinished)
        unfinished.unlink(missing_ok=True)
    return count, findings
