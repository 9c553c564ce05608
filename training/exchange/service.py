"""What `GET /annotations` of our service gives: the annotation format with a `meta` object in each line.

`meta` has `id`, `annotator`, `model`, `created`, `status` (pending, accepted, rejected) and `updated` (when the status
was changed); each may be null. Annotations of the same text are one task: of several annotators, or of one who
corrected it twice; the latest is the one that was created last.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from model.annotation import Fault
from model.annotation_files import parse_what_is_sound, read_records
from training.exchange.documents import Authorship, Document, Finding, Origin, bad, canonical

STATUSES = ("pending", "accepted", "rejected")
_META_FIELDS = ("id", "annotator", "model", "created", "status", "updated")


def read(path: Path) -> Iterator[Document | Finding]:
    """Yield the documents of an export with their authorship, and a finding for every line that is none."""
    for number, record in read_records(path):
        place = f"{path}:{number}"
        if isinstance(record, Fault):
            yield Finding(place, record)
            continue
        meta = record.get("meta") if isinstance(record, dict) else None
        rest = {name: value for name, value in record.items() if name != "meta"} if isinstance(record, dict) else record
        content, faults = parse_what_is_sound(rest)
        if isinstance(record, dict):
            faults += _meta_faults(meta)
        if faults or not isinstance(meta, dict):
            yield from bad(place, faults)
        else:
            authorship = Authorship(**meta)
            yield Document(canonical(content), Origin(place, content.text, authorship.created or "", authorship))


def _meta_faults(meta: object) -> Iterator[Fault]:
    if not isinstance(meta, dict):
        yield Fault("meta", "missing" if meta is None else "must be an object")
        return
    for name, value in meta.items():
        if name not in _META_FIELDS:
            yield Fault(f"meta.{name}", "unknown field")
        elif name != "model" and value is not None and not isinstance(value, str):
            yield Fault(f"meta.{name}", "must be a string or null")
    status = meta.get("status")
    if isinstance(status, str) and status not in STATUSES:
        yield Fault("meta.status", f"must be one of {', '.join(STATUSES)}", status)


def write(path: Path, documents: Iterable[Document]) -> list[Finding]:
    """Write documents as the service's export has them; what is not known of their authorship is null."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for document in documents:
            authorship = document.origin.authorship
            meta = {name: getattr(authorship, name) for name in _META_FIELDS}
            file.write(json.dumps({**document.content.to_dict(), "meta": meta}, ensure_ascii=False) + "\n")
    return []
