"""What cannot be read is said with its place, its field and the piece at fault; what is not kept is a note."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from made_up_documents import documents

from model.annotation import AnnotatedSentence, Relation, Span
from training.exchange import brat, conll, doccano, labelstudio, markup_lines, service
from training.exchange.documents import Document, Finding

TEXT = "😀 قصف الجيش حلب"
ACT = Span(0, "ACT", 2, 5, "ASSAULT", "negated")
ARMY, PLACE = Span(1, "NOM", 6, 11), Span(2, "LOC", 12, 15)
SENTENCE = AnnotatedSentence("x-1", TEXT, (ACT, ARMY, PLACE), (Relation(0, 0, 1, "actor"), Relation(1, 0, 2, "target")))


def _split(items: list[Document | Finding]) -> tuple[list[AnnotatedSentence], list[str], list[str]]:
    """Documents, bad findings, notes."""
    bad = [str(item) for item in items if isinstance(item, Finding) and item.bad]
    notes = [str(item) for item in items if isinstance(item, Finding) and not item.bad]
    return [item.content for item in items if isinstance(item, Document)], bad, notes


def _doccano(tmp_path: Path, **changes: Any) -> tuple[list[AnnotatedSentence], list[str], list[str]]:
    path = tmp_path / "all.jsonl"
    doccano.write(path, documents(SENTENCE))
    record = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({name: value for name, value in record.items() if value is not ...}), encoding="utf-8")
    return _split(list(doccano.read(path)))


def test_doccano_counts_utf16_code_units(tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    doccano.write(path, documents(SENTENCE))
    first = json.loads(path.read_text())["entities"][0]
    assert first == {"id": 0, "label": "ACT:ASSAULT:negated", "start_offset": 3, "end_offset": 6}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"entities": [{"id": 0, "label": "ACT", "start_offset": 3, "end_offset": 6}]}, "entities[0].label: the label"),
        ({"entities": [{"id": 0, "label": "GPE", "start_offset": 3, "end_offset": 6}]}, "entities[0].label"),
        ({"entities": [{"id": 0, "label": "LOC", "start_offset": 1, "end_offset": 6}]}, "entities[0].start_offset"),
        ({"entities": [{"id": 0, "label": "LOC", "start_offset": 3, "end_offset": 99}]}, "entities[0].end_offset"),
        ({"entities": [{"id": 0, "label": "LOC", "start_offset": "3", "end_offset": 6}]}, "entities[0].start_offset"),
        ({"relations": [{"id": 0, "from_id": 0, "to_id": 9, "type": "actor"}]}, "relations[0].to_id"),
        ({"relations": [{"id": 0, "from_id": 0, "to_id": 1, "type": "agent"}]}, "relations[0].type"),
        ({"relations": 3}, "relations: must be an array"),
        ({"text": 3, "entities": []}, "text"),
        ({"entities": ..., "label": [[3, 6, "LOC"]]}, "label: an export without relations"),
        ({"relations": ...}, "relations: missing"),
        ({"entities": [3]}, "entities[0]"),
    ],
)
def test_doccano_names_the_fault(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    contents, bad, _ = _doccano(tmp_path, **changes)
    assert contents == []
    assert bad[0].startswith(f"{tmp_path / 'all.jsonl'}:1: {message}")


def test_doccano_says_what_it_does_not_keep(tmp_path: Path) -> None:
    contents, bad, notes = _doccano(tmp_path, Comments=[{"id": 1, "comment": "شك"}], source="وكالة")
    assert (contents, bad) == ([SENTENCE], [])
    assert [note.partition(": ")[2] for note in notes] == [
        "Comments: a comment is not kept: «شك»",
        'source: metadata is not kept: «"وكالة"»',
    ]


def test_doccano_is_not_given_what_it_would_drop(tmp_path: Path) -> None:
    overlapping = AnnotatedSentence("x-2", TEXT, (Span(0, "LOC", 2, 5), Span(1, "ORG", 4, 8)), ())
    findings = doccano.write(tmp_path / "all.jsonl", documents(overlapping, AnnotatedSentence("x-3", "", (), ())))
    assert [finding.place for finding in findings] == ["given 0", "given 1"]
    assert (tmp_path / "all.jsonl").read_text() == ""


def _task(tmp_path: Path, change: Any = None) -> tuple[list[AnnotatedSentence], list[str], list[str]]:
    path = tmp_path / "tasks.json"
    labelstudio.write(path, documents(SENTENCE))
    tasks = json.loads(path.read_text(encoding="utf-8"))
    if change:
        change(tasks[0], tasks[0]["annotations"][0]["result"])
    path.write_text(json.dumps(tasks), encoding="utf-8")
    return _split(list(labelstudio.read(path)))


def _shift(result: list[dict[str, Any]], by: int) -> None:
    for entry in result:
        if "value" in entry:
            entry["value"]["start"] += by
            entry["value"]["end"] += by


def test_label_studio_offsets_in_code_units_are_known_by_the_texts(tmp_path: Path) -> None:
    contents, bad, notes = _task(tmp_path, lambda _, result: _shift(result, 1))
    assert (contents, bad) == ([SENTENCE], [])
    assert len(notes) == 1
    assert "UTF-16" in notes[0]


def test_label_studio_offsets_that_fit_no_unit_are_errors(tmp_path: Path) -> None:
    contents, bad, _ = _task(tmp_path, lambda _, result: _shift(result, 2))
    assert contents == []
    assert len(bad) == 3
    assert "task [0], annotation [0]: result[0].value: [4, 7)" in bad[0]


def test_an_arrow_to_the_left_runs_the_other_way(tmp_path: Path) -> None:
    def turn(_: object, result: list[dict[str, Any]]) -> None:
        arrow = result[-1]
        arrow |= {"from_id": arrow["to_id"], "to_id": arrow["from_id"], "direction": "left"}

    assert _task(tmp_path, turn)[0] == [SENTENCE]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _, result: result.pop(1), "result[0].class: missing"),
        (lambda _, result: result[0]["value"].update(labels=["ACT", "LOC"]), "result[0].value.labels"),
        (lambda _, result: result[0]["value"].update(labels=["GPE"]), "result[0].label"),
        (lambda _, result: result[1]["value"].update(choices=["KILL"]), "result[0].class"),
        (lambda _, result: result[1]["value"].update(choices=[]), "result[1].value.choices"),
        (lambda _, result: result[1].update(id="span-1"), "result[0].class: missing"),
        (lambda _, result: result[-1].update(to_id="gone"), "result[6]: no region has the id: «gone»"),
        (lambda _, result: result[-1].update(direction="bi"), "result[6].direction"),
        (lambda _, result: result[-1].update(labels=[]), "result[6].labels"),
        (lambda _, result: result[-1].update(labels=["agent"]), "result[6].type"),
        (lambda task, _: task["annotations"][0].update(result=None), "annotations[0].result"),
        (lambda task, _: task["data"].pop("text"), "data.text"),
        (lambda task, _: task.pop("data"), "data: missing"),
    ],
)
def test_label_studio_names_the_fault(tmp_path: Path, change: Any, message: str) -> None:
    contents, bad, _ = _task(tmp_path, change)
    assert contents == []
    assert bad[0].startswith(f"{tmp_path / 'tasks.json'}: task [0]")
    assert message in bad[0]


def test_label_studio_says_what_it_does_not_keep(tmp_path: Path) -> None:
    def add(task: dict[str, Any], result: list[dict[str, Any]]) -> None:
        task["data"]["source"] = "وكالة"
        task["drafts"] = [{"result": []}]
        task["annotations"].append({"id": 7, "was_cancelled": True, "result": []})
        result[0]["meta"] = {"text": ["شك"]}
        result.append({"id": "t", "type": "textarea", "from_name": "note", "value": {"text": ["?"]}})

    contents, bad, notes = _task(tmp_path, add)
    assert (contents, bad) == ([SENTENCE], [])
    fields = [note.partition("task [0]")[2] for note in notes]
    assert [field.split(": ")[1] for field in fields] == [
        "data.source",
        "result[0].meta",
        "result[7]",
        "was_cancelled",
        "drafts",
    ]


def test_label_studio_that_is_no_json(tmp_path: Path) -> None:
    for content in (b"[{", b"\xff", b'{"id": 1}'):
        path = tmp_path / "tasks.json"
        path.write_bytes(content)
        assert len(_split(list(labelstudio.read(path)))[1]) == 1


def _brat(tmp_path: Path, lines: str, text: str = TEXT) -> tuple[list[AnnotatedSentence], list[str], list[str]]:
    (tmp_path / "x-1.txt").write_bytes(text.encode())
    (tmp_path / "x-1.ann").write_bytes(lines.encode())
    contents, bad, notes = _split(list(brat.read(tmp_path)))
    prefix = f"{tmp_path / 'x-1.ann'}:"
    assert all(line.startswith(prefix) for line in (*bad, *notes))
    return contents, [line.removeprefix(prefix) for line in bad], [line.removeprefix(prefix) for line in notes]


EVENT = (
    "T1\tASSAULT 2 5\tقصف\nT2\tNOM 6 11\tالجيش\nT3\tLOC 12 15\tحلب\nE1\tASSAULT:T1 actor:T2 target:T3\n"
    "A1\tFactuality E1 negated\n"
)


def test_brat_writes_events(tmp_path: Path) -> None:
    brat.write(tmp_path / "out", documents(SENTENCE))
    assert (tmp_path / "out" / "x-1.txt").read_bytes().decode() == TEXT
    assert (tmp_path / "out" / "x-1.ann").read_bytes().decode() == EVENT
    assert {path.name for path in (tmp_path / "out").glob("*.conf")} == {"annotation.conf", "visual.conf"}


def test_brat_reads_relations_and_windows_line_ends(tmp_path: Path) -> None:
    lines = (
        "T2\tNOM 6 11\tالجيش\r\nT1\tASSAULT 2 5\tقصف\r\nT3\tLOC 12 15\tحلب\r\n"
        "R1\tactor Arg1:T1 Arg2:T2\t\r\nR2\ttarget Arg1:T1 Arg2:T3\r\nA1\tFactuality T1 negated\r\n"
    )
    assert _brat(tmp_path, lines) == ([SENTENCE], [], [])


def test_brat_numbers_the_fillers_of_one_role(tmp_path: Path) -> None:
    both = AnnotatedSentence("x-1", TEXT, SENTENCE.spans, (Relation(0, 0, 1, "target"), Relation(1, 0, 2, "target")))
    brat.write(tmp_path / "out", documents(both))
    assert "target:T2 target2:T3" in (tmp_path / "out" / "x-1.ann").read_text(encoding="utf-8")
    assert _split(list(brat.read(tmp_path / "out"))) == ([both], [], [])


def test_brat_spans_over_line_breaks_are_in_fragments(tmp_path: Path) -> None:
    text = "وزارة\r\nالدفاع\tالعراقية"
    sentence = AnnotatedSentence("x-1", text, (Span(0, "ORG", 0, len(text)),), ())
    brat.write(tmp_path / "out", documents(sentence))
    line = (tmp_path / "out" / "x-1.ann").read_text(encoding="utf-8")
    assert line == "T1\tORG 0 5;7 13;14 22\tوزارة الدفاع العراقية\n"
    assert _split(list(brat.read(tmp_path / "out"))) == ([sentence], [], [])


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("T1\tLOC 2 5;12 15\tقصف حلب\n", "1: T1: a span in several pieces"),
        ("T1\tLOC 12 16\tحلب\n", "1: T1: outside the text"),
        ("T1\tLOC 12 15\tبغداد\n", "1: T1: 12 15 is «حلب» in the text"),
        ("T1\tGPE 12 15\tحلب\n", "1: T1: GPE is no label"),
        ("T1\tLOC 12 15\n", "1: T1: must be TYPE START END"),
        ("T1 LOC 12 15 حلب\n", "1: no tab"),
        (EVENT.replace("actor:T2", "agent:T2"), "4: E1: agent is not one of"),
        (EVENT.replace("actor:T2", "actor:T9"), "4: E1: no annotation has the id: «T9»"),
        (EVENT.replace("actor:T2", "actor:E1"), "4: E1: an event fills"),
        (EVENT.replace("E1\tASSAULT", "E1\tAID"), "4: E1: the event is AID, its trigger ASSAULT"),
        (EVENT.replace("ASSAULT:T1", "ASSAULT:T7"), "4: E1: no annotation has the id of the trigger: «T7»"),
        (EVENT + "E2\tASSAULT:T1\n", "6: E2: another event has the same trigger"),
        (EVENT.replace("negated", "denied"), "5: A1: must be one of"),
        (EVENT.replace("Factuality E1", "Factuality T2"), "5: A1: only an action"),
        (EVENT + "T2\tNOM 6 11\tالجيش\n", "6: T2: another annotation has the id"),
        (EVENT + "X1\t?\n", "6: X1: no annotation begins so"),
        (EVENT + "R1\tactor T1 T2\n", "6: R1: must be TYPE Arg1:ID Arg2:ID"),
    ],
)
def test_brat_names_file_and_line(tmp_path: Path, lines: str, message: str) -> None:
    contents, bad, _ = _brat(tmp_path, lines)
    assert contents == []
    assert bad[0].startswith(message)


def test_brat_says_what_it_does_not_keep(tmp_path: Path) -> None:
    lines = "#1\tAnnotatorNotes T1\tشك\nN1\tReference T1 Wikipedia:1\tحلب\n*\tEquiv T2 T3\nA2\tSure E1\n"
    contents, bad, notes = _brat(tmp_path, EVENT + lines)
    assert (contents, bad) == ([SENTENCE], [])
    assert [note.partition(":")[0] for note in notes] == ["6", "7", "8", "9"]


def test_brat_files_without_their_other_half(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("نص")
    (tmp_path / "b.ann").write_text("")
    bad = _split(list(brat.read(tmp_path)))[1]
    assert [line.rpartition(": ")[2] for line in bad] == ["a.ann is missing", "b.txt is missing"]


def test_brat_refuses_what_it_cannot_hold(tmp_path: Path) -> None:
    contents = [
        AnnotatedSentence("a" * 300, TEXT, (), ()),
        AnnotatedSentence("ab", TEXT, (), ()),
        AnnotatedSentence("AB", TEXT, (), ()),
        AnnotatedSentence("edge", "حلب\n", (Span(0, "LOC", 0, 4),), ()),
        AnnotatedSentence("turned", TEXT, SENTENCE.spans, (Relation(0, 1, 0, "actor"),)),
    ]
    findings = brat.write(tmp_path / "out", documents(*contents))
    assert [finding.place for finding in findings] == ["given 0", "given 2", "given 3", "given 4"]
    assert [document.id for document in _split(list(brat.read(tmp_path / "out")))[0]] == ["ab"]
    with pytest.raises(FileExistsError, match="documents already"):
        brat.write(tmp_path / "out", documents(SENTENCE))


def _conll(tmp_path: Path, lines: str) -> tuple[list[AnnotatedSentence], list[str], list[str]]:
    path = tmp_path / "words.conll"
    path.write_bytes(lines.encode())
    return _split(list(conll.read(path)))


def test_conll_of_others_is_joined_with_spaces(tmp_path: Path) -> None:
    contents, bad, notes = _conll(tmp_path, "زار O\nجو B-PERS\nبايدن I-PERS\nمعرض B-MISC\n\n. O\r\n")
    assert bad == []
    assert [content.text for content in contents] == ["زار جو بايدن معرض", "."]
    assert contents[0].id == "words-0001"
    assert contents[0].spans == (Span(0, "PER", 4, 12),)
    assert notes[0].endswith("tags of MISC are not kept: 1")
    assert "CoNLL knows no actions" in notes[-1]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("زار O\nجو\n\nنعم O\n", "words.conll:2: a line has two columns"),
        ("زار O\nجو N B-PER\n\nنعم O\n", "words.conll:2: a line has two columns"),
        ("زار O\nجو PER\n\nنعم O\n", "words.conll:2: a tag is O, B-… or I-…"),
        ("زار O\nجو B-DATE\n\nنعم O\n", "words.conll:2: a tag of an unknown type"),
        ('# document {"id": "x", "text": "زار حلب"}\nزار O\nجو O\n\nنعم O\n', "words.conll:1: text: the words"),
    ],
)
def test_conll_names_the_line_and_reads_on(tmp_path: Path, lines: str, message: str) -> None:
    contents, bad, _ = _conll(tmp_path, lines)
    assert [content.text for content in contents] == ["نعم"]
    assert len(bad) == 1
    assert message in bad[0]


def test_conll_loses_only_what_it_may(tmp_path: Path) -> None:
    clitic = AnnotatedSentence("x-2", "في بحلب", (Span(0, "LOC", 4, 7),), ())
    refused = conll.write(tmp_path / "words.conll", documents(SENTENCE, clitic))
    assert [(f.place, f.bad, f.fault.message.split()[0]) for f in refused] == [
        ("given 0", True, "actions"),
        ("given 0", True, "roles"),
        ("given 1", True, "boundaries"),
    ]
    lost = conll.write(tmp_path / "words.conll", documents(SENTENCE, clitic), lose=list(conll.Loss))
    assert [(f.place, f.bad, f.fault.message) for f in lost] == [
        ("given 0", False, "actions are lost in CoNLL: 1"),
        ("given 0", False, "roles are lost in CoNLL: 2"),
        ("given 1", False, "boundaries are lost in CoNLL: 1"),
    ]
    contents, bad, notes = _split(list(conll.read(tmp_path / "words.conll")))
    assert bad == []
    assert [content.spans for content in contents] == [(Span(0, "LOC", 12, 15),), (Span(0, "LOC", 3, 7),)]
    assert [note.partition(": ")[2] for note in notes[:-1]] == [
        "tags of ACT are not kept: 1",
        "tags of NOM are not kept: 1",
    ]


def test_markup_names_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "politics.txt"
    path.write_bytes("# تعليق\n[حلب|LOC] بخير\n\n[حلب|GPE]\n".encode() + b"\xff\n")
    contents, bad, notes = _split(list(markup_lines.read(path)))
    assert [content.id for content in contents] == ["politics-0002"]
    assert bad[0].startswith(f"{path}:4: column 6: GPE is not one of")
    assert ":5: not UTF-8" in bad[1]
    assert notes == []


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        (..., "meta: missing"),
        (3, "meta: must be an object"),
        ({"annotator": 3}, "meta.annotator: must be a string"),
        ({"status": "done"}, "meta.status: must be one of"),
        ({"votes": "3"}, "meta.votes: unknown field"),
    ],
)
def test_service_names_the_fault(tmp_path: Path, meta: Any, message: str) -> None:
    path = tmp_path / "annotations.jsonl"
    record: dict[str, Any] = {**SENTENCE.to_dict(), "meta": meta}
    path.write_text(json.dumps({name: value for name, value in record.items() if value is not ...}) + "\nnull\n")
    contents, bad, _ = _split(list(service.read(path)))
    assert contents == []
    assert bad[0].startswith(f"{path}:1: {message}")
    assert bad[1].startswith(f"{path}:2: ")
