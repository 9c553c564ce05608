"""Chosen sentences as records of the annotation format, with what the checkpoint finds in them and why they are chosen.

A record's `meta` has `rank` (from 1), `gain` (what the sentence added to those before it, by cost), `nats` (its
uncertainty: of spans, events and roles), `about` (what most of that is about: tags, classes, roles), `unsure_of` (the
words with most of it, in the order of the text), `source` (file and line), and `model`. The annotation format accepts
`meta` and does not keep it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from model.annotating import annotation_of
from model.annotation import AnnotatedSentence
from model.extractor import Extractor, text_id
from training.suggesting.suggest import Choice
from training.suggesting.uncertainty import TYPES, Uncertainty

#: How many words, and how many types, a reason names at most.
_NAMED = 3
_AT_ONCE = 256
#: Types that say nothing of what the sentence is about.
_NOTHING = ("O", "none")


def write_suggestions(path: Path, choices: Sequence[Choice], extractor: Extractor) -> int:
    """Write the records of choices as JSON lines, in their order, and return how many.

    `path` appears only once all are written.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with unfinished.open("w", encoding="utf-8", newline="\n") as file:
            for record in records(choices, extractor):
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return len(choices)


def records(choices: Sequence[Choice], extractor: Extractor) -> Iterator[dict[str, Any]]:
    """Yield the record of each choice, in order."""
    model = f"{extractor.info.name} {extractor.info.version}"
    for start in range(0, len(choices), _AT_ONCE):
        group = choices[start : start + _AT_ONCE]
        texts = [choice.candidate.sentence.text for choice in group]
        documents = extractor.extract_split(texts, [[(0, len(text))] for text in texts])
        for rank, (choice, document) in enumerate(zip(group, documents, strict=True), start=start + 1):
            name = f"suggested-{rank:05d}_{text_id(document.text)}"  # sorted by name, as brat does, the best is first
            annotation = without_idle(annotation_of(document, name))
            yield {**annotation.to_dict(), "meta": {"rank": rank, **_reason(choice), "model": model}}


def without_idle(sentence: AnnotatedSentence) -> AnnotatedSentence:
    """The sentence without actions that have neither actor nor target, and then without NOM that fill no role.

    The guidelines leave such spans untagged, and `annotations check` says so; a network may find them all the same.
    """
    taking_part = {link.action for link in sentence.relations if link.role in ("actor", "target")}
    relations = tuple(link for link in sentence.relations if link.action in taking_part)
    filling = {link.entity for link in relations}
    spans = tuple(
        span
        for span in sentence.spans
        if (span.id in taking_part if span.is_action else span.label != "NOM" or span.id in filling)
    )
    return replace(sentence, spans=spans, relations=relations)


def _reason(choice: Choice) -> dict[str, Any]:
    uncertainty = choice.candidate.uncertainty
    parts = {name: round(getattr(uncertainty, name), 3) for name in ("spans", "events", "roles")}
    types = [TYPES[index] for index in np.argsort(-uncertainty.types, kind="stable").tolist()]
    return {
        "gain": round(choice.gain, 4),
        "nats": {"total": round(uncertainty.total, 3), **parts},
        "about": [name for name in types if name not in _NOTHING][:_NAMED],
        "unsure_of": [choice.candidate.sentence.text[start:end] for start, end in _words(choice, uncertainty)],
        "source": choice.candidate.sentence.place,
    }


def _words(choice: Choice, uncertainty: Uncertainty) -> list[tuple[int, int]]:
    best = np.argsort(-uncertainty.words, kind="stable")[:_NAMED].tolist()
    return [choice.candidate.words[index] for index in sorted(best)]
