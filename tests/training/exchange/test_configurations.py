"""The labelling configurations that we ship are those of the inventory."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

from model.labels import CLASSES, ENTITY_LABELS, FACTUALITIES, ROLES
from training.exchange.configurations import files, main


def test_what_is_shipped_is_what_the_code_makes(root: Path, tmp_path: Path) -> None:
    folder = root / "annotations" / "tools"
    for name, text in files().items():
        assert (folder / name).read_text(encoding="utf-8") == text, (
            f"run python -m training.exchange.configurations {folder}"
        )
    main(tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()} == set(files())


def test_label_studio_has_labels_roles_and_choices_with_keys_of_their_own() -> None:
    view = ElementTree.fromstring(files()["labelstudio.xml"])
    assert "rtl" in view.get("style", "")
    assert [label.get("value") for label in view.iter("Label")] == [*ENTITY_LABELS, "ACT"]
    assert [relation.get("value") for relation in view.iter("Relation")] == list(ROLES)
    choices = {tag.get("name"): [choice.get("value") for choice in tag] for tag in view.iter("Choices")}
    assert choices == {"class": list(CLASSES), "factuality": list(FACTUALITIES)}
    keys = [tag.get("hotkey") for name in ("Label", "Choice") for tag in view.iter(name)]
    assert len(set(keys)) == len(keys) == 6 + len(CLASSES) + len(FACTUALITIES)


def test_doccano_has_a_label_for_every_action() -> None:
    spans = json.loads(files()["doccano/spans.json"])
    names = [span["text"] for span in spans]
    assert names[:5] == list(ENTITY_LABELS)
    assert names[5:] == [f"ACT:{name}:{factuality}" for name in CLASSES for factuality in FACTUALITIES]
    keys = [span["suffixKey"] for span in spans if "suffixKey" in span]
    assert len(set(keys)) == len(keys)
    assert [relation["text"] for relation in json.loads(files()["doccano/relations.json"])] == list(ROLES)


def test_brat_offers_each_role_to_the_labels_that_may_fill_it() -> None:
    lines = files()["brat/annotation.conf"].splitlines()
    assert lines[0] == "[entities]"
    events = [line.partition("\t") for line in lines[lines.index("[events]") + 1 : lines.index("[attributes]") - 1]]
    assert [name for name, _, _ in events] == list(CLASSES)
    assert {roles for _, _, roles in events} == {
        "actor*:PER|ORG|LOC|NOM, target*:PER|ORG|LOC|NUM|NOM, place*:LOC|NOM, count*:NUM"
    }
