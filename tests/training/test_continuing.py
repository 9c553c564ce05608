"""Going on from a checkpoint with new annotations: what is trained on, what is refused, and what comes out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file
from typer.testing import CliRunner

from model.annotation_files import read_annotations, write_annotations
from model.export import export
from model.extractor import Extractor
from training.commands import app
from training.config import ConfigError, ContinuingConfig, TrainingConfig, read_settings
from training.continuing import DEFAULT, Files, configuration, continued, network_of
from training.resuming import COMPLETE, sha256
from training.train import start_network

FASTER = {
    "replay": {"weight": 0.5},
    "added": {"weight": 2.0, "renamed": {"copies": 2, "share": 0.5, "weight": 0.5}},
    "epochs": 4,
    "batch_size": 8,
    "learning_rate": 1e-6,
    "head_learning_rate": 1e-6,
    "masked_words": 0.1,
    "average_decay": 0.9,
    "bf16": "no",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path, root: Path) -> Path:
    """A working directory with a checkpoint, a small corpus, eleven new sentences, and two configurations.

    The first of the new sentences is in test, the second in the corpus.
    """
    place = tmp_path_factory.mktemp("continuing")
    config = TrainingConfig(encoder=str(tiny_encoder), sources=[{"path": "a"}], dev=[{"path": "a"}], role_width=16)  # type: ignore[list-item]
    torch.manual_seed(0)
    model, tokenizer, _ = start_network(str(tiny_encoder), config)
    export(model, tokenizer, place / "checkpoint", name="tiny", version="1.2.9", calibration={})
    own = {
        name: list(islice(read_annotations(root / "annotations" / f"{name}.jsonl"), 40)) for name in ("train", "dev")
    }
    (place / "annotations").mkdir()
    write_annotations(place / "annotations" / "train.jsonl", own["train"][:20])
    write_annotations(place / "annotations" / "dev.jsonl", own["dev"][:8])
    write_annotations(place / "annotations" / "test.jsonl", own["dev"][8:16])
    write_annotations(place / "new.jsonl", [own["dev"][10], own["train"][3], *own["train"][20:29]])
    (place / "faster.yaml").write_text(yaml.safe_dump(FASTER), encoding="utf-8")
    return place


def command(place: Path, root: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start `musnad` in the working directory, single-threaded so that sums have one order."""
    return subprocess.Popen(
        [sys.executable, "-c", "from training.commands import app; app()", *arguments],
        cwd=place,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(root), "CUDA_VISIBLE_DEVICES": ""},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def train(place: Path, root: Path, output: str) -> subprocess.Popen[bytes]:
    return command(
        place, root, "train", "faster.yaml", "--from", "checkpoint", "--add", "new.jsonl", "--output", output
    )


@pytest.fixture(scope="module")
def trained(place: Path, root: Path) -> tuple[Path, str]:
    """A checkpoint that went on, and what was said of it."""
    process = train(place, root, "runs/mine")
    _, errors = process.communicate()
    assert process.returncode == 0, errors.decode()
    return place / "runs" / "mine", errors.decode()


def test_what_is_tested_on_is_left_out_and_named(trained: tuple[Path, str]) -> None:
    output, said = trained
    assert "musnad: new.jsonl:1: left out: the same as annotations/test.jsonl:3\n" in said
    assert "musnad: annotations/train.jsonl:4: left out: the same as new.jsonl:2\n" in said
    assert said.count("left out") == 2
    made = json.loads((output / "training.json").read_text(encoding="utf-8"))
    assert made["left_out"] == [
        {"file": "annotations/train.jsonl", "line": 4, "like": "new.jsonl", "like_line": 2, "similarity": 1.0},
        {"file": "new.jsonl", "line": 1, "like": "annotations/test.jsonl", "like_line": 3, "similarity": 1.0},
    ]


def test_it_says_what_made_it(trained: tuple[Path, str], place: Path) -> None:
    output, _ = trained
    text = (output / "training.json").read_text(encoding="utf-8")
    made = json.loads(text)
    assert made["parent"] == {
        "name": "tiny",
        "version": "1.2.9",
        "directory": "checkpoint",
        "model.safetensors": sha256(place / "checkpoint" / "model.safetensors"),
    }
    assert (made["configuration"]["name"], made["configuration"]["version"]) == ("tiny", "1.2.10")
    assert made["configuration"]["start"] == "checkpoint"
    assert made["configuration"]["seed"] == 1
    for name in (
        "checkpoint/model.safetensors",
        "checkpoint/tokenizer.json",
        "annotations/train.jsonl",
        "annotations/dev.jsonl",
        "annotations/test.jsonl",
        "new.jsonl",
    ):
        assert made["files"][name] == sha256(place / name)
    assert {"python", "torch", "transformers", "tokenizers", "accelerate", "numpy"} <= set(made["versions"])
    assert made["machine"]["bf16"] is False
    assert 0.0 <= made["dev"]["eval_score"] <= 1.0
    for name in ("training.json", "config.json"):
        assert str(place) not in (output / name).read_text(encoding="utf-8"), "a path of this machine"


def test_it_goes_on_with_encoder_heads_and_tokenizer(trained: tuple[Path, str], place: Path) -> None:
    """At a learning rate of nearly nothing, nearly the same weights come out."""
    output, _ = trained
    before, after = (load_file(str(path / "model.safetensors")) for path in (place / "checkpoint", output))
    assert before.keys() == after.keys()
    assert any(not torch.equal(before[name], after[name]) for name in before)
    for name, weights in before.items():
        torch.testing.assert_close(after[name], weights, rtol=2e-2, atol=1e-3)
    assert (output / "tokenizer.json").read_bytes() == (place / "checkpoint" / "tokenizer.json").read_bytes()
    values = json.loads((output / "config.json").read_text(encoding="utf-8"))
    assert (values["name"], values["version"], values["role_width"]) == ("tiny", "1.2.10", 16)
    assert set(values["calibration"]) <= {"entity", "action", "role", "triple"}


def test_killed_and_resumed_it_ends_with_the_same_weights(trained: tuple[Path, str], place: Path, root: Path) -> None:
    output = place / "runs" / "killed"
    process = train(place, root, "runs/killed")
    while process.poll() is None and not list(output.glob(f"run/checkpoint-*/{COMPLETE}")):
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (output / "model.safetensors").exists(), "the training ended before it could be killed"
    process = train(place, root, "runs/killed")
    _, errors = process.communicate()
    assert process.returncode == 0, errors.decode()
    assert (output / "model.safetensors").read_bytes() == (trained[0] / "model.safetensors").read_bytes()


def files(place: Path, *added: Path) -> Files:
    corpus = place / "annotations"
    return Files(added, [corpus / "train.jsonl"], [corpus / "dev.jsonl"], [corpus / "test.jsonl"])


def test_the_configuration_is_an_ordinary_one(place: Path) -> None:
    settings = read_settings(place / "faster.yaml", ContinuingConfig)
    config = continued(settings, place / "checkpoint", files(place, place / "new.jsonl"), place, version="3.0.0-rc.1")
    assert config == TrainingConfig.model_validate(
        {
            **{name: value for name, value in FASTER.items() if name not in ("replay", "added")},
            "name": "tiny",
            "version": "3.0.0-rc.1",
            "start": "checkpoint",
            "sources": [
                {
                    "path": "annotations/train.jsonl",
                    "weight": 0.5,
                    "without": ["annotations/dev.jsonl", "annotations/test.jsonl", "new.jsonl"],
                },
                {
                    "path": "new.jsonl",
                    "weight": 2.0,
                    "renamed": {"copies": 2, "share": 0.5, "weight": 0.5},
                    "without": ["annotations/dev.jsonl", "annotations/test.jsonl"],
                },
            ],
            "dev": [{"path": "annotations/dev.jsonl"}],
        }
    )


def test_a_name_that_looks_like_a_pattern_is_a_name(place: Path) -> None:
    new = place / "new [2026].jsonl"
    new.write_bytes((place / "new.jsonl").read_bytes())
    config = continued(ContinuingConfig(), place / "checkpoint", files(place, new), place)
    assert config.sources[1].files(place) == [new]


def test_every_problem_of_the_new_annotations_is_named(place: Path, tmp_path: Path) -> None:
    good = (place / "new.jsonl").read_text(encoding="utf-8")
    bad = tmp_path / "bad.jsonl"
    bad.write_text(
        good.splitlines()[4] + '\n{"id": "a", "text": "بغداد", "entities": [], "relations": 3}\nnot json\n',
        encoding="utf-8",
    )
    with pytest.raises(ConfigError) as caught:
        continued(ContinuingConfig(), place / "checkpoint", files(place, bad), place)
    head, *problems = str(caught.value).splitlines()
    assert head == "2 problems in the new annotations:"
    assert problems[0] == f"{bad}:2: relations: must be an array, not an integer"
    assert problems[1].startswith(f"{bad}:3: not JSON")


def test_a_version_that_is_none_is_named(place: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'newest' is not a semantic version"):
        continued(ContinuingConfig(), place / "checkpoint", files(place, place / "new.jsonl"), place, "newest")
    other = tmp_path / "other"
    other.mkdir()
    values = json.loads((place / "checkpoint" / "config.json").read_text(encoding="utf-8"))
    (other / "config.json").write_text(json.dumps({**values, "version": "first"}), encoding="utf-8")
    with pytest.raises(ConfigError, match="'first', has no successor: name one with --version"):
        continued(ContinuingConfig(), other, files(place, place / "new.jsonl"), place)


def test_the_corpus_is_looked_for_here(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    config, folder = configuration(None, Path("checkpoint"), Files([Path("new.jsonl")]), None)
    assert config.sources[0].path == "annotations/train.jsonl"
    assert config.sources[0].weight == read_settings(DEFAULT, ContinuingConfig).replay.weight
    assert folder == Path()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"there is no annotations/train\.jsonl here: name .* with --replay FILE"):
        configuration(None, place / "checkpoint", Files([place / "new.jsonl"]), None)


def beginning(**fields: object) -> TrainingConfig:
    values = {"start": "a", "version": "2.0.0", "sources": [{"path": "a"}], "dev": [{"path": "a"}], **fields}
    return TrainingConfig.model_validate(values)


def test_a_network_may_go_on_with_fewer_layers_and_a_fresh_role_head(place: Path, tmp_path: Path) -> None:
    whole, _, _ = network_of(place / "checkpoint", beginning())
    assert len(whole.encoder.encoder.layer) == 2
    small, tokenizer, _ = network_of(place / "checkpoint", beginning(layers=[1], role_width=8))
    kept = small.encoder.encoder.layer
    assert len(kept) == small.config.encoder["num_hidden_layers"] == 1
    own = dict(whole.encoder.encoder.layer[1].named_parameters())
    assert all(torch.equal(value, own[name]) for name, value in kept[0].named_parameters())
    assert torch.equal(small.names.weight, whole.names.weight)
    assert (whole.config.role_width, small.config.role_width, small.roles.weight.shape) == (16, 8, (5, 9, 9))
    export(small, tokenizer, tmp_path / "small", name="tiny", version="2.0.0", calibration={})
    again, _, _ = network_of(tmp_path / "small", beginning())
    assert (len(again.encoder.encoder.layer), again.config.role_width) == (1, 8)
    document = Extractor.load(tmp_path / "small").extract("قال الوزير إن القوات وصلت.")
    assert len(document.sentences) == 1


def test_layers_that_are_not_there_are_named(place: Path) -> None:
    with pytest.raises(ConfigError, match=r"layers: \[1, 2\] are not among the 2 of the encoder"):
        network_of(place / "checkpoint", beginning(layers=[1, 2]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name a configuration file, or with --from a checkpoint to go on from"),
        (["--from", "checkpoint"], "--from needs new annotations: --add FILE"),
        (["--from", "nowhere", "--add", "new.jsonl"], "nowhere: not a checkpoint directory"),
        (["--from", "checkpoint", "--add", "none.jsonl"], "none.jsonl: there is no such file"),
        (["--from", "checkpoint", "--add", "new.jsonl", "--encoder", "e"], "--encoder is for a training from scratch"),
        (["--from", "checkpoint", "--add", "new.jsonl", "--output", "checkpoint"], "take another output"),
        (["--from", "checkpoint", "--add", "annotations/test.jsonl"], "no sentence is left"),
        (["faster.yaml", "--add", "new.jsonl"], "--add goes with --from"),
        (["faster.yaml", "--version", "1.0.0"], "--version goes with --from"),
        (["faster.yaml"], "faster.yaml: "),
    ],
)
def test_misuse_is_explained(place: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str) -> None:
    monkeypatch.chdir(place)
    output = [] if "--output" in arguments else ["--output", "runs/none"]
    result = CliRunner().invoke(app, ["train", *arguments, *output])
    assert result.exit_code == 2
    assert message in result.output
    assert not (place / "runs" / "none").exists()
