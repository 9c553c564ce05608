"""What `training.json` says of the machine, and what decides the arithmetic."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest
import torch
import transformers

from training.provenance import machine, versions
from training.train import supports_bf16


def test_versions_are_those_that_run() -> None:
    found = versions()
    assert found["python"] == platform.python_version()
    assert found["torch"] == torch.__version__
    assert found["transformers"] == transformers.__version__
    assert {"accelerate", "datasets", "numpy", "onnx", "safetensors", "tokenizers"} <= found.keys()


def test_the_machine_has_no_name() -> None:
    found = machine(bf16=True, processes=2)
    assert found["bf16"] is True
    assert found["processes"] == 2
    assert found["threads"] == torch.get_num_threads()
    assert platform.node() not in (str(value) for value in found.values())


@pytest.mark.parametrize(("flags", "able"), [("fpu avx512_bf16 amx", True), ("fpu avx2", False), (None, False)])
def test_bf16_where_the_processor_has_instructions_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flags: str | None, able: bool
) -> None:
    path = tmp_path / "cpuinfo"
    if flags is not None:
        path.write_text(f"flags : {flags}\n", encoding="utf-8")
    monkeypatch.setattr("training.train.CPU", path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert supports_bf16("auto") is able
    assert supports_bf16("yes") is True
    assert supports_bf16("no") is False


def test_bf16_where_the_gpu_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for able in (True, False):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda able=able: able)
        assert supports_bf16("auto") is able
