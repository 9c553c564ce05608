"""Fitting the calibration of scores on dev."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.annotation import AnnotatedSentence
from model.calibration import KINDS, Calibration, logit
from model.extractor import Extractor
from training.evaluation import evaluate

#: Enough for scores to be unrounded: 0.99996 must not be fitted as if it were 1.
_UNROUNDED = 15

_PRIOR = np.array([1.0, 0.0])


def platt(scored: Sequence[tuple[float, bool]], steps: int = 50) -> list[float]:
    """Scale and shift that minimize the log loss of sigmoid(scale * logit(score) + shift), by Newton's method.

    A weak prior at (1, 0) keeps the answer finite where the scores already separate right from wrong.
    """
    x = np.array([[logit(score), 1.0] for score, _ in scored]).reshape(-1, 2)
    y = np.array([right for _, right in scored], dtype=np.float64)
    weights = _PRIOR
    for _ in range(steps):
        p = 0.5 + 0.5 * np.tanh(x @ weights / 2)
        gradient = x.T @ (p - y) + (weights - _PRIOR)
        hessian = (x * (p * (1 - p))[:, None]).T @ x + np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        # where the sigmoid is flat a whole step may go too far: go half as far until the loss falls
        while np.abs(step).max() > 1e-8 and _loss(x, y, weights - step) > _loss(x, y, weights):
            step = step / 2
        weights = weights - step
        if np.abs(step).max() < 1e-8:
            break
    return [round(float(value), 6) for value in weights]


def _loss(x: NDArray[np.float64], y: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    odds = x @ weights
    return float((np.logaddexp(0.0, odds) - y * odds).sum() + ((weights - _PRIOR) ** 2).sum() / 2)


def fit(extractor: Extractor, sentences: Sequence[AnnotatedSentence]) -> dict[str, list[float]]:
    """(scale, shift) of each kind of score, from the raw scores of what is found in gold sentences.

    A calibration that the extractor has already plays no part.
    """
    raw = Extractor(extractor.network, extractor.encoder, Calibration(decimals=_UNROUNDED), extractor.info)
    scored = evaluate(raw, sentences).scored
    return {kind: platt(scored[kind]) for kind in KINDS if scored[kind]}
