"""Archives to extract, and what a run made of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def write_lines(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """Write JSON lines."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def documents(output: Path) -> list[dict[str, Any]]:
    """The lines of all parts, in order."""
    return [row for part in sorted((output / "documents").iterdir()) for row in read_lines(part)]


def failures(output: Path) -> list[dict[str, Any]]:
    """The lines of all files of failures, in order."""
    return [row for part in sorted((output / "failed").glob("*")) for row in read_lines(part)]


def contents(output: Path) -> dict[str, bytes]:
    """Every file of an output but the lock, by its name."""
    files = (path for path in output.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(output)): path.read_bytes() for path in files}
