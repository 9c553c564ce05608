from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from sklearn.metrics import cohen_kappa_score

from model.annotation import AnnotatedSentence, AnnotationError, Relation, Span
from model.annotation_files import read_annotations, write_annotations
from training.judging.agreement import MEASURES, agree, agreement, cohen_kappa, read_by_id

Annotate = Callable[..., AnnotatedSentence]
TEXT = "قصف الجيش بغداد وقتل خمسة"
SPANS = ("ASSAULT/asserted قصف", "ORG الجيش", "LOC بغداد", "ASSAULT/asserted قتل", "NUM خمسة")


def by_id(*sentences: AnnotatedSentence) -> dict[str, AnnotatedSentence]:
    return {sentence.id: sentence for sentence in sentences}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1))
def test_kappa_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    own = cohen_kappa(pairs)
    if len({category for pair in pairs for category in pair}) == 1:
        assert own is None
    else:
        assert own == pytest.approx(cohen_kappa_score(*zip(*pairs, strict=True)))


def test_kappa_of_raters_by_chance_is_none_and_of_equal_ones_whole() -> None:
    random = np.random.default_rng(0)
    chance = list(zip(random.integers(3, size=20_000).tolist(), random.integers(3, size=20_000).tolist(), strict=True))
    assert cohen_kappa(chance) == pytest.approx(0.0, abs=0.02)
    assert cohen_kappa([(one, one) for one, _ in chance]) == 1.0
    assert cohen_kappa([]) is None


def test_two_who_agree(annotate: Annotate) -> None:
    own = annotate(TEXT, *SPANS, roles="actor:0-1 target:0-2 target:3-4")
    found = agree(by_id(own), by_id(own))
    assert found.disagreements == []
    assert all(found.result.total(measure).f1 == 1.0 for measure in MEASURES)
    assert found.kappas == {"word tags": 1.0, "classes": None, "factuality": None}


def test_two_who_do_not(annotate: Annotate) -> None:
    first = annotate(TEXT, *SPANS, roles="actor:0-1 target:0-2 target:3-4")
    second = annotate(TEXT, "COERCE/potential قصف", "LOC الجيش", *SPANS[3:], roles="target:0-1 target:2-3")
    found = agree(by_id(first), by_id(second))
    figures = found.to_dict()
    assert figures["measures"]["entities"] == {
        "f1": 0.4, "f1_low": 0.4, "f1_high": 0.4, "matched": 1, "first": 3, "second": 2,
    }  # fmt: skip
    assert figures["measures"]["roles"]["matched"] == 1
    assert figures["labels"]["NUM"]["f1"] == 1.0
    assert figures["disagreements"]["entities"] == {
        "boundary": 0, "label": 1, "boundary and label": 0, "only in A": 1, "only in B": 0,
    }  # fmt: skip
    assert figures["disagreements"]["roles"]["another role"] == 1
    assert figures["disagreements"]["roles"]["only in A"] == 1
    assert figures["kappa"]["classes"] == 0.0
    words = [["B-ACT", "B-ORG", "B-LOC", "B-ACT", "B-NUM"], ["B-ACT", "B-LOC", "O", "B-ACT", "B-NUM"]]
    assert figures["kappa"]["word tags"] == pytest.approx(cohen_kappa_score(*words), abs=1e-4)


def test_the_order_of_annotators_does_not_change_f1(annotate: Annotate) -> None:
    first = annotate(TEXT, *SPANS, roles="actor:0-1 target:0-2 target:3-4")
    second = annotate(TEXT, "ASSAULT/asserted قصف", "ORG الجيش بغداد", roles="actor:0-1")
    forth, back = agree(by_id(first), by_id(second)), agree(by_id(second), by_id(first))
    assert all(forth.result.total(measure).f1 == back.result.total(measure).f1 for measure in MEASURES)
    assert forth.kappas == back.kappas


def test_what_is_not_in_both_is_reported(annotate: Annotate) -> None:
    one, two, three = (annotate(TEXT, "LOC بغداد", id=f"n-{n}") for n in (1, 2, 3))
    other = annotate("نص آخر", id="n-2")
    found = agree(by_id(one, two), by_id(three, other, one))
    assert [pair[0].id for pair in found.pairs] == ["n-1"]
    assert (found.only_first, found.only_second, found.other_text) == ([], ["n-3"], ["n-2"])
    assert agree(by_id(one, two), by_id(one)).only_first == ["n-2"]


def test_files(annotate: Annotate, tmp_path: Path) -> None:
    a, b = tmp_path / "a.jsonl", tmp_path / "[b].jsonl"
    write_annotations(a, [annotate(TEXT, *SPANS, id="n-1"), annotate(TEXT, id="n-2"), annotate(TEXT, id="n-3")])
    write_annotations(b, [annotate(TEXT, *SPANS[:2], id="n-1"), annotate(TEXT, id="n-3")])
    printed = StringIO()
    found = agreement(a, b, None, tmp_path / "figures.json", Console(file=printed, width=300))
    text = printed.getvalue()
    for wanted in (
        f"B = {b}: 2 sentences in both",
        f"Cohen's kappa: word tags {found.kappas['word tags']:.3f}",
        "only in A (1): n-2",
        "another span",
    ):
        assert wanted in text
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert figures == {"files": [str(a), str(b)], **found.to_dict()}


def test_files_that_cannot_be_compared(annotate: Annotate, tmp_path: Path) -> None:
    path, other = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    write_annotations(path, [annotate(TEXT, id="n-1"), annotate(TEXT, id="n-1")])
    with pytest.raises(AnnotationError, match=r"a\.jsonl: id: two sentences have the id n-1"):
        read_by_id(path)
    write_annotations(path, [annotate(TEXT, id="n-1")])
    write_annotations(other, [annotate(TEXT, id="n-2")])
    with pytest.raises(AnnotationError, match="no sentence has the same id and text in both"):
        agreement(path, other, None, None, Console(file=StringIO()))
    wrong = AnnotatedSentence(
        "n-1", TEXT, (Span(0, "ORG", 4, 9), Span(1, "LOC", 10, 15)), (Relation(0, 0, 1, "actor"),)
    )
    write_annotations(path, [wrong])
    with pytest.raises(AnnotationError, match=r"a\.jsonl: sentence n-1: relation 0: does not run from an action"):
        read_by_id(path)
    write_annotations(path, [AnnotatedSentence("n-1", TEXT, (Span(0, "ORG", 4, 9), Span(1, "LOC", 4, 9)), ())])
    with pytest.raises(AnnotationError, match="entity 1: covers the same characters as another: «الجيش»"):
        read_by_id(path)


@pytest.fixture
def page(annotate: Annotate, tmp_path: Path) -> Path:
    """Three sentences, the first and the last of which two annotators see otherwise."""
    first = [annotate(f"{TEXT} {n}", *SPANS, roles="actor:0-1", id=f"n-{n}") for n in range(3)]
    second = [annotate(first[0].text, *SPANS[:2], id="n-0"), first[1], annotate(first[2].text, *SPANS, id="n-2")]
    write_annotations(tmp_path / "a.jsonl", first)
    write_annotations(tmp_path / "b.jsonl", second)
    html = tmp_path / "page.html"
    agreement(tmp_path / "a.jsonl", tmp_path / "b.jsonl", html, None, Console(file=StringIO()))
    return html


def test_the_page_shows_disagreements_by_kind(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "<b>only in A</b>: 2" in text  # two entities; two roles
    assert text.count('<article class="card" id="sentence-') == 2
    assert 'id="sentence-1"' not in text
    assert 'dir="rtl" lang="ar"' in text
    assert "default-src 'none'" in text


def test_adjudication_in_a_browser(page: Path, tmp_path: Path) -> None:
    """Choices are kept, and what is decided, with what both agree on, is saved as annotations."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        chromium = Path("/usr/bin/chromium")
        try:
            browser = running.chromium.launch(
                executable_path=chromium if chromium.exists() else None, args=["--no-sandbox", "--disable-gpu"]
            )
        except playwright.Error as error:
            pytest.skip(f"no browser: {error}")
        tab = browser.new_page()
        complaints: list[str] = []
        asked: list[str] = []
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(page.as_uri())
        assert tab.locator("#state").text_content() == "0 of 2 decided"
        tab.locator("#sentence-0 input[value=b]").check()
        assert tab.locator("#state").text_content() == "1 of 2 decided"
        tab.wait_for_timeout(500)  # Chromium keeps what a page stores a moment later
        tab.reload()
        assert tab.locator("#sentence-0 input[value=b]").is_checked()
        with tab.expect_download() as download:
            tab.locator("#download").click()
        download.value.save_as(tmp_path / "saved.jsonl")
        assert tab.locator("#state").text_content() == "2 sentences saved, 1 left open"
        browser.close()
    assert complaints == []
    assert {url.partition(":")[0] for url in asked} <= {"file", "blob"}
    saved = list(read_annotations(tmp_path / "saved.jsonl"))
    assert [sentence.id for sentence in saved] == ["n-0", "n-1"]
    assert saved[0] == next(read_annotations(tmp_path / "b.jsonl"))
