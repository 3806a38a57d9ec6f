"""How sure the digits beside a detection are: what stands in a row of digits is one more likely than what stands alone.

Thresholds with hysteresis (Canny 1986) rest on the same: what is weak counts beside what is strong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NeighbourParameters:
    """Which detections are neighbours in a number; lengths in heights of the lower of both."""

    min_overlap_heights: float = 0.5
    """What both share of the page's height."""
    max_height_ratio: float = 2.0
    """Of the higher to the lower."""
    min_step_heights: float = 0.25
    """From middle to middle: nearer ones are the same digit."""
    max_gap_heights: float = 0.6
    """Paper between both."""


PARAMETERS = NeighbourParameters()


def neighbour_scores(
    boxes: NDArray[np.floating], scores: NDArray[np.floating], parameters: NeighbourParameters = PARAMETERS
) -> Floats:
    """The greatest score (n, 2) of the detections to the left and to the right of each; 0 where there is none.

    `boxes` (n, 4) are left, top, width and height in pixels, `scores` (n,) between 0 and 1.
    """
    p = parameters
    best = np.zeros((len(boxes), 2))
    left, top, width, height = np.asarray(boxes, np.float64).reshape(-1, 4).T
    middle, right, bottom = left + width / 2, left + width, top + height
    order = np.argsort(middle, kind="stable")
    reach = middle[order] + width[order] / 2 + p.max_gap_heights * height[order] + float(width.max(initial=0)) / 2
    count = np.maximum(0, np.searchsorted(middle[order], reach, side="right") - np.arange(len(order)) - 1)
    i = np.repeat(np.arange(len(order)), count)
    j = np.arange(len(i)) - np.repeat(np.cumsum(count) - count, count) + i + 1
    a, b = order[i], order[j]  # a is the one to the left
    low, high = np.minimum(height[a], height[b]), np.maximum(height[a], height[b])
    near = np.minimum(bottom[a], bottom[b]) - np.maximum(top[a], top[b]) >= p.min_overlap_heights * low
    near &= high <= p.max_height_ratio * low
    near &= middle[b] - middle[a] >= p.min_step_heights * low
    near &= left[b] - right[a] <= p.max_gap_heights * low
    a, b = a[near], b[near]
    np.maximum.at(best[:, 0], b, np.asarray(scores, np.float64)[a])
    np.maximum.at(best[:, 1], a, np.asarray(scores, np.float64)[b])
    return best
