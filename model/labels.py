"""The fixed inventory: entity labels, event classes, factualities, roles, and which labels may fill which role.

Source: `annotations/GUIDELINES.md`; the first sixteen classes are the PLOVER event types (Halterman et al. 2023).
"""

from __future__ import annotations

#: Labels of the name layer: what every Arabic NER corpus knows.
NAME_LABELS = ("PER", "ORG", "LOC")
#: Labels of entities; NOM is a participant without a name.
ENTITY_LABELS = (*NAME_LABELS, "NUM", "NOM")
#: The label of an action's span in the annotation format.
ACTION_LABEL = "ACT"

PLOVER_CLASSES = (
    "AGREE",
    "CONSULT",
    "SUPPORT",
    "CONCEDE",
    "COOPERATE",
    "AID",
    "RETREAT",
    "REQUEST",
    "ACCUSE",
    "REJECT",
    "THREATEN",
    "PROTEST",
    "SANCTION",
    "MOBILIZE",
    "COERCE",
    "ASSAULT",
)
CLASSES = (*PLOVER_CLASSES, "STATE", "OTHER")

FACTUALITIES = ("asserted", "negated", "potential")

ROLES = ("actor", "target", "place", "count")
#: The labels that may fill each role.
ROLE_FILLERS: dict[str, frozenset[str]] = {
    "actor": frozenset({"PER", "ORG", "LOC", "NOM"}),
    "target": frozenset({"PER", "ORG", "LOC", "NOM", "NUM"}),
    "place": frozenset({"LOC", "NOM"}),
    "count": frozenset({"NUM"}),
}


def bio_tags(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return the IOB2 tags of `labels`: O, then B- and I- of each label in order."""
    return ("O", *(f"{prefix}-{label}" for label in labels for prefix in "BI"))


#: What the two tag layers predict for a word.
NAME_TAGS = bio_tags(NAME_LABELS)
REST_TAGS = bio_tags(("NUM", "NOM", ACTION_LABEL))
#: What the role head predicts for a pair of words.
ROLE_TAGS = ("none", *ROLES)
#: Attached clitics (و ف ب ل ك س) that a span's first word may carry: at most this many letters («وسـ», «فبـ», …).
CLITIC_LETTERS = 3
