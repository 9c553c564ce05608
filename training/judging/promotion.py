"""Promoting a checkpoint to the registry's current version if it is not significantly worse, and going back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from model.extractor import CheckpointError, Extractor, read_config
from training.evaluation import Evaluation
from training.judging.comparison import MEASURES, Comparison, compare
from training.judging.registry import Registry, RegistryError, VersionRecord, now, sha256
from training.report import evaluate_files, read_data

#: The format of a test set by the ending of its name.
FORMATS = {".jsonl": "annotations", ".conll": "conll"}

Load = Callable[[Path], Extractor]


@dataclass(frozen=True, slots=True)
class Promotion:
    """What a promotion did: whether the version is current now, its record, and the comparisons by test set."""

    accepted: bool
    record: VersionRecord
    comparisons: dict[str, Comparison]


def promote(
    registry: Registry,
    checkpoint: Path,
    *,
    version: str | None = None,
    bump: str | None = None,
    tests: list[Path] | None = None,
    force: bool = False,
    alpha: float = 0.05,
    resamples: int = 10_000,
    waiting: Callable[[], None] = lambda: None,
    load: Load = Extractor.load,
) -> Promotion:
    """Copy a checkpoint into the registry and make it current, unless it is significantly worse than what is current.

    It is judged on the registry's frozen test sets and on `tests`, which are frozen too if it is accepted. Worse in any
    measure on any of them is worse, and refused unless `force`. The version is `version`, or the highest one with a
    `bump` (`minor` where neither is given); the first of a registry takes the checkpoint's own if none is given.

    Raises RegistryError where it cannot be done, CheckpointError, SourceError and AnnotationError for what cannot be
    read; the registry is then as it was. Concurrent promotions come one after the other, each against what is current
    then; `waiting` is called where one has to wait.
    """
    read_config(checkpoint)
    with registry.locked(waiting):
        new = registry.new_tests(tests or [])
        files = {**registry.tests(), **new}
        if not files:
            raise RegistryError(f"{registry.directory}: has no test set yet: name one with --test")
        own = _version(registry, checkpoint, version, bump)
        registry.check_free(own)
        staged = registry.stage(checkpoint, own)
        extractor = load(staged)
        current = registry.current()
        before = None if current is None else load(registry.path_of(current))
        figures: dict[str, dict[str, Any]] = {}
        comparisons: dict[str, Comparison] = {}
        for name, path in files.items():
            figures[name], compared = _judge(path, extractor, before, alpha, resamples)
            if compared is not None:
                comparisons[name] = compared
        worse = tuple(f"{name}: {measure}" for name, compared in comparisons.items() for measure in compared.worse)
        record = VersionRecord(
            version=own,
            name=extractor.info.name,
            source=str(checkpoint.resolve()),
            registered=now(),
            files={path.name: sha256(path) for path in sorted(staged.iterdir())},
            data=_data(staged),
            tests=figures,
            previous=current,
            forced=force and bool(worse),
            worse=worse,
        )
        if worse and not force:
            return Promotion(False, record, comparisons)
        registry.add(staged, record)
        registry.freeze(new)
        registry.switch(own, "promote")
        return Promotion(True, record, comparisons)


def rollback(registry: Registry, version: str | None = None, waiting: Callable[[], None] = lambda: None) -> str:
    """Make a version current again, by default the one that the current one replaced; return which.

    Raises RegistryError where there is none, or its files are not what was registered.
    """
    with registry.locked(waiting):
        current = registry.current()
        if version is None:
            if current is None:
                raise RegistryError(f"{registry.directory}: there is no current version to go back from")
            version = registry.record(current).previous
            if version is None:
                raise RegistryError(f"{registry.directory}: {current} was the first version: there is none before it")
        if version == current:
            raise RegistryError(f"{registry.directory}: {version} is the current version")
        registry.switch(version, "rollback")
        return version


def _version(registry: Registry, checkpoint: Path, version: str | None, bump: str | None) -> str:
    if version is not None and bump is not None:
        raise RegistryError("give a version or a bump, not both")
    if version is not None:
        return version
    if registry.versions():
        return registry.next_version(bump or "minor")
    if bump is not None:
        raise RegistryError(f"{registry.directory}: has no version yet that could be bumped")
    return str(read_config(checkpoint).get("version", "0"))


def _judge(
    path: Path, extractor: Extractor, before: Extractor | None, alpha: float, resamples: int
) -> tuple[dict[str, Any], Comparison | None]:
    """Figures of a checkpoint on a test set for its record, and how it compares with the one before."""
    format = FORMATS.get(path.suffix)
    if format is None:
        raise RegistryError(f"{path}: a test set's name ends in one of {', '.join(FORMATS)}")
    sentences = read_data([path], format)
    result = evaluate_files(extractor, [path], sentences, format)
    figures: dict[str, Any] = {"sha256": sha256(path), "sentences": len(sentences[0]), "measures": _measures(result)}
    if before is None:
        return figures, None
    other = evaluate_files(before, [path], sentences, format)
    return figures, compare(sentences[0], result, other, alpha=alpha, resamples=resamples)


def _measures(result: Evaluation) -> dict[str, dict[str, float]]:
    found = {}
    for measure in MEASURES:
        if measure in result.counts:
            low, high = result.interval(measure)
            found[measure] = {
                "f1": round(result.total(measure).f1, 4),
                "f1_low": round(low, 4),
                "f1_high": round(high, 4),
            }
    return found


def _data(checkpoint: Path) -> dict[str, str]:
    """Hashes of what a checkpoint was trained from, as far as it says."""
    path = checkpoint / "training.json"
    if not path.is_file():
        return {}
    try:
        files = json.loads(path.read_text(encoding="utf-8")).get("files", {})
        return {str(name): str(digest) for name, digest in files.items()}
    except (ValueError, AttributeError) as error:
        raise CheckpointError(f"{path}: not a training's record: {error}") from None


def table_of(promotion: Promotion) -> Table:
    """F1 on every test set, and against the version that is current, for the terminal."""
    record = promotion.record
    table = Table(title=escape(f"{record.name} {record.version} (F1)"), title_justify="left")
    table.add_column("test")
    table.add_column("measure", no_wrap=True)
    compared = (record.previous or "", "difference", "p") if promotion.comparisons else ()
    for column in (record.version, *compared):
        table.add_column(column, justify="right", no_wrap=True)
    if compared:
        table.add_column("verdict", no_wrap=True)
    for name, figures in record.tests.items():
        for index, (measure, own) in enumerate(figures["measures"].items()):
            cells = [escape(name) if index == 0 else "", measure, f"{own['f1']:.3f}"]
            if compared:
                other = promotion.comparisons[name].differences[measure]
                cells += [f"{other.second:.3f}", f"{other.difference:+.3f}", f"{other.p:.4f}", str(other.verdict)]
            table.add_row(*cells)
    return table


def versions_table(registry: Registry) -> Table:
    """Every version with its scores, for the terminal; `version.json` in its directory has the rest."""
    current = registry.current()
    table = Table(title=escape(str(registry.directory)), title_justify="left")
    for column in ("version", "registered"):
        table.add_column(column, no_wrap=True)
    table.add_column("test", overflow="fold")
    table.add_column("F1 in percent")
    for record in registry.versions():
        notes = ["current"] * (record.version == current) + ["forced"] * record.forced
        head = (" ".join([record.version, *notes]), record.registered[:10])
        for index, (name, figures) in enumerate(record.tests.items()):
            scores = ", ".join(f"{measure} {100 * own['f1']:.1f}" for measure, own in figures["measures"].items())
            table.add_row(*(head if index == 0 else ("", "")), escape(name), scores)
    return table
