"""The command in this process, and an archive."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from archives import write_lines
from typer.testing import CliRunner, Result

from serving.bulk.commands import app


@pytest.fixture
def bulk() -> Callable[..., Result]:
    """Runs `musnad bulk` with arguments."""
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A directory of files of several kinds, of seven documents in all."""
    folder = tmp_path / "archive"
    (folder / "2015").mkdir(parents=True)
    write_lines(folder / "2015" / "b.jsonl", [{"id": f"b{n}", "text": f"قال الوزير {n}"} for n in range(3)])
    rows = 'id,text,date\n7,"قال ""الوزير""\nأمس",2015-07-01\n,زار الرئيس بغداد,\n'
    (folder / "a.csv").write_text(rows, encoding="utf-8")
    (folder / "c.txt").write_text("وصل الوفد\nإلى عمان", encoding="utf-8")
    (folder / "d.ndjson").write_text('{"text": "سافر الوفد", "date": 20150702}\n', encoding="utf-8")
    return folder
