"""Digits that were detected twice, one box inside the other, such as a 7 and its upper part, which is read as 7 too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.digits.joint import JointReading

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FoundTwiceParameters:
    """When two detections with the same reading are one digit.

    Non-maximum suppression keeps both if they may be a 1 beside a long 7.
    """

    min_inside_ratio: float = 0.8
    """Minimum share of the smaller box that is inside the other box. Basis: at 0.6 true pairs such as 44 are lost."""


PARAMETERS = FoundTwiceParameters()


def is_found_twice(
    boxes: Floats, reading: JointReading, parameters: FoundTwiceParameters = PARAMETERS
) -> NDArray[np.bool_]:
    """Find the detections that repeat the digit of a surer detection.

    Args:
        boxes: (n, 4) left, top, width and height in pixels.
        reading: the joint reading of the n detections.
        parameters: when two detections are one digit.

    Returns:
        A mask (n,), true for the less sure one of each pair.
    """
    left, top, width, height = boxes.T
    right, bottom, area = left + width, top + height, np.maximum(width * height, 1e-9)
    found = np.zeros(len(boxes), np.bool_)
    order = np.argsort(left, kind="stable")
    for position, i in enumerate(order.tolist()):
        near = order[position + 1 :]
        near = near[: np.searchsorted(left[near], right[i])]
        near = near[reading.digits[near] == reading.digits[i]]
        shared_width = np.minimum(right[i], right[near]) - np.maximum(left[i], left[near])
        shared_height = np.minimum(bottom[i], bottom[near]) - np.maximum(top[i], top[near])
        shared = np.clip(shared_width, 0, None) * np.clip(shared_height, 0, None)
        for j in near[shared >= parameters.min_inside_ratio * np.minimum(area[i], area[near])].tolist():
            found[i if reading.confidences[i] < reading.confidences[j] else j] = True
    return found
