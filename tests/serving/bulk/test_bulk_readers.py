from __future__ import annotations

import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from serving.bulk.job import Job
from serving.bulk.readers import MAX_BYTES, read_bundle
from serving.bulk.records import Failure, Item, Reason, Record
from serving.bulk.sources import find_input


def read(path: Path, job: Job | None = None) -> list[Item]:
    source = find_input(str(path))
    return list(read_bundle(source.fs, source.files, job or Job()))


def texts(items: list[Item]) -> list[str]:
    assert all(isinstance(item, Record) for item in items), items
    return [item.text for item in items if isinstance(item, Record)]


def failed(items: list[Item]) -> list[tuple[int | None, Reason, str]]:
    return [(item.place.line, item.reason, item.message) for item in items if isinstance(item, Failure)]


def test_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        "\ufeff".encode()
        + '{"id": "ب", "text": "قال\u064e \U0001f600", "date": "2015-07-01", "other": 1}\n\n  \n'.encode()
        + '{"id": 7, "text": "", "date": null}\r\n{"text": "سافر"}'.encode()
    )
    one, two, three = read(path)
    assert isinstance(one, Record)
    assert (one.id, one.text, one.date, str(one.place)) == ("ب", "قال\u064e \U0001f600", "2015-07-01", "a.jsonl:1")
    assert isinstance(two, Record)
    assert (two.id, two.text, two.date, two.place.line) == ("7", "", None, 4)
    assert isinstance(three, Record)
    assert three.id == "a.jsonl:5"


@pytest.mark.parametrize(
    ("line", "reason", "message"),
    [
        (b"{", Reason.NOT_JSON, "not JSON"),
        (b"[1]", Reason.NOT_JSON, "not a JSON object"),
        (b'{"text": "a", "text": "b"}', Reason.NOT_JSON, "comes twice"),
        (b'{"text": "a", "score": NaN}', Reason.NOT_JSON, "NaN"),
        (b'{"text": "\xff"}', Reason.NOT_UTF8, "0xFF at byte 11"),
        (b'{"id": "x"}', Reason.NO_TEXT, "text: missing"),
        (b'{"text": null}', Reason.NO_TEXT, "text: null"),
        (b'{"text": 5}', Reason.NO_TEXT, "text: not a string"),
        (b'{"text": "a\\u0000"}', Reason.BAD_TEXT, "U+0000 at character 2"),
        (b'{"text": "\\ud800"}', Reason.BAD_TEXT, "U+D800 at character 1"),
        (b'{"text": "a", "id": ""}', Reason.BAD_ID, "id: empty"),
        (b'{"text": "a", "id": true}', Reason.BAD_ID, "id: not a string"),
        (b'{"text": "a", "id": "\\udfff"}', Reason.BAD_ID, "U+DFFF"),
        (b'{"text": "a", "date": [1]}', Reason.BAD_DATE, "date: not a string"),
        (b'{"text": "a", "date": 1.5}', Reason.BAD_DATE, "date: not a string"),
        (b'{"text": "123456"}', Reason.TOO_LONG, "6 characters, which is more than 5"),
        (b'{"text": "' + b"a" * MAX_BYTES + b'"}', Reason.TOO_LONG, "a line of more than 16 MiB"),
    ],
)
def test_a_bad_line_fails_and_the_others_do_not(tmp_path: Path, line: bytes, reason: Reason, message: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "one"}\n' + line + b'\n{"text": "two"}\n')
    items = read(path, Job(max_characters=5))
    ((number, found, said),) = failed(items)
    assert (number, found) == (2, reason)
    assert message in said
    assert [item.text for item in items if isinstance(item, Record)] == ["one", "two"]


def test_fields_have_the_names_that_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"body": "قال", "key": "k", "when": "2015", "text": 1, "id": [], "date": []}\n', encoding="utf-8")
    (item,) = read(path, Job(text_field="body", id_field="key", date_field="when"))
    assert isinstance(item, Record)
    assert (item.id, item.text, item.date) == ("k", "قال", "2015")


# ---------------------------------------------------------------------------------------------------------------------
# CSV and plain text


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes('\ufeffid,text,date\r\nx,"قال\r\n""نعم""",2015\r\n\r\n,سافر,\r\n'.encode())
    one, two = read(path)
    assert isinstance(one, Record)
    assert (one.id, one.text, one.date, one.place.line) == ("x", 'قال\r\n"نعم"', "2015", 2)
    assert isinstance(two, Record)
    assert (two.id, two.text, two.date) == ("a.csv:5", "سافر", None)


@pytest.mark.parametrize(
    ("row", "line", "reason", "message"),
    [
        (b"x", 2, Reason.BAD_ROW, "1 fields under a header of 2"),
        (b"x,y,z", 2, Reason.BAD_ROW, "3 fields under a header of 2"),
        (b"x,", 2, Reason.NO_TEXT, "text: null or empty"),
        (b"x,\xe9t\xe9", 2, Reason.NOT_UTF8, "text: not UTF-8: 0xE9 at character 1"),
        (b"x,a\0b", 2, Reason.BAD_TEXT, "U+0000 at character 2"),
        (b'x,"a"b', 2, Reason.BAD_ROW, "not CSV"),
        (b'x,"a\nb\n"c', 2, Reason.BAD_ROW, "lines 2 to 4 are left out"),
    ],
)
def test_a_bad_row_fails_and_the_others_do_not(
    tmp_path: Path, row: bytes, line: int, reason: Reason, message: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,text\n" + row + b"\ny,two\n")
    items = read(path)
    ((number, found, said),) = failed(items)
    assert (number, found) == (line, reason)
    assert message in said
    assert [item.id for item in items if isinstance(item, Record)] == ["y"]


@pytest.mark.parametrize(
    ("header", "message"),
    [("id,body", "no column text among id, body"), ("text,text", "two columns"), ("id,id,text", "two columns")],
)
def test_a_table_without_its_columns_fails(tmp_path: Path, header: str, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{header}\na,b\nc,d\n", encoding="utf-8")
    ((line, reason, said),) = failed(read(path))
    assert (line, reason) == (1, Reason.BAD_ROW)
    assert message in said


def test_a_long_field_of_csv_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    text = "قال الوزير. " * 40_000
    path.write_text(f"text\n{text}\n", encoding="utf-8")
    assert texts(read(path)) == [text]


def test_a_plain_text_is_one_document(tmp_path: Path) -> None:
    text = "قال\r\nالوزير\n\n"
    (tmp_path / "a.txt").write_bytes(text.encode())
    (tmp_path / "b.txt").write_bytes(b"a\xff")
    (tmp_path / "c.txt").write_bytes(b"\xef\xbb\xbfa" * 5)
    one, two, three = read(tmp_path)
    assert isinstance(one, Record)
    assert (one.id, one.text, one.place.line) == ("a.txt", text, None)
    assert isinstance(two, Failure)
    assert (two.reason, two.place.source) == (Reason.NOT_UTF8, "b.txt")
    assert isinstance(three, Record)
    assert three.text == "\ufeffa" * 5


# ---------------------------------------------------------------------------------------------------------------------
# Compressed files


def zst(raw: bytes) -> bytes:
    zstd = pytest.importorskip("backports.zstd", reason="the extra `cluster` is not installed")
    compressed: bytes = zstd.compress(raw)
    return compressed


_PACKED: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "xz": lzma.compress, "zst": zst}


@pytest.mark.parametrize("ending", sorted(_PACKED))
def test_compressed_files_of_several_streams(tmp_path: Path, ending: str) -> None:
    pack = _PACKED[ending]
    (tmp_path / f"a.jsonl.{ending}").write_bytes(pack(b'{"text": "one"}\n') + pack(b'{"text": "two"}\n'))
    (tmp_path / f"b.csv.{ending}").write_bytes(pack(b"text\nthree\n"))
    (tmp_path / f"c.txt.{ending}").write_bytes(pack(b"four"))
    assert texts(read(tmp_path)) == ["one", "two", "three", "four"]


@pytest.mark.parametrize("ending", sorted(_PACKED))
def test_a_file_that_ends_too_early_keeps_what_stands_before(tmp_path: Path, ending: str) -> None:
    pack = _PACKED[ending]
    whole = pack(b'{"text": "one"}\n') + pack(b'{"text": "two"}\n')
    (tmp_path / f"a.jsonl.{ending}").write_bytes(whole[:-3])
    (tmp_path / "b.txt").write_text("after", encoding="utf-8")
    items = read(tmp_path)
    ((line, reason, message),) = failed(items)
    assert (line, reason) == (None, Reason.UNREADABLE)
    assert "the file cannot be read after line " in message or "from its beginning" in message
    assert [item.text for item in items if isinstance(item, Record)][-1] == "after"


@pytest.mark.parametrize("ending", sorted(_PACKED))
def test_a_file_that_is_not_what_its_name_says(tmp_path: Path, ending: str) -> None:
    _PACKED[ending](b"")
    (tmp_path / f"a.jsonl.{ending}").write_bytes(b'{"text": "one"}\n')
    ((_, reason, message),) = failed(read(tmp_path))
    assert reason is Reason.UNREADABLE
    assert "the file cannot be read from its beginning" in message


# ---------------------------------------------------------------------------------------------------------------------
# Parquet


def test_parquet(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="the extra `cluster` is not installed")
    pq = pytest.importorskip("pyarrow.parquet")
    import datetime

    table = pa.table(
        {
            "id": pa.array([1, None, 3]),
            "text": pa.array(["قال", "سافر", None]).dictionary_encode(),
            "date": pa.array([datetime.date(2015, 7, 1), None, None]),
            "other": [[1], [2], [3]],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=2)
    one, two, three = read(tmp_path)
    assert isinstance(one, Record)
    assert (one.id, one.text, one.date, one.place.line) == ("1", "قال", "2015-07-01", 1)
    assert isinstance(two, Record)
    assert (two.id, two.date) == ("a.parquet:2", None)
    assert isinstance(three, Failure)
    assert (three.reason, three.place.line, three.id) == (Reason.NO_TEXT, 3, "3")


def test_parquet_that_is_none_or_has_no_texts_or_bad_bytes(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="the extra `cluster` is not installed")
    pq = pytest.importorskip("pyarrow.parquet")
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    pq.write_table(pa.table({"body": ["x"]}), tmp_path / "b.parquet")
    bad = pa.StringArray.from_buffers(2, pa.py_buffer(b"\0\0\0\0\2\0\0\0\3\0\0\0"), pa.py_buffer(b"a\xffb"))
    pq.write_table(pa.table({"text": bad}), tmp_path / "c.parquet")
    items = read(tmp_path)
    (_, one, _), (_, two, message), (line, three, said) = failed(items)
    assert (one, two, three) == (Reason.UNREADABLE, Reason.UNREADABLE, Reason.NOT_UTF8)
    assert "no column text among body" in message
    assert (line, said) == (1, "text: not UTF-8: 0xFF at byte 2")
    assert [item.text for item in items if isinstance(item, Record)] == ["b"]
