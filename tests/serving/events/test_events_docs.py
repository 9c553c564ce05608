"""docs/events.md names every column, and the report its own files."""

from __future__ import annotations

import re
from pathlib import Path

from serving.events.columns import COLUMNS
from serving.events.quads import QUADS, Quad


def test_every_column_is_documented(root: Path) -> None:
    text = (root / "docs" / "events.md").read_text(encoding="utf-8")
    table = text.partition("| column | type | what |")[2].partition("\n\n")[0]
    named = set(re.findall(r"`(\w+)`", table))
    # `actor_start`, `actor_end`, `target_start`, … stands for those of all roles
    roles_offsets = {name for name in COLUMNS if name.endswith(("_start", "_end"))}
    assert set(COLUMNS) - named - roles_offsets == set()


def test_the_quad_categories_are_those_of_the_code(root: Path) -> None:
    text = (root / "docs" / "events.md").read_text(encoding="utf-8")
    for quad in Quad:
        classes = " ".join(f"`{name}`" for name, own in QUADS.items() if own is quad)
        assert f"| `{quad.value}` | {quad.code} | {classes} |" in text


def test_the_report_shows_what_is_there_and_is_small(root: Path) -> None:
    folder = root / "docs" / "report"
    text = (folder / "README.md").read_text(encoding="utf-8")
    pictures = set(re.findall(r"!\[.*\]\((.*?)\)", text))
    assert pictures == {path.name for path in folder.iterdir()} - {"README.md", "plots.py", "__pycache__"}
    assert sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) < 300_000
