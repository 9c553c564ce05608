"""Continued masked-language training of an encoder on unlabelled Arabic text.

Whole words are masked (Devlin et al. 2019, the whole-word variant): every piece of a chosen word becomes `<mask>` in
80 %, a random piece in 10 %, itself in 10 % of the cases. Only masked positions go through the output layer, whose
matrix is the word embedding's.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional
from transformers import AutoModel, AutoTokenizer

from model.network import IGNORED
from model.normalization import with_arabic_normalization
from training.config import ConfigError, Pretraining
from training.raw_texts import texts_without

logger = logging.getLogger(__name__)

Ints = NDArray[np.int32]


def load_tokenizer(encoder: str) -> Any:
    """The encoder's fast tokenizer; raises ConfigError for an encoder without one."""
    if (Path(encoder) / "config.json").is_file() and read_model_type(Path(encoder)) == "musnad":
        raise ConfigError(f"{encoder}: a checkpoint of this project, not an encoder")
    fast = AutoTokenizer.from_pretrained(encoder)
    if getattr(fast, "backend_tokenizer", None) is None:
        raise ConfigError(f"{encoder}: its tokenizer has no tokenizer.json (a `tokenizers` pipeline)")
    return fast


def read_model_type(encoder: Path) -> object:
    """The `model_type` of a model directory."""
    return json.loads((encoder / "config.json").read_text(encoding="utf-8")).get("model_type")


def packed(texts: Iterator[str], tokenizer: Tokenizer, length: int) -> tuple[Ints, NDArray[np.bool_]]:
    """Return `(ids, word_starts)`, both [blocks, length]: all texts' pieces in one row after another."""
    ids: list[Ints] = [np.zeros(0, dtype=np.int32)]
    starts: list[NDArray[np.bool_]] = [np.zeros(0, dtype=np.bool_)]
    batch: list[str] = []

    def flush() -> None:
        for encoding in tokenizer.encode_batch_fast(batch, add_special_tokens=True):
            ids.append(np.asarray(encoding.ids, dtype=np.int32))
            words = encoding.word_ids
            starts.append(np.asarray([i == 0 or w is None or w != words[i - 1] for i, w in enumerate(words)]))
        batch.clear()

    for text in texts:
        batch.append(text)
        if len(batch) == 512:
            flush()
    flush()
    flat, flat_starts = np.concatenate(ids), np.concatenate(starts)
    blocks = len(flat) // length
    if not blocks:
        raise ConfigError(f"pretraining: the text has {len(flat)} pieces, less than one block of {length}")
    return flat[: blocks * length].reshape(blocks, length), flat_starts[: blocks * length].reshape(blocks, length)


def masked(
    ids: Ints,
    starts: NDArray[np.bool_],
    special: set[int],
    mask: int,
    vocabulary: int,
    share: float,
    rng: np.random.Generator,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return `(inputs, labels)`, both [batch, length], with `share` of the words masked; labels elsewhere are -100."""
    words = np.cumsum(starts, axis=1)
    chosen_words = rng.random((ids.shape[0], int(words.max()) + 1)) < share
    chosen = chosen_words[np.arange(len(ids))[:, None], words] & ~np.isin(ids, list(special))
    labels = np.where(chosen, ids, IGNORED)
    kind = rng.random(ids.shape)
    inputs = np.where(chosen & (kind < 0.8), mask, ids)
    inputs = np.where(chosen & (kind >= 0.9), rng.integers(len(special), vocabulary, ids.shape), inputs)
    return torch.from_numpy(inputs.astype(np.int64)), torch.from_numpy(labels.astype(np.int64))


class MaskedLanguageHead(nn.Module):
    """BERT's output layer: dense, GELU, layer norm, then the (shared) word embedding matrix and a bias."""

    def __init__(self, embedding: nn.Embedding) -> None:
        super().__init__()
        vocabulary, width = embedding.weight.shape
        self.dense = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.embedding = embedding

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """Map [positions, width] to [positions, vocabulary] logits."""
        hidden = self.norm(functional.gelu(self.dense(vectors)))
        return functional.linear(hidden, self.embedding.weight, self.bias)


def without_dropout(network: nn.Module) -> None:
    """Switch dropout off where it is drawn, and leave the configuration, from which fine-tuning starts, as it is.

    A few epochs over millions of words do not overfit, and the masks' noise is enough.
    """
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0


def pretrain(encoder: str, output: Path, settings: Pretraining, folder: Path, bf16: bool) -> None:
    """Continue an encoder's masked-language training and save it in Hugging Face layout in `output`.

    `output` appears only when training has ended; relative paths of `settings` count from `folder`.
    """
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    fast = load_tokenizer(encoder)
    if fast.mask_token is None:
        raise ConfigError(f"pretraining: the tokenizer of {encoder} has no mask token")
    tokenizer = with_arabic_normalization(Tokenizer.from_str(fast.backend_tokenizer.to_str()))
    texts = texts_without(folder / settings.text, [folder / name for name in settings.without])
    ids, starts = packed(texts, tokenizer, settings.length)
    steps, batch = settings.steps, settings.batch_size

    network: Any = AutoModel.from_pretrained(encoder, dtype=torch.float32)
    without_dropout(network)
    network.to(device).train()
    head = MaskedLanguageHead(network.get_input_embeddings()).to(device)
    parameters = list({id(p): p for module in (network, head) for p in module.parameters()}.values())
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": 0.01},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=settings.learning_rate,
        betas=(0.9, 0.98),
    )
    warmup = max(1, steps // 20)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warmup, max(0.0, (steps - step) / max(1, steps - warmup)))
    )
    special = set(fast.all_special_ids)
    order = np.concatenate([rng.permutation(len(ids)) for _ in range(math.ceil(steps * batch / len(ids)))])
    smooth = math.nan
    for step in track(range(min(steps, settings.stop_at or steps)), description="Masked-language training"):
        rows = order[step * batch : (step + 1) * batch]
        inputs, labels = masked(ids[rows], starts[rows], special, fast.mask_token_id, len(fast), settings.share, rng)
        inputs, labels = inputs.to(device), labels.to(device)
        with torch.autocast(device, dtype=torch.bfloat16, enabled=bf16):
            vectors = network(inputs, attention_mask=torch.ones_like(inputs)).last_hidden_state
            at = labels != IGNORED
            logits = head(vectors[at])
        loss = functional.cross_entropy(logits.float(), labels[at])
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        smooth = loss.item() if step == 0 else 0.98 * smooth + 0.02 * loss.item()
        if (step + 1) % 100 == 0:
            logger.info("masked-language step %d of %d: loss %.3f", step + 1, steps, smooth)
    unfinished = output.with_name(f"{output.name}.unfinished")
    network.save_pretrained(unfinished)
    fast.save_pretrained(unfinished)
    unfinished.replace(output)
