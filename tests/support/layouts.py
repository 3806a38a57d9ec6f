"""Boxes of digits as they stand on pages: small layouts whose lines and numbers are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from batchocr.records import CLASSES, HAND, PRINT, SIGN, SIGNS, Detections

Boxes = NDArray[np.float64]

HIGH, WIDE, STEP = 40.0, 24.0, 30.0
"""A digit's height and width, and from digit to digit, in pixels."""


def row_of_boxes(x: float, base: float, count: int, step: float = STEP, high: float = HIGH) -> Boxes:
    """Boxes (count, 4) of digits that stand side by side on a base line."""
    return np.array([(x + i * step, base - high, WIDE * high / HIGH, high) for i in range(count)])


def detected(
    boxes: Boxes, text: str | None = None, kind: int = HAND, score: float = 0.9, sure: float = 0.97
) -> Detections:
    """Detections of boxes, each the class of its character in `text` (all zeros by default)."""
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
    return Detections.together(some)


def classified(detections: Detections) -> NDArray[np.float64]:
    """What a classifier says that agrees with the detector: (n, 11), zeros for signs."""
    said = np.zeros((len(detections), 11))
    said[:, :10] = detections.probabilities[:, :10]
    said /= np.maximum(said.sum(axis=1, keepdims=True), 1e-9)
    said[detections.kinds == SIGN] = 0
    return said


def membership(lines: Sequence[NDArray[np.intp]], count: int) -> list[int]:
    """Which line each of `count` boxes is on."""
    found = [-1] * count
    for at, line in enumerate(lines):
        for i in line.tolist():
            found[i] = at
    return found
