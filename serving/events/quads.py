"""The quad categories of the PLOVER event types, and the published names that go with them.

Source: the PLOVER codebook, draft 0.7b1 of 2021 (github.com/openeventdata/PLOVER, `PLOVER_MANUAL.tex`), which names
the quad category at the head of each event type, and the numbers 1 to 4 in its table "Quad categories in PLOVER". Two
things are settled here:

- `REQUEST` is what the codebook of 2021 calls `DEMAND`; POLECAT renamed it. `ACCUSE` holds the former `INVESTIGATE`.
- `SANCTION`: its section says material conflict; that table, older, still says verbal conflict. The section stands, as
  it does in the code of Hu et al. 2024 (arXiv 2308.07876) and in CAMEO, where 16 REDUCE RELATIONS is material.

STATE and OTHER are no PLOVER types and have none.
"""

from __future__ import annotations

from enum import StrEnum


class Quad(StrEnum):
    """What is said or done, for or against."""

    VERBAL_COOPERATION = "verbal cooperation"
    MATERIAL_COOPERATION = "material cooperation"
    VERBAL_CONFLICT = "verbal conflict"
    MATERIAL_CONFLICT = "material conflict"

    @property
    def code(self) -> int:
        """PLOVER's `quad_code`, 1 to 4."""
        return list(Quad).index(self) + 1


_CLASSES = {
    Quad.VERBAL_COOPERATION: ("AGREE", "CONSULT", "SUPPORT", "CONCEDE"),
    Quad.MATERIAL_COOPERATION: ("COOPERATE", "AID", "RETREAT"),
    Quad.VERBAL_CONFLICT: ("REQUEST", "ACCUSE", "REJECT", "THREATEN"),
    Quad.MATERIAL_CONFLICT: ("PROTEST", "SANCTION", "MOBILIZE", "COERCE", "ASSAULT"),
}
#: The quad category of each PLOVER class.
QUADS = {event_class: quad for quad, classes in _CLASSES.items() for event_class in classes}
