"""Masked-language training: what is masked, what is left out of the text, that dropout stays in the configuration."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from model.network import IGNORED
from training.config import ConfigError, Pretraining
from training.pretrain import masked, pretrain

SPECIAL = {0, 1, 2, 3, 9}
MASK = 9


def test_whole_words_are_masked_and_special_pieces_never() -> None:
    rng = np.random.default_rng(0)
    ids = np.tile(np.array([0, 4, 5, 6, 7, 8, 4, 2], dtype=np.int32), (500, 1))
    starts = np.tile(np.array([True, True, False, True, False, False, True, True]), (500, 1))
    inputs, labels = masked(ids, starts, SPECIAL, MASK, 20, 0.3, rng)
    chosen = (labels != IGNORED).numpy()
    assert not chosen[:, [0, 7]].any()
    assert (chosen[:, 1] == chosen[:, 2]).all()
    assert (chosen[:, 3] == chosen[:, 4]).all()
    assert (chosen[:, 4] == chosen[:, 5]).all()
    assert 0.25 < chosen[:, [1, 3, 6]].mean() < 0.35
    assert (labels.numpy()[chosen] == ids[chosen]).all()
    assert (inputs.numpy()[~chosen] == ids[~chosen]).all()
    assert 0.75 < (inputs.numpy()[chosen] == MASK).mean() < 0.85


def test_the_encoder_keeps_its_dropout(tmp_path: Path, tiny_encoder: Path) -> None:
    (tmp_path / "articles.jsonl").write_text('{"text": "قصف الجيش مواقع في حلب"}\n' * 40, encoding="utf-8")
    settings = Pretraining(text="articles.jsonl", steps=1, batch_size=2, length=16)
    pretrain(str(tiny_encoder), tmp_path / "encoder", settings, tmp_path, bf16=False)
    before, after = (
        json.loads((folder / "config.json").read_text()) for folder in (tiny_encoder, tmp_path / "encoder")
    )
    assert after["hidden_dropout_prob"] == before["hidden_dropout_prob"] == 0.1
    assert after["attention_probs_dropout_prob"] == 0.1


def test_held_out_sentences_leave_nothing(tmp_path: Path, tiny_encoder: Path) -> None:
    (tmp_path / "articles.jsonl").write_text('{"text": "قصف  الجيش مواقع، في حلب"}\n' * 40, encoding="utf-8")
    (tmp_path / "dev.jsonl").write_text('{"text": "قصف الجيش مواقع في حلب."}\n', encoding="utf-8")
    settings = Pretraining(text="articles.jsonl", without=["dev.jsonl"], steps=1, length=16)
    with pytest.raises(ConfigError, match="less than one block"):
        pretrain(str(tiny_encoder), tmp_path / "encoder", settings, tmp_path, bf16=False)
