"""Figures of how well digits are read, for trainings and `batchocr evaluate`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from batchocr.datasets.digits import Labels
from batchocr.recognition.calibration import (
    NOT_A_DIGIT,
    Floats,
    Level,
    digit_confidences,
    expected_calibration_error,
    level_for,
    levels,
    min_error_level,
    predicted_classes,
    threshold_at,
)

ERRORS = (0.01, 0.001)
"""Shares of wrong digits among the accepted ones for which the coverage is reported."""
MAX_ERRORS = (0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
"""Values of `--max-error` for which the threshold is reported."""


def class_name(label: int, *, narrow: bool = False) -> str:
    """Return the name of a class for people: the digit, or `not a digit` (`none` where there is little space)."""
    return str(label) if label < NOT_A_DIGIT else "none" if narrow else "not a digit"


def coverage(error: float, confidence: Floats, right: NDArray[np.bool_]) -> float:
    """Return the share of all digits that can be accepted, the surest first, with at most the share `error` of them
    wrong.

    Digits of equal confidence are accepted together.

    Args:
        error: Maximum share of wrong digits.
        confidence: Confidences (n,).
        right: Whether each digit is right, (n,).
    """
    accepted = confidence >= threshold_at(error, confidence, right)
    fits = accepted.any() and (~right[accepted]).mean() <= error
    return float(accepted.mean()) if fits else 0.0


def trust(confidence: Floats, right: NDArray[np.bool_], count: int | None = None) -> dict[str, Any]:
    """Return figures of how far confidences can be trusted.

    Args:
        confidence: Confidences (n,).
        right: Whether each digit is right, (n,).
        count: Number of digits that the coverage is a share of; by default n.

    Returns:
        Calibration error, coverage at each of ERRORS, the threshold for each of MAX_ERRORS, and the smallest error that
        has one.
    """
    table = levels(confidence, right)
    whole = len(confidence) / max(1, len(confidence) if count is None else count)
    return {
        "expected_calibration_error": round(expected_calibration_error(confidence, right), 5),
        **{f"coverage_at_error_{error}": round(coverage(error, confidence, right) * whole, 4) for error in ERRORS},
        **thresholds(table),
    }


def thresholds(table: Sequence[Level]) -> dict[str, Any]:
    """Return for each of MAX_ERRORS the level that `--max-error` would take, and the smallest error that has one.

    Args:
        table: The levels.

    Returns:
        The fields of the levels, None if there is no level for an error.
    """
    chosen = [(error, level_for(table, error)) for error in MAX_ERRORS]
    return {
        "least_max_error": min_error_level(table).high if table else None,
        "thresholds": [
            {"max_error": error, **{name: getattr(level, name, None) for name in Level.model_fields}}
            for error, level in chosen
        ],
    }


def figures(probabilities: Floats, labels: Labels) -> dict[str, Any]:
    """Return accuracy, errors, calibration, coverage and confusions.

    A digit that is taken for not a digit is an error. Images that are not a digit, label 10, are counted as `others`;
    if they are read as a digit, as `others_read`, they are wrong rows. A run reads an image of one digit as a digit,
    whatever it looks like: this is `accuracy_as_digits`.

    Args:
        probabilities: Calibrated probabilities (n, classes).
        labels: True classes (n,).
    """
    predicted, digit = predicted_classes(probabilities), labels < NOT_A_DIGIT
    as_digits = (probabilities[:, :NOT_A_DIGIT].argmax(axis=1) == labels)[digit]
    knows_none = probabilities.shape[1] > NOT_A_DIGIT and len(as_digits)
    right = (predicted == labels)[digit]
    pairs = Counter(zip(labels[digit][~right].tolist(), predicted[digit][~right].tolist(), strict=True))
    others = {"others": int((~digit).sum()), "others_read": int((predicted[~digit] < NOT_A_DIGIT).sum())}
    return {
        "accuracy": round(float(right.mean()), 5) if len(right) else 0.0,
        **({"accuracy_as_digits": round(float(as_digits.mean()), 5)} if knows_none else {}),
        "errors": int((~right).sum()),
        "count": len(right),
        **(others if others["others"] else {}),
        **trust(*digit_confidences(probabilities, labels), count=len(right) + others["others_read"]),
        "confusions": confusions(pairs),
    }


def confusions(pairs: Counter[tuple[int, int]]) -> list[dict[str, int]]:
    """Return what was read as what and how often, the most frequent first."""
    ordered = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
    return [{"true": true, "predicted": predicted, "count": count} for (true, predicted), count in ordered]
