"""Fitting the calibration of scores on dev."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.annotation import AnnotatedSentence
from model.calibration import KINDS, logit
from model.extractor import Extractor
from training.evaluation import evaluate


def platt(scored: Sequence[tuple[float, bool]], steps: int = 50) -> list[float]:
    """Scale and shift that minimize the log loss of sigmoid(scale * logit(score) + shift), by Newton's method.

    A weak prior at (1, 0) keeps the answer finite where the scores already separate right from wrong.
    """
    x = np.array([[logit(score), 1.0] for score, _ in scored]).reshape(-1, 2)
    y = np.array([right for _, right in scored], dtype=np.float64)
    prior = np.array([1.0, 0.0])
    weights = prior.copy()
    for _ in range(steps):
        p = 1.0 / (1.0 + np.exp(-np.clip(x @ weights, -30, 30)))
        gradient = x.T @ (p - y) + (weights - prior)
        hessian = (x * (p * (1 - p))[:, None]).T @ x + np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        weights = weights - step
        if float(np.abs(step).max()) < 1e-8:
            break
    return [round(float(value), 6) for value in weights]


def fit(extractor: Extractor, sentences: Sequence[AnnotatedSentence]) -> dict[str, list[float]]:
    """(scale, shift) of each kind of score, from what an uncalibrated extractor finds in gold sentences."""
    if extractor.calibration.parameters:
        raise ValueError("calibration is fitted on raw scores: the extractor must have none yet")
    scored = evaluate(extractor, sentences).scored
    return {kind: platt(scored[kind]) for kind in KINDS if scored[kind]}
