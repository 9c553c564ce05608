"""The command in a process of its own, killed in the middle, with the shipped checkpoint."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import pytest
from archives import contents, documents, failures, write_lines
from bulk_process import begin, until_finished

#: A document that fails, among those that do not.
_BAD = 17


@pytest.fixture
def sentences(tmp_path: Path, root: Path) -> Path:
    """An archive of 60 articles of our sentences, one of them without its text."""
    from model.annotation_files import read_annotations

    texts = [sentence.text for sentence in read_annotations(root / "annotations" / "dev.jsonl")]
    articles = ["\n".join(texts[n : n + 10]) for n in range(60)]
    rows = [{"id": f"d{n}", "text": None if n == _BAD else text} for n, text in enumerate(articles)]
    return write_lines(tmp_path / "archive.jsonl", rows)


def test_a_killed_run_goes_on_and_every_document_is_there_once(sentences: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    options = ["--part-documents", "4"]
    process = begin(sentences, output, *options)
    until_finished(process, output, 3)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    killed = len(list((output / "finished").iterdir()))
    assert 3 <= killed < 15
    assert not (output / "summary.json").exists()

    again = begin(sentences, output, *options)
    assert again.wait() == 1  # one document is bad
    ids = Counter(row["id"] for row in documents(output))
    assert ids == Counter(f"d{n}" for n in range(60) if n != _BAD)
    assert [row["id"] for row in failures(output)] == [f"d{_BAD}"]

    whole = tmp_path / "whole"
    assert begin(sentences, whole, *options).wait() == 1
    assert contents(output) == contents(whole)


def test_an_interrupted_run_says_how_to_go_on(sentences: Path, tmp_path: Path) -> None:
    process = begin(sentences, tmp_path / "out", "--part-documents", "1")
    until_finished(process, tmp_path / "out", 1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert errors == "musnad: stopped. What is finished is kept: give the same command again to go on\n"
