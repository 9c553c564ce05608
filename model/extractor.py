"""The extractor: text in, documents out, with a checkpoint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from model.assembly import assemble
from model.calibration import Calibration
from model.decoding import DecodedSentence, decode
from model.encoding import EncodedSentence, SentenceEncoder, batches
from model.outputs import HEADS, Floats, Network, WordLogits, merge
from model.records import Document
from model.runtime import OnnxNetwork
from model.text import Offsets, split_sentences

#: The checkpoint that ships with the project.
DEFAULT_CHECKPOINT = Path(__file__).parent / "default"

#: Padded pieces in one call of the network: large enough to fill the cores, small enough to stay in cache.
PIECES_PER_BATCH = 2048


class CheckpointError(ValueError):
    """A checkpoint directory that cannot be used: says which file and why."""


@dataclass(frozen=True, slots=True)
class CheckpointInfo:
    """What a checkpoint says of itself."""

    name: str
    version: str
    config: dict[str, Any]


def read_config(checkpoint: Path) -> dict[str, Any]:
    """Return a checkpoint's `config.json`; raise CheckpointError where there is none, or one of another model."""
    path = checkpoint / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{checkpoint}: not a checkpoint directory: there is no config.json") from None
    except ValueError as error:
        raise CheckpointError(f"{path}: not JSON: {error}") from None
    if not isinstance(config, dict) or config.get("model_type") != "musnad":
        raise CheckpointError(f"{path}: `model_type` is not 'musnad': not a checkpoint of this project")
    return config


def load_tokenizer(checkpoint: Path) -> Tokenizer:
    """Return the tokenizer of a checkpoint directory."""
    path = checkpoint / "tokenizer.json"
    if not path.is_file():
        raise CheckpointError(f"{checkpoint}: there is no tokenizer.json")
    return Tokenizer.from_file(str(path))


class Extractor:
    """Extracts entities, actions, roles and triples. Thread-safe.

    >>> extractor = Extractor.load()
    >>> document = extractor.extract("استقبل الرئيس جو بايدن رئيس الوزراء العراقي.")
    """

    def __init__(self, network: Network, encoder: SentenceEncoder, calibration: Calibration, info: CheckpointInfo) -> None:
        self.network = network
        self.encoder = encoder
        self.calibration = calibration
        self.info = info

    @classmethod
    def load(cls, checkpoint: str | Path | None = None, *, threads: int = 0) -> Extractor:
        """Load a checkpoint directory (default: the shipped one) on ONNX Runtime.

        `threads`: threads inside one call of the network; 0 uses all cores. Raises CheckpointError.
        """
        path = DEFAULT_CHECKPOINT if checkpoint is None else Path(checkpoint)
        config = read_config(path)
        graph = path / "model.onnx"
        if not graph.is_file():
            raise CheckpointError(f"{path}: there is no model.onnx (training ends with an export that writes it)")
        return cls.with_network(path, OnnxNetwork(graph, threads), config)

    @classmethod
    def with_network(cls, checkpoint: Path, network: Network, config: dict[str, Any] | None = None) -> Extractor:
        """Put a checkpoint's tokenizer and calibration around any network (PyTorch's, in training)."""
        config = read_config(checkpoint) if config is None else config
        tokenizer = load_tokenizer(checkpoint)
        encoder = SentenceEncoder(tokenizer, config["max_pieces"], config["encoder"].get("pad_token_id") or 0)
        info = CheckpointInfo(config.get("name", checkpoint.name), config.get("version", "0"), config)
        return cls(network, encoder, Calibration(config.get("calibration") or {}), info)

    def extract(self, text: str, *, id: str | None = None, min_score: float = 0.0) -> Document:
        """Extract one text. `id` defaults to a digest of the text; what scores below `min_score` is left out."""
        return self.extract_batch([text], ids=None if id is None else [id], min_score=min_score)[0]

    def extract_batch(
        self,
        texts: Sequence[str],
        *,
        ids: Sequence[str] | None = None,
        batch_size: int = 32,
        min_score: float = 0.0,
    ) -> list[Document]:
        """Extract texts, in order; sentences of all texts share batches of at most `batch_size`."""
        return self.extract_split(texts, [split_sentences(text) for text in texts], ids, batch_size, min_score)

    def extract_split(
        self,
        texts: Sequence[str],
        sentences: Sequence[Sequence[Offsets]],
        ids: Sequence[str] | None = None,
        batch_size: int = 32,
        min_score: float = 0.0,
    ) -> list[Document]:
        """Extract texts whose sentences are already known, as offsets in each text."""
        if ids is not None and len(ids) != len(texts):
            raise ValueError(f"{len(ids)} ids for {len(texts)} texts")
        if not 0.0 <= min_score <= 1.0:
            raise ValueError(f"min_score: {min_score} is not between 0 and 1")
        places = [(text, offsets) for text, own in zip(texts, sentences, strict=True) for offsets in own]
        encoded = self.encoder.encode_many(places)
        decoded = self.decode(encoded, batch_size)
        documents = []
        first = 0
        for index, (text, own) in enumerate(zip(texts, sentences, strict=True)):
            last = first + len(own)
            documents.append(
                assemble(
                    text_id(text) if ids is None else ids[index],
                    text,
                    own,
                    encoded[first:last],
                    decoded[first:last],
                    self.calibration,
                    min_score,
                )
            )
            first = last
        return documents

    def decode(self, encoded: Sequence[EncodedSentence], batch_size: int = 32) -> list[DecodedSentence]:
        """Spans and roles of encoded sentences, in order; a sentence without words has none."""
        decoded = [DecodedSentence((), (), ())] * len(encoded)
        logits = self.logits(encoded, batch_size)
        found = [(index, own) for index, own in enumerate(logits) if own is not None]
        for group in batches([len(own.names) for _, own in found], batch_size, PIECES_PER_BATCH):
            for item, sentence in zip(group, decode([found[item][1] for item in group]), strict=True):
                decoded[found[item][0]] = sentence
        return decoded

    def logits(self, encoded: Sequence[EncodedSentence], batch_size: int = 32) -> list[WordLogits | None]:
        """The network's logits for encoded sentences, windows merged; None for a sentence without words."""
        windows = [self.encoder.windows(sentence) for sentence in encoded]
        flat = [(index, place) for index, own in enumerate(windows) for place in range(len(own))]
        rows: list[list[dict[str, Floats]]] = [[{} for _ in own] for own in windows]
        lengths = [len(windows[index][place].input_ids) for index, place in flat]
        for group in batches(lengths, batch_size, PIECES_PER_BATCH):
            members = [flat[item] for item in group]
            outputs = self.network(self.encoder.batch([windows[index][place] for index, place in members]))
            for row, (index, place) in enumerate(members):
                rows[index][place] = {head: outputs[head][row] for head in HEADS}
        return [merge(own, outputs) if own else None for own, outputs in zip(windows, rows, strict=True)]


def text_id(text: str) -> str:
    """Default document id: the first 16 hexadecimal digits of the SHA-256 of the text's UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
