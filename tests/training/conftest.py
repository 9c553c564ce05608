"""A small tokenizer, and a network that says what it is told to say of each sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from model.annotation import AnnotatedSentence
from model.calibration import Calibration
from model.encoding import Batch, SentenceEncoder
from model.extractor import CheckpointInfo, Extractor
from model.labels import CLASSES, CLITIC_LETTERS, FACTUALITIES, NAME_TAGS, REST_TAGS, ROLE_TAGS
from model.normalization import with_arabic_normalization
from model.outputs import HEADS, Floats
from training.features import examples
from training.sources import LabelledSentence

CHARACTERS = "ابتثجحخدذرزسشصضطظعغفقكلمنهويىةءأإآؤئ0123456789.,%«»:"
SIZES = dict(
    zip(
        HEADS,
        (
            len(NAME_TAGS),
            len(REST_TAGS),
            CLITIC_LETTERS + 1,
            len(CLASSES),
            len(FACTUALITIES),
            len(ROLE_TAGS),
        ),
        strict=True,
    )
)


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    """Every character a piece."""
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *CHARACTERS, *(f"##{character}" for character in CHARACTERS)]
    tokenizer = Tokenizer(models.WordPiece({piece: index for index, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return with_arabic_normalization(tokenizer)


@pytest.fixture
def encoder(tokenizer: Tokenizer) -> SentenceEncoder:
    return SentenceEncoder(tokenizer, 512, 0)


class ScriptedNetwork:
    """Says what the annotations of the same text say, each label with `certainty` logits more than all others."""

    calls = 1
    pieces = 512

    def __init__(self, encoder: SentenceEncoder, script: Sequence[AnnotatedSentence], certainty: float) -> None:
        labelled = [LabelledSentence(sentence, names_only=False) for sentence in script]
        self.said = {tuple(example["input_ids"]): example for example in examples(labelled, encoder)}
        self.certainty = certainty
        self.rows = 0

    def __call__(self, batch: Batch) -> dict[str, Floats]:
        rows, words = batch.word_pieces.shape
        self.rows += rows
        outputs = {head: np.zeros((rows, words, size), dtype=np.float32) for head, size in SIZES.items()}
        outputs["roles"] = np.zeros((rows, words, words, SIZES["roles"]), dtype=np.float32)
        outputs["roles"][..., 0] = 1.0
        for row in range(rows):
            example = self.said[tuple(batch.input_ids[row, batch.attention_mask[row] == 1].tolist())]
            for head in HEADS[:-1]:
                for word, label in enumerate(example[head]):
                    if label >= 0:
                        outputs[head][row, word, label] = self.certainty
            for action, entity, role in example["roles"]:
                outputs["roles"][row, action, entity, role] = self.certainty
        return outputs


@pytest.fixture
def scripted(encoder: SentenceEncoder) -> Callable[..., Extractor]:
    """An extractor that finds what the given sentences hold."""

    def make(script: Sequence[AnnotatedSentence], certainty: float = 20.0, **calibration: Sequence[float]) -> Extractor:
        network = ScriptedNetwork(encoder, script, certainty)
        return Extractor(network, encoder, Calibration(calibration), CheckpointInfo("scripted", "0", {}))

    return make
