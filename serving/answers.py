"""What `POST /predict` answers: JSON, JSON lines, or RDF, of what was asked for and in the offsets that were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from model.extractor import CheckpointInfo
from model.records import Document
from serving import ndjson, rdf_forms
from serving.bodies import JSON, BadDocument
from serving.inference import Failed, Result
from serving.ndjson import json_line
from serving.offsets import OffsetUnit, convert
from serving.problems import Problem, invalid_fields
from serving.reading import Source
from serving.schemas import Options
from serving.selection import select

#: What `POST /predict` can answer with, the default first.
FORMS = (JSON, ndjson.MEDIA_TYPE, rdf_forms.TURTLE, rdf_forms.JSON_LD)

#: What became of each text of a request.
Outcome = Result | BadDocument


def failure() -> Problem:
    """The problem of a document that could not be extracted."""
    return Problem("internal-error", "The failure is in the service's log.")


def in_place(items: Sequence[Source | BadDocument], results: Iterable[Result]) -> list[Outcome]:
    """Return what became of each item, where `results` are those of the sources among them, in order."""
    done = iter(results)
    return [item if isinstance(item, BadDocument) else next(done) for item in items]


def slot(outcome: Outcome, options: Options) -> dict[str, Any]:
    """The JSON object of one document: what is asked of it, or its id and the error."""
    if isinstance(outcome, Document):
        return convert(select(outcome, options.selection), options.unit)
    if isinstance(outcome, BadDocument):
        return {"id": outcome.id, "error": outcome.problem.details()}
    return {"id": outcome.source.id, "error": failure().details()}


def model_name(info: CheckpointInfo) -> dict[str, str]:
    """The name and version of the model that answered."""
    return {"name": info.name, "version": info.version}


def answer(form: str, info: CheckpointInfo, outcomes: Sequence[Outcome], options: Options) -> bytes:
    """The body of an answer in one of FORMS; offsets in RDF are always code points, as NIF has them.

    Raises Problem `internal-error` where not one of the texts could be extracted.
    """
    if outcomes and all(isinstance(outcome, Failed) for outcome in outcomes):
        raise failure()
    rdf = form in (rdf_forms.TURTLE, rdf_forms.JSON_LD)
    if rdf and options.unit != OffsetUnit.CODEPOINT:
        raise invalid_fields([("offsets", "RDF has code points only")])
    slots = [slot(outcome, options) for outcome in outcomes]
    if rdf:
        return rdf_forms.serialize(slots, form, model_name(info))
    if form == ndjson.MEDIA_TYPE:
        return b"".join(ndjson.ndjson(slots))
    return json_line({"model": model_name(info), "offsets": options.unit, "documents": slots})
