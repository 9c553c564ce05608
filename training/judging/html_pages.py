"""Pages of one HTML file each: the templates, and what they need to show sentences."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from model.annotation import AnnotatedSentence
from model.records import Document
from model.text import Offsets
from training.judging.errors import Error
from training.judging.marked_text import Piece, pieces, spans_of_document, spans_of_sentence

_TEMPLATES = Path(__file__).with_name("templates")


def render(template: str, **values: Any) -> str:
    """Fill a template; everything but SVG that we made is escaped, and an unknown name is an error."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "signed": signed}
    return environment.get_template(template).render(**values)


def write_page(path: Path, template: str, **values: Any) -> None:
    """Write a filled template to `path` (UTF-8); the file is replaced only when it is whole."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.write_text(render(template, **values), encoding="utf-8")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def percent(share: float) -> str:
    """A share as percent with one decimal, without the sign."""
    return f"{100 * share:.1f}"


def signed(share: float) -> str:
    """A difference of shares as percent points, always with its sign (a true minus)."""
    return f"{100 * share:+.1f}".replace("-", "\u2212")


def gold_line(sentence: AnnotatedSentence, strong: Collection[Offsets] = ()) -> list[Piece]:
    """The pieces of an annotated sentence."""
    return pieces(sentence.text, spans_of_sentence(sentence), strong)


def found_line(document: Document, strong: Collection[Offsets] = ()) -> list[Piece]:
    """The pieces of an extracted document."""
    return pieces(document.text, spans_of_document(document), strong)


def roles_of(sentence: AnnotatedSentence) -> list[tuple[str, str, str]]:
    """(action, role, entity) as texts, in the order annotated."""
    spans = {span.id: sentence.text_of(span) for span in sentence.spans}
    return [(spans[link.action], link.role, spans[link.entity]) for link in sentence.relations]


def roles_found(document: Document) -> list[tuple[str, str, str]]:
    """(action, role, entity) as texts, in the document's order."""
    texts = {entity.id: entity.text for entity in document.entities}
    return [
        (action.text, role, texts[filler.entity])
        for action in document.actions
        for role, fillers in action.roles.items()
        for filler in fillers
    ]


def shown_error(error: Error) -> dict[str, Any]:
    """An error for the template: both lines with its spans standing out, and for roles the edges in words."""
    gold = () if error.gold is None else error.gold.places
    predicted = () if error.predicted is None else error.predicted.places
    text = error.sentence.text
    return {
        "id": error.sentence.id,
        "detail": error.detail,
        "score": None if error.predicted is None else error.predicted.score,
        "gold_line": gold_line(error.sentence, gold),
        "found_line": found_line(error.document, predicted),
        "gold": None if error.gold is None else (error.gold.name, [text[slice(*place)] for place in gold]),
        "found": None if error.predicted is None else (error.predicted.name, [text[slice(*p)] for p in predicted]),
    }


def chosen(errors: Iterable[Error], most: int) -> list[Error]:
    """At most `most` errors: those that the system was surest of; of what was missed, evenly from first to last."""
    own = sorted(errors, key=lambda error: -error.score)
    if len(own) > most and own[0].score == own[-1].score:
        return [own[place * len(own) // most] for place in range(most)]
    return own[:most]
