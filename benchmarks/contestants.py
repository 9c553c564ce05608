"""What `benchmarks.speed` compares: how each contestant is built, loaded and called, and the process that runs it.

A contestant that is not ours has random weights in the shape of what people use, and a tokenizer of the usual kind that
is trained on our own sentences, which cuts words into fewer pieces than a published one: the speed is that of trained
weights, or better. It is built into a directory by one process and loaded from there by another, so that the memory
of the second is what a user of it needs. Shapes: AraBERT base (arXiv:2003.00104), GLiNER small (arXiv:2311.08526, over
DeBERTa-v3-small), and the transition tagger that spaCy 3 trains by default.
"""

from __future__ import annotations

import importlib.util
import os
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a contestant's process has nothing but its own libraries
    from model.runtime import Runtime

Run = Callable[[Sequence[str]], object]

#: What all contestants but ours look for.
LABELS = ("PER", "ORG", "LOC", "NUM", "NOM")
#: Sentences in one call of the networks on PyTorch: what the issue asks of the pipeline; GLiNER's own default.
PIPELINE_BATCH = 16
GLINER_BATCH = 8

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
_GLINER_MARKS = ("<<ENT>>", "<<SEP>>")
_GLINER_VOCABULARY = 128_003


@dataclass(frozen=True, slots=True)
class Contestant:
    """Something that reads sentences.

    `build` writes to a directory what `load` reads there. `splits`: it takes whole articles; the others get their
    sentences.
    """

    title: str
    gives: str
    load: Callable[[Path], Run]
    build: Callable[[Path, Sequence[str]], None] | None = None
    package: str | None = None
    splits: bool = False

    @property
    def installed(self) -> bool:
        return self.package is None or importlib.util.find_spec(self.package) is not None


def _load_musnad(folder: Path, checkpoint: str, runtime: Runtime) -> Run:
    from model.extractor import Extractor

    return Extractor.load(checkpoint, runtime=runtime).extract_batch


def _build_pipeline(folder: Path, texts: Sequence[str]) -> None:
    """A random BERT of AraBERT base's shape: 12 layers, 768 wide, a vocabulary of 64k."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import BertConfig, BertForTokenClassification

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=64_000, special_tokens=list(_SPECIAL), show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    _save_tokenizer(tokenizer, folder)
    config = BertConfig(vocab_size=64_000)
    config.num_labels = 2 * len(LABELS) + 1
    BertForTokenClassification(config).save_pretrained(folder)


def _save_tokenizer(tokenizer: Any, folder: Path) -> None:
    from tokenizers import processors
    from transformers import PreTrainedTokenizerFast

    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), _SPECIAL, strict=True))
    fast: Any = PreTrainedTokenizerFast  # transformers leaves its constructor without types
    fast(tokenizer_object=tokenizer, **names).save_pretrained(folder)


def _load_pipeline(folder: Path) -> Run:
    from transformers import pipeline

    _use_cores()
    place = str(folder)
    tagger = pipeline("token-classification", model=place, tokenizer=place, batch_size=PIPELINE_BATCH, device="cpu")
    return lambda texts: tagger(list(texts))


def _build_gliner(folder: Path, texts: Sequence[str]) -> None:
    """A random GLiNER of its small shape: DeBERTa-v3-small, 6 layers, 768 wide, a vocabulary of 128k."""
    from gliner import GLiNER
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = [*_SPECIAL, *_GLINER_MARKS]
    trainer = trainers.UnigramTrainer(
        vocab_size=128_000, special_tokens=special, unk_token="[UNK]", show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    _save_tokenizer(tokenizer, folder)
    encoder = {
        "model_type": "deberta-v2",
        "vocab_size": _GLINER_VOCABULARY,
        "hidden_size": 768,
        "num_hidden_layers": 6,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "relative_attention": True,
        "position_buckets": 256,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "pos_att_type": ["p2c", "c2p"],
        "layer_norm_eps": 1e-7,
        "position_biased_input": False,
        "type_vocab_size": 0,
        "pad_token_id": 0,
    }
    shape = {
        "model_name": str(folder),
        "span_mode": "markerV0",
        "max_width": 12,
        "hidden_size": 768,
        "subtoken_pooling": "first",
        "max_len": 384,
        "class_token_index": tokenizer.token_to_id(_GLINER_MARKS[0]),
        "vocab_size": _GLINER_VOCABULARY,
        "encoder_config": encoder,
    }
    GLiNER.from_config(shape, backbone_from_pretrained=False).save_pretrained(folder)


def _load_gliner(folder: Path) -> Run:
    from gliner import GLiNER

    _use_cores()
    network = GLiNER.from_pretrained(str(folder), local_files_only=True)
    return lambda texts: network.inference(list(texts), list(LABELS), batch_size=GLINER_BATCH)


def _build_spacy(folder: Path, texts: Sequence[str]) -> None:
    """spaCy's tagger with its default network, and random weights."""
    import spacy

    language = spacy.blank("ar")
    tagger: Any = language.add_pipe("ner")
    for label in LABELS:
        tagger.add_label(label)
    language.initialize()
    language.to_disk(folder)


def _load_spacy(folder: Path) -> Run:
    import spacy

    language = spacy.load(folder)
    return lambda texts: list(language.pipe(texts))


def _use_cores() -> None:
    """PyTorch on the cores that this process may use."""
    import torch

    torch.set_num_threads(len(os.sched_getaffinity(0)))


def _musnad(title: str, checkpoint: str = "default", runtime: Runtime = "openvino") -> Contestant:
    load = partial(_load_musnad, checkpoint=checkpoint, runtime=runtime)
    return Contestant(title, "entities, actions, roles, triples", load, splits=True)


#: By their names on the command line.
CONTESTANTS: Mapping[str, Contestant] = {
    "musnad": _musnad("Musnad"),
    "musnad-int8": _musnad("Musnad, onnxruntime-int8", runtime="onnxruntime-int8"),
    "fast": _musnad("Musnad, checkpoint fast", "fast"),
    "fast-int8": _musnad("Musnad, checkpoint fast, onnxruntime-int8", "fast", "onnxruntime-int8"),
    "pipeline": Contestant(
        "Hugging Face pipeline, AraBERT base's shape", "entities", _load_pipeline, _build_pipeline, "transformers"
    ),
    "gliner": Contestant("GLiNER, small shape, five labels", "entities", _load_gliner, _build_gliner, "gliner"),
    "spacy": Contestant("spaCy's transition tagger", "entities", _load_spacy, _build_spacy, "spacy"),
}
YARDSTICK = "pipeline"


def build(name: str, folder: str, texts: Sequence[str]) -> None:
    """Build a contestant; to be run in a process of its own."""
    own = CONTESTANTS[name].build
    if own is not None:
        _keep_quiet()
        own(Path(folder), texts)


def serve(connection: Connection, name: str, folder: str) -> None:
    """Load a contestant; then take lists of lists of texts, and give the seconds of each list, until None comes.

    None is answered with the peak of this process's memory, in bytes.
    """
    _keep_quiet()
    run = CONTESTANTS[name].load(Path(folder))
    while (calls := connection.recv()) is not None:
        connection.send([_seconds(partial(run, texts)) for texts in calls])
    connection.send(peak_bytes())


def _keep_quiet() -> None:
    os.environ["HF_HUB_OFFLINE"] = "1"
    warnings.simplefilter("ignore")
    if importlib.util.find_spec("transformers") is not None:
        os.environ["TRANSFORMERS_VERBOSITY"] = "error"


def _seconds(call: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def peak_bytes() -> int:
    """The most resident memory that this process has had (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "VmHWM":
            return int(value.split()[0]) * 1024
    raise RuntimeError("/proc/self/status: there is no VmHWM")
