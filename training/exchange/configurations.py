"""The labelling configurations in `annotations/tools/`, made from the inventory in `model.labels`.

`python -m training.exchange.configurations annotations/tools` writes them again after a change of the inventory.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.sax.saxutils import quoteattr

from model.labels import ACTION_LABEL, CLASSES, ENTITY_LABELS, FACTUALITIES, ROLE_FILLERS, ROLES

COLOURS = {
    "PER": "#c62828",
    "ORG": "#1565c0",
    "LOC": "#2e7d32",
    "NUM": "#6a1b9a",
    "NOM": "#6d4c41",
    "ACT": "#e65100",
}
ROLE_COLOURS = {"actor": "#c62828", "target": "#1565c0", "place": "#2e7d32", "count": "#6a1b9a"}
#: Keys that both tools leave free, in the order of the keyboard; of doccano's actions the asserted ones have them.
_KEYS = dict(zip((*ENTITY_LABELS, ACTION_LABEL), "123456", strict=True))
_CHOICE_KEYS = {
    "class": dict(zip(CLASSES, "7890qwetasdfgzxcvb", strict=True)),
    "factuality": dict(zip(FACTUALITIES, "yio", strict=True)),
}


def files() -> dict[str, str]:
    """Return the text of every configuration by its path under `annotations/tools/`."""
    return {
        "labelstudio.xml": labelstudio_xml(),
        "doccano/spans.json": _json(doccano_spans()),
        "doccano/relations.json": _json(doccano_relations()),
        **{f"brat/{name}": text for name, text in brat_files().items()},
    }


def labelstudio_xml() -> str:
    """Return Label Studio's labelling interface: right-to-left, labels with keys, choices per region, relations."""
    lines = [
        '<View style="direction: rtl">',
        "  <Relations>",
        *(f"    <Relation value={quoteattr(role)} background={quoteattr(ROLE_COLOURS[role])}/>" for role in ROLES),
        "  </Relations>",
        '  <Labels name="label" toName="text" choice="single">',
        *(
            f"    <Label value={quoteattr(label)} background={quoteattr(COLOURS[label])} hotkey={quoteattr(key)}/>"
            for label, key in _KEYS.items()
        ),
        "  </Labels>",
        '  <Text name="text" value="$text" granularity="symbol"/>',
    ]
    for name, keys in _CHOICE_KEYS.items():
        lines += [
            f'  <Choices name="{name}" toName="text" perRegion="true" choice="single-radio" showInline="true"',
            f'           required="true" requiredMessage="An action needs a {name}"',
            f'           visibleWhen="region-selected" whenTagName="label" whenLabelValue="{ACTION_LABEL}">',
            *(f"    <Choice value={quoteattr(value)} hotkey={quoteattr(key)}/>" for value, key in keys.items()),
            "  </Choices>",
        ]
    return "\n".join([*lines, "</View>", ""])


def doccano_spans() -> list[dict[str, str]]:
    """Return doccano's span types: the labels, and an action's label for each class and factuality."""
    types = [_doccano_type(label, COLOURS[label], _KEYS[label]) for label in ENTITY_LABELS]
    for name in CLASSES:
        for factuality in FACTUALITIES:
            key = _CHOICE_KEYS["class"][name] if factuality == FACTUALITIES[0] else ""
            types.append(_doccano_type(f"{ACTION_LABEL}:{name}:{factuality}", COLOURS[ACTION_LABEL], key))
    return types


def doccano_relations() -> list[dict[str, str]]:
    """Return doccano's relation types."""
    return [_doccano_type(role, ROLE_COLOURS[role], "") for role in ROLES]


def _doccano_type(text: str, colour: str, key: str) -> dict[str, str]:
    found = {"text": text, "backgroundColor": colour, "textColor": "#ffffff"}
    return {**found, "suffixKey": key} if key else found


def brat_files() -> dict[str, str]:
    """Return brat's configuration files by their names."""
    return {"annotation.conf": _brat_annotation(), "visual.conf": _brat_visual()}


def _brat_annotation() -> str:
    # `*` is brat's for any number of fillers
    roles = ", ".join(
        f"{role}*:{'|'.join(label for label in ENTITY_LABELS if label in ROLE_FILLERS[role])}" for role in ROLES
    )
    sections: dict[str, list[str]] = {
        "entities": list(ENTITY_LABELS),
        "relations": [],
        "events": [f"{name}\t{roles}" for name in CLASSES],
        "attributes": [f"Factuality\tArg:<EVENT>, Value:{'|'.join(FACTUALITIES[1:])}"],
    }
    return "\n".join("\n".join([f"[{name}]", *lines, ""]) for name, lines in sections.items())


def _brat_visual() -> str:
    drawing = [
        "SPAN_DEFAULT\tfgColor:black, bgColor:#ffcc99, borderColor:darken",
        "ARC_DEFAULT\tcolor:black, arrowHead:triangle-5",
        *(f"{label}\tfgColor:white, bgColor:{COLOURS[label]}" for label in ENTITY_LABELS),
        *(f"{role}\tcolor:{ROLE_COLOURS[role]}" for role in ROLES),
        "Factuality\tposition:left, glyph:neg|pot",
    ]
    options = ["Text\tdirection:rtl"]
    sections = {"labels": [], "drawing": drawing, "options": options}
    return "\n".join("\n".join([f"[{name}]", *lines, ""]) for name, lines in sections.items())


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def main(folder: Path) -> None:
    """Write all configurations under a folder."""
    for name, text in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
