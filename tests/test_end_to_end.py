"""A checkpoint's whole life with a tiny AraBERT-shaped encoder: train, stop, resume, evaluate, export, predict."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import yaml
from agreement import assert_agrees_with_pytorch
from typer.testing import CliRunner

from model.annotation_files import read_annotations, write_annotations
from model.extractor import Extractor
from model.runtime import Runtime
from training.commands import app
from training.resuming import COMPLETE


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path, root: Path) -> Path:
    """A configuration with forty sentences of our own, a CoNLL file, masked-language training, and three epochs."""
    folder = tmp_path_factory.mktemp("config")
    for name, count in (("train", 40), ("dev", 8)):
        write_annotations(
            folder / f"{name}.jsonl", islice(read_annotations(root / "annotations" / f"{name}.jsonl"), count)
        )
    (folder / "names.conll").write_text("زار O\nسالم B-PER\nبغداد B-LOC\n\n" * 3, encoding="utf-8")
    articles = [{"text": sentence.text} for sentence in read_annotations(folder / "train.jsonl")]
    lines = "".join(json.dumps(article, ensure_ascii=False) + "\n" for article in articles)
    (folder / "articles.jsonl").write_text(lines, encoding="utf-8")
    values = {
        "name": "tiny",
        "version": "1.2.3",
        "encoder": str(tiny_encoder),
        "pretraining": {"text": "articles.jsonl", "without": ["dev.jsonl"], "steps": 3, "batch_size": 4, "length": 32},
        "sources": [{"path": "train.jsonl"}, {"path": "names.conll", "format": "conll", "weight": 0.5}],
        "dev": [{"path": "dev.jsonl"}],
        "epochs": 3,
        "batch_size": 8,
        "learning_rate": 1e-3,
        "role_width": 16,
        "average_decay": 0.9,
        "bf16": "yes",
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def start(config: Path, output: Path, root: Path) -> subprocess.Popen[bytes]:
    """Start `musnad train` in a process of its own, single-threaded so that sums have one order."""
    command = "from training.commands import app; app()"
    return subprocess.Popen(
        [sys.executable, "-c", command, "train", str(config), "--output", str(output)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(root), "CUDA_VISIBLE_DEVICES": ""},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


@pytest.fixture(scope="module")
def checkpoint(config: Path, root: Path) -> Path:
    """A trained checkpoint."""
    output = config.parent / "checkpoint"
    process = start(config, output, root)
    _, errors = process.communicate()
    assert process.returncode == 0, errors.decode()
    return output


def test_a_training_killed_and_resumed_ends_with_the_same_weights(checkpoint: Path, config: Path, root: Path) -> None:
    output = config.parent / "killed"
    process = start(config, output, root)
    while process.poll() is None and not list(output.glob(f"run/checkpoint-*/{COMPLETE}")):
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (output / "model.safetensors").exists(), "the training ended before it could be killed"
    process = start(config, output, root)
    _, errors = process.communicate()
    assert process.returncode == 0, errors.decode()
    assert (output / "model.safetensors").read_bytes() == (checkpoint / "model.safetensors").read_bytes()


def test_the_checkpoint_says_what_made_it(checkpoint: Path) -> None:
    values = json.loads((checkpoint / "training.json").read_text(encoding="utf-8"))
    assert values["configuration"]["name"] == "tiny"
    assert 0.0 <= values["dev"]["eval_score"] <= 1.0
    assert set(json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))["calibration"]) <= {
        "entity",
        "action",
        "role",
        "triple",
    }


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino-fp32"])
def test_a_runtime_and_pytorch_agree(runtime: Runtime, checkpoint: Path, root: Path) -> None:
    sentences = islice(read_annotations(root / "annotations" / "dev.jsonl"), 20)
    assert_agrees_with_pytorch(checkpoint, runtime, [sentence.text for sentence in sentences])


def test_bytes_say_nearly_the_same(checkpoint: Path, root: Path) -> None:
    # this encoder's matrices are narrower than a block of bytes
    texts = [own.text for own in islice(read_annotations(root / "annotations" / "dev.jsonl"), 20)]
    exact = Extractor.load(checkpoint, runtime="onnxruntime")
    rounded = Extractor.load(checkpoint, runtime="onnxruntime-int8")
    encoded = exact.encoder.encode_many([(text, (0, len(text))) for text in texts])
    for one, other in zip(exact.logits(encoded), rounded.logits(encoded), strict=True):
        assert one is not None
        assert other is not None
        np.testing.assert_allclose(one.names, other.names, atol=0.1)
        assert not np.array_equal(one.names, other.names)


def test_evaluate_writes_every_figure(checkpoint: Path, config: Path, tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    arguments = ["evaluate", str(checkpoint), str(config.parent / "dev.jsonl"), "--json", str(path)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    values = json.loads(path.read_text(encoding="utf-8"))
    assert values["sentences"] == 8
    assert {"entities", "actions", "roles", "triples", "roles_gold", "triples_exact"} <= set(values["measures"])
    assert values["measures"]["entities"]["gold"] > 0
    assert "micro avg" in values["seqeval"]


def test_evaluate_reads_conll_with_its_own_labels_only(checkpoint: Path, config: Path, tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    arguments = [
        "evaluate",
        str(checkpoint),
        str(config.parent / "names.conll"),
        "--format",
        "conll",
        "--json",
        str(path),
    ]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    values = json.loads(path.read_text(encoding="utf-8"))
    assert set(values["labels"]) == {"PER", "LOC"}
    assert list(values["measures"]) == ["names_words"]
    assert values["measures"]["names_words"]["gold"] == 6


def test_predict_gives_exact_offsets(checkpoint: Path) -> None:
    text = "قَصَفَ الجيشُ ٣ مواقع 😀\r\nفي «حلــب»، وقال المتحدث: لا تعليق."
    document = Extractor.load(checkpoint).extract(text)
    assert document.text == text
    assert len(document.sentences) == 2
    for span in (*document.entities, *document.actions):
        assert text[span.start : span.end] == span.text
        assert span.text.strip() == span.text != ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs"),
        ({"learning_rat": 1}, "learning_rat"),
        ({"sources": [{"path": "nowhere.jsonl"}]}, "no file matches 'nowhere.jsonl'"),
        ({"encoder": "./nowhere"}, "there is no directory"),
    ],
)
def test_a_bad_configuration_is_named(config: Path, tmp_path: Path, change: dict[str, object], message: str) -> None:
    values = {**yaml.safe_load(config.read_text(encoding="utf-8")), **change}
    path = config.parent / "bad.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    result = CliRunner().invoke(app, ["train", str(path), "--output", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert message in result.output
