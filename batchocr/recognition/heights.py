"""How high a candidate is beside the digits of its number: a low slanted stroke is a dash, no 1."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from statistics import median

import numpy as np

from batchocr.recognition.calibration import NONE, Floats
from batchocr.records import Box

LOWEST = np.array([0.3, 0.62, 0.45, 0.6, 0.65, 0.5, 0.58, 0.68, 0.65, 0.68])
"""For each digit, the share of the others' height below which hardly one is written: of MNIST's train half and of the
cheque amounts trained on, fewer than one in two hundred. People make 0s small, after a 1 above all."""
SOFT = 0.03
"""Share of the height over which that sets in."""
OTHERS = 2
"""Digits of the number that say how high it is written, at least."""


def by_height(probabilities: Floats, boxes: Sequence[Box]) -> Floats:
    """Probabilities (n, 11) of the candidates of one number as their heights change them.

    What is too low for a digit makes it the likelier that it is none. Few candidates are as before.
    """
    heights = [box.height for box in boxes]
    is_digit = (probabilities[:, NONE] <= 0.5).tolist()
    of_digits = sorted(height for height, is_one in zip(heights, is_digit, strict=True) if is_one)
    if len(of_digits) < OTHERS:
        return probabilities.copy()
    shares = np.full(len(boxes), np.inf)
    for i, (height, is_one) in enumerate(zip(heights, is_digit, strict=True)):
        if len(of_digits) - is_one >= OTHERS:
            shares[i] = height / (_median_without(of_digits, height) if is_one else median(of_digits))
    result = probabilities.copy()
    result[:, :NONE] *= 1 / (1 + np.exp(np.clip((LOWEST - shares[:, None]) / SOFT, -50, 50)))
    judged = np.isfinite(shares)
    result[judged, NONE] = 1 - result[judged, :NONE].sum(axis=1)
    return result


def _median_without(ordered: Sequence[int], one: int) -> float:
    """The median of ordered numbers without one of them."""
    place = bisect_left(ordered, one)
    low, high = (len(ordered) - 2) // 2, (len(ordered) - 1) // 2
    return (ordered[low + (low >= place)] + ordered[high + (high >= place)]) / 2
