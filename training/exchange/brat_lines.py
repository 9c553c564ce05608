"""The lines of a brat annotations file. Source: https://brat.nlplab.org/standoff.html."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from model.annotation import Fault
from model.labels import CLASSES, ENTITY_LABELS, FACTUALITIES, ROLES
from training.exchange.documents import shown

FACTUALITY = "Factuality"
#: The factuality of an event without the attribute.
ASSERTED = "asserted"

_TEXT_BOUND = re.compile(r"(\S+) (\d+ \d+(?:;\d+ \d+)*)")
_EVENT = re.compile(r"(\S+?):(T\S+)((?: \S+?:\S+)*) ?")
_RELATION = re.compile(r"(\S+) Arg1:(\S+) Arg2:(\S+) ?")
_ATTRIBUTE = re.compile(r"(\S+) (\S+)(?: (\S+))?")
_NUMBERED = re.compile(r"(.*?)\d*")
_GAP = re.compile(r"\s*[\t\n\r\v\f\x1c-\x1e\x85\u2028\u2029]\s*")


@dataclass(frozen=True, slots=True)
class Bound:
    """A text-bound annotation; `field` is its line's number and its id."""

    field: str
    id: str
    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Link:
    """A role between two text-bound annotations, by their ids."""

    field: str
    action: str
    entity: str
    role: str


@dataclass(slots=True)
class Annotations:
    """What an annotations file says; events are known by their trigger. Fields of faults begin with the line."""

    text: str
    bounds: dict[str, Bound] = field(default_factory=dict)
    triggers: dict[str, str] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    factualities: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)

    def factuality_of(self, bound: Bound) -> str:
        """Return the factuality of the action that a text-bound annotation triggers."""
        return self.factualities.get(bound.id, ASSERTED)

    def trigger(self, name: str, identity: str) -> str | None:
        """Return the text-bound annotation that an id means, an event's trigger, or None with a fault."""
        bound = self.triggers.get(identity, identity)
        if bound in self.bounds:
            return bound
        self.faults.append(Fault(name, "no annotation has the id", identity))
        return None


def parse_lines(lines: str, text: str) -> Annotations:
    """Return what the lines of an annotations file say of a text; nothing is raised, all faults are collected."""
    found = Annotations(text)
    later: dict[str, list[tuple[str, str]]] = {"E": [], "R": [], "A": [], "M": []}
    for number, line in enumerate(lines.split("\n"), start=1):
        content = line.removesuffix("\r")
        if not content:
            continue
        identity, tab, rest = content.partition("\t")
        name = f"{number} {identity}"
        kind = identity[:1]
        if not tab:
            found.faults.append(Fault(str(number), "no tab behind the id", shown(content)))
        elif kind == "T":
            _text_bound(name, identity, rest, found)
        elif kind in later:
            later[kind].append((name, rest))
        elif kind in ("#", "N", "*"):
            what = {"#": "a note", "N": "a normalization", "*": "an equivalence"}[kind]
            found.notes.append(Fault(name, f"{what} is not kept", shown(rest)))
        else:
            found.faults.append(Fault(name, "no annotation begins so", shown(content)))
    readers: dict[str, Callable[[str, str, Annotations], None]] = {
        "E": _event,
        "R": _relation,
        "A": _attribute,
        "M": _attribute,
    }
    for kind, read in readers.items():
        for name, rest in later[kind]:
            read(name, rest, found)
    return found


def _text_bound(name: str, identity: str, rest: str, found: Annotations) -> None:
    head, tab, covered = rest.partition("\t")
    match = _TEXT_BOUND.fullmatch(head)
    if not match or not tab:
        found.faults.append(Fault(name, "must be TYPE START END, a tab, and the text", shown(rest)))
        return
    kind = match[1]
    fragments = [(int(start), int(end)) for start, end in (pair.split() for pair in match[2].split(";"))]
    if identity in found.bounds:
        found.faults.append(Fault(name, "another annotation has the id"))
    if kind not in (*ENTITY_LABELS, *CLASSES):
        found.faults.append(Fault(name, f"{kind} is no label and no class", covered))
    elif any(start >= end or end > len(found.text) for start, end in fragments):
        found.faults.append(Fault(name, f"outside the text, which has {len(found.text)} characters", match[2]))
    elif any(
        following < end or not _GAP.fullmatch(found.text, end, following)
        for (_, end), (following, _) in pairwise(fragments)
    ):
        found.faults.append(Fault(name, "a span in several pieces, which the annotation format does not have", covered))
    elif (wanted := " ".join(found.text[start:end] for start, end in fragments)) != covered:
        message = f"{match[2]} is «{shown(wanted)}» in the text, but the line has"
        found.faults.append(Fault(name, message, covered))
    else:
        found.bounds.setdefault(identity, Bound(name, identity, kind, fragments[0][0], fragments[-1][1]))


def _event(name: str, rest: str, found: Annotations) -> None:
    match = _EVENT.fullmatch(rest.partition("\t")[0])
    if not match:
        found.faults.append(Fault(name, "must be TYPE:TRIGGER ROLE:ID …", shown(rest)))
        return
    kind, trigger, arguments = match.groups()
    bound = found.bounds.get(trigger)
    if bound is None:
        found.faults.append(Fault(name, "no annotation has the id of the trigger", trigger))
        return
    if kind not in CLASSES or bound.kind != kind:
        found.faults.append(Fault(name, f"the event is {kind}, its trigger {bound.kind}", shown(rest)))
    if trigger in found.triggers.values():
        found.faults.append(Fault(name, "another event has the same trigger", trigger))
    found.triggers[name.partition(" ")[2]] = trigger
    for argument in arguments.split():
        role, _, filler = argument.partition(":")
        base = _NUMBERED.fullmatch(role)
        _link(name, trigger, filler, base[1] if base else role, found)


def _relation(name: str, rest: str, found: Annotations) -> None:
    match = _RELATION.fullmatch(rest.partition("\t")[0])
    if not match:
        found.faults.append(Fault(name, "must be TYPE Arg1:ID Arg2:ID", shown(rest)))
        return
    action = found.trigger(name, match[2])
    if action is not None:
        _link(name, action, match[3], match[1], found)


def _link(name: str, action: str, filler: str, role: str, found: Annotations) -> None:
    if role not in ROLES:
        found.faults.append(Fault(name, f"{role} is not one of {', '.join(ROLES)}"))
    elif filler[:1] == "E":
        found.faults.append(Fault(name, f"an event fills the role {role}", filler))
    elif found.trigger(name, filler) is not None:
        found.links.append(Link(name, action, filler, role))


def _attribute(name: str, rest: str, found: Annotations) -> None:
    match = _ATTRIBUTE.fullmatch(rest)
    if not match:
        found.faults.append(Fault(name, "must be TYPE ID VALUE", shown(rest)))
        return
    kind, target, value = match.groups()
    if kind != FACTUALITY:
        found.notes.append(Fault(name, f"an attribute {kind} is not kept", shown(rest)))
        return
    bound = found.trigger(name, target)
    if bound is None:
        return
    if found.bounds[bound].kind not in CLASSES:
        found.faults.append(Fault(name, "only an action has a factuality", target))
    elif value not in FACTUALITIES:
        found.faults.append(Fault(name, f"must be one of {', '.join(FACTUALITIES)}", str(value)))
    elif bound in found.factualities:
        found.faults.append(Fault(name, "the action has a factuality already", target))
    else:
        found.factualities[bound] = value
