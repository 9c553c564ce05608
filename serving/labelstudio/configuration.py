"""Whether suggestions fit a project's labelling configuration, as they fit `annotations/tools/labelstudio.xml`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from xml.parsers import expat

from model.annotation import SPAN_LABELS
from model.labels import CLASSES, FACTUALITIES, ROLES
from model.labelstudio import CHOICES, LABELS, TEXT
from serving.problems import quoted

#: The tags that hold values, and those of the values.
_VALUES = {"labels": "label", "choices": "choice", "relations": "relation"}
#: How the tags are written.
_WRITTEN = {"labels": "Labels", "choices": "Choices", "relations": "Relations"}
_WANTED: tuple[tuple[str, str, Collection[str]], ...] = (
    ("labels", LABELS, SPAN_LABELS),
    *(("choices", name, values) for name, values in zip(CHOICES, (CLASSES, FACTUALITIES), strict=True)),
    ("relations", "", ROLES),
)


class ConfigurationError(ValueError):
    """A labelling configuration that suggestions do not fit; `faults` says everything that is wrong."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = list(faults)
        super().__init__("; ".join(self.faults))


@dataclass(slots=True)
class _Tags:
    """What is read of a configuration: where the text is, and the values of each tag, by its kind and name."""

    text: dict[str, str] | None = None
    values: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    open: list[tuple[str, set[str]]] = field(default_factory=list)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        kind, name = tag.lower(), attributes.get("name", "")
        if kind == "text" and name == TEXT:
            self.text = attributes
        elif kind == "relations" or (kind in _VALUES and attributes.get("toName") == TEXT):
            self.open.append((kind, self.values.setdefault((kind, name), set())))
        elif self.open and kind == _VALUES[self.open[-1][0]]:
            self.open[-1][1].add(attributes.get("alias", attributes.get("value", "")))

    def end(self, tag: str) -> None:
        if self.open and tag.lower() == self.open[-1][0]:
            self.open.pop()


def text_field(configuration: str) -> str:
    """Return the field of a task's data that has its text, by a labelling configuration (XML).

    Raises ConfigurationError where it is no XML, or lacks what suggestions need. More labels and tags do no harm.
    """
    tags = _parse(configuration)
    faults = []
    value = "" if tags.text is None else tags.text.get("value", "")
    if len(value) < 2 or not value.startswith("$"):
        faults.append(f'there is no <Text name="{TEXT}" value="$...">')
    elif tags.text is not None and tags.text.get("valueType", "text") != "text":
        faults.append(
            f'<Text name="{TEXT}"> has valueType="{quoted(tags.text["valueType"], 80)}": its text must be in the task'
        )
    for kind, name, wanted in _WANTED:
        written = f'<{_WRITTEN[kind]} name="{name}" toName="{TEXT}">' if name else f"<{_WRITTEN[kind]}>"
        found = tags.values.get((kind, name))
        missing = [own for own in wanted if own not in (found or ())]
        if found is None:
            faults.append(f"there is no {written}")
        elif missing:
            faults.append(f"{written} lacks {', '.join(missing)}")
    if faults:
        raise ConfigurationError(faults)
    return value[1:]


def _parse(configuration: str) -> _Tags:
    def refuse(*_: object) -> None:
        raise ConfigurationError(["it declares entities"])  # which could be of any length

    tags = _Tags()
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = tags.start
    parser.EndElementHandler = tags.end
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(configuration.encode(), True)
    except expat.ExpatError as error:
        raise ConfigurationError([f"not XML: {error}"]) from None
    return tags
