"""Sound documents, and submissions of them."""

from __future__ import annotations

from typing import Any

from model.annotation_files import parse_sentence
from serving.examples import TEXT
from serving.feedback.examples import DOCUMENT
from serving.feedback.records import Submission


def document(number: int, **fields: Any) -> dict[str, Any]:
    """A document without an id, unlike those of other numbers."""
    own = {name: value for name, value in DOCUMENT.items() if name != "id"}
    return {**own, "text": f"{TEXT} {number}", **fields}


def renumbered(document: dict[str, Any]) -> dict[str, Any]:
    """The same with other ids, in another order."""
    entities = [{**span, "id": 90 - span["id"]} for span in reversed(document["entities"])]
    relations = [
        {**link, "id": 70 - link["id"], "from_id": 90 - link["from_id"], "to_id": 90 - link["to_id"]}
        for link in reversed(document["relations"])
    ]
    return {**document, "entities": entities, "relations": relations}


def submission(*documents: dict[str, Any], annotator: str = "سلمى", version: str = "1") -> Submission:
    sentences = tuple(parse_sentence({"id": "-", **document}) for document in documents)
    return Submission(annotator, "musnad", version, sentences)


def body(*documents: object, annotator: object = "سلمى", version: object = "1", **fields: Any) -> dict[str, Any]:
    model = {"name": "musnad", "version": version}
    return {"annotator": annotator, "model": model, "documents": list(documents), **fields}
