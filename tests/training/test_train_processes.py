"""How a step is cut into batches: for several processes, and for several batches a step."""

from __future__ import annotations

import pytest
import torch

from model.network import IGNORED, NetworkOutputs, label_counts, total_loss
from training.sampler import ProcessBatches, SourceSampler


def sampler(step: int, examples: int = 23) -> SourceSampler:
    return SourceSampler([(examples, 1.0)], [5] * examples, step, seed=4)


@pytest.mark.parametrize(("size", "count"), [(8, 1), (4, 2), (2, 4), (1, 8), (4, 1), (2, 2)])
def test_all_processes_together_take_the_steps_of_one(size: int, count: int) -> None:
    """Steps of eight, of 23 examples: the last has seven, in batches that differ by one at most."""
    alone = list(ProcessBatches(sampler(8), 8, 1, 0, blank=23))
    assert [len(batch) for batch in alone] == [8, 8, 7]
    shares = [list(ProcessBatches(sampler(8), size, count, index, blank=23)) for index in range(count)]
    rounds = 8 // (size * count)
    for step, whole in enumerate(alone):
        parts = [batch for share in shares for batch in share[step * rounds : (step + 1) * rounds]]
        assert sorted(index for part in parts for index in part if index != 23) == sorted(whole)
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
    for index, share in enumerate(shares):
        assert len(share) == len(ProcessBatches(sampler(8), size, count, index, blank=23)) == len(shares[0])


def test_a_process_without_a_sentence_takes_the_blank_one() -> None:
    shares = [list(ProcessBatches(sampler(4, examples=5), 2, 2, index, blank=5)) for index in range(2)]
    assert [len(share) for share in shares] == [2, 2]
    assert shares[1][1] == [5]
    assert shares[0][1] != [5]


def test_the_epochs_of_the_processes_keep_step() -> None:
    first, second = (ProcessBatches(sampler(8), 4, 2, index, blank=23) for index in range(2))
    for own in (first, second):
        own.set_epoch(3)
    alone = ProcessBatches(sampler(8), 8, 1, 0, blank=23)
    together = [a + b for a, b in zip(first, second, strict=True)]
    assert together != list(alone)
    alone.set_epoch(3)
    assert together == list(alone)


def test_a_step_that_cannot_be_cut_is_refused() -> None:
    with pytest.raises(ValueError, match="steps of 8 cannot be cut into batches of 3 in 2 processes"):
        ProcessBatches(sampler(8), 3, 2, 0, blank=23)


def outputs_and_labels(rows: int) -> tuple[NetworkOutputs, dict[str, torch.Tensor]]:
    generator = torch.Generator().manual_seed(0)
    words = 5
    sizes = {"names": 7, "rest": 7, "clitics": 4, "classes": 18, "factuality": 3}
    logits = {head: torch.randn(rows, words, size, generator=generator) for head, size in sizes.items()}
    logits["roles"] = torch.randn(rows, words, words, 5, generator=generator)
    labels = {
        head: torch.where(
            torch.rand(rows, words, generator=generator) < 0.5,
            torch.randint(size, (rows, words), generator=generator),
            IGNORED,
        )
        for head, size in sizes.items()
    }
    labels["roles"] = torch.where(
        torch.rand(rows, words, words, generator=generator) < 0.4,
        torch.randint(5, (rows, words, words), generator=generator),
        IGNORED,
    )
    labels["role_pairs"] = torch.randint(1, 5, (rows,), generator=generator)
    return NetworkOutputs(**logits), labels


def test_the_losses_of_the_parts_of_a_step_sum_to_its_own() -> None:
    """Not their means: sentences have more or fewer labels."""
    outputs, labels = outputs_and_labels(6)
    counts = label_counts(labels)
    whole = total_loss(outputs, labels)
    assert whole.item() == pytest.approx(total_loss(outputs, labels, counts).item())
    parts = []
    for part in (slice(0, 1), slice(1, 4), slice(4, 6)):
        own = NetworkOutputs(*(logits[part] for logits in outputs if logits is not None))
        parts.append(total_loss(own, {name: value[part] for name, value in labels.items()}, counts))
    assert sum(parts).item() == pytest.approx(whole.item(), rel=1e-6)  # type: ignore[union-attr]
    assert sum(part.item() for part in parts) / 3 != pytest.approx(whole.item(), rel=1e-2)


def test_a_sentence_without_labels_has_no_loss_and_can_be_learned_from() -> None:
    outputs, labels = outputs_and_labels(1)
    outputs.roles.requires_grad_()
    blank = {name: torch.full_like(value, 0 if name == "role_pairs" else IGNORED) for name, value in labels.items()}
    loss = total_loss(outputs, blank, label_counts(labels))
    loss.backward()
    assert loss.item() == 0.0
    assert outputs.roles.grad is not None
    assert not outputs.roles.grad.any()
