"""From a tool's file to a file that the checker passes, and back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from model.annotation import AnnotatedSentence, Relation, Span
from model.annotation_check import check
from model.annotation_files import read_annotations, write_annotations
from training.exchange import doccano, service
from training.exchange.documents import Authorship, Document, Origin
from training.exchange.exporting import export_documents
from training.exchange.importing import Choices, Several, import_documents
from training.exchange.registry import FORMATS, FormatName

TEXT = "قصف الجيش حلب"
GOOD = AnnotatedSentence(
    "x-1",
    TEXT,
    (Span(0, "ACT", 0, 3, "ASSAULT", "asserted"), Span(1, "NOM", 4, 9), Span(2, "LOC", 10, 13)),
    (Relation(0, 0, 1, "actor"), Relation(1, 0, 2, "target")),
)
IDLE = AnnotatedSentence("x-2", "في حلب جيش", (Span(0, "NOM", 7, 10),), ())
OTHER = AnnotatedSentence("x-3", "حلب بخير", (Span(0, "LOC", 0, 3),), ())
DOCCANO, SERVICE = FORMATS[FormatName.DOCCANO], FORMATS[FormatName.SERVICE]


def _doccano(path: Path, *contents: AnnotatedSentence) -> Path:
    doccano.write(path, [Document(content) for content in contents])
    return path


def test_what_the_guidelines_forbid_is_found_at_its_place(tmp_path: Path) -> None:
    source, target = _doccano(tmp_path / "all.jsonl", GOOD, IDLE, OTHER), tmp_path / "out.jsonl"
    imported = import_documents(DOCCANO, source, target, Choices())
    assert not target.exists()
    assert list(tmp_path.iterdir()) == [source]
    assert [str(finding) for finding in imported.bad] == [
        f"{source}:2: sentence x-2: entities[0]: a NOM without a role is not tagged: «جيش»"
    ]
    import_documents(DOCCANO, source, target, Choices(), skip_bad=True)
    assert list(read_annotations(target)) == [GOOD, OTHER]


def test_repetitions_are_found_by_where_they_come_from(tmp_path: Path) -> None:
    again = replace(GOOD, id="x-9", text=f"{TEXT}!")
    source, target = _doccano(tmp_path / "all.jsonl", GOOD, OTHER, again, replace(OTHER, text="غيره")), tmp_path / "out"
    imported = import_documents(DOCCANO, source, target, Choices(), skip_bad=True)
    assert [finding.fault.message for finding in imported.bad] == [
        f"text: {source}:1 has the same sentence",
        f"id: {source}:2 has the same id",
    ]
    assert [content.id for _, content in imported.sentences] == ["x-1", "x-3"]
    assert list(check([target])) == []


def test_documents_are_split_unless_whole(tmp_path: Path) -> None:
    long = AnnotatedSentence("x-1", "حلب بخير. وبيروت بخير.", (Span(0, "LOC", 11, 16),), ())
    source, target = _doccano(tmp_path / "all.jsonl", long), tmp_path / "out.jsonl"
    import_documents(DOCCANO, source, target, Choices())
    assert [(s.id, s.text) for s in read_annotations(target)] == [("x-1.1", "حلب بخير."), ("x-1.2", "وبيروت بخير.")]
    import_documents(DOCCANO, source, target, Choices(split=False))
    assert list(read_annotations(target)) == [long]


def _service(path: Path, *records: tuple[AnnotatedSentence, Authorship]) -> Path:
    service.write(path, [Document(content, Origin(authorship=authorship)) for content, authorship in records])
    return path


#: Reviewed last, but written first.
EARLY = Authorship("1", "a", None, "2026-11-21T10:00:00Z", "accepted", "2026-11-24T10:00:00Z")
LATE = Authorship("2", "b", None, "2026-11-22T10:00:00Z", "pending", "2026-11-22T10:00:00Z")
REJECTED = Authorship("3", "b", None, "2026-11-23T10:00:00Z", "rejected", "2026-11-23T10:00:00Z")


@pytest.mark.parametrize(
    ("choices", "expected", "bad"),
    [
        (Choices(), [], 1),
        (Choices(several=Several.LATEST), ["second"], 0),
        (Choices(annotator="a"), ["first"], 0),
        (Choices(statuses=("accepted",)), ["first"], 0),
        (Choices(statuses=("accepted", "pending")), [], 1),
        (Choices(annotator="c"), [], 0),
    ],
)
def test_of_annotations_of_one_text_the_chosen_one_is_read(
    tmp_path: Path, choices: Choices, expected: list[str], bad: int
) -> None:
    first, second = replace(OTHER, id="first"), replace(OTHER, id="second", spans=())
    source = _service(tmp_path / "in.jsonl", (first, EARLY), (second, LATE))
    imported = import_documents(SERVICE, source, tmp_path / "out.jsonl", replace(choices, split=False))
    assert [content.id for _, content in imported.sentences] == expected
    assert len(imported.bad) == bad
    # what is not read is told
    assert len(imported.findings) == (1 if bad else 2 - len(expected))


def test_rejected_annotations_are_left_out_and_told(tmp_path: Path) -> None:
    source = _service(tmp_path / "in.jsonl", (GOOD, EARLY), (OTHER, REJECTED))
    statuses = ("pending", "accepted")
    imported = import_documents(SERVICE, source, tmp_path / "out", Choices(split=False, statuses=statuses))
    assert [content for _, content in imported.sentences] == [GOOD]
    assert [str(finding) for finding in imported.findings] == [
        f"{source}:2: status: of this status, and not read: «rejected»"
    ]


def test_the_latest_of_undated_annotations_is_unknown(tmp_path: Path) -> None:
    source = _service(tmp_path / "in.jsonl", (GOOD, EARLY), (replace(GOOD, id="y"), Authorship("2", "b")))
    imported = import_documents(SERVICE, source, tmp_path / "out", Choices(split=False, several=Several.LATEST))
    assert [finding.fault.message.partition(":")[0] for finding in imported.bad] == ["has no date"]


@pytest.mark.parametrize("name", [name for name in FormatName if name is not FormatName.CONLL])
def test_the_corpus_comes_back_from_every_format(root: Path, tmp_path: Path, name: FormatName) -> None:
    format, source = FORMATS[name], root / "annotations" / "test.jsonl"
    exported, back = tmp_path / "exported", tmp_path / "back.jsonl"
    count, findings = export_documents([source], exported, format.write)
    assert (count, findings) == (330, [])
    imported = import_documents(format, exported, back, Choices(split=False))
    assert imported.findings == []
    expected = tmp_path / "expected.jsonl"
    write_annotations(expected, sorted(read_annotations(source), key=lambda sentence: sentence.id))
    write_annotations(back, sorted(read_annotations(back), key=lambda sentence: sentence.id))
    assert _normal(back) == _normal(expected)


def _normal(path: Path) -> list[object]:
    """The sentences with spans and relations told by what they cover, since tools number them anew."""
    found: list[object] = []
    for sentence in read_annotations(path):
        spans = {
            span.id: (span.start, span.end, span.label, span.event_class, span.factuality) for span in sentence.spans
        }
        links = sorted((spans[link.action][:2], link.role, spans[link.entity][:2]) for link in sentence.relations)
        found.append((sentence.id, sentence.text, sorted(spans.values(), key=str), links))
    return found


def test_an_export_is_all_or_nothing(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "lines.txt"
    write_annotations(source, [GOOD, replace(OTHER, text="حلب [بخير]")])
    markup = FORMATS[FormatName.MARKUP]
    count, findings = export_documents([source], target, markup.write)
    assert count == 2
    assert [finding.place for finding in findings] == [f"{source}: x-3"]
    assert not target.exists()
    export_documents([source], target, markup.write, skip_bad=True)
    assert target.read_text(encoding="utf-8").startswith("# id: x-1\n{قصف|ASSAULT actor=1 target=2} [الجيش|NOM 1]")
    with pytest.raises(FileExistsError, match=r"lines\.txt"):
        export_documents([source], target, markup.write)
    folder = tmp_path / "collection"
    export_documents([source], folder, FORMATS[FormatName.BRAT].write)
    assert len(list(folder.glob("*.ann"))) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["collection", "in.jsonl", "lines.txt"]


def test_label_studio_metadata_is_plain_json(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "tasks.json"
    write_annotations(source, [OTHER])
    export_documents([source], target, FORMATS[FormatName.LABELSTUDIO].write)
    (task,) = json.loads(target.read_text(encoding="utf-8"))
    assert task["data"] == {"id": "x-3", "text": OTHER.text}
    assert task["annotations"][0]["result"][0]["value"] == {"start": 0, "end": 3, "text": "حلب", "labels": ["LOC"]}
