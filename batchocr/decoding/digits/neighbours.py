"""Scores of the detections to the left and to the right of each detection.

A weak detection in a row of digits is more likely a digit than a weak detection that is alone. Hysteresis thresholding
(Canny 1986) uses the same idea: a weak response counts if it is next to a strong one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NeighbourParameters:
    """Which detections are neighbours in a number; lengths in heights of the smaller one of the two.

    Basis of all: chosen by eye.
    """

    min_overlap_heights: float = 0.5
    """Minimum height that both boxes share."""
    max_height_ratio: float = 2.0
    """Maximum ratio of the larger height to the smaller height."""
    min_step_heights: float = 0.25
    """Minimum distance between both centres; closer boxes are the same digit."""
    max_gap_heights: float = 0.6
    """Maximum gap between both boxes."""


PARAMETERS = NeighbourParameters()


def neighbour_scores(
    boxes: NDArray[np.floating], scores: NDArray[np.floating], parameters: NeighbourParameters = PARAMETERS
) -> Floats:
    """Find the greatest score among the neighbours on each side of each detection.

    Args:
        boxes: (n, 4) left, top, width and height in pixels.
        scores: (n,) scores of the detector, 0 to 1.
        parameters: which detections are neighbours.

    Returns:
        (n, 2) greatest score to the left and to the right; 0 where there is no neighbour.
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
    a, b = order[i], order[j]  # a is the left one of the pair
    smaller, larger = np.minimum(height[a], height[b]), np.maximum(height[a], height[b])
    near = np.minimum(bottom[a], bottom[b]) - np.maximum(top[a], top[b]) >= p.min_overlap_heights * smaller
    near &= larger <= p.max_height_ratio * smaller
    near &= middle[b] - middle[a] >= p.min_step_heights * smaller
    near &= left[b] - right[a] <= p.max_gap_heights * smaller
    a, b = a[near], b[near]
    np.maximum.at(best[:, 0], b, np.asarray(scores, np.float64)[a])
    np.maximum.at(best[:, 1], a, np.asarray(scores, np.float64)[b])
    return best
