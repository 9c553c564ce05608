"""The network: one pretrained encoder, and heads that tag words, class actions and link them to entities.

Every head reads word vectors (the encoder's vector of each word's first piece). Roles are scored for every
(action word, entity word) pair by a biaffine form, after Dozat and Manning, "Deep Biaffine Attention for Neural
Dependency Parsing" (2017). Needs PyTorch and transformers: the extra `train`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel

from model.labels import CLASSES, CLITIC_LETTERS, FACTUALITIES, NAME_TAGS, REST_TAGS, ROLE_TAGS

IGNORED = -100

#: The heads that say something of each word.
WORD_HEADS = ("names", "rest", "clitics", "classes", "factuality")


class MusnadConfig(PreTrainedConfig):
    """Configuration of a checkpoint: the encoder's own configuration and the sizes of the heads.

    `max_pieces` is the encoder's window, special tokens included; `calibration` maps a kind of score to the
    (scale, shift) that `model.calibration` applies.
    """

    model_type = "musnad"

    def __init__(
        self,
        encoder: dict[str, Any] | None = None,
        role_width: int = 256,
        dropout: float = 0.2,
        max_pieces: int = 512,
        calibration: dict[str, list[float]] | None = None,
        **kwargs: Any,
    ) -> None:
        self.encoder = encoder or {}
        self.role_width = role_width
        self.dropout = dropout
        self.max_pieces = max_pieces
        self.calibration = calibration or {}
        super().__init__(**kwargs)

    @property
    def pad_id(self) -> int:
        """The piece that pads a batch; any will do for an encoder without one, since the mask hides it."""
        return self.encoder.get("pad_token_id") or 0


class NetworkOutputs(NamedTuple):
    """Logits for `B` sentences of up to `W` words; `loss` only where labels were given."""

    names: Tensor  # [B, W, 7]
    rest: Tensor  # [B, W, 7]
    clitics: Tensor  # [B, W, 4]
    classes: Tensor  # [B, W, 18]
    factuality: Tensor  # [B, W, 3]
    roles: Tensor  # [B, W, W, 5]: action word by entity word
    loss: Tensor | None = None


class Biaffine(nn.Module):
    """Scores of every ordered pair of words: [B, W, in] → [B, W, W, out]."""

    def __init__(self, width_in: int, width: int, width_out: int, dropout: float) -> None:
        super().__init__()
        self.head = nn.Linear(width_in, width)
        self.dependent = nn.Linear(width_in, width)
        self.dropout = nn.Dropout(dropout)
        self.width_out = width_out
        self.weight = nn.Parameter(torch.zeros(width_out, width + 1, width + 1))
        nn.init.normal_(self.weight, std=0.5 / width**0.5)

    def forward(self, words: Tensor) -> Tensor:
        heads = functional.pad(self.dropout(functional.gelu(self.head(words))), (0, 1), value=1.0)
        dependents = functional.pad(self.dropout(functional.gelu(self.dependent(words))), (0, 1), value=1.0)
        left = torch.matmul(heads.unsqueeze(1), self.weight)  # [B, out, W, width + 1]
        scores = torch.matmul(left, dependents.unsqueeze(1).transpose(2, 3))  # [B, out, W, W]
        return scores.permute(0, 2, 3, 1)


class MusnadModel(PreTrainedModel):
    """Encoder and heads. `forward` without labels gives logits; with labels also the sum of the heads' losses."""

    config: MusnadConfig
    config_class = MusnadConfig
    base_model_prefix = "encoder"

    def __init__(self, config: MusnadConfig, encoder: PreTrainedModel | None = None) -> None:
        super().__init__(config)
        if encoder is None:
            # eager attention: plain matrix products export to ONNX unchanged; training asks for sdpa
            fields = dict(config.encoder)
            encoder = AutoModel.from_config(
                AutoConfig.for_model(fields.pop("model_type"), **fields),
                attn_implementation=config._attn_implementation or "eager",
            )
        if getattr(encoder, "pooler", None) is not None:
            encoder.pooler = None  # the sentence vector is not used
        self.encoder = encoder
        width = encoder.config.hidden_size
        self.dropout = nn.Dropout(config.dropout)
        self.names = nn.Linear(width, len(NAME_TAGS))
        self.rest = nn.Linear(width, len(REST_TAGS))
        self.clitics = nn.Linear(width, CLITIC_LETTERS + 1)
        self.event = nn.Linear(width, width)
        self.classes = nn.Linear(width, len(CLASSES))
        self.factuality = nn.Linear(width, len(FACTUALITIES))
        self.roles = Biaffine(width, config.role_width, len(ROLE_TAGS), config.dropout)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Leave the heads as their constructors made them; the encoder comes with weights of its own."""

    @classmethod
    def from_encoder(cls, encoder: str, **heads: Any) -> MusnadModel:
        """Return a network with fresh heads on the pretrained encoder of a directory or hub name."""
        try:
            pretrained = AutoModel.from_pretrained(encoder, dtype=torch.float32, attn_implementation="sdpa")
        except ValueError:  # an architecture without it
            pretrained = AutoModel.from_pretrained(encoder, dtype=torch.float32)
        window = min(usable_positions(pretrained), 512)
        fields = pretrained.config.to_dict()
        fields.pop("_name_or_path", None)  # where it lay on this machine
        config = MusnadConfig(encoder=fields, max_pieces=window, **heads)
        return cls(config, pretrained)

    def renew_roles(self, width: int) -> None:
        """Make the role head anew, of another width."""
        self.config.role_width = width
        self.roles = Biaffine(self.encoder.config.hidden_size, width, len(ROLE_TAGS), self.config.dropout)

    def forward(
        self,
        input_ids: Tensor,  # [B, T]
        attention_mask: Tensor,  # [B, T]
        word_pieces: Tensor,  # [B, W]: place of each word's first piece; 0 in the padding
        labels: dict[str, Tensor] | None = None,
    ) -> NetworkOutputs:
        vectors = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        index = word_pieces.unsqueeze(-1).expand(-1, -1, vectors.shape[-1])
        words = self.dropout(vectors.gather(1, index))
        event = self.dropout(functional.gelu(self.event(words)))
        outputs = NetworkOutputs(
            names=self.names(words),
            rest=self.rest(words),
            clitics=self.clitics(words),
            classes=self.classes(event),
            factuality=self.factuality(event),
            roles=self.roles(words),
        )
        return outputs if labels is None else outputs._replace(loss=total_loss(outputs, labels))


def usable_positions(encoder: PreTrainedModel) -> int:
    """Pieces that an encoder can read at once; RoBERTa and its kin count positions from after the padding's."""
    positions = int(getattr(encoder.config, "max_position_embeddings", 512))
    for name, module in encoder.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding) and module.padding_idx is not None:
            return module.num_embeddings - module.padding_idx - 1
    return positions


def label_counts(labels: dict[str, Tensor]) -> Tensor:
    """What `total_loss` divides each head's loss by, [6]: its words with a label, and for roles `role_pairs`."""
    return torch.stack([*((labels[head] != IGNORED).sum() for head in WORD_HEADS), labels["role_pairs"].sum()])


def total_loss(outputs: NetworkOutputs, labels: dict[str, Tensor], counts: Tensor | None = None) -> Tensor:
    """Sum of the heads' mean cross entropies over the words (or pairs) that have a label; -100 has none.

    `labels` holds names, rest, clitics, classes, factuality as [B, W] and roles as [B, W, W]. Most pairs of an action
    with a word are no role and easy: the role loss is divided by the number of pairs with an entity word (the
    `role_pairs` of the labels, one count a sentence) so that the easy ones do not drown the others. `counts` are the
    `label_counts` of a larger batch that these sentences are a part of: the losses of its parts sum to its own.
    """
    divisors = (label_counts(labels) if counts is None else counts).clamp(min=1)
    total = outputs.names.new_zeros((), dtype=torch.float32)
    for head, divisor in zip((*WORD_HEADS, "roles"), divisors, strict=True):
        total = total + _summed(getattr(outputs, head), labels[head]) / divisor
    return total


def _summed(logits: Tensor, labels: Tensor) -> Tensor:
    return functional.cross_entropy(
        logits.float().flatten(0, -2), labels.flatten(), ignore_index=IGNORED, reduction="sum"
    )
