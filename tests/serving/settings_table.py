"""The table of settings in docs/operations.md; `python tests/serving/settings_table.py` writes it anew."""

from __future__ import annotations

from pathlib import Path

from pydantic_core import PydanticUndefined

from serving.settings import PREFIX, Settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "operations.md"
BEGIN = "<!-- settings: written by python tests/serving/settings_table.py -->\n"
END = "<!-- end of the settings -->\n"


def table() -> str:
    """A line of Markdown for every setting, in the order of the code."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        lines.append(f"| `{PREFIX}{name.upper()}` | {_default(field.default)} | {field.description} |")
    return "\n".join(lines) + "\n"


def _default(value: object) -> str:
    if value is PydanticUndefined:
        raise ValueError("a setting without a default")
    if value is None or value == []:
        return "–"
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    return f"`{value}`"


def written(document: str) -> str:
    """The table that a document has; raises ValueError where it has none."""
    return document[document.index(BEGIN) + len(BEGIN) : document.index(END)]


if __name__ == "__main__":
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(text.replace(BEGIN + written(text) + END, BEGIN + table() + END), encoding="utf-8")
