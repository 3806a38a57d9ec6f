"""Probabilities that can be trusted: temperature scaling, and the confidence at which few are wrong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TINY = 1e-12


def scale(probabilities: NDArray[np.floating], temperature: float) -> Floats:
    """Probabilities (n, classes) with their logarithms divided by `temperature`, each row summing to 1.

    Temperature scaling (Guo, Pleiss, Sun, Weinberger, 2017): above 1 it makes them humbler; the order stays.
    """
    logits = np.log(np.maximum(probabilities.astype(np.float64), TINY)) / temperature
    logits -= logits.max(axis=1, keepdims=True)
    raised = np.exp(logits)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def negative_log_likelihood(probabilities: Floats, truth: NDArray[np.integer]) -> float:
    """Mean of −log of the probability given to the true class."""
    return float(-np.log(np.maximum(probabilities[np.arange(len(truth)), truth], TINY)).mean())


def fit_temperature(probabilities: NDArray[np.floating], truth: NDArray[np.integer]) -> float:
    """The temperature between 0.25 and 8 with the least negative log likelihood on held-out digits."""
    low, high = np.log(0.25), np.log(8.0)
    golden = (np.sqrt(5) - 1) / 2
    for _ in range(40):
        a, b = high - golden * (high - low), low + golden * (high - low)
        losses = [negative_log_likelihood(scale(probabilities, float(np.exp(t))), truth) for t in (a, b)]
        low, high = (low, b) if losses[0] <= losses[1] else (a, high)
    return round(float(np.exp((low + high) / 2)), 4)


def threshold_at(error: float, confidence: Floats, right: NDArray[np.bool_]) -> float:
    """The lowest confidence such that, of all digits at or above it, at most the share `error` is wrong.

    1.0 where no threshold gives that; digits of equal confidence are accepted together.
    """
    order = np.argsort(-confidence, kind="stable")
    sorted_confidence = confidence[order]
    wrong = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    last_of_equals = np.append(sorted_confidence[1:] != sorted_confidence[:-1], True)
    good = np.flatnonzero((wrong <= error) & last_of_equals)
    return float(sorted_confidence[good[-1]]) if len(good) else 1.0


def expected_calibration_error(confidence: Floats, right: NDArray[np.bool_], bins: int = 15) -> float:
    """Mean gap between confidence and share right over `bins` equal bins, weighted with their digits (0 to 1)."""
    index = np.clip((confidence * bins).astype(int), 0, bins - 1)
    gap = np.bincount(index, right, bins) - np.bincount(index, confidence, bins)
    return float(np.abs(gap).sum() / max(1, len(confidence)))
