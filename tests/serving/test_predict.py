from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fake_extractor import FakeExtractor
from rich.console import Console
from typer.testing import CliRunner, Result

from model.extractor import text_id
from serving.commands import app
from serving.examples import DOCUMENT, TEXT
from serving.formats import Format
from serving.prediction import LONG_INPUT, predict_files
from serving.reading import InputKind


def predict(*arguments: str | Path, input: bytes | str | None = None) -> Result:
    return CliRunner().invoke(app, ["predict", *map(str, arguments)], input=input, catch_exceptions=False)


def documents(result: Result) -> list[dict[str, Any]]:
    assert result.stdout_bytes.endswith(b"\n")
    return [json.loads(line) for line in result.stdout_bytes.decode().removesuffix("\n").split("\n")]


def write_lines(path: Path, *values: object) -> Path:
    path.write_text("".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values), encoding="utf-8")
    return path


pytestmark = pytest.mark.usefixtures("loaded")


def test_text_on_standard_input() -> None:
    result = predict(input=TEXT)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert documents(result) == [{**DOCUMENT.to_dict(), "id": text_id(TEXT)}]
    assert TEXT in result.stdout
    assert predict("-", input=TEXT).stdout == result.stdout


def test_a_text_file_is_a_document_named_after_it(tmp_path: Path, nasty_text: str) -> None:
    path = tmp_path / "خبر.txt"
    path.write_bytes(nasty_text.encode())
    result = predict(path, "--input", "text")
    (document,) = documents(result)
    assert result.exit_code == 0
    assert document["id"] == str(path)
    assert document["text"] == nasty_text
    for span in (*document["entities"], *document["actions"]):
        assert nasty_text[span["start"] : span["end"]] == span["text"]


def test_json_lines_keep_order_ids_and_texts(tmp_path: Path, loaded: FakeExtractor) -> None:
    values = [{"id": index, "text": f"قال\r\n{index} 😀"} for index in range(100)]
    path = write_lines(tmp_path / "news.jsonl", *values, {"text": TEXT})
    result = predict(path)
    found = documents(result)
    assert result.exit_code == 0
    assert [document["id"] for document in found] == [*map(str, range(100)), text_id(TEXT)]
    assert [document["text"] for document in found] == [*(value["text"] for value in values), TEXT]
    assert [len(call) for call in loaded.calls] == [32, 32, 32, 5]


def test_several_files(tmp_path: Path) -> None:
    text = tmp_path / "a.txt"
    text.write_text("قال الوزير", encoding="utf-8")
    lines = write_lines(tmp_path / "b.jsonl", {"id": "1", "text": "أ"}, {"id": "2", "text": "ب"})
    result = predict(text, "-", lines, input='{"id": "stdin", "text": ""}')
    assert [document["id"] for document in documents(result)] == [str(text), "stdin", "1", "2"]


def test_bad_lines_are_reported_and_the_rest_is_done(tmp_path: Path) -> None:
    path = tmp_path / "news.jsonl"
    path.write_bytes(
        b'{"text": "1"}\n{"text": 2}\nnonsense\n{"text": "4"}\n\xff\n[]\n{"text": "\\ud800"}\n{"text": "8"}'
    )
    result = predict(path)
    assert result.exit_code == 1
    assert [document["text"] for document in documents(result)] == ["1", "4", "8"]
    assert result.stderr.splitlines() == [
        f"musnad: {path}: line 2: text: not a string",
        f"musnad: {path}: line 3: not JSON: Expecting value at column 1",
        f"musnad: {path}: line 5: not UTF-8: 0xFF at byte 1",
        f"musnad: {path}: line 6: not a JSON object: give one object a line",
        f"musnad: {path}: line 7: text: U+D800 at character 1: a lone surrogate is not Unicode text",
    ]


def test_bad_text_is_reported_and_the_other_files_done(tmp_path: Path) -> None:
    bad = tmp_path / "windows.txt"
    bad.write_bytes("سطر\nقال".encode("cp1256"))
    result = predict(bad, "-", input="قال")
    assert result.exit_code == 1
    assert result.stderr == f"musnad: {bad}: not UTF-8: 0xD3 at line 1, byte 1\n"
    assert [document["text"] for document in documents(result)] == ["قال"]


def test_bad_standard_input_has_a_name() -> None:
    result = predict(input='{"text": 1}')
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "musnad: standard input: line 1: text: not a string\n"


def test_min_score() -> None:
    assert documents(predict("--min-score", "0.6", input="قال الوزير"))[0]["entities"] == []
    assert len(documents(predict("--min-score", "0.5", input="قال الوزير"))[0]["entities"]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.jsonl"], "musnad: nowhere.jsonl: there is no such file\n"),
        (["-", "/"], "musnad: /: a directory, not a file\n"),
        (["--min-score", "2"], "min-score"),
        (["--format", "xml"], "format"),
    ],
)
def test_wrong_usage(arguments: list[str], message: str) -> None:
    result = predict(*arguments, input="")
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_pretty_and_table() -> None:
    result = predict("--format", "pretty", input=TEXT)
    assert f"\n{TEXT}\n" in result.stdout
    assert "—[ASSAULT \u2068مقتل\u2069]→ \u2068مسلحين\u2069" in result.stdout
    assert "\x1b" not in result.stdout
    result = predict("--format", "table", input=TEXT)
    assert "factuality" in result.stdout
    assert "صلاح الدين" in result.stdout


def test_a_long_sentence_is_not_wrapped_in_a_file() -> None:
    text = "قال الوزير " * 100
    result = predict("--format", "pretty", input=text)
    assert text.strip() in result.stdout


def test_a_long_file_has_a_progress_bar_on_a_terminal(tmp_path: Path, extractor: FakeExtractor, capsys: Any) -> None:
    path = write_lines(tmp_path / "news.jsonl", *({"text": "أ" * LONG_INPUT} for _ in range(3)))
    bad = write_lines(tmp_path / "bad.jsonl", {})

    def run(*paths: Path) -> str:
        errors = Console(file=io.StringIO(), force_terminal=True, highlight=False, soft_wrap=True)
        predict_files(extractor, paths, InputKind.AUTO, Format.JSON, 0.0, errors)
        assert isinstance(errors.file, io.StringIO)
        return errors.file.getvalue()

    shown = run(path, bad)
    assert "100%" in shown
    assert "line 1: text: missing" in shown.replace("\n", "")
    assert "%" not in run(bad)
    assert [len(json.loads(line)["text"]) for line in capsys.readouterr().out.splitlines()] == [LONG_INPUT] * 3


# ---------------------------------------------------------------------------------------------------------------------
# Processes of their own

FAKE = """
from fake_extractor import FakeExtractor
from model.extractor import Extractor
from serving.commands import app
Extractor.load = lambda checkpoint=None, **options: FakeExtractor()
app()
"""


def start(root: Path, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    paths = os.pathsep.join([str(root), str(Path(__file__).parent)])
    environment = {**os.environ, "PYTHONPATH": paths, "TERM": "xterm", "COLUMNS": "200"}
    environment.pop("NO_COLOR", None)
    return subprocess.Popen([sys.executable, "-c", FAKE, "predict", *arguments], env=environment, **options)


def from_terminal(master: int) -> bytes:
    """What a process has written to its terminal, once it has gone."""
    shown = b""
    try:
        while chunk := os.read(master, 65536):
            shown += chunk
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(master)
    return shown


def test_a_terminal_gets_colours(root: Path) -> None:
    master, terminal = pty.openpty()
    process = start(root, stdin=subprocess.PIPE, stdout=terminal)
    os.close(terminal)
    process.communicate(TEXT.encode())
    shown = from_terminal(master).decode()
    assert process.returncode == 0
    assert "\x1b[1;36mالجيش العراقي\x1b[0m" in shown
    assert "\x1b[1;4mمقتل\x1b[0m" in shown


def test_a_terminal_as_input_needs_a_dash(root: Path) -> None:
    master, terminal = pty.openpty()
    process = start(root, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, errors = process.communicate()
    os.close(terminal)
    os.close(master)
    assert (process.returncode, out) == (2, b"")
    assert errors.decode() == "musnad: no input: name a FILE, pipe text in, or give - to type it\n"


@pytest.mark.parametrize("format", ["json", "pretty", "table"])
def test_a_reader_that_goes_away_is_no_error(root: Path, tmp_path: Path, format: str) -> None:
    path = write_lines(tmp_path / "news.jsonl", *({"text": f"قال الوزير {index}"} for index in range(5000)))
    process = start(root, "--format", format, str(path), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), errors) == (141, b"")


def test_each_line_is_answered_as_it_arrives(root: Path) -> None:
    process = start(root, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    for text in ("أولا", "ثانيا"):
        process.stdin.write(json.dumps({"text": text}).encode() + b"\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["text"] == text
    process.communicate()
    assert process.returncode == 0


def test_output_is_utf8_in_any_locale(root: Path) -> None:
    process = start(root, "--format", "pretty", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    expected, _ = process.communicate(TEXT.encode())
    environment = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    os_environment = {**os.environ}
    try:
        os.environ.update(environment)
        process = start(root, "--format", "pretty", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    finally:
        os.environ.clear()
        os.environ.update(os_environment)
    shown, _ = process.communicate(TEXT.encode())
    assert TEXT in shown.decode()
    assert shown == expected
