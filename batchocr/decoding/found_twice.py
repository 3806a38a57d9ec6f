"""The same digit found twice, one box within the other: a 7 and its upper part, read as 7 again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.joint import JointReading

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FoundTwiceParameters:
    """When two detections are one digit. Non-maximum suppression keeps both where it may be a 1 beside a long 7."""

    min_inside_ratio: float = 0.8
    """Share of the smaller box that lies within the other, from which on both are one where they are the same digit; at
    0.6 true pairs like 44 go."""


def is_found_twice(
    boxes: Floats, reading: JointReading, parameters: FoundTwiceParameters | None = None
) -> NDArray[np.bool_]:
    """Which detections (n,) with these boxes (n, 4) are a surer one's digit once more."""
    how = parameters or FoundTwiceParameters()
    left, top, width, height = boxes.T
    right, bottom, area = left + width, top + height, np.maximum(width * height, 1e-9)
    found = np.zeros(len(boxes), np.bool_)
    order = np.argsort(left, kind="stable")
    for place, i in enumerate(order.tolist()):
        near = order[place + 1 :]
        near = near[: np.searchsorted(left[near], right[i])]
        near = near[reading.digits[near] == reading.digits[i]]
        across = np.minimum(right[i], right[near]) - np.maximum(left[i], left[near])
        down = np.minimum(bottom[i], bottom[near]) - np.maximum(top[i], top[near])
        shared = np.clip(across, 0, None) * np.clip(down, 0, None)
        for j in near[shared >= how.min_inside_ratio * np.minimum(area[i], area[near])].tolist():
            found[i if reading.confidences[i] < reading.confidences[j] else j] = True
    return found
