"""Documents for people and for programs: a line of JSON, coloured text, or a table of triples.

For people, control characters become visible signs, and every piece of Arabic stands in a bidi isolate (U+2068 …
U+2069), so that terminals that reorder show each line from left to right, piece by piece. JSON is never touched.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from model.records import Action, Document, Entity, Sentence, Triple

#: Styles of entities by label.
STYLES = {"PER": "bold green", "ORG": "bold cyan", "LOC": "bold yellow", "NUM": "bold magenta", "NOM": "blue"}
_ACTION_STYLE = "bold underline"
_QUIET_STYLE = "dim"
#: Stands where a sentence does not name the actor or target.
ABSENT = "∅"


class Format(StrEnum):
    """Forms of output."""

    JSON = "json"
    PRETTY = "pretty"
    TABLE = "table"


_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"
#: One code point for one, so that offsets stay: white space is a space, other controls are their pictures.
_VISIBLE = {
    **{code: 0x2400 + code for code in range(0x20)},
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
    **dict.fromkeys((*range(0x09, 0x0E), *range(0x1C, 0x20), 0x85, 0x2028, 0x2029), 0x20),
}


def json_line(document: Document) -> str:
    """The document as JSON on one line, without a newline."""
    return json.dumps(document.to_dict(), ensure_ascii=False)


def pretty(document: Document) -> Iterator[Text]:
    """Lines for a terminal: each sentence in colours, its entities with their labels, and its triples."""
    entities = {entity.id: entity for entity in document.entities}
    triples: dict[str, list[Triple]] = {}
    for triple in document.triples:
        triples.setdefault(triple.action, []).append(triple)
    yield Text(_visible(document.id), _QUIET_STYLE)
    in_order: list[Entity | Action] = sorted((*document.entities, *document.actions), key=lambda span: span.start)
    starts = [span.start for span in in_order]
    for sentence in document.sentences:
        spans = in_order[bisect_left(starts, sentence.start) : bisect_left(starts, sentence.end)]
        yield _sentence_line(document.text, sentence, spans)
        if named := [span for span in spans if isinstance(span, Entity)]:
            yield _entities_line(named)
        for span in spans:
            if isinstance(span, Action):
                yield from _action_lines(span, triples.get(span.id, []), entities)
    yield Text()


def _sentence_line(text: str, sentence: Sentence, spans: Sequence[Entity | Action]) -> Text:
    line = Text(_visible(text[sentence.start : sentence.end]))
    for span in spans:
        style = STYLES[span.label] if isinstance(span, Entity) else _ACTION_STYLE
        line.stylize(style, span.start - sentence.start, span.end - sentence.start)
    return line


def _entities_line(entities: Sequence[Entity]) -> Text:
    parts = [Text.assemble((entity.label, _QUIET_STYLE), " ", _entity(entity)) for entity in entities]
    return Text("  ") + Text(" · ").join(parts)


def _action_lines(action: Action, triples: Sequence[Triple], entities: Mapping[str, Entity]) -> Iterator[Text]:
    """A line for each triple of an action; one without ends for an action that has none."""
    for triple in triples or [Triple(None, action.id, None, action.score)]:
        line = Text.assemble("  ", _end(entities, triple.actor), " —[", (action.event_class, "bold"), " ")
        line.append_text(_isolated(action.text, _ACTION_STYLE))
        if action.factuality != "asserted":
            line.append(f" {action.factuality}", "red")
        line.append("]→ ").append_text(_end(entities, triple.target))
        for role in ("place", "count"):
            for filler in action.roles[role]:
                line.append(f" · {role} ", _QUIET_STYLE).append_text(_entity(entities[filler.entity]))
        yield line.append(f"  {triple.score:.2f}", _QUIET_STYLE)


def table(document: Document) -> Table | Text:
    """The triples of a document, with the place and the count of their actions."""
    title = Text(_visible(document.id), _QUIET_STYLE)
    if not document.triples:
        return title.append(": no triples\n")
    rows = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for name in ("actor", "label", "action", "class", "factuality", "target", "label", "place"):
        rows.add_column(name, overflow="fold")
    for name in ("count", "score"):
        rows.add_column(name, justify="right", overflow="fold")
    entities = {entity.id: entity for entity in document.entities}
    actions = {action.id: action for action in document.actions}
    for triple in document.triples:
        action = actions[triple.action]
        rows.add_row(
            *_cells(entities, triple.actor),
            _isolated(action.text, _ACTION_STYLE),
            action.event_class,
            action.factuality,
            *_cells(entities, triple.target),
            Text("; ").join(_entity(entities[filler.entity]) for filler in action.roles["place"]),
            Text("; ").join(_count(entities[filler.entity]) for filler in action.roles["count"]),
            f"{triple.score:.2f}",
        )
    return rows


def _cells(entities: Mapping[str, Entity], id: str | None) -> tuple[Text, str]:
    return _end(entities, id), "" if id is None else entities[id].label


def _end(entities: Mapping[str, Entity], id: str | None) -> Text:
    return Text(ABSENT, _QUIET_STYLE) if id is None else _entity(entities[id])


def _count(entity: Entity) -> Text:
    """The value of a number, or its text where it cannot be read."""
    return _entity(entity) if entity.value is None else Text(f"{entity.value:,}", STYLES[entity.label])


def _entity(entity: Entity) -> Text:
    return _isolated(entity.name, STYLES[entity.label])


def _isolated(text: str, style: str) -> Text:
    return Text.assemble(_FIRST_STRONG_ISOLATE, (_visible(text), style), _POP_ISOLATE)


def _visible(text: str) -> str:
    return text.translate(_VISIBLE)
