"""`musnad events` and `musnad graph`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from event_samples import RAID, TALKS
from typer.testing import CliRunner

from serving.bulk.job import Format
from serving.bulk.output import SUMMARY, EncodedRow, Output, write_part
from serving.events.commands import app
from serving.events.tables import read_events
from serving.formats import json_line


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    path = tmp_path / "documents.jsonl"
    dated = json.dumps({**RAID.to_dict(), "date": "2024-05-04"}, ensure_ascii=False)
    path.write_text(f"{json_line(TALKS)}\n{dated}\n", encoding="utf-8")
    return path


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, " ".join(result.stderr.split())


def test_documents_become_a_table_and_a_graph(documents: Path, tmp_path: Path) -> None:
    table, page = tmp_path / "events.csv", tmp_path / "graph.html"
    status, said = run("events", documents, "--out", table, "--date", "20240501")
    assert (status, said) == (0, "musnad: 4 events of 2 documents; 0 documents failed")
    assert [row.date for row in read_events(table)] == ["2024-05-01", "2024-05-01", "2024-05-04", "2024-05-04"]
    status, said = run("graph", table, "--out", page, "--class", "ASSAULT", "--class", "CONSULT", "--title", "تجربة")
    assert status == 0
    assert said == "musnad: 4 entities and 2 edges of 2 events musnad: 2 events left out (2 by class)"
    assert "<title>تجربة</title>" in page.read_text(encoding="utf-8")


def test_plover_records_say_what_they_leave_out(documents: Path, tmp_path: Path) -> None:
    status, said = run("events", documents, "--out", tmp_path / "events.jsonl")
    assert status == 0
    assert "3 events of 2 documents; 1 of STATE and OTHER, no PLOVER types, left out" in said


def test_bad_documents_are_reported_and_the_others_done(documents: Path, tmp_path: Path) -> None:
    with documents.open("a", encoding="utf-8") as stream:
        stream.write("{}\n" + json.dumps({**RAID.to_dict(), "id": "late", "date": "أمس"}) + "\n")
    status, said = run("events", documents, "--out", tmp_path / "events.csv")
    assert status == 1
    assert f"{documents}: line 3: id: " in said
    assert "document 'late': 'أمس' is not a date of ISO 8601" in said
    assert "4 events of 2 documents; 2 documents failed" in said


def test_what_bulk_wrote(tmp_path: Path) -> None:
    root = tmp_path / "out"
    output = Output.at(str(root))
    encoded = [
        EncodedRow(own.id, date, "news.jsonl", line, json_line(own), len(own.sentences))
        for line, (own, date) in enumerate([(TALKS, None), (RAID, "2024-05-04")], 1)
    ]
    write_part(output, Format.JSONL, 0, encoded, [])
    status, said = run("events", root, "--out", tmp_path / "events.csv")
    assert status == 2
    assert "not the output of a finished run" in said
    output.write(SUMMARY, b"{}")
    for source in (root, root / "documents" / "part-00000000.jsonl"):
        assert run("events", source, "--out", tmp_path / "events.csv")[0] == 0
        assert [row.date for row in read_events(tmp_path / "events.csv")] == [None, None, "2024-05-04", "2024-05-04"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("events", "{documents}", "--out", "{folder}/events.xlsx"), "an event table ends in"),
        (("events", "{folder}/none.jsonl", "--out", "{folder}/events.csv"), "No such file"),
        (("events", "{documents}", "--out", "{folder}/events.csv", "--date", "May"), "--date: 'May' is not a date"),
        (("events", "{documents}", "--out", "{folder}/none/events.csv"), "No such file"),
        (("graph", "{folder}/none.csv", "--out", "{folder}/graph.html"), "No such file"),
        (("graph", "{documents}", "--out", "{folder}/graph.html"), "PLOVER records do not hold all"),
        (("graph", "{documents}", "--out", "{folder}/graph.png"), "a graph ends in"),
        (("graph", "{documents}", "--out", "{folder}/graph.html", "--class", "FIGHT"), "'FIGHT' is not one of"),
        (("graph", "{documents}", "--out", "{folder}/graph.html", "--since", "2024"), "--since: '2024' is not"),
    ],
)
def test_misuse_is_named_with_status_2(documents: Path, arguments: tuple[str, ...], message: str) -> None:
    filled = [argument.format(documents=documents, folder=documents.parent) for argument in arguments]
    status, said = run(*filled)
    assert status == 2
    assert message in said.replace("│ ", "")
    assert sorted(entry.name for entry in documents.parent.iterdir()) == ["documents.jsonl"]
