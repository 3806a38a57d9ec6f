"""How well digits are read: the figures that a training and `batchocr evaluate` tell."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from batchocr.recognition.calibration import Floats, expected_calibration_error, threshold_at
from batchocr.training.datasets import Labels

ERRORS = (0.01, 0.001)
"""Shares of wrong digits among the accepted ones for which the coverage is told."""


def coverage(error: float, confidence: Floats, right: NDArray[np.bool_]) -> float:
    """Share of all digits that can be accepted, most confident first, with at most the share `error` of them wrong.

    Digits of equal confidence are accepted together.
    """
    accepted = confidence >= threshold_at(error, confidence, right)
    fits = accepted.any() and (~right[accepted]).mean() <= error
    return float(accepted.mean()) if fits else 0.0


def trust(confidence: Floats, right: NDArray[np.bool_]) -> dict[str, float]:
    """Whether confidences (n,) can be trusted: calibration error, and coverage at each of ERRORS."""
    return {
        "expected_calibration_error": round(expected_calibration_error(confidence, right), 5),
        **{f"coverage_at_error_{error}": round(coverage(error, confidence, right), 4) for error in ERRORS},
    }


def figures(probabilities: Floats, labels: Labels) -> dict[str, Any]:
    """Accuracy, errors, calibration, coverage and confusions of calibrated probabilities (n, classes).

    An answer beyond the ten digits counts as an error.
    """
    predicted, confidence = probabilities.argmax(1), probabilities.max(1)
    right = predicted == labels
    pairs = Counter(zip(labels[~right].tolist(), predicted[~right].tolist(), strict=True))
    return {
        "accuracy": round(float(right.mean()), 5),
        "errors": int((~right).sum()),
        "count": len(labels),
        **trust(confidence, right),
        "confusions": confusions(pairs),
    }


def confusions(pairs: Counter[tuple[int, int]]) -> list[dict[str, int]]:
    """What was taken for what and how often, most often first."""
    ordered = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
    return [{"true": true, "predicted": predicted, "count": count} for (true, predicted), count in ordered]
