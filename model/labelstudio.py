"""Annotations in Label Studio's own form, for the labelling configuration in `annotations/tools/labelstudio.xml`.

`<Labels>` give a region its label, `<Choices perRegion>` named `class` and `factuality` the attributes of an `ACT`,
`<Relations>` the roles from an action to an entity.

Offsets are code points, as Label Studio's page counts (measured with 1.23.2: `tests/tools`).
"""

from __future__ import annotations

import re
from typing import Any

from model.annotating import annotation_of
from model.annotation import AnnotatedSentence, Span
from model.records import Document

#: Names of the tags in the labelling configuration.
LABELS, TEXT, CHOICES = "label", "text", ("class", "factuality")
#: What a region's text has a backslash and an `n` for.
LINE_BREAK = re.compile(r"[\r\n]")


def results(content: AnnotatedSentence) -> list[dict[str, Any]]:
    """Return an annotation as Label Studio's result: regions, the choices of actions, relations."""
    found: list[dict[str, Any]] = []
    for span in content.spans:
        found.append(_result_of(content, span, LABELS, "labels", span.label))
        if span.is_action:
            found.append(_result_of(content, span, "class", "choices", span.event_class))
            found.append(_result_of(content, span, "factuality", "choices", span.factuality))
    for link in content.relations:
        ends = {"from_id": f"span-{link.action}", "to_id": f"span-{link.entity}"}
        found.append({**ends, "type": "relation", "direction": "right", "labels": [link.role]})
    return found


def _result_of(content: AnnotatedSentence, span: Span, tag: str, kind: str, value: str | None) -> dict[str, Any]:
    covered = LINE_BREAK.sub(r"\\n", content.text_of(span))
    where = {"start": span.start, "end": span.end, "text": covered}
    identity = f"span-{span.id}"
    return {"id": identity, "from_name": tag, "to_name": TEXT, "type": kind, "value": {**where, kind: [value]}}


def prediction(document: Document, model_version: str) -> dict[str, Any]:
    """Return what was found in a document as Label Studio's prediction.

    Regions have their scores; the prediction's is the mean of them, None where nothing was found.
    """
    result = results(annotation_of(document, document.id))
    scores = [*(own.score for own in document.entities), *(own.score for own in document.actions)]
    regions = [own for own in result if own.get("from_name") == LABELS]
    for region, score in zip(regions, scores, strict=True):
        region["score"] = score
    mean = sum(scores) / len(scores) if scores else None
    return {"result": result, "score": mean, "model_version": model_version}
