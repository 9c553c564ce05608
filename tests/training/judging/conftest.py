"""Short ways to write annotated sentences, and checkpoints that find as much as they are told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from model.annotation import AnnotatedSentence, Relation, Span
from model.annotation_files import write_annotations
from model.extractor import CheckpointInfo, Extractor

Annotate = Callable[..., AnnotatedSentence]
Load = Callable[[Path], Extractor]
Make = Callable[..., Path]


@pytest.fixture(scope="session")
def annotate() -> Annotate:
    """Make a sentence of spans as «LABEL covered» (an action as «CLASS/factuality covered») and roles «actor:0-1 …».

    A covered text that occurs several times is the first occurrence, or with «#2» behind it the second.
    """

    def make(text: str, *spans: str, roles: str = "", id: str = "news-1") -> AnnotatedSentence:
        found = []
        for number, written in enumerate(spans):
            label, covered = written.split(" ", 1)
            covered, _, which = covered.partition("#")
            start = -1
            for _ in range(int(which or 1)):
                start = text.index(covered, start + 1)
            event_class, _, factuality = label.partition("/")
            end = start + len(covered)
            if factuality:
                found.append(Span(number, "ACT", start, end, event_class, factuality))
            else:
                found.append(Span(number, label, start, end))
        links = []
        for number, written in enumerate(roles.split()):
            role, _, ends = written.partition(":")
            action, entity = ends.split("-")
            links.append(Relation(number, int(action), int(entity), role))
        return AnnotatedSentence(id, text, tuple(found), tuple(links))

    return make


@pytest.fixture
def sentences(annotate: Annotate) -> list[AnnotatedSentence]:
    spans = ("ASSAULT/asserted قصف", "ORG الجيش", "LOC بغداد")
    return [annotate(f"قصف الجيش بغداد {n}", *spans, roles="actor:0-1", id=f"news-{n}") for n in range(12)]


@pytest.fixture
def test_set(sentences: list[AnnotatedSentence], tmp_path: Path) -> Path:
    path = tmp_path / "test.jsonl"
    write_annotations(path, sentences)
    return path


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A checkpoint directory of a network that finds everything in the first `right` sentences, and then nothing."""

    def run(right: int, name: str = "checkpoint", version: str = "0.3.0") -> Path:
        path = tmp_path / name
        path.mkdir()
        config = {"model_type": "musnad", "max_pieces": 512, "encoder": {}, "name": "متن", "version": version}
        (path / "config.json").write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")
        (path / "model.safetensors").write_text(str(right), encoding="utf-8")
        (path / "training.json").write_text(json.dumps({"files": {"train.jsonl": "ab12"}}), encoding="utf-8")
        (path / "run").mkdir()
        (path / "run" / "optimizer.pt").write_text("of a training", encoding="utf-8")
        return path

    return run


@pytest.fixture
def load(scripted: Callable[..., Extractor], sentences: list[AnnotatedSentence]) -> Load:
    def run(path: Path) -> Extractor:
        right = int((path / "model.safetensors").read_text(encoding="utf-8"))
        nothing = [AnnotatedSentence(own.id, own.text, (), ()) for own in sentences]
        extractor = scripted([*sentences[:right], *nothing[right:]])
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
        extractor.info = CheckpointInfo(config["name"], config["version"], config)
        return extractor

    return run
