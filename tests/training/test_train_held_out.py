"""Sentences that a source must not have are left out, and named."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.annotation import AnnotatedSentence
from model.annotation_files import write_annotations
from training.config import ConfigError, Source
from training.held_out import LeftOut, kept

FIRST = "أعلنت وزارة الصحة السودانية تسجيل ثلاثين إصابة جديدة بالكوليرا في ولاية كسلا شرق البلاد."
ALIKE = "أعلنت وزارة الصحة السودانية تسجيل خمسين إصابة جديدة بالكوليرا في ولاية كسلا شرق البلاد."
MARKED = "أعلنَت وزارةُ الصحة السودانية تسجيل ثلاثين إصابة جديدة بالكوليرا، في ولاية كسلا (شرق البلاد)"
OTHER = "وصل وفد من رجال الأعمال إلى الرباط مساء الخميس لبحث الاستثمار في قطاع الطاقة المتجددة."


def sentence(id: str, text: str) -> AnnotatedSentence:
    return AnnotatedSentence(id, text, (), ())


def write(path: Path, *texts: str) -> None:
    write_annotations(path, [sentence(f"{path.stem}-{number}", text) for number, text in enumerate(texts)])


def test_copies_and_near_duplicates_are_left_out(tmp_path: Path) -> None:
    write(tmp_path / "dev.jsonl", OTHER)
    write(tmp_path / "test.jsonl", OTHER, FIRST)
    lines = []
    for text in (MARKED, "قال المتحدث كلاما لا يعرفه أحد غيره حتى الآن.", ALIKE):
        write(tmp_path / "one.jsonl", text)
        lines.append((tmp_path / "one.jsonl").read_text(encoding="utf-8"))
    (tmp_path / "new.jsonl").write_text(lines[0] + "\n" + lines[1] + lines[2], encoding="utf-8")
    sentences, left_out = kept(Source(path="new.jsonl", without=["dev.jsonl", "test.jsonl"]), tmp_path)
    assert [own.sentence.text for own in sentences] == ["قال المتحدث كلاما لا يعرفه أحد غيره حتى الآن."]
    # the blank line counts
    assert left_out[0] == LeftOut("new.jsonl", 1, "test.jsonl", 2, 1.0)
    assert str(left_out[0]) == "new.jsonl:1: left out: the same as test.jsonl:2"
    assert (left_out[1].line, left_out[1].like_line) == (4, 2)
    # 14 words, one of which stands in three of the twelve shingles: 9 are shared of 15
    assert left_out[1].similarity == 0.6
    assert str(left_out[1]) == "new.jsonl:4: left out: 60% the same as test.jsonl:2"


def test_the_files_may_be_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    write(tmp_path / "test.jsonl", FIRST)
    write(tmp_path / "new.jsonl", OTHER, FIRST)
    source = Source(path=str(tmp_path / "new.jsonl"), without=["../test.jsonl"])
    sentences, (left_out,) = kept(source, tmp_path / "folder")
    assert len(sentences) == 1
    assert (left_out.file, left_out.like) == ("../new.jsonl", "../test.jsonl")


def test_where_nothing_is_left_it_is_said(tmp_path: Path) -> None:
    write(tmp_path / "test.jsonl", FIRST)
    write(tmp_path / "new.jsonl", FIRST)
    with pytest.raises(ConfigError, match=r"new\.jsonl: no sentence is left: all are in test\.jsonl"):
        kept(Source(path="new.jsonl", without=["test.jsonl"]), tmp_path)
