"""`musnad suggest` with the shipped checkpoint: what it writes, for which tools, and what it refuses."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from model.annotation import AnnotatedSentence, Relation, Span
from model.annotation_check import check
from model.annotation_files import read_annotations, write_annotations
from training.annotation_split import domain
from training.exchange.exporting import export_documents
from training.exchange.importing import Choices, import_documents
from training.exchange.registry import FORMATS, FormatName
from training.suggesting.commands import suggest
from training.suggesting.preannotation import without_idle

#: As it is mounted: one command among others.
app = typer.Typer()
app.command()(suggest)
app.command("other")(lambda: None)

COUNT = 12


def _run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["suggest", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def corpus(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Articles of four sentences out of our own, with a near-duplicate of each third one, compressed."""
    path = tmp_path_factory.mktemp("corpus") / "articles.jsonl.gz"
    texts = [sentence.text for sentence in read_annotations(root / "annotations" / "dev.jsonl")][:80]
    articles = [" ".join(texts[start : start + 4]) for start in range(0, len(texts), 4)]
    articles += [f"{text.rstrip('. ')} أيضا." for text in texts[::3]]
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for article in articles:
            file.write(json.dumps({"text": article}, ensure_ascii=False) + "\n")
    return path


@pytest.fixture(scope="module")
def suggested(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("suggested") / "next.jsonl"
    status, said = _run(corpus, "--count", COUNT, "-o", output)
    assert status == 0, said
    assert f"{COUNT} sentences in {output}" in said
    assert "near-duplicates" in said
    return output


def test_what_is_written_is_sound(suggested: Path, corpus: Path) -> None:
    assert list(check([suggested])) == []
    lines = _lines(suggested)
    assert len(lines) == len({line["id"] for line in lines}) == COUNT
    assert [line["meta"]["rank"] for line in lines] == list(range(1, COUNT + 1))
    assert [line["id"] for line in lines] == sorted(line["id"] for line in lines)
    assert {domain(sentence) for sentence in read_annotations(suggested)} == {"suggested"}
    gains = [line["meta"]["gain"] for line in lines]
    assert gains == sorted(gains, reverse=True)
    assert sum(len(line["entities"]) for line in lines) > COUNT
    for line in lines:
        meta = line["meta"]
        parts = meta["nats"]["spans"] + meta["nats"]["events"] + meta["nats"]["roles"]
        assert meta["nats"]["total"] == pytest.approx(parts, abs=0.002)
        assert all(word in line["text"] for word in meta["unsure_of"])
        assert 1 <= len(meta["unsure_of"]) <= 3
        assert len(meta["about"]) == 3
        assert not {"O", "none"} & set(meta["about"])
        assert meta["source"].startswith(f"{corpus}:")
        assert 40 <= len(line["text"]) <= 320


def test_near_duplicates_are_not_both_chosen(suggested: Path, corpus: Path, tmp_path: Path) -> None:
    every = tmp_path / "all.jsonl"
    assert _run(corpus, "--count", 200, "-o", every)[0] == 0
    texts = [line["text"] for line in _lines(every)]
    with gzip.open(corpus, "rt", encoding="utf-8") as file:
        copies = [article for article in map(str.strip, file) if article.endswith('أيضا."}')]
    assert len(copies) > 20
    ends = {text.removesuffix(" أيضا.").rstrip(". ") for text in texts}
    assert len(ends) == len(texts)


def test_the_same_again(suggested: Path, corpus: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.jsonl"
    assert _run(corpus, "--count", COUNT, "-o", again)[0] == 0
    assert again.read_bytes() == suggested.read_bytes()


def test_what_is_annotated_is_left_out(suggested: Path, corpus: Path, tmp_path: Path) -> None:
    more = tmp_path / "more.jsonl"
    assert _run(corpus, "--count", COUNT, "--annotated", suggested, "-o", more)[0] == 0
    assert list(check([suggested, more])) == []
    assert not {line["id"] for line in _lines(suggested)} & {line["id"] for line in _lines(more)}


@pytest.mark.parametrize("name", [FormatName.LABELSTUDIO, FormatName.DOCCANO, FormatName.BRAT])
def test_the_tools_take_it(suggested: Path, tmp_path: Path, name: FormatName) -> None:
    target = tmp_path / "exported"
    assert export_documents([suggested], target, FORMATS[name].write) == (COUNT, [])
    imported = import_documents(FORMATS[name], target, tmp_path / "back.jsonl", Choices(), False)
    assert not [finding for finding in imported.findings if finding.bad]
    before, after = list(read_annotations(suggested)), list(read_annotations(tmp_path / "back.jsonl"))
    assert [own.text for own in before] == [own.text for own in after]
    assert [len(own.spans) for own in before] == [len(own.spans) for own in after]
    assert [len(own.relations) for own in before] == [len(own.relations) for own in after]


def test_fewer_than_asked_for(tmp_path: Path) -> None:
    path, output = tmp_path / "news.txt", tmp_path / "next.jsonl"
    path.write_text("أعلن الجيش العراقي أمس مقتل خمسة مسلحين في صلاح الدين.\nقصير.\n", encoding="utf-8")
    status, said = _run(path, "--count", 3, "-o", output)
    assert status == 0
    assert f"1 sentences in {output} (3 were asked for; there are no more)" in said
    assert "2 sentences; the model read 1; left out: 1 too short" in said
    assert len(_lines(output)) == 1
    path.write_text("", encoding="utf-8")
    assert _run(path, "-o", output, "--overwrite")[0] == 0
    assert output.read_bytes() == b""


@pytest.mark.parametrize(
    ("content", "message"),
    [(b'{"text": "x"}\n{"text"\n', "news.jsonl:2: not JSON"), (b'\n{"txt": "x"}\n', "news.jsonl:2: text: missing")],
)
def test_bad_lines(tmp_path: Path, content: bytes, message: str) -> None:
    path, output = tmp_path / "news.jsonl", tmp_path / "next.jsonl"
    path.write_bytes(content)
    status, said = _run(path, "-o", output)
    assert status == 2
    assert f"musnad: {tmp_path}/{message}" in said
    assert list(tmp_path.iterdir()) == [path]


def test_misuse(tmp_path: Path, suggested: Path, corpus: Path) -> None:
    output = tmp_path / "next.jsonl"
    assert _run(corpus, "-o", suggested) == (2, f"musnad: {suggested}: is there already (--overwrite replaces it)\n")
    status, said = _run(corpus, "-o", output, "--shortest", 50, "--longest", 40)
    assert (status, said) == (2, "musnad: --shortest 50 is more than --longest 40\n")
    assert "No such file" in _run(tmp_path / "none.txt", "-o", output)[1]
    assert "not a checkpoint directory" in _run(corpus, "-o", output, "--checkpoint", tmp_path)[1]
    bad = tmp_path / "bad.jsonl"
    bad.write_text("{}\n", encoding="utf-8")
    assert f"musnad: {bad}:1: id: missing" in _run(corpus, "-o", output, "--annotated", bad)[1]
    assert not output.exists()


def test_spans_that_the_guidelines_leave_untagged() -> None:
    text = "قصف هجوم جنود حلب خمسة"
    spans = (
        Span(0, "ACT", 0, 3, "ASSAULT", "asserted"),  # has only a place: goes, and the place with it
        Span(1, "ACT", 4, 8, "ASSAULT", "asserted"),
        Span(2, "NOM", 9, 13),
        Span(3, "LOC", 14, 17),
        Span(4, "NUM", 18, 22),
    )
    relations = (Relation(0, 0, 3, "place"), Relation(1, 1, 2, "target"))
    sentence = AnnotatedSentence("1", text, spans, relations)
    assert without_idle(sentence).spans == spans[1:]
    assert without_idle(sentence).relations == relations[1:]
    alone = AnnotatedSentence("1", text, spans, relations[:1])
    assert without_idle(alone).spans == spans[3:]
    assert without_idle(alone).relations == ()


def test_idle_spans_fail_the_check_and_pass_without(tmp_path: Path) -> None:
    sentence = AnnotatedSentence(
        "1", "قصف جنود", (Span(0, "ACT", 0, 3, "ASSAULT", "asserted"), Span(1, "NOM", 4, 8)), ()
    )
    write_annotations(tmp_path / "idle.jsonl", [sentence])
    write_annotations(tmp_path / "sound.jsonl", [without_idle(sentence)])
    assert len(list(check([tmp_path / "idle.jsonl"]))) == 2
    assert list(check([tmp_path / "sound.jsonl"])) == []
