"""Sentences of large unlabelled files: what is read, what is refused, and where."""

from __future__ import annotations

import gzip
import json
import lzma
from itertools import islice
from pathlib import Path

import pytest

from training.suggesting import corpus
from training.suggesting.corpus import CorpusError, is_arabic, read_sentences, read_texts

LINES = ["أعلن الجيش مقتل خمسة مسلحين في حلب. وقال شهود إنهم سمعوا انفجارا.", "زار بايدن بغداد."]
SENTENCES = ["أعلن الجيش مقتل خمسة مسلحين في حلب.", "وقال شهود إنهم سمعوا انفجارا.", "زار بايدن بغداد."]


def _jsonl(lines: list[str]) -> bytes:
    return "".join(json.dumps({"text": line}) + "\n" for line in lines).encode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("news.txt", "\n\n".join(LINES).encode()),
        ("news", b"\xef\xbb\xbf" + "\r\n\r\n".join(LINES).encode()),
        ("news.jsonl", _jsonl(LINES)),
        ("news.ndjson", _jsonl([LINES[0]]) + b"\n" + _jsonl([LINES[1]])),
        ("news.jsonl.gz", gzip.compress(_jsonl(LINES))),
        ("news.json.xz", lzma.compress(_jsonl(LINES))),
        ("news.txt.gz", gzip.compress("\n\n".join(LINES).encode())),
    ],
)
def test_the_same_sentences_in_every_form(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    read: list[int] = []
    found = list(read_sentences(path, read.append))
    assert [own.text for own in found] == SENTENCES
    assert [own.line for own in found][:2] == [1, 1]
    assert found[-1].line == (2 if name in ("news.jsonl", "news.jsonl.gz", "news.json.xz") else 3)
    assert found[0].place == f"{path}:1"
    assert read == sorted(read)
    assert read[-1] == len(content)


def test_a_title_is_a_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "news.jsonl"
    records = [{"title": "زيارة", "text": LINES[1], "source": 7}, {"title": None, "text": LINES[1]}, {"text": ""}]
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    assert list(read_texts(path)) == [(1, f"زيارة\n{LINES[1]}"), (2, LINES[1]), (3, "")]


def test_line_breaks_of_wrapped_text_become_spaces(tmp_path: Path) -> None:
    path = tmp_path / "wrapped.txt"
    lines = [
        "أعلن المتحدث باسم وزارة الدفاع العراقية أن القوات",
        "الأمنية تمكنت فجر اليوم من إحباط هجوم كبير شنه مسلحون",
        "على مقر حكومي وسط مدينة بيجي شمالي العاصمة بغداد.",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert [own.text for own in read_sentences(path)] == [" ".join(lines)]


def test_a_block_without_end_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "LONGEST_BLOCK", 100)
    path = tmp_path / "news.txt"
    path.write_text(f"{LINES[1]}\n" * 100, encoding="utf-8")
    blocks = list(read_texts(path))
    assert "".join(text for _, text in blocks) == path.read_text(encoding="utf-8")
    assert max(len(text) for _, text in blocks) <= 100 + len(LINES[1]) + 1
    assert [line for line, _ in blocks][:2] == [1, 1 + blocks[0][1].count("\n")]


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("news.jsonl", b'{"text": "\xd8"}', "3: not UTF-8"),
        ("news.jsonl", b'{"text": ', "3: not JSON"),
        ("news.jsonl", b'["text"]', "3: a JSON object with `text` is wanted"),
        ("news.jsonl", b'{"title": "x"}', "3: text: missing"),
        ("news.jsonl", b'{"text": 7}', "3: text: must be a string"),
        ("news.jsonl", b'{"text": "x", "title": []}', "3: title: must be a string"),
        ("news.jsonl", b'{"text": "\\ud800"}', "3: text: holds half of a surrogate pair"),
        ("news.txt", b"\xff", "3: not UTF-8: invalid start byte at byte 0 of the line"),
    ],
)
def test_bad_lines_are_errors_with_their_number(tmp_path: Path, name: str, line: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(_jsonl([LINES[1]]) + b"\n" + line + b"\n")
    with pytest.raises(CorpusError) as error:
        list(read_sentences(path))
    assert str(error.value).startswith(f"{path}:{message}")


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_damaged_compressed_files(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"news.jsonl{suffix}"
    whole = (gzip.compress if suffix == ".gz" else lzma.compress)(_jsonl(LINES * 50))
    for content in (whole[:-20], b"no such thing" * 9):
        path.write_bytes(content)
        with pytest.raises(CorpusError, match=r"news\.jsonl\.[gx]z:\d+: the compressed file is damaged"):
            list(read_sentences(path))


def test_an_endless_line_is_refused_and_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "LONGEST_LINE", 1000)
    path = tmp_path / "news.txt"
    path.write_text(LINES[1] + "\n" + "ا" * 501 + "\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"news\.txt:2: a line of more than 1,000 bytes"):
        list(read_sentences(path))


def test_lines_are_read_as_they_are_wanted(tmp_path: Path) -> None:
    path = tmp_path / "news.jsonl"
    path.write_bytes(_jsonl([LINES[1]] * 10) + b"no JSON\n")
    read = read_sentences(path)
    assert len(list(islice(read, 10))) == 10
    with pytest.raises(CorpusError, match=":11: not JSON"):
        next(read)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(read_sentences(tmp_path / "none.txt"))


@pytest.mark.parametrize(
    ("text", "arabic"),
    [("زار بايدن بغداد", True), ("زار Biden بغداد", True), ("قال Joe Biden", False), ("2024 - 7", False), ("", False)],
)
def test_what_is_arabic(text: str, arabic: bool) -> None:
    assert is_arabic(text) is arabic
