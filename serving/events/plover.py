"""Events as PLOVER records: the JSON fields of the codebook, draft 0.7b1 (2021), chapter "JSON Data Fields".

STATE and OTHER are no PLOVER types, and have no record. Our own fields beside PLOVER's, which allows them:
`factuality`, `score`, `count`, `other_event_locs`, and in an actor or location `label`, `start`, `end`, `score`. What
cannot be filled from one document without guessing is left out, not made up: docs/events.md has the list.
"""

from __future__ import annotations

from typing import Any

from serving.events.rows import EventRow, Filler

#: What `cite_info.codebook` says.
CODEBOOK = "PLOVER draft 0.7b1 (2021), types as in POLECAT"


def plover_record(row: EventRow) -> dict[str, Any] | None:
    """Return the record of an event, None for STATE and OTHER.

    PLOVER's required `date` is null and `source` empty where the document has no date and the sentence no actor.
    `context` holds `negation` for what is said not to have happened; what is only possible has no context, since
    PLOVER asks whether it is `future` or `hypothetical`, which our `potential` does not say.
    """
    if row.quad is None:
        return None
    record: dict[str, Any] = {
        "id": f"{row.document}#{row.action}",
        "has_event": True,
        "date": None if row.date is None else row.date[:10],
        "source": [_actor(filler) for filler in row.fillers["actor"]],
        "recipient": [_actor(filler) for filler in row.fillers["target"]],
        "event": [row.event_class],
        "event_text": [row.text],
        "quad_code": row.quad.code,
        "text_info": {"sequence": row.sentence, "start": row.sentence_start, "end": row.sentence_end},
        "cite_info": {"citation": row.document, "language": "ar", "coder": "musnad", "codebook": CODEBOOK},
        "factuality": row.factuality,
        "score": row.score,
    }
    if row.date is not None and "T" in row.date:
        record["time"] = row.date.partition("T")[2]
    if row.fillers["place"]:
        record["event_loc"], *others = [_span(filler, "name") for filler in row.fillers["place"]]
        if others:
            record["other_event_locs"] = others
    if row.fillers["count"]:
        record["count"] = [
            {"text": filler.text, "value": filler.value, "start": filler.start, "end": filler.end}
            for filler in row.fillers["count"]
        ]
    if row.factuality == "negated":
        record["context"] = ["negation"]
    return record


def _actor(filler: Filler) -> dict[str, Any]:
    return _span(filler, "actor_text")


def _span(filler: Filler, called: str) -> dict[str, Any]:
    return {
        called: filler.name,
        "label": filler.label,
        "start": filler.start,
        "end": filler.end,
        "score": filler.score,
    }
