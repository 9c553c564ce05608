"""What benchmarks send: sentences of the test annotations, and articles of 400 words, as bodies of `POST /predict`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from model.annotation_files import read_annotations
from model.sentences import split_sentences

_ROOT = Path(__file__).parents[1]
ANNOTATIONS = _ROOT / "annotations" / "test.jsonl"
ARTICLES = _ROOT / "tests" / "articles"


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts, and the sentences that the service finds in them, in the mean."""

    texts: tuple[str, ...]
    sentences: float

    @property
    def bodies(self) -> list[bytes]:
        """One body a text."""
        return [json.dumps({"text": text}, ensure_ascii=False).encode() for text in self.texts]


def _texts(texts: list[str]) -> Texts:
    return Texts(tuple(texts), sum(len(split_sentences(text)) for text in texts) / len(texts))


def sentences(count: int = 500) -> Texts:
    """Different news sentences, of all lengths, in the order of the file."""
    return _texts([own.text for own in islice(read_annotations(ANNOTATIONS), count)])


def articles(words: int = 400) -> Texts:
    """Articles of about so many words: each begins with another of ours, and goes on with those after it."""
    sources = [path.read_text(encoding="utf-8") for path in sorted(ARTICLES.glob("*.txt"))]
    return _texts(["\n".join(_at_length(sources[n:] + sources[:n], words)) for n in range(len(sources))])


def _at_length(sources: list[str], words: int) -> list[str]:
    """Whole sentences of texts, until there are so many words."""
    taken: list[str] = []
    count = 0
    for source in sources:
        for start, end in split_sentences(source):
            if count >= words:
                return taken
            taken.append(source[start:end])
            count += len(source[start:end].split())
    return taken
