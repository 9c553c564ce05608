"""The network: encoders that it takes, and what its loss counts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModel, DistilBertConfig, ElectraConfig, PreTrainedConfig, RobertaConfig

from model.network import IGNORED, MusnadModel, NetworkOutputs, total_loss, usable_positions

SMALL = {"vocab_size": 50, "num_attention_heads": 2}
CONFIGS = [
    (RobertaConfig(**SMALL, hidden_size=16, num_hidden_layers=1, intermediate_size=16, max_position_embeddings=34), 32),
    (ElectraConfig(**SMALL, hidden_size=16, embedding_size=8, num_hidden_layers=1, max_position_embeddings=32), 32),
    (DistilBertConfig(vocab_size=50, dim=16, hidden_dim=16, n_layers=1, n_heads=2, max_position_embeddings=32), 32),
]


@pytest.mark.parametrize(("config", "positions"), CONFIGS, ids=["roberta", "electra", "distilbert"])
def test_encoders_of_other_kinds(config: PreTrainedConfig, positions: int, tmp_path: Path) -> None:
    encoder = AutoModel.from_config(config)
    assert usable_positions(encoder) == positions
    encoder.save_pretrained(tmp_path / "encoder")
    model = MusnadModel.from_encoder(str(tmp_path / "encoder"), role_width=8).eval()
    assert model.config.max_pieces == positions
    pieces = torch.full((1, positions), 7)
    outputs = model(pieces, torch.ones_like(pieces), torch.tensor([[1, 3, 5]]))
    assert outputs.roles.shape == (1, 3, 3, 5)
    model.save_pretrained(tmp_path / "checkpoint")
    again = MusnadModel.from_pretrained(tmp_path / "checkpoint", dtype=torch.float32).eval()
    torch.testing.assert_close(again(pieces, torch.ones_like(pieces), torch.tensor([[1, 3, 5]])).names, outputs.names)


def test_the_loss_counts_what_is_labelled() -> None:
    outputs = NetworkOutputs(
        names=torch.zeros(1, 2, 7),
        rest=torch.zeros(1, 2, 7),
        clitics=torch.zeros(1, 2, 4),
        classes=torch.zeros(1, 2, 18),
        factuality=torch.zeros(1, 2, 3),
        roles=torch.zeros(1, 2, 2, 5),
    )
    unknown = torch.full((1, 2), IGNORED)
    labels = {
        "names": torch.tensor([[0, 3]]),
        "rest": unknown,
        "clitics": unknown,
        "classes": unknown,
        "factuality": unknown,
        "roles": torch.full((1, 2, 2), IGNORED),
        "role_pairs": torch.tensor([0]),
    }
    # a source of names alone: the mean over its two words, uniform over seven tags
    assert total_loss(outputs, labels).item() == pytest.approx(torch.tensor(7.0).log().item())
    labels["roles"][0, 0] = torch.tensor([0, 2])
    labels["role_pairs"] = torch.tensor([1])
    # two labelled pairs over one entity pair
    roles = 2 * torch.tensor(5.0).log().item()
    assert total_loss(outputs, labels).item() == pytest.approx(torch.tensor(7.0).log().item() + roles)
