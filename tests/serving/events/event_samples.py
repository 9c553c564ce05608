"""Documents of our own, built from what stands where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from model.labels import ROLES
from model.names import entity_name
from model.numbers import number_value
from model.records import Action, Document, Entity, RoleFiller, Sentence, Triple
from serving.events.rows import EventRow, event_rows

#: (text, label), and (text, class, factuality, score, {role: [(number of entity, score), …]}).
Mention = tuple[str, str]
Done = tuple[str, str, str, float, dict[str, list[tuple[int, float]]]]


def document(id: str, text: str, mentions: Sequence[Mention], done: Sequence[Done]) -> Document:
    """A document; each mention and action is the next occurrence of its text, and sentences end in a full stop."""
    entities = [_entity(f"e{n}", text, *mention, nth(mentions, n)) for n, mention in enumerate(mentions)]
    actions = []
    triples = []
    for n, (words, event_class, factuality, score, roles) in enumerate(done):
        start = place(text, words, nth(done, n))
        fillers = {role: tuple(RoleFiller(f"e{e}", own) for e, own in roles.get(role, ())) for role in ROLES}
        actions.append(Action(f"a{n}", start, start + len(words), words, event_class, factuality, score, fillers))
        for actor in fillers["actor"] or [None]:
            triples += [
                Triple(actor and actor.entity, f"a{n}", target and target.entity, score / 2)
                for target in fillers["target"] or [None]
            ]
    return Document(id, text, tuple(_sentences(text)), tuple(entities), tuple(actions), tuple(triples))


def nth(items: Sequence[tuple[object, ...]], number: int) -> int:
    """How many items before this one have the same text."""
    return sum(item[0] == items[number][0] for item in items[:number])


def place(text: str, words: str, occurrence: int) -> int:
    start = -1
    for _ in range(occurrence + 1):
        start = text.index(words, start + 1)
    return start


def _entity(id: str, text: str, words: str, label: str, occurrence: int) -> Entity:
    start = place(text, words, occurrence)
    end = start + len(words)
    value = number_value(words) if label == "NUM" else None
    return Entity(id, label, start, end, words, entity_name(text, start, end), value, 0.9)


def _sentences(text: str) -> Iterator[Sentence]:
    start = 0
    for end, character in enumerate(text, 1):
        if character == ".":
            yield Sentence(start, end)
            start = end + 1
    if start < len(text):
        yield Sentence(start, len(text))


TALKS = document(
    "talks",
    "حضر الوفد. التقى أيمن الصفدي وبدر عبد العاطي في عمان وهددا 3 مسلحين.",
    [("أيمن الصفدي", "PER"), ("بدر عبد العاطي", "PER"), ("عمان", "LOC"), ("3", "NUM"), ("مسلحين", "NOM")],
    [
        ("التقى", "CONSULT", "asserted", 0.9, {"actor": [(0, 0.7), (1, 0.8)], "place": [(2, 0.6)]}),
        (
            "هددا",
            "THREATEN",
            "negated",
            0.8,
            {"actor": [(0, 0.5), (1, 0.5)], "target": [(4, 0.9)], "count": [(3, 0.95)]},
        ),
    ],
)
RAID = document(
    "raid",
    "قصف الجيش السوداني الفاشر وأعلن ذلك.",
    [("الجيش السوداني", "ORG"), ("الفاشر", "LOC")],
    [
        ("قصف", "ASSAULT", "asserted", 0.95, {"actor": [(0, 0.9)], "target": [(1, 0.85)]}),
        ("أعلن", "STATE", "asserted", 0.7, {"actor": [(0, 0.6)]}),
    ],
)


def rows(*dated: tuple[Document, str | None]) -> list[EventRow]:
    """The events of documents with their dates."""
    return [row for own, date in dated for row in event_rows(own, date)]


def between(
    source: str | Sequence[str],
    target: str | None,
    *,
    label: str = "LOC",
    event_class: str = "ASSAULT",
    id: str = "d",
    date: str | None = None,
    score: float = 0.9,
) -> EventRow:
    """An event of its own document between names, in this spelling."""
    actors = [source] if isinstance(source, str) else list(source)
    names = [*actors, *([] if target is None else [target])]
    text = " ضرب ".join(names) + " ضرب."
    done: Done = (
        "ضرب",
        event_class,
        "asserted",
        score,
        {
            "actor": [(n, 0.9) for n in range(len(actors))],
            "target": [] if target is None else [(len(names) - 1, 0.9)],
        },
    )
    (row,) = event_rows(document(id, text, [(name, label) for name in names], [done]), date)
    return row
