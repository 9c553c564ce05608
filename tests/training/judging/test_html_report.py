from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from model.annotation import AnnotatedSentence
from model.annotation_files import write_annotations
from model.extractor import Extractor
from training.judging.errors import Error, Mark
from training.judging.html_pages import chosen, percent, render, signed
from training.report import report

Annotate = Callable[..., AnnotatedSentence]
Write = Callable[..., str]

SPANS = ("ASSAULT/asserted قصف", "ORG الجيش", "LOC بغداد")
VOID = {"meta", "input", "br", "hr", "link", "img"}


class Checker(HTMLParser):
    """Notes elements that are not closed in order, ids given twice, links to nowhere, and what would be loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.marks: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = {name: value or "" for name, value in attrs}
        self.ids += [own["id"]] if "id" in own else []
        self.links += [own["href"]] if tag == "a" else []
        self.loaded += [own[name] for name in ("src", "data", "poster", "srcset") if name in own]
        self.loaded += [own["href"]] if tag == "link" else []
        if tag == "mark":
            self.marks.append((own["class"], own.get("data-tag", ""), ""))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "mark":
            kind, tags, text = self.marks[-1]
            self.marks[-1] = (kind, tags, text + data)


def checked(page: str) -> Checker:
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    assert len(checker.ids) == len(set(checker.ids))
    assert all(link.startswith("#") and link[1:] in checker.ids for link in checker.links)
    assert checker.loaded == []
    assert "default-src 'none'" in page
    assert not re.search(r"@import|url\((?!#)", page)
    return checker


@pytest.fixture
def write(scripted: Callable[..., Extractor], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Write:
    """The page of an extractor that finds what it is told, against another one if that is given."""

    def run(
        gold: list[AnnotatedSentence],
        predicted: list[AnnotatedSentence],
        other: list[AnnotatedSentence] | None = None,
        data: Path | None = None,
        **options: Any,
    ) -> str:
        found = {"a": scripted(predicted), "b": scripted(other or [])}
        monkeypatch.setattr("training.report.Extractor.load", lambda path, **options: found[path.name])
        if data is None:
            data = tmp_path / "gold.jsonl"
            write_annotations(data, gold)
        format = "annotations" if data.suffix == ".jsonl" else "conll"
        against = None if other is None else tmp_path / "b"
        page = tmp_path / "report.html"
        console = Console(file=StringIO(), width=120)
        report(tmp_path / "a", [data], format, None, 4, console, against=against, html=page, resamples=100, **options)
        return page.read_text(encoding="utf-8")

    return run


def sentences(annotate: Annotate, count: int, *spans: str, roles: str = "") -> list[AnnotatedSentence]:
    return [
        annotate(f"قصف الجيش بغداد {n}", *spans, roles=roles, id=f"{'war' if n % 2 else 'peace'}-{n}")
        for n in range(count)
    ]


def test_a_page_with_everything(write: Write, annotate: Annotate, tmp_path: Path, shipped: Path) -> None:
    gold = sentences(annotate, 6, *SPANS, roles="actor:0-1 target:0-2")
    found = sentences(annotate, 6, "COERCE/negated قصف", "LOC الجيش", roles="target:0-1")
    page = write(gold, found, gold, runs=[shipped])
    checker = checked(page)
    assert {"comparison", "scores", "confusion", "calibration", "slices", "learning", "errors"} <= set(checker.ids)
    assert page.count("<svg") == 4  # differences, calibration, domains, learning; all have the same length
    assert f">{shipped}<" in page
    for kind in ("label", "missed", "class", "factuality", "wrong role"):
        assert f"<b>{kind}</b>: 6" in page
    assert "worse" in page
    assert "<b>broken</b> in all: 6" in page


def test_gold_and_found_are_marked_in_context(write: Write, annotate: Annotate) -> None:
    gold = [annotate("قتل سالم بالأنبار", "OTHER/asserted قتل", "PER سالم", "LOC الأنبار", id="a-1")]
    found = [annotate("قتل سالم بالأنبار", "OTHER/asserted قتل", "PER سالم", "LOC بالأنبار")]
    page = write(gold, found)
    card = page[page.index("<b>boundary</b>: 1") :]
    lines = re.findall(r'<p dir="rtl" lang="ar">(.*?)</p>', card)[:2]
    # nothing stands between «ب» and the rest of its word
    assert lines[0].endswith('ب<mark class="LOC strong" data-tag="LOC">الأنبار</mark>')
    assert lines[1].endswith(' <mark class="LOC strong" data-tag="LOC">بالأنبار</mark>')
    assert [re.sub(r"<[^>]+>", "", line) for line in lines] == [gold[0].text] * 2
    assert ("ACT", "OTHER", "قتل") in checked(page).marks


def test_what_the_data_says_is_escaped(write: Write, annotate: Annotate) -> None:
    text = "قال <script>alert(1)</script> & سالم"
    gold = [annotate(text, "PER سالم", id='<b id="x">"-1')]
    page = write(gold, [annotate(text, "PER <script>")])
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "x" not in checked(page).ids


def test_examples_are_limited_and_said_to_be(write: Write, annotate: Annotate) -> None:
    page = write(sentences(annotate, 9, "LOC بغداد"), sentences(annotate, 9), examples=4)
    assert "<b>missed</b>: 9, 4 shown" in page
    assert page.count('<article class="card">') == 4


def test_nothing_there_and_nothing_found(write: Write, annotate: Annotate) -> None:
    empty = sentences(annotate, 2)
    page = write(empty, empty, empty)
    assert "calibration" not in checked(page).ids
    assert "<article" not in page


def test_a_corpus_of_names(write: Write, annotate: Annotate, tmp_path: Path) -> None:
    path = tmp_path / "names.conll"
    path.write_text("زار O\nسالم B-PERS\nبغداد B-LOC\n\nزار O\nأحمد B-PERS\n", encoding="utf-8")
    found = [annotate("زار سالم بغداد", "PER سالم بغداد", "OTHER/asserted زار"), annotate("زار أحمد")]
    page = write([], found, found, data=path)
    checker = checked(page)
    assert "names_words" in page
    assert "<b>boundary</b>: 1" in page
    assert "Event classes" not in page
    assert not {"calibration"} & set(checker.ids)
    assert {kind.split()[0] for kind, _, _ in checker.marks} == {"PER", "LOC"}


def test_an_unknown_name_in_a_template_is_an_error() -> None:
    from jinja2 import UndefinedError

    with pytest.raises(UndefinedError):
        render("report.html.j2", values={})


def test_numbers() -> None:
    assert percent(0.12345) == "12.3"
    assert [signed(share) for share in (0.012, -0.012, 0.0)] == ["+1.2", "\u22121.2", "+0.0"]


def test_the_surest_errors_are_shown(annotate: Annotate) -> None:
    def error(score: float | None) -> Error:
        mark = None if score is None else Mark("PER", ((0, 1),), score)
        return Error("entities", "spurious", annotate("نص"), None, None, mark)  # type: ignore[arg-type]

    sure = [error(score) for score in (0.2, 0.9, 0.5)]
    assert [own.score for own in chosen(sure, 2)] == [0.9, 0.5]
    missed = [error(None) for _ in range(10)]
    assert [missed.index(own) for own in chosen(missed, 3)] == [0] * 3  # equal ones
    assert [id(own) for own in chosen(missed, 3)] == [id(missed[place]) for place in (0, 3, 6)]
