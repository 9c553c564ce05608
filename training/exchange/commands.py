"""Sub-commands `import`, `export`, `split` and `dedup` of `musnad annotations`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from model.annotation import AnnotationError
from model.annotation_files import read_annotations, write_annotations, write_records
from model.console import errors, fail, needs_extra
from training.annotation_split import THRESHOLD, domain, split_files
from training.exchange import conll, labelstudio, standoff
from training.exchange.conll import Loss
from training.exchange.exporting import Writer, export_documents
from training.exchange.importing import Choices, Several, import_documents
from training.exchange.registry import FORMATS, FormatName
from training.exchange.splitting import Across
from training.exchange.standoff import StandoffError
from training.suggesting.corpus import CorpusError

if TYPE_CHECKING:
    from training.exchange.documents import Finding
    from training.exchange.duplicates import Pair

app = typer.Typer()

#: How many notes of one kind are printed; the rest is counted.
_SHOWN = 5

_SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Leave bad records out; else they stop all from being written.")
]


_Texts = Annotated[
    Path, typer.Argument(metavar="TEXTS", help="JSON lines of texts (.gz, .xz) that the sentences are from.")
]

_AllNotes = Annotated[bool, typer.Option("--all-notes", help=f"Print every note, not the first {_SHOWN} of each kind.")]


def _report(findings: Sequence[Finding], all_notes: bool) -> int:
    """Print every bad record, and all notes or the first of each kind; return how many findings are bad."""
    seen: Counter[tuple[str, str]] = Counter()
    for finding in findings:
        if finding.bad:
            print(finding)
            continue
        kind = (finding.fault.field.partition("[")[0], finding.fault.message)
        seen[kind] += 1
        if all_notes or seen[kind] <= _SHOWN:
            print(f"note: {finding}")
    for (field, message), count in seen.items():
        if count > _SHOWN and not all_notes:
            print(f"note: {count - _SHOWN} more like this (--all-notes): {f'{field}: ' if field else ''}{message}")
    return sum(finding.bad for finding in findings)


@app.command("import")
def import_file(
    source: Annotated[Path, typer.Argument(metavar="IN", help="The tool's file (brat: folder).")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="Annotated JSON lines.")],
    format: Annotated[FormatName, typer.Option("--from", help="Where the annotations come from.")],
    across: Annotated[
        Across, typer.Option(help="What to do with relations and spans that reach across sentences.")
    ] = Across.ERROR,
    whole: Annotated[bool, typer.Option("--whole", help="Do not cut documents into sentences.")] = False,
    several: Annotated[Several, typer.Option(help="What to do with several annotations of one text.")] = Several.ERROR,
    annotator: Annotated[str | None, typer.Option(help="Read this annotator's annotations only.")] = None,
    status: Annotated[
        list[str] | None, typer.Option(help="service: read these only (else pending and accepted).")
    ] = None,
    skip_bad: _SkipBad = False,
    all_notes: _AllNotes = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT if it is there.")] = False,
) -> None:
    """Turn a tool's annotations into checked sentences; bad records are printed, with exit status 1."""
    if target.exists() and not overwrite:
        fail(f"{target}: is there already (--overwrite replaces it)")
    reader = FORMATS[format]
    statuses = frozenset(status or ("pending", "accepted"))
    choices = Choices(not (whole or reader.sentences), across, several, annotator, statuses)
    try:
        imported = import_documents(reader, source, target, choices, skip_bad)
    except OSError as error:
        fail(error)
    bad = _report(imported.findings, all_notes)
    written = not bad or skip_bad
    count = len(imported.sentences)
    errors.print(f"{count} sentences {'in' if written else 'could be read; nothing is written to'} {target}")
    if bad:
        fail(f"{bad} {'are left out' if skip_bad else 'problems (--skip-bad leaves such records out)'}", 1)


@app.command("export")
def export_files(
    paths: Annotated[list[Path], typer.Argument(metavar="IN... OUT", help="Annotated JSON lines, then the new file.")],
    format: Annotated[FormatName, typer.Option("--to", help="For which tool.")],
    suggestions_of: Annotated[
        str | None, typer.Option(help="labelstudio: as suggestions of a model of this version, not as annotations.")
    ] = None,
    lose: Annotated[
        list[Loss] | None, typer.Option(help="conll: what may be lost; what is not named keeps a sentence out.")
    ] = None,
    skip_bad: _SkipBad = False,
    all_notes: _AllNotes = False,
) -> None:
    """Turn annotated sentences into a tool's file, or folder (brat); exit status 1 if one cannot be written."""
    *sources, target = paths
    if not sources:
        fail("give the annotated files, and then the file to write")
    write: Writer = FORMATS[format].write
    if suggestions_of is not None:
        if format is not FormatName.LABELSTUDIO:
            fail("--suggestions-of is for --to labelstudio")
        write = partial(labelstudio.write, suggestions_of=suggestions_of)
    if lose:
        if format is not FormatName.CONLL:
            fail("--lose is for --to conll; the other formats lose nothing")
        write = partial(conll.write, lose=lose)
    try:
        count, findings = export_documents(sources, target, write, skip_bad)
    except (AnnotationError, OSError) as error:
        fail(error)
    bad = _report(findings, all_notes)
    out = len({finding.place for finding in findings if finding.bad})
    written = count - out if not bad or skip_bad else 0
    errors.print(f"{written} of {count} sentences in {target}")
    if bad:
        fail(f"{out} sentences cannot be written{'' if skip_bad else ' (--skip-bad leaves them out)'}", 1)


@app.command("split")
def split(
    files: Annotated[list[Path], typer.Argument(help="Annotated JSON lines.")],
    folder: Annotated[Path, typer.Option("--into", help="Where train.jsonl, dev.jsonl and test.jsonl go.")],
    seed: Annotated[int, typer.Option(help="The same sentences and seed give the same splits.")] = 2024,
) -> None:
    """Split 80/10/10 within each domain (what ids begin with), near-duplicates on one side."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        sizes = split_files(files, folder, seed)
        domains = {name: Counter(map(domain, read_annotations(folder / f"{name}.jsonl"))) for name in sizes}
    except (AnnotationError, OSError) as error:
        fail(error)
    table = Table("domain", *sizes)
    for name in sorted(set().union(*domains.values())):
        table.add_row(name or "–", *(f"{domains[part][name]:,}" for part in sizes))
    table.add_section()
    table.add_row("all", *(f"{size:,}" for size in sizes.values()))
    Console().print(table)


@app.command("dedup")
def dedup(
    files: Annotated[list[Path], typer.Argument(help="Annotated JSON lines, each a split.")],
    threshold: Annotated[
        float, typer.Option(min=0.05, max=1.0, help="Jaccard similarity of three-word shingles.")
    ] = THRESHOLD,
) -> None:
    """Find near-duplicates within and across files; exit status 1 if any are in different files."""
    try:
        from training.exchange.duplicates import near_duplicates_in
    except ImportError as error:
        needs_extra(error, "train")
    try:
        pairs = near_duplicates_in(files, threshold)
    except (AnnotationError, OSError) as error:
        fail(error)
    across = sum(pair.across for pair in pairs)
    if pairs:
        Console().print(_table(pairs))
    errors.print(f"{len(pairs)} near-duplicates, {across} of them across files")
    raise typer.Exit(1 if across else 0)


@app.command("detach")
def detach_file(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Annotated JSON lines.")],
    texts: _Texts,
    target: Annotated[Path, typer.Argument(metavar="OUT", help="Standoff JSON lines.")],
) -> None:
    """Keep annotations without their sentences, by where these stand in texts that may not be passed on."""
    _rewrite(lambda: write_records(target, standoff.detach(list(read_annotations(source)), texts)), target)


@app.command("attach")
def attach_file(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Standoff JSON lines.")],
    texts: _Texts,
    target: Annotated[Path, typer.Argument(metavar="OUT", help="Annotated JSON lines.")],
) -> None:
    """Bring standoff annotations and the texts that they are from together, into annotated sentences."""
    _rewrite(lambda: write_annotations(target, standoff.attach(source, texts)), target)


def _rewrite(write: Callable[[], int], target: Path) -> None:
    try:
        count = write()
    except (AnnotationError, StandoffError, CorpusError, OSError) as error:
        fail(error)
    errors.print(f"{count} sentences in {target}")


def _table(pairs: Sequence[Pair]) -> Table:
    table = Table("similarity", "", "first", "second", show_lines=True)
    for pair in pairs:
        cells = (f"{placed.file}: {placed.sentence.id}\n{placed.sentence.text}" for placed in (pair.first, pair.second))
        table.add_row(f"{pair.similarity:.2f}", "across" if pair.across else "within", *cells)
    return table
