"""The extractor: text in, documents out, with a checkpoint."""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from model.assembly import assemble
from model.calibration import Calibration
from model.decoding import DecodedSentence, decode
from model.encoding import EncodedSentence, SentenceEncoder, batches
from model.outputs import Floats, Network, WordLogits, merge, unpadded
from model.records import Document
from model.runtime import Runtime, load_network
from model.sentences import split_sentences
from model.text import Offsets

#: The checkpoints that ship with the project, by name: the first is used where none is named.
SHIPPED = {name: Path(__file__).parent / name for name in ("default", "fast")}
DEFAULT_CHECKPOINT = SHIPPED["default"]

#: Sentences in one call of the network, at most.
BATCH_SIZE = 8

#: Sentences whose logits are held at once, at most.
SENTENCES_AT_ONCE = 1024

#: Pairs of words whose role logits are held at once (40 MiB of them), but for a sentence that has more by itself.
PAIRS_AT_ONCE = 2**21


class CheckpointError(ValueError):
    """A checkpoint directory that cannot be used: says which file and why."""


@dataclass(frozen=True, slots=True)
class CheckpointInfo:
    """What a checkpoint says of itself."""

    name: str
    version: str
    config: dict[str, Any]


def directory_of(checkpoint: str | Path | None) -> Path:
    """The directory of a checkpoint: as given, or, where nothing is there, of the one that ships under that name."""
    path = DEFAULT_CHECKPOINT if checkpoint is None else Path(checkpoint)
    return SHIPPED[str(path)] if is_name(path) else path


def is_name(checkpoint: Path) -> bool:
    """Whether this is the name of a checkpoint that ships, and nothing here is called so."""
    return str(checkpoint) in SHIPPED and not os.path.lexists(checkpoint)


def read_config(checkpoint: Path) -> dict[str, Any]:
    """Return a checkpoint's `config.json`; raise CheckpointError where there is none, or one of another model."""
    path = checkpoint / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{checkpoint}: not a checkpoint directory: there is no config.json") from None
    except OSError as error:
        raise CheckpointError(f"{checkpoint}: not a checkpoint directory: {error.strerror}") from None
    except ValueError as error:
        raise CheckpointError(f"{path}: not JSON: {error}") from None
    if not isinstance(config, dict) or config.get("model_type") != "musnad":
        raise CheckpointError(f"{path}: `model_type` is not 'musnad': not a checkpoint of this project")
    for field, kind in (("max_pieces", int), ("encoder", dict)):
        if not isinstance(config.get(field), kind):
            raise CheckpointError(f"{path}: `{field}` is missing, or not {'a number' if kind is int else 'an object'}")
    return config


def load_tokenizer(checkpoint: Path) -> Tokenizer:
    """Return the tokenizer of a checkpoint directory; raise CheckpointError where there is none to be read."""
    path = checkpoint / "tokenizer.json"
    if not path.is_file():
        raise CheckpointError(f"{checkpoint}: there is no tokenizer.json")
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # `tokenizers` raises nothing more exact
        raise CheckpointError(f"{path}: not a tokenizer: {error}") from None


class Extractor:
    """Extracts entities, actions, roles and triples. Thread-safe.

    >>> extractor = Extractor.load()
    >>> document = extractor.extract("استقبل الرئيس جو بايدن رئيس الوزراء العراقي.")
    """

    def __init__(
        self, network: Network, encoder: SentenceEncoder, calibration: Calibration, info: CheckpointInfo
    ) -> None:
        self.network = network
        self.encoder = encoder
        self.calibration = calibration
        self.info = info

    @classmethod
    def load(
        cls,
        checkpoint: str | Path | None = None,
        *,
        runtime: Runtime = "openvino",
        threads: int = 0,
        calls: int = 0,
    ) -> Extractor:
        """Load a checkpoint from its directory, or one that ships by its name (by default `default`; `fast`).

        `threads`: cores that the network may use (0: all); `calls`: batches that share them at a time (0: one a core).
        Raises CheckpointError.
        """
        path = directory_of(checkpoint)
        config = read_config(path)
        graph = path / "model.onnx"
        if not graph.is_file():
            raise CheckpointError(f"{path}: there is no model.onnx (training ends with an export that writes it)")
        try:
            network = load_network(graph, runtime, threads, calls)
        except Exception as error:  # the runtimes' errors have no base class of their own
            raise CheckpointError(f"{graph}: not a network that {runtime} can run: {error}") from None
        return cls.with_network(path, network, config)

    @classmethod
    def with_network(cls, checkpoint: Path, network: Network, config: dict[str, Any] | None = None) -> Extractor:
        """Put a checkpoint's tokenizer and calibration around any network."""
        config = read_config(checkpoint) if config is None else config
        tokenizer = load_tokenizer(checkpoint)
        try:
            encoder = SentenceEncoder(tokenizer, config["max_pieces"], config["encoder"].get("pad_token_id") or 0)
            calibration = Calibration(config.get("calibration") or {})
        except ValueError as error:
            raise CheckpointError(f"{checkpoint}: {error}") from None
        info = CheckpointInfo(config.get("name", checkpoint.name), config.get("version", "0"), config)
        return cls(network, encoder, calibration, info)

    def extract(self, text: str, *, id: str | None = None, min_score: float = 0.0) -> Document:
        """Extract one text. `id` defaults to a digest of the text; what scores below `min_score` is left out."""
        return self.extract_batch([text], ids=None if id is None else [id], min_score=min_score)[0]

    def extract_batch(
        self,
        texts: Sequence[str],
        *,
        ids: Sequence[str] | None = None,
        batch_size: int = BATCH_SIZE,
        min_score: float = 0.0,
    ) -> list[Document]:
        """Extract texts, in order; sentences of all texts share batches of at most `batch_size`.

        What is found depends on neither the batch size nor the other texts, up to the floating-point noise of the
        network. Raises ValueError where `ids` are not as many as `texts`, for a `min_score` outside 0 to 1, or a
        `batch_size` below 1.
        """
        if isinstance(texts, str):
            raise TypeError("texts: a sequence of strings is wanted, not one string; `extract` takes one")
        return self.extract_split(texts, [split_sentences(text) for text in texts], ids, batch_size, min_score)

    def extract_split(
        self,
        texts: Sequence[str],
        sentences: Sequence[Sequence[Offsets]],
        ids: Sequence[str] | None = None,
        batch_size: int = BATCH_SIZE,
        min_score: float = 0.0,
    ) -> list[Document]:
        """Extract texts whose sentences are already known, as offsets in each text."""
        _check_arguments(texts, ids, batch_size, min_score)
        places = [(text, offsets) for text, own in zip(texts, sentences, strict=True) for offsets in own]
        encoded = self.encoder.encode_many(places)
        return self.documents(texts, sentences, encoded, self.decode(encoded, batch_size), ids, min_score)

    def documents(
        self,
        texts: Sequence[str],
        sentences: Sequence[Sequence[Offsets]],
        encoded: Sequence[EncodedSentence],
        decoded: Sequence[DecodedSentence],
        ids: Sequence[str] | None = None,
        min_score: float = 0.0,
    ) -> list[Document]:
        """Make documents of decoded sentences; `encoded` and `decoded` hold those of all texts, in order."""
        names = [text_id(text) for text in texts] if ids is None else ids
        documents = []
        first = 0
        for name, text, own in zip(names, texts, sentences, strict=True):
            part = slice(first, first + len(own))
            documents.append(assemble(name, text, own, encoded[part], decoded[part], self.calibration, min_score))
            first += len(own)
        return documents

    def decode(self, encoded: Sequence[EncodedSentence], batch_size: int = BATCH_SIZE) -> list[DecodedSentence]:
        """Spans and roles of encoded sentences, in order; a sentence without words has none."""
        decoded: list[DecodedSentence] = []
        for group in self._groups(encoded):
            decoded += decode(self.logits(group, batch_size))
        return decoded

    def _groups(self, encoded: Sequence[EncodedSentence]) -> Iterator[list[EncodedSentence]]:
        """Runs of sentences whose logits are held at once."""
        group: list[EncodedSentence] = []
        held = 0
        for sentence in encoded:
            words, room = len(sentence.words), self.encoder.max_pieces
            pairs = words * words if words <= room else 2 * words * room  # of windows that overlap by half
            if group and (len(group) == SENTENCES_AT_ONCE or held + pairs > PAIRS_AT_ONCE):
                yield group
                group, held = [], 0
            group.append(sentence)
            held += pairs
        if group:
            yield group

    def logits(self, encoded: Sequence[EncodedSentence], batch_size: int = BATCH_SIZE) -> list[WordLogits | None]:
        """The network's logits for encoded sentences, windows merged; None for a sentence without words."""
        windows = [self.encoder.windows(sentence) for sentence in encoded]
        flat = [(index, place) for index, own in enumerate(windows) for place in range(len(own))]
        rows: list[list[dict[str, Floats]]] = [[{} for _ in own] for own in windows]
        lengths = [len(windows[index][place].input_ids) for index, place in flat]

        def run(group: Sequence[int]) -> None:
            members = [flat[item] for item in group]
            outputs = self.network(self.encoder.batch([windows[index][place] for index, place in members]))
            for row, (index, place) in enumerate(members):
                window = windows[index][place]
                rows[index][place] = unpadded(outputs, row, window.last - window.first)

        groups = list(batches(lengths, batch_size, self.network.pieces))
        if len(groups) > 1 and self.network.calls > 1:
            with ThreadPoolExecutor(self.network.calls) as pool:
                deque(pool.map(run, reversed(groups)), maxlen=0)  # the longest first, so that all end together
        else:
            for group in groups:
                run(group)
        return [merge(own, outputs) if own else None for own, outputs in zip(windows, rows, strict=True)]


def _check_arguments(texts: Sequence[str], ids: Sequence[str] | None, batch_size: int, min_score: float) -> None:
    if ids is not None and len(ids) != len(texts):
        raise ValueError(f"{len(ids)} ids for {len(texts)} texts")
    if batch_size < 1:
        raise ValueError(f"batch_size: {batch_size} is less than 1")
    if not 0.0 <= min_score <= 1.0:
        raise ValueError(f"min_score: {min_score} is not between 0 and 1")


def text_id(text: str) -> str:
    """Default document id: the first 16 hexadecimal digits of the SHA-256 of the text's UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
