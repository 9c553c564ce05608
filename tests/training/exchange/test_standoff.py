"""`musnad annotations detach` and `attach`: annotations without their text, and with it once more."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest
from typer.testing import CliRunner

from model.annotation_files import read_annotations, write_annotations
from model.markup import read_markup
from training.exchange.commands import app

SENTENCES = """{قصف|ASSAULT actor=1 target=2} [الجيش|NOM 1] [حلب|LOC 2].
وَ{زار|CONSULT actor=1 target=2} [جو بايدن|PER 1] [بغداد|LOC 2] 😀.
"""
TITLE, BODY = "عنوان", "بداية. وَزار جو بايدن بغداد 😀. نهاية. قصف الجيش حلب."


@pytest.fixture
def annotated(tmp_path: Path) -> Path:
    (tmp_path / "news.txt").write_text(SENTENCES, encoding="utf-8")
    write_annotations(tmp_path / "news.jsonl", read_markup(tmp_path / "news.txt"))
    return tmp_path / "news.jsonl"


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "articles.jsonl.xz"
    records = [{"text": "نص آخر"}, {"title": TITLE, "text": BODY}, {"text": BODY}]
    path.write_bytes(lzma.compress("".join(json.dumps(own, ensure_ascii=False) + "\n" for own in records).encode()))
    return path


def _run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_annotations_come_back_and_the_file_holds_no_text(tmp_path: Path, annotated: Path, texts: Path) -> None:
    apart, back = tmp_path / "apart.jsonl", tmp_path / "back.jsonl"
    assert _run("detach", annotated, texts, apart) == (0, f"2 sentences in {apart}\n")
    assert not any("\u0600" <= character <= "\u06ff" for character in apart.read_text("utf-8"))
    records = [json.loads(line) for line in apart.read_text("utf-8").splitlines()]
    whole = f"{TITLE}\n{BODY}"
    for record, sentence in zip(records, read_annotations(annotated), strict=True):
        assert record["document"] == 2
        assert whole[record["start_offset"] : record["end_offset"]] == sentence.text
    assert _run("attach", apart, texts, back) == (0, f"2 sentences in {back}\n")
    assert back.read_bytes() == annotated.read_bytes()


def test_a_sentence_that_stands_nowhere(tmp_path: Path, annotated: Path, texts: Path) -> None:
    texts.write_bytes(lzma.compress(b'{"text": "a"}\n'))
    status, output = _run("detach", annotated, texts, tmp_path / "apart.jsonl")
    assert status == 2
    assert "news-0001: stands nowhere in" in output
    assert "قصف الجيش حلب." in output
    assert not (tmp_path / "apart.jsonl").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"document": 9}, "has no document 9"),
        ({"document": 1}, "is not the sentence that was annotated: «»"),
        ({"document": "2"}, "document: Input should be a valid integer"),
        ({"start_offset": 0}, "is not the sentence that was annotated: «عنوان"),
        ({"text": "قصف"}, "text: Extra inputs are not permitted"),
        ({"entities": [{"id": 0}]}, "entities[0].label: missing"),
    ],
)
def test_what_does_not_belong_together_is_named(
    tmp_path: Path, annotated: Path, texts: Path, changes: dict[str, object], message: str
) -> None:
    apart = tmp_path / "apart.jsonl"
    assert _run("detach", annotated, texts, apart)[0] == 0
    first, second = apart.read_text("utf-8").splitlines()
    apart.write_text(f"{first}\n{json.dumps({**json.loads(second), **changes})}\n", encoding="utf-8")
    status, output = _run("attach", apart, texts, tmp_path / "back.jsonl")
    assert status == 2
    assert f"{apart}:2: " in output
    assert message in output
    assert not (tmp_path / "back.jsonl").exists()


@pytest.mark.parametrize("command", ["detach", "attach"])
def test_texts_that_cannot_be_read(tmp_path: Path, annotated: Path, texts: Path, command: str) -> None:
    apart = tmp_path / "apart.jsonl"
    assert _run("detach", annotated, texts, apart)[0] == 0
    source = annotated if command == "detach" else apart
    assert "No such file" in _run(command, source, tmp_path / "none.jsonl", tmp_path / "out.jsonl")[1]
    texts.write_bytes(lzma.compress(b'{"title": "a"}\n'))
    status, output = _run(command, source, texts, tmp_path / "out.jsonl")
    assert status == 2
    assert f"{texts}:1: text: missing" in output
