"""Label Studio's JSON: tasks with annotations, whose results are regions, choices of a region, and relations.

What a result is, and how it is made, is in `model.labelstudio`. The sentence's id is `id` in the task's data.

Offsets: Label Studio's page counts code points (measured with 1.23.2: `tests/tools`); old versions counted UTF-16 code
units. Each region holds the text that it covers, with line breaks as `\\n`; by it an annotation whose regions fit
code units and not code points is converted, and a region that fits neither is an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from model.annotation import Fault
from model.labelstudio import CHOICES, LINE_BREAK, TEXT, results
from training.exchange.documents import Authorship, Document, Finding, Origin, assemble, bad, notes, shown
from training.exchange.utf16 import code_points

_DIRECTIONS = ("right", "left")


@dataclass(slots=True)
class _Result:
    """What an annotation's results say: regions, choices and relations, with the field that each comes from.

    `covered` has the offsets and the text of the regions that give both.
    """

    text: str
    regions: dict[str, tuple[str, dict[str, object]]] = field(default_factory=dict)
    choices: list[tuple[str, str, str, object]] = field(default_factory=list)
    relations: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    covered: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)


def read(path: Path) -> Iterator[Document | Finding]:
    """Yield a document for every annotation of a JSON export that was not cancelled, and a finding for the rest.

    The annotations of one task share `Origin.task`. Predictions are no annotations.
    """
    try:
        tasks = json.loads(path.read_bytes().decode("utf-8"))
    except (ValueError, RecursionError) as error:
        yield Finding(str(path), Fault("", f"not JSON in UTF-8: {error}"))
        return
    if not isinstance(tasks, list):
        yield Finding(str(path), Fault("", "not an array of tasks: export the project as JSON"))
        return
    for index, task in enumerate(tasks):
        place = f"{path}: task {task.get('id', f'[{index}]') if isinstance(task, dict) else f'[{index}]'}"
        if not isinstance(task, dict):
            yield Finding(place, Fault("", "must be a JSON object"))
        elif "data" not in task:
            yield Finding(place, Fault("data", "missing: export the project as JSON, not as JSON-MIN"))
        else:
            yield from _read_task(task, place)


def _read_task(task: dict[str, object], place: str) -> Iterator[Document | Finding]:
    data, annotations = task["data"], task.get("annotations", [])
    text = data.get(TEXT) if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(text, str):
        yield Finding(place, Fault(f"data.{TEXT}", "must be a string"))
        return
    if not isinstance(annotations, list):
        yield Finding(place, Fault("annotations", "must be an array"))
        return
    yield from notes(place, (Fault(f"data.{name}", "is not kept") for name in data if name not in ("id", TEXT)))
    identity = data.get("id", f"labelstudio-{task.get('id')}")
    read = 0
    for index, annotation in enumerate(annotations):
        where = f"{place}, annotation {annotation.get('id', f'[{index}]')}" if isinstance(annotation, dict) else place
        if not isinstance(annotation, dict) or not isinstance(annotation.get("result"), list):
            yield Finding(where, Fault(f"annotations[{index}].result", "must be an array"))
        elif annotation.get("was_cancelled"):
            yield Finding(where, Fault("was_cancelled", "skipped by the annotator, and not read"), bad=False)
        else:
            read += 1
            authorship = _authorship(annotation)
            origin = Origin(where, place, authorship.updated or "", authorship)
            yield from _read_annotation(annotation, text, identity, origin)
    if task.get("drafts"):
        yield Finding(place, Fault("drafts", "what was not submitted is not read"), bad=False)
    if not read:
        yield Finding(place, Fault("annotations", "the task has no annotation, and is not read"), bad=False)


def _authorship(annotation: Mapping[str, object]) -> Authorship:
    by = annotation.get("completed_by")
    if isinstance(by, dict):
        by = by.get("email", by.get("id"))
    found = {"id": annotation.get("id"), "annotator": by}
    found |= {name: annotation.get(f"{name}_at") for name in ("created", "updated")}
    return Authorship(**{name: str(value) for name, value in found.items() if value is not None})


def _read_annotation(
    annotation: Mapping[str, object], text: str, identity: object, origin: Origin
) -> Iterator[Document | Finding]:
    given = annotation["result"]
    assert isinstance(given, list)
    found = _Result(text)
    for index, result in enumerate(given):
        if isinstance(result, dict):
            _read_result(f"result[{index}]", result, found)
        else:
            found.faults.append(Fault(f"result[{index}]", "must be a JSON object"))
    _settle_offsets(found)
    _join_choices(found)
    relations = _relations(found)
    if not found.faults:
        content, found.faults = assemble(identity, text, list(found.regions.values()), relations)
    if found.faults:
        yield from bad(origin.place, found.faults)
        return
    yield Document(content, origin)
    yield from notes(origin.place, found.notes)


def _read_result(name: str, result: dict[str, object], found: _Result) -> None:
    kind, identity, value = result.get("type"), result.get("id"), result.get("value")
    if kind == "relation":
        found.relations.append((name, result))
    elif not isinstance(identity, str) or not isinstance(value, dict):
        found.faults.append(Fault(name, "needs an id and a value"))
    elif kind == "labels":
        if identity in found.regions:
            found.faults.append(Fault(f"{name}.id", "two regions have the id", identity))
        found.regions[identity] = (name, _region(name, value, len(found.regions), found))
        if result.get("meta"):
            found.notes.append(Fault(f"{name}.meta", "a note on a region is not kept", shown(str(result["meta"]))))
    elif kind == "choices" and result.get("from_name") in CHOICES:
        found.choices.append((name, identity, str(result["from_name"]), value.get("choices")))
    else:
        found.notes.append(Fault(name, f"a result of type {kind!r} from {result.get('from_name')!r} is not kept"))


def _region(name: str, value: Mapping[str, object], number: int, found: _Result) -> dict[str, object]:
    labels = value.get("labels")
    if not isinstance(labels, list) or len(labels) != 1:
        found.faults.append(Fault(f"{name}.value.labels", "a region must have exactly one label", str(labels)))
        labels = [None]
    start, end, covered = value.get("start"), value.get("end"), value.get("text")
    if isinstance(start, int) and isinstance(end, int) and isinstance(covered, str):
        found.covered[name] = (start, end, covered)
    return {"id": number, "label": labels[0], "start_offset": start, "end_offset": end}


def _settle_offsets(found: _Result) -> None:
    """Convert the offsets of all regions from UTF-16 code units if their texts say that they are."""
    units = code_points(found.text)
    wrong = [name for name, (*offsets, covered) in found.covered.items() if not _fits(found.text, offsets, covered)]
    converted = {
        name: (units[start], units[end])
        for name, (start, end, _) in found.covered.items()
        if start in units and end in units
    }
    if wrong and all(
        name in converted and _fits(found.text, converted[name], covered)
        for name, (*_, covered) in found.covered.items()
    ):
        for name, region in found.regions.values():
            if name in converted:
                region["start_offset"], region["end_offset"] = converted[name]
        found.notes.append(Fault("result", "offsets in UTF-16 code units, as its texts show; converted"))
        return
    for name in wrong:
        start, end, covered = found.covered[name]
        actual = shown(found.text[start:end]) if 0 <= start <= end else ""
        message = f"[{start}, {end}) of the task's text is «{actual}», but the region says"
        found.faults.append(Fault(f"{name}.value", message, covered))


def _fits(text: str, offsets: Sequence[int], covered: str) -> bool:
    """Whether a region's text is what the offsets cover: line breaks are `\\n` in it, and spaces may be missing."""
    start, end = offsets
    if not 0 <= start <= end <= len(text):
        return False
    wanted, given = (
        "".join(LINE_BREAK.sub(" ", piece).replace("\\n", " ").split()) for piece in (text[start:end], covered)
    )
    return wanted == given


def _join_choices(found: _Result) -> None:
    for name, identity, attribute, chosen in found.choices:
        if identity not in found.regions:
            found.notes.append(Fault(name, f"a {attribute} of no region is not kept", str(chosen)))
        elif not isinstance(chosen, list) or len(chosen) != 1:
            found.faults.append(Fault(f"{name}.value.choices", f"a region has exactly one {attribute}", str(chosen)))
        elif attribute in found.regions[identity][1]:
            found.faults.append(Fault(name, f"the region has a {attribute} already", str(chosen)))
        else:
            found.regions[identity][1][attribute] = chosen[0]


def _relations(found: _Result) -> list[tuple[str, dict[str, object]]]:
    """Return the relations in the annotation format; several labels on one arrow are several relations."""
    relations: list[tuple[str, dict[str, object]]] = []
    numbers = {identity: number for number, identity in enumerate(found.regions)}
    for name, result in found.relations:
        ends = [result.get("from_id"), result.get("to_id")]
        labels, direction = result.get("labels"), result.get("direction", "right")
        unknown = [end for end in ends if end not in numbers]
        if unknown:
            found.faults.append(Fault(name, "no region has the id", str(unknown[0])))
        elif direction not in _DIRECTIONS:
            found.faults.append(Fault(f"{name}.direction", f"must be {' or '.join(_DIRECTIONS)}", str(direction)))
        elif not isinstance(labels, list) or not labels:
            found.faults.append(Fault(f"{name}.labels", "a relation must have a role"))
        else:
            source, target = (numbers[str(end)] for end in (ends if direction == "right" else reversed(ends)))
            for label in labels:
                link = {"id": len(relations), "from_id": source, "to_id": target, "type": label}
                relations.append((name, link))
    return relations


def write(path: Path, documents: Iterable[Document], suggestions_of: str | None = None) -> list[Finding]:
    """Write tasks for import: with annotations, or, if `suggestions_of` names a model's version, with predictions."""
    tasks = []
    for document in documents:
        content = document.content
        task: dict[str, object] = {"data": {"id": content.id, TEXT: content.text}}
        if suggestions_of is None:
            task["annotations"] = [{"result": results(content), "was_cancelled": False, "ground_truth": False}]
        else:
            task["predictions"] = [{"model_version": suggestions_of, "result": results(content)}]
        tasks.append(task)
    path.write_text(json.dumps(tasks, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n")
    return []
