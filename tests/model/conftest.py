"""Two small tokenizers of the shapes that encoders come with, and a network whose logits depend on the words alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from model.calibration import Calibration
from model.encoding import Batch, SentenceEncoder
from model.extractor import CheckpointInfo, Extractor
from model.labels import CLASSES, CLITIC_LETTERS, FACTUALITIES, NAME_TAGS, REST_TAGS, ROLE_TAGS
from model.normalization import with_arabic_normalization
from model.outputs import Floats

CORPUS = [
    "أعلن الجيش العراقي مقتل خمسة مسلحين في الأنبار وبغداد أمس.",
    "قصف الجيش «داعش» في صلاح الدين، وقال 45 شاهدا إن 3.5% من المنازل دمرت!",
    "استقبل الرئيس رئيس الوزراء وبحث معه زيارة لبنان ثم كتب علي كتابا عن هذا لا غير.",
    "من قال إن الوزير غادر العاصمة إلى القاهرة؟",
]
LETTERS = "ابتثجحخدذرزسشصضطظعغفقكلمنهويىةءأإآؤئ"


def unigram() -> Tokenizer:
    """Shaped like XLM-R's: Metaspace, `<s> … </s>`."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.Replace("  ", " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(
        vocab_size=160, special_tokens=specials, unk_token="<unk>", initial_alphabet=[*LETTERS], show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return with_arabic_normalization(tokenizer)


def wordpiece() -> Tokenizer:
    """Shaped like AraBERT's: BertNormalizer that keeps case, BertPreTokenizer, `[CLS] … [SEP]`."""
    words = [word for line in CORPUS for word in line.rstrip(".!؟").split() if word.isalpha()]
    symbols = [*"0123456789.,%«»!؟،:-_()/<>[]"]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    pieces += [*symbols, *(f"##{digit}" for digit in "0123456789"), *dict.fromkeys(w for w in words if len(w) > 1)]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    return with_arabic_normalization(tokenizer)


TOKENIZERS = {"unigram": unigram, "wordpiece": wordpiece}


class WordNetwork:
    """Logits of a word are random, but the same wherever the word's first piece is the same.

    Pairs of words more than `reach` pieces apart have no role, so that windows can show what one input shows.
    """

    calls = 2
    pieces = 512

    def __init__(self, vocabulary: int, seed: int = 0, reach: int = 20) -> None:
        random = np.random.default_rng(seed)
        sizes = {
            "names": len(NAME_TAGS),
            "rest": len(REST_TAGS),
            "clitics": CLITIC_LETTERS + 1,
            "classes": len(CLASSES),
            "factuality": len(FACTUALITIES),
            "actions": len(ROLE_TAGS),
            "entities": len(ROLE_TAGS),
        }
        self.tables = {
            head: (2 * random.standard_normal((vocabulary, size))).astype(np.float32) for head, size in sizes.items()
        }
        self.reach = reach
        self.batches: list[Batch] = []

    def __call__(self, batch: Batch) -> dict[str, Floats]:
        self.batches.append(batch)
        ids = np.take_along_axis(batch.input_ids, batch.word_pieces, axis=1)
        outputs = {head: table[ids] for head, table in self.tables.items()}
        roles = outputs.pop("actions")[:, :, None] + outputs.pop("entities")[:, None]
        far = np.abs(batch.word_pieces[:, :, None] - batch.word_pieces[:, None]) > self.reach
        roles[far, 0] = 100.0
        return {**outputs, "roles": roles}


@pytest.fixture(params=sorted(TOKENIZERS), scope="session")
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    """Each of the two tokenizers, with Arabic normalization."""
    return TOKENIZERS[request.param]()


@pytest.fixture(scope="session")
def unigram_tokenizer() -> Tokenizer:
    return unigram()


@pytest.fixture(scope="session")
def wordpiece_tokenizer() -> Tokenizer:
    return wordpiece()


@pytest.fixture(scope="session")
def make_extractor(tokenizer: Tokenizer) -> Callable[..., Extractor]:
    """An extractor around a `WordNetwork`, on each tokenizer; its network is `extractor.network`."""

    def make(max_pieces: int = 512, seed: int = 0, calibration: Calibration | None = None) -> Extractor:
        network = WordNetwork(tokenizer.get_vocab_size(), seed)
        encoder = SentenceEncoder(tokenizer, max_pieces, 0)
        return Extractor(network, encoder, calibration or Calibration(), CheckpointInfo("test", "0", {}))

    return make
