"""The checker: every fault is found, placed and named, and nothing else."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model.annotation_check import Problem, check, check_sentence, comparable_words

ANNOTATIONS = Path(__file__).parents[2] / "annotations"
SHARED = Path(__file__).parents[3] / "shared" / "annotation"

SOUND: dict[str, Any] = {
    "id": "a-0001",
    "text": "أعلن\u064e الجيش العراقي مقتل مسلح في كركوك",
    "entities": [
        {"id": 0, "label": "ACT", "class": "STATE", "factuality": "asserted", "start_offset": 0, "end_offset": 5},
        {"id": 1, "label": "ORG", "start_offset": 6, "end_offset": 19},
        {"id": 2, "label": "ACT", "class": "ASSAULT", "factuality": "asserted", "start_offset": 20, "end_offset": 24},
        {"id": 3, "label": "NOM", "start_offset": 25, "end_offset": 29},
        {"id": 4, "label": "LOC", "start_offset": 33, "end_offset": 38},
    ],
    "relations": [
        {"id": 0, "from_id": 0, "to_id": 1, "type": "actor"},
        {"id": 1, "from_id": 2, "to_id": 3, "type": "target"},
        {"id": 2, "from_id": 2, "to_id": 4, "type": "place"},
    ],
}


def changed(change: Callable[[Any], object], **fields: object) -> dict[str, Any]:
    """A copy of the sound sentence after a change in place and with other fields."""
    record = copy.deepcopy(SOUND)
    change(record)
    return {**record, **fields}


def other(number: int, **fields: object) -> dict[str, Any]:
    """A sound sentence of another id and text."""
    return changed(lambda record: None, id=f"a-{number}", text=SOUND["text"] + f" {number}", **fields)


def write(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    return path


def test_a_sound_sentence_has_no_fault() -> None:
    assert check_sentence(SOUND) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            lambda record: record["entities"][1].update(start_offset=5),
            "entities[1]: white space at the edge of the span: « الجيش العراقي»",
        ),
        (
            lambda record: record["entities"][3].update(end_offset=30),
            "entities[3]: white space at the edge of the span: «مسلح »",
        ),
        (
            lambda record: record["entities"][0].update(end_offset=4),
            "entities[0]: the span's last letter is cut from its mark: «أعلن»",
        ),
        (
            lambda record: record["entities"][0].update(start_offset=4),
            "entities[0]: the span begins with a mark, cut from its letter: «\u064e»",
        ),
        (
            lambda record: record["entities"][3].update(start_offset=23),
            "entities[3]: the span overlaps entities[2] «مقتل»: «ل مسلح»",
        ),
        (
            lambda record: record["relations"][1].update(type="actor", to_id=0),
            "relations[1]: runs to an action, not to an entity: «مقتل → أعلن\u064e»",
        ),
        (
            lambda record: record["relations"][2].update(from_id=1),
            "relations[2]: runs from ORG, not from an action: «الجيش العراقي → كركوك»",
        ),
        (
            lambda record: record["relations"][2].update(to_id=2),
            "relations[2]: an entity is related to itself: «مقتل»",
        ),
        (
            lambda record: record["relations"][2].update(to_id=1),
            "relations[2]: ORG cannot be place, only LOC, NOM: «مقتل → الجيش العراقي»",
        ),
        (
            lambda record: record["relations"][2].update(type="count"),
            "relations[2]: LOC cannot be count, only NUM: «مقتل → كركوك»",
        ),
        (
            lambda record: record["relations"].append({"id": 9, "from_id": 0, "to_id": 1, "type": "actor"}),
            "relations[3]: says the same as relations[0]: «أعلن\u064e → الجيش العراقي»",
        ),
        (
            lambda record: record["relations"].pop(0),
            "entities[0]: an action without actor or target is not tagged: «أعلن\u064e»",
        ),
        (
            lambda record: record["relations"][1].update(to_id=1),
            "entities[3]: a NOM without a role is not tagged: «مسلح»",
        ),
        (lambda record: record["entities"][1].update(end_offset=99), "entities[1].end_offset: 99 is outside the text"),
        (lambda record: record["entities"][4].pop("id"), "entities[4].id: missing"),
        (lambda record: record.update(text=" ", entities=[], relations=[]), "text: is empty"),
    ],
)
def test_each_fault_is_named_with_its_field_and_text(change: Callable[[Any], object], fault: str) -> None:
    faults = [str(found) for found in check_sentence(changed(change))]
    assert any(found.startswith(fault) for found in faults), faults


def test_all_faults_of_a_sentence_are_named() -> None:
    def change(record: Any) -> None:
        record["entities"][1]["label"] = "GPE"
        record["entities"][3]["end_offset"] = 30
        record["relations"][2]["to_id"] = 8

    assert [fault.field for fault in check_sentence(changed(change))] == [
        "entities[1].label",
        "relations[2].to_id",
        "entities[3]",
    ]


def test_a_relation_to_a_faulty_entity_is_no_fault_of_its_own() -> None:
    faults = check_sentence(changed(lambda record: record["entities"][1].update(label="GPE")))
    assert [fault.field for fault in faults] == ["entities[1].label"]


def test_a_bad_line_does_not_stop_the_rest(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", SOUND)
    bad = other(2)
    bad["entities"][1]["label"] = "GPE"
    path.write_bytes(path.read_bytes() + b"\xff\n{\n\n" + json.dumps(bad).encode() + b"\n")
    problems = list(check([path]))
    assert [(problem.file, problem.line, problem.message.split(":")[0]) for problem in problems] == [
        (path, 2, "not UTF-8"),
        (path, 3, "not JSON"),
        (path, 5, "entities[1].label"),
    ]
    assert problems[2].text == "الجيش العراقي"


def test_how_a_problem_reads() -> None:
    problem = Problem(Path("train.jsonl"), 7, "الجيش", "entities[1].label: wrong")
    assert str(problem) == "train.jsonl:7: entities[1].label: wrong: «الجيش»"
    assert str(Problem(Path("train.jsonl"), 7, "", "not JSON")) == "train.jsonl:7: not JSON"


def test_ids_are_unique_across_files(tmp_path: Path) -> None:
    first = write(tmp_path / "a.jsonl", SOUND, other(2))
    second = write(tmp_path / "b.jsonl", other(3), {**other(4), "id": "a-2"})
    assert [str(problem) for problem in check([first, second])] == [f"{second}:2: id: {first}:2 has the same id: «a-2»"]


def test_the_same_sentence_twice_in_a_file_and_in_two_splits(tmp_path: Path) -> None:
    """Marks, tatweel, punctuation, spacing, kinds of digits and letters do not make two sentences of one."""
    plain: dict[str, Any] = {"id": "a", "text": "زار 12 وزيرا مدينة الري امس", "entities": [], "relations": []}
    same = {**plain, "id": "b", "text": "«زارَ  ١٢ وزيرًا» مديـــنة\u200f الرى‌ أمس."}
    alike = {**plain, "id": "c", "text": "زارَ  ١٢ وزيرًا، مديـــنة\u200f الری امس."}
    assert comparable_words(plain["text"]) == comparable_words(alike["text"]) != comparable_words(same["text"])
    train = write(tmp_path / "train.jsonl", plain, alike)
    test = write(tmp_path / "test.jsonl", {**alike, "id": "d"})
    assert [str(problem) for problem in check([train, test])] == [
        f"{train}:2: text: line 1 has the same sentence: «{alike['text']}»",
        f"{test}:1: text: the sentence is in two splits: {train}:1 has it too: «{alike['text']}»",
    ]


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(check([tmp_path / "none.jsonl"]))


def test_the_projects_own_corpus_is_sound() -> None:
    paths = [ANNOTATIONS / f"{name}.jsonl" for name in ("train", "dev", "test")]
    assert list(check(paths)) == []


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the annotated sets are not at {SHARED}")
def test_the_annotated_sets_are_sound_but_for_one_sentence_given_twice() -> None:
    problems = list(check(sorted(SHARED.glob("*/*.jsonl"))))
    assert [(problem.file.name, problem.line) for problem in problems] == [("news_dev.jsonl", 5)]
    assert problems[0].message == "text: line 3 has the same sentence"


def test_a_mark_alone_does_not_part_a_word() -> None:
    assert comparable_words("م\ufe70حمد") == ["محمد"]
