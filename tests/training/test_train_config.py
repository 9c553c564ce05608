"""What a configuration may say, and where its mistakes are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.config import ConfigError, ContinuingConfig, changed, encoder_path, read_config, read_settings
from training.continuing import DEFAULT
from training.resuming import claim, portable

SOURCES = "sources: [{path: train.jsonl}]\ndev: [{path: dev.jsonl}]\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a training begins with an `encoder` or with a checkpoint"),
        ("encoder: a\nstart: b\nversion: 1.0.0\n", "name one of them"),
        ("start: b\n", "`version`: say which one this is"),
        ("encoder: a\nlayers: [0]\n", "`layers` is for a checkpoint"),
        ("start: b\nversion: 1.0.0\nlayers: [2, 1]\n", r"`layers`: \[2, 1\] are not in rising order"),
        ("start: b\nversion: 1.0.0\nlayers: []\n", "layers: "),
        ("start: b\nversion: 1.0.0\npretraining: {text: a.jsonl}\n", "`pretraining` is for a fresh `encoder`"),
    ],
)
def test_a_beginning_that_does_not_fit_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text + SOURCES, encoding="utf-8")
    with pytest.raises(ConfigError, match=f"{path.name}: .*{message}"):
        read_config(path)


def test_only_our_own_format_has_lines_to_leave_out(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(
        "encoder: a\nsources: [{path: a.conll, format: conll, without: [b.jsonl]}]\ndev: [{path: dev.jsonl}]\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError, match=r"sources\.0: `without` is for sources in the format annotations, not conll"):
        read_config(path)


def test_every_configuration_of_the_project_is_sound(root: Path) -> None:
    folder = root / "training" / "configs"
    names = {path.name for path in folder.glob("*.yaml")} - {DEFAULT.name}
    assert {"arabert.yaml", "default.yaml", "fast.yaml", "silver.yaml", "teacher.yaml"} <= names
    begin = {name: read_config(folder / name).start for name in names}
    assert {name: start for name, start in begin.items() if start is not None} == {
        "default.yaml": "../../runs/silver",
        "fast.yaml": "../../runs/default",
    }
    assert read_settings(DEFAULT, ContinuingConfig).replay.weight < 1


def test_a_change_keeps_what_the_file_leaves_open(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("start: b\nversion: 1.0.0\n" + SOURCES, encoding="utf-8")
    config = changed(read_config(path), {"epochs": 3})
    assert (config.epochs, config.start) == (3, "b")
    with pytest.raises(ConfigError, match="epochs: "):
        changed(config, {"epochs": 0})
    with pytest.raises(ConfigError, match="start: there is no directory"):
        encoder_path(config, tmp_path)


def test_paths_of_one_machine_become_relative() -> None:
    values = {"path": "/data/corpus/a.jsonl", "others": ["b.jsonl", "/data/x"], "epochs": 3}
    assert portable(values, Path("/data/configs")) == {
        "path": "../corpus/a.jsonl",
        "others": ["b.jsonl", "../x"],
        "epochs": 3,
    }


def test_a_field_that_an_earlier_release_did_not_have_is_no_difference(tmp_path: Path) -> None:
    """Or no training could be resumed after an update; what is set must not differ, of course."""
    path = tmp_path / "config.yaml"
    path.write_text("encoder: a\n" + SOURCES, encoding="utf-8")
    config = read_config(path)
    own = {"configuration": config.model_dump(), "files": {}}
    earlier = json.loads(json.dumps(own))
    del earlier["configuration"]["start"]
    for source in (*earlier["configuration"]["sources"], *earlier["configuration"]["dev"]):
        del source["without"]
    claim(tmp_path / "output", earlier)
    claim(tmp_path / "output", own)
    with pytest.raises(ConfigError, match="launch: processes differs"):
        claim(tmp_path / "output", {**own, "launch": {"processes": 2}})
    own["configuration"]["start"] = "checkpoint"
    with pytest.raises(ConfigError, match="configuration: start differs"):
        claim(tmp_path / "output", own)
