"""Tables: what is written is read back, from CSV and from Parquet; PLOVER records."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from event_samples import RAID, TALKS, rows
from hypothesis import given
from hypothesis import strategies as st

from serving.events import tables
from serving.events.columns import COLUMNS, OTHERS
from serving.events.plover import plover_record
from serving.events.rows import EventRow
from serving.events.tables import TableError, form_of, read_events, write_events

FORMS = [
    "csv",
    pytest.param("parquet", marks=pytest.mark.skipif(find_spec("pyarrow") is None, reason="pyarrow is missing")),
]
ROWS = rows((TALKS, "2024-05-01"), (RAID, None), (RAID, "2024-05-02T08:00:00+03:00"))


@pytest.mark.parametrize("form", FORMS)
def test_a_table_is_read_back(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"events.{form}"
    written = write_events(path, ROWS)
    assert (written.events, written.left_out) == (6, 0)
    assert list(read_events(path)) == ROWS
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_table_has_its_columns(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"events.{form}"
    assert write_events(path, []).events == 0
    assert list(read_events(path)) == []


@given(
    name=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    value=st.none() | st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False),
)
@pytest.mark.parametrize("form", FORMS)
def test_any_name_and_number_are_read_back(
    tmp_path_factory: pytest.TempPathFactory, form: str, name: str, value: float | None
) -> None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a table does not say which it was
    row = ROWS[1]
    changed = replace(
        row,
        document=name or "d",
        text=name,
        fillers={
            "actor": tuple(replace(own, name=name, key=name, text=name) for own in row.fillers["actor"]),
            "target": tuple(replace(own, value=value) for own in row.fillers["target"]),
            "place": (),
            "count": (),
        },
    )
    path = tmp_path_factory.mktemp("any") / f"events.{form}"
    write_events(path, [changed])
    (read,) = read_events(path)
    assert read == changed


@pytest.mark.parametrize("name", ["=1+1", "+9", "-9", "@x", "\u200f=1", "'=1", "''@x", " =x", "＝1"])
def test_no_cell_is_a_formula_and_all_are_read_back(tmp_path: Path, name: str) -> None:
    path = tmp_path / "events.csv"
    row = replace(ROWS[0], text=name)
    write_events(path, [row])
    with path.open(encoding="utf-8", newline="") as stream:
        cell = next(csv.DictReader(stream))["action_text"]
    assert cell == f"'{name}"
    assert next(read_events(path)).text == name


def test_the_columns_of_a_row(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    write_events(path, ROWS[:2])
    with path.open(encoding="utf-8", newline="") as stream:
        meeting, threat = csv.DictReader(stream)
    assert list(meeting) == list(COLUMNS)
    shown = ("document", "date", "sentence", "class", "quad", "actor_name", "actor_label", "place_name", "target_name")
    assert [meeting[column] for column in shown] == [
        "talks",
        "2024-05-01",
        "2",
        "CONSULT",
        "verbal cooperation",
        "بدر عبد العاطي",
        "PER",
        "عمان",
        "",
    ]
    assert [other["name"] for other in json.loads(meeting["other_actors"])] == ["أيمن الصفدي"]
    assert (threat["count_value"], threat["count_text"], threat["factuality"]) == ("3", "3", "negated")
    assert [threat[column] for column in OTHERS.values() if column != "other_actors"] == ["", "", ""]


def broken(rows: list[EventRow]) -> Iterator[EventRow]:
    yield from rows
    raise RuntimeError("the source failed")


@pytest.mark.parametrize("form", [*FORMS, "json", "jsonl"])
def test_a_table_is_there_whole_or_not_at_all(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"events.{form}"
    path.write_bytes(b"before")
    with pytest.raises(RuntimeError, match="the source failed"):
        write_events(path, broken(ROWS))
    assert path.read_bytes() == b"before"
    assert len(list(tmp_path.iterdir())) == 1


def test_parquet_without_pyarrow_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "find_spec", lambda name: None)
    with pytest.raises(TableError, match=r"events.parquet: Parquet needs the extra `cluster`: pip install"):
        write_events(tmp_path / "events.parquet", ROWS)


def test_other_endings_and_unreadable_forms_are_errors(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"an event table ends in .parquet, .csv, .json, .jsonl"):
        form_of(tmp_path / "events.xlsx")
    with pytest.raises(TableError, match="PLOVER records do not hold all of an event"):
        read_events(tmp_path / "events.json")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (("ASSAULT", "FIGHT"), "row 1: class: 'FIGHT' is not one of"),
        (("0.95,", "high,"), "row 1: action_score: could not convert"),
        (("0.95,", "nan,"), "row 1: action_score: 'nan' is not a number"),
        (("raid,2024", ",2024"), "row 1: document: empty"),
        (("2024-05-01", "yesterday"), "row 1: date: 'yesterday' is not a date"),
        (("asserted", ""), "row 1: factuality: empty"),
        ((",e0,ORG", ",e0,GPE"), "row 1: actor_label: 'GPE' is not one of"),
        (("raid,", "raid,1,2,"), "row 1: 51 cells under a header of 49"),
        (("sentence_start", "start"), "no column sentence_start: not a table of events"),
    ],
)
def test_a_damaged_csv_is_named_with_row_and_column(tmp_path: Path, edit: tuple[str, str], message: str) -> None:
    path = tmp_path / "events.csv"
    write_events(path, rows((RAID, "2024-05-01"))[:1])
    text = path.read_text(encoding="utf-8")
    assert edit[0] in text
    path.write_text(text.replace(*edit), encoding="utf-8")
    with pytest.raises(TableError, match=f"events.csv: {message}"):
        list(read_events(path))


def test_a_parquet_of_something_else_is_an_error(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "other.parquet"
    pq.write_table(pa.table({"x": [1]}), path)
    with pytest.raises(TableError, match="no column document: not a table of events"):
        list(read_events(path))
    path.write_bytes(b"not parquet at all")
    with pytest.raises(TableError, match=r"other.parquet: "):
        list(read_events(path))


# ---------------------------------------------------------------------------------------------------------------------
# PLOVER


def test_plover_records_have_the_published_fields() -> None:
    meeting, threat, raid = (
        plover_record(row) for row in rows((TALKS, "2024-05-01"), (RAID, "2024-05-02T08:00:00"))[:3]
    )
    assert meeting is not None
    assert threat is not None
    assert raid is not None
    assert meeting["id"] == "talks#a0"
    assert (meeting["date"], meeting["event"], meeting["quad_code"]) == ("2024-05-01", ["CONSULT"], 1)
    assert [actor["actor_text"] for actor in meeting["source"]] == ["بدر عبد العاطي", "أيمن الصفدي"]
    assert meeting["recipient"] == []
    assert meeting["event_loc"]["name"] == "عمان"
    assert "context" not in meeting
    assert threat["context"] == ["negation"]
    assert threat["count"] == [
        {"text": "3", "value": 3, "start": TALKS.text.index("3"), "end": TALKS.text.index("3") + 1}
    ]
    assert (raid["date"], raid["time"]) == ("2024-05-02", "08:00:00")
    assert raid["text_info"] == {"sequence": 1, "start": 0, "end": len(RAID.text)}
    fields = {"id", "has_event", "date", "source", "recipient", "event", "event_text", "quad_code"}
    assert fields < set(meeting)


def test_what_is_only_possible_gets_no_context() -> None:
    record = plover_record(replace(ROWS[2], factuality="potential"))
    assert record is not None
    assert record["factuality"] == "potential"
    assert "context" not in record


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_state_and_other_are_left_out_and_counted(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"events.{form}"
    written = write_events(path, ROWS)
    assert (written.events, written.left_out) == (4, 2)
    text = path.read_text(encoding="utf-8")
    records = json.loads(text) if form == "json" else [json.loads(line) for line in text.splitlines()]
    assert records == [plover_record(row) for row in ROWS if row.quad is not None]


def test_an_empty_json_is_an_empty_array(tmp_path: Path) -> None:
    write_events(tmp_path / "events.json", [])
    assert json.loads((tmp_path / "events.json").read_text()) == []
