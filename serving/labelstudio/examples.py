"""What Label Studio sends and gets, for the documentation of the service."""

from __future__ import annotations

from typing import Any

from model.annotation import SPAN_LABELS
from model.labels import CLASSES, FACTUALITIES, ROLES
from model.labelstudio import prediction
from serving.examples import DOCUMENT, TEXT

MODEL_VERSION = "musnad 0.1.0"


def _tags(tag: str, values: tuple[str, ...]) -> str:
    return "".join(f'<{tag} value="{value}"/>' for value in values)


#: A labelling configuration that suggestions fit; the one in `annotations/tools` has colours and keys besides.
CONFIGURATION = (
    f"<View><Relations>{_tags('Relation', ROLES)}</Relations>"
    f'<Labels name="label" toName="text">{_tags("Label", SPAN_LABELS)}</Labels>'
    '<Text name="text" value="$text"/>'
    f'<Choices name="class" toName="text" perRegion="true">{_tags("Choice", CLASSES)}</Choices>'
    f'<Choices name="factuality" toName="text" perRegion="true">{_tags("Choice", FACTUALITIES)}</Choices></View>'
)
SETUP: dict[str, Any] = {"project": "1.1764000000", "schema": CONFIGURATION}
TASKS: dict[str, Any] = {
    "tasks": [{"id": 1, "data": {"id": "1042", "text": TEXT}}],
    "project": "1.1764000000",
    "label_config": CONFIGURATION,
}
WEBHOOK: dict[str, Any] = {"action": "ANNOTATION_CREATED", "project": {"id": 1}}

#: The answer of each path.
ANSWERS: dict[str, Any] = {
    "/labelstudio/health": {"status": "UP", "model_version": MODEL_VERSION},
    "/labelstudio/setup": {"model_version": MODEL_VERSION},
    "/labelstudio/versions": {"versions": [MODEL_VERSION]},
    "/labelstudio/predict": {"results": [prediction(DOCUMENT, MODEL_VERSION)]},
    "/labelstudio/webhook": {
        "action": "ANNOTATION_CREATED",
        "stored": False,
        "detail": "Nothing is kept here, and nothing is trained: export the project from Label Studio.",
    },
}
