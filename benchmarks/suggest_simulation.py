"""Annotation simulated: how many sentences a network needs if `musnad suggest` chooses them, and if chance does.

    python -m benchmarks.suggest_simulation FOLDER [--svg docs/suggesting.svg]

A base network knows names and real news; the labels of a pool out of our own training split are hidden, and revealed
in batches. After each batch the network trains on with all that is revealed, is judged end to end on dev, and the next
batch is chosen by an arm: `random`, or `training.suggesting` as the command runs it, with what a sentence costs as its
length to the power that the arm names (`suggest-0.5`). `top-0.5` leaves diversity out; `repeat` reveals nothing more
after the first batch, and shows what training on by itself does. The test split plays no part. FOLDER keeps every
round, so that a stopped run goes on after the last. `docs/suggesting.md` describes the set-up.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from rich.console import Console
from tokenizers import Tokenizer

from benchmarks.suggest_report import plot, savings_table
from model.annotation import AnnotatedSentence
from model.annotation_files import read_annotations
from model.encoding import SentenceEncoder
from model.extractor import Extractor
from model.network import MusnadModel
from training.config import TrainingConfig
from training.evaluation import evaluate
from training.features import Collator, Example, examples
from training.optimization import parameter_groups
from training.sampler import SourceSampler
from training.sources import LabelledSentence, read_source
from training.suggesting.candidates import Candidates
from training.suggesting.corpus import CorpusSentence
from training.suggesting.suggest import Settings, consider, pick
from training.train import start_network, supports_bf16
from training.trainer import extractor_of, sentence_encoder

_ROOT = Path(__file__).parents[1]
_SHARED = _ROOT.parent / "shared"
ENCODER = _SHARED / "encoder"
NAMES = _SHARED / "corpora" / "anercorp" / "train.conll"
REAL = _SHARED / "annotation" / "real"
TRAIN = _ROOT / "annotations" / "train.jsonl"
DEV = _ROOT / "annotations" / "dev.jsonl"

#: Sentences of the training split whose labels are hidden, and others that are a second judge.
POOL, REST = 2000, 330
BATCH = 150
ROUNDS = 5
MEASURES = ("entities", "actions", "roles", "triples")
_BATCH_SIZE = 16
#: Steps of the base on names and on real news, and of each round; learning rates of the encoder and the heads.
_NAME_STEPS, _REAL_STEPS, _STEPS = 400, 900, 200
_RATES = (3e-4, 1e-3)
#: Layers that the rounds leave as the base has them, beside the embeddings.
_FROZEN = 8


class Below(torch.nn.Module):
    """Embeddings and lowest layers of a BERT, without dropout, in place of its embeddings: they remember sentences."""

    def __init__(self, embeddings: torch.nn.Module, layers: torch.nn.ModuleList, pad_id: int) -> None:
        super().__init__()
        # in a tuple the layers are no part of the module: they are neither trained nor saved with it
        self._parts = (embeddings.eval(), *(layer.eval() for layer in layers))
        self._pad_id = pad_id
        self._known: dict[bytes, torch.Tensor] = {}

    def forward(self, input_ids: torch.Tensor, **_: Any) -> torch.Tensor:
        """[B, T] padded pieces to [B, T, width] vectors, zeros in the padding."""
        known = [self._of(row[row != self._pad_id]) for row in input_ids]
        vectors = known[0].new_zeros(*input_ids.shape, known[0].shape[-1])
        for row, own in enumerate(known):
            vectors[row, : len(own)] = own
        return vectors

    def _of(self, pieces: torch.Tensor) -> torch.Tensor:
        key = pieces.numpy().tobytes()
        if key not in self._known:
            with torch.no_grad():
                vectors = self._parts[0](input_ids=pieces[None])
                for layer in self._parts[1:]:
                    found = layer(vectors)
                    vectors = found if isinstance(found, torch.Tensor) else found[0]
            self._known[key] = vectors[0].to(torch.bfloat16)
        return self._known[key].float()


@dataclass(frozen=True, slots=True)
class Learner:
    """A network that learns on, and what its training needs."""

    model: MusnadModel
    tokenizer: Tokenizer
    encoder: SentenceEncoder
    collator: Collator

    @classmethod
    def start(cls, encoder: Path, hidden: float = 0.0) -> Learner:
        """Fresh heads on an encoder; a share `hidden` of the words is masked in training."""
        none = [{"path": "none"}]
        config = TrainingConfig.model_validate({"encoder": str(encoder), "sources": none, "dev": none})
        model, tokenizer, mask = start_network(str(encoder), config)
        own = sentence_encoder(model, tokenizer)
        mask_id = None if mask is None else tokenizer.token_to_id(mask)
        return cls(model, tokenizer, own, Collator(own.pad_id, mask_id, own.space_id, hidden))

    def freeze(self, layers: int) -> None:
        """Keep the embeddings and the lowest layers as they are; each sentence goes through them once."""
        encoder: Any = self.model.encoder
        stack = encoder.encoder.layer
        encoder.embeddings = Below(encoder.embeddings, stack[:layers], encoder.config.pad_token_id)
        encoder.encoder.layer = stack[layers:]

    def extractor(self) -> Extractor:
        """An extractor around the network as it is."""
        return extractor_of(self.model, self.tokenizer)

    def examples(self, sentences: Iterable[LabelledSentence]) -> list[Example]:
        """Training examples of sentences."""
        return list(examples(list(sentences), self.encoder))

    def train(self, data: list[Example], steps: int, seed: int) -> None:
        """Train for so many batches, the learning rates rising over a tenth of them and then falling to nothing."""
        sampler = SourceSampler([(len(data), 1.0)], [own["length"] for own in data], _BATCH_SIZE, seed)
        groups = parameter_groups(self.model, *_RATES, 0.9, 0.01)
        optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), eps=1e-6, fused=True)
        rising = max(1, steps // 10)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: min((step + 1) / rising, (steps - step) / max(1, steps - rising))
        )
        self.model.train()
        done = epoch = 0
        while done < steps:
            sampler.set_epoch(epoch)
            epoch += 1
            order = list(sampler)
            for start in range(0, min(len(order), (steps - done) * _BATCH_SIZE), _BATCH_SIZE):
                batch = self.collator([data[index] for index in order[start : start + _BATCH_SIZE]])
                with arithmetic():
                    loss = self.model(**batch).loss
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
                optimizer.step()
                optimizer.zero_grad()
                schedule.step()
                done += 1


def arithmetic() -> torch.autocast:
    """bf16 where the processor has instructions for it."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=supports_bf16("auto"))


def base(folder: Path) -> Path:
    """Weights of the base: the compact encoder, trained on names, and then with fresh heads on real news.

    The names mend the encoder's rounded word vectors; after them these stay as they are.
    """
    names, output = folder / "names", folder / "base.pt"
    if not names.exists():
        torch.manual_seed(0)
        learner = Learner.start(ENCODER, hidden=0.1)
        learner.train(learner.examples(read_source(NAMES, "conll")), _NAME_STEPS, 1)
        unfinished = folder / "names.unfinished"
        learner.model.encoder.save_pretrained(unfinished)
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(ENCODER / name, unfinished)
        unfinished.replace(names)
    if not output.exists():
        torch.manual_seed(0)
        learner = Learner.start(names, hidden=0.1)
        encoder: Any = learner.model.encoder
        encoder.embeddings.requires_grad_(False)
        files = sorted(REAL.glob("*_train_*.jsonl"))
        real = [own for path in files for own in read_source(path, "annotations")]
        learner.train(learner.examples(real), _REAL_STEPS, 1)
        save(learner, output)
    return output


def save(learner: Learner, path: Path) -> None:
    """Keep a network's weights."""
    unfinished = path.with_suffix(".unfinished")
    torch.save(learner.model.state_dict(), unfinished)
    unfinished.replace(path)


@dataclass(frozen=True, slots=True)
class Simulation:
    """The hidden pool of a seed, and the judges."""

    folder: Path
    seed: int
    pool: list[AnnotatedSentence]
    judges: dict[str, list[AnnotatedSentence]]
    rounds: int
    learner: Learner
    start: dict[str, torch.Tensor]  # the learner's weights before the first round

    def run(self, arm: str) -> None:
        """Go through the rounds of an arm that are not done yet; the network and the rounds are kept after each."""
        weights, rounds_file = self.folder / f"{arm}-{self.seed}.pt", self.folder / f"{arm}-{self.seed}.json"
        rows = read_rows(rounds_file)
        learner = self.learner
        learner.model.load_state_dict(torch.load(weights) if rows else self.start)
        revealed: list[int] = rows[-1]["revealed"] if rows else []
        for number in range(len(rows), self.rounds + 1):
            began = time.monotonic()
            if number:
                revealed = [*revealed, *self._next(learner, revealed, arm)]
                self._train(learner, revealed, number)
            rows.append({**self._judge(learner, revealed), "seconds": round(time.monotonic() - began)})
            save(learner, weights)
            write_rows(rounds_file, rows)
            print(self.seed, arm, number, len(revealed), rows[-1]["dev"], f"{rows[-1]['seconds']} s", flush=True)

    def _next(self, learner: Learner, revealed: Sequence[int], arm: str) -> list[int]:
        """The batch that an arm reveals next."""
        rng = np.random.default_rng((self.seed, len(revealed)))
        known = set(revealed)
        hidden = [index for index in rng.permutation(len(self.pool)).tolist() if index not in known]
        if arm == "repeat" and revealed:
            return []
        if arm in ("random", "repeat"):
            return hidden[:BATCH]
        kind, _, power = arm.partition("-")
        candidates = Candidates(BATCH * (Settings(BATCH).depth if kind == "suggest" else 1))
        for index in revealed:
            candidates.leave_out(self.pool[index].text)
        extractor = learner.extractor()
        for start in range(0, len(hidden), 256):
            group = [CorpusSentence(self.pool[index].text, TRAIN, index) for index in hidden[start : start + 256]]
            with arithmetic():
                consider(group, extractor, float(power), candidates)
        return [choice.candidate.sentence.line for choice in pick(candidates, BATCH, float(power))]

    def _train(self, learner: Learner, revealed: Sequence[int], number: int) -> None:
        torch.manual_seed(1000 * self.seed + number)
        data = learner.examples(LabelledSentence(self.pool[index], names_only=False) for index in revealed)
        learner.train(data, _STEPS, 1000 * self.seed + number)

    def _judge(self, learner: Learner, revealed: list[int]) -> dict[str, Any]:
        words = sum(len(self.pool[index].text.split()) for index in revealed)
        row: dict[str, Any] = {"sentences": len(revealed), "words": words}
        for name, sentences in self.judges.items():
            with arithmetic():
                result = evaluate(learner.extractor(), sentences)
            row[name] = {measure: round(result.total(measure).f1, 4) for measure in MEASURES}
            row[name]["class"] = round(result.accuracy(result.classes), 4)
        return {**row, "revealed": revealed}


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The finished rounds of an arm."""
    return list(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else []


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    """Keep the finished rounds of an arm."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(rows), encoding="utf-8")
    unfinished.replace(path)


def main(
    folder: Annotated[Path, typer.Argument(help="Where the rounds are kept.")],
    seed: Annotated[list[int] | None, typer.Option(min=1, help="Repeatable; 1 and 2 if none is given.")] = None,
    arm: Annotated[
        list[str] | None, typer.Option(help="random, repeat, suggest-POWER or top-POWER; repeatable.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1)] = ROUNDS,
    svg: Annotated[Path | None, typer.Option(help="Draw the curves into this file.")] = None,
) -> None:
    """Run the rounds that are not done yet, print what each arm saves, and draw the curves."""
    folder.mkdir(parents=True, exist_ok=True)
    train, dev = list(read_annotations(TRAIN)), list(read_annotations(DEV))
    learner = Learner.start(ENCODER)
    learner.model.load_state_dict(torch.load(base(folder)))
    learner.freeze(_FROZEN)
    start = {name: weights.clone() for name, weights in learner.model.state_dict().items()}
    seeds, arms = seed or [1, 2], ["random", *(own for own in arm or ["suggest-0.5"] if own != "random")]
    for one in seeds:
        order = np.random.default_rng(one).permutation(len(train)).tolist()
        pool, rest = ([train[index] for index in part] for part in (order[:POOL], order[POOL : POOL + REST]))
        simulation = Simulation(folder, one, pool, {"dev": dev, "rest": rest}, rounds, learner, start)
        for own in arms:
            simulation.run(own)
    runs = {own: [read_rows(folder / f"{own}-{one}.json") for one in seeds] for own in arms}
    Console(width=140).print(savings_table(runs))
    if svg is not None:
        plot(runs, svg)


if __name__ == "__main__":
    typer.run(main)
