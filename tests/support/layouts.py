"""Boxes of digits on a page: small layouts with known lines and numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from batchocr.records import CLASSES, HAND, PRINT, SIGN, SIGNS, Detections

Boxes = NDArray[np.float64]

HIGH, WIDE, STEP = 40.0, 24.0, 30.0
"""Height and width of a digit, and distance from digit to digit, in pixels."""


def row_of_boxes(x: float, base: float, count: int, step: float = STEP, high: float = HIGH) -> Boxes:
    """Return the boxes (count, 4) of digits side by side on a baseline."""
    return np.array([(x + i * step, base - high, WIDE * high / HIGH, high) for i in range(count)])


def detected(
    boxes: Boxes, text: str | None = None, kind: int = HAND, score: float = 0.9, sure: float = 0.97
) -> Detections:
    """Return detections of boxes; the class of each is its character in `text` (the digit 0 by default)."""
    names = "0123456789" + SIGNS
    probabilities = np.full((len(boxes), CLASSES), (1 - sure) / (CLASSES - 1), np.float32)
    for i, character in enumerate(text or "0" * len(boxes)):
        probabilities[i, names.index(character)] = sure
    return Detections(
        boxes.astype(np.float32),
        np.full(len(boxes), score, np.float32),
        np.full(len(boxes), kind, np.int8),
        probabilities,
        np.full(len(boxes), kind == PRINT, np.float32),
    )


def together(*some: Detections) -> Detections:
    """Concatenate detections."""
    return Detections.together(some)


def classified(detections: Detections) -> NDArray[np.float64]:
    """Return the probabilities (n, 11) of a classifier that agrees with the detector; zeros for signs."""
    probabilities = np.zeros((len(detections), 11))
    probabilities[:, :10] = detections.probabilities[:, :10]
    probabilities /= np.maximum(probabilities.sum(axis=1, keepdims=True), 1e-9)
    probabilities[detections.kinds == SIGN] = 0
    return probabilities


def membership(lines: Sequence[NDArray[np.intp]], count: int) -> list[int]:
    """Return the index of the line of each of `count` boxes."""
    found = [-1] * count
    for at, line in enumerate(lines):
        for i in line.tolist():
            found[i] = at
    return found
