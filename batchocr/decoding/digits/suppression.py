"""Non-maximum suppression: merge detections of one digit from several cells, tiles and scales into one detection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.records import HAND, PRINT, SIGN, Detections


@dataclass(frozen=True)
class SuppressionParameters:
    """When two boxes are the same digit."""

    min_union_ratio: float = 0.5
    """Minimum intersection over union at which two boxes are the same digit; then their classes are averaged.
    Basis: the usual value of non-maximum suppression."""
    min_inside_ratio: float = 0.8
    """Minimum intersection over the smaller box at which the weaker box is a part of the stronger box.
    Basis: chosen by eye."""
    min_own_score: float = 0.4
    """Minimum score at which a box inside another box is a digit of its own, such as a 1 beside the long tail of a 7.
    Basis: a round of training of the detector, in which such a 1 was lost in registers."""
    max_detections: int = 5000
    """Maximum number of detections of a page; those with the highest scores are kept. Basis: ten times a usual
    page full of writing, so that a page of noise takes bounded time."""


PARAMETERS = SuppressionParameters()


def non_maximum_suppression(found: Detections, parameters: SuppressionParameters = PARAMETERS) -> Detections:
    """Return the detections of a page with each digit and each sign once.

    A stronger detection replaces the weaker ones at the same place. A handwritten and a printed detection at one place
    are one digit, and its score is the sum of both scores. Signs and digits do not suppress each other.

    Args:
        found: all detections of the page.
        parameters: when two boxes are the same digit.

    Returns:
        The detections that remain, in the order given. The class probabilities are averages over the boxes of one
        digit, weighted by score.
    """
    if len(found) > parameters.max_detections:
        order = np.argsort(-found.scores, kind="stable")
        found = found.take(np.sort(order[: parameters.max_detections]))
    pair_a, pair_b, union = _overlapping_pairs(found, parameters)
    rank = np.empty(len(found), np.intp)
    rank[np.argsort(-found.scores, kind="stable")] = np.arange(len(found))
    swap = rank[pair_a] > rank[pair_b]
    strong, weak = np.where(swap, pair_b, pair_a), np.where(swap, pair_a, pair_b)
    order = np.lexsort((rank[weak], rank[strong]))
    kept = np.ones(len(found), np.bool_)
    weights = found.scores.astype(np.float64)
    sums = found.probabilities * weights[:, None]
    best = np.where(found.kinds == np.array([[HAND], [PRINT]]), weights, 0.0)  # best score as HAND, and as PRINT
    for a, b, same in zip(
        strong[order].tolist(), weak[order].tolist(), (union >= parameters.min_union_ratio)[order].tolist(), strict=True
    ):
        if kept[a] and kept[b] and (same or found.scores[b] < parameters.min_own_score):
            kept[b] = False
            if same:
                sums[a] += found.probabilities[b] * found.scores[b]
                weights[a] += found.scores[b]
                best[:, a] = np.maximum(best[:, a], best[:, b])
    averaged = (sums / np.maximum(weights, 1e-9)[:, None]).astype(np.float32)
    hand_scores, print_scores = best
    is_sign = found.kinds == SIGN
    scores = np.where(is_sign, found.scores, np.minimum(1, hand_scores + print_scores)).astype(np.float32)
    kinds = np.where(is_sign, SIGN, np.where(print_scores > hand_scores, PRINT, HAND))
    shares = (print_scores / np.maximum(hand_scores + print_scores, 1e-9)).astype(np.float32)
    return Detections(found.boxes, scores, kinds.astype(found.kinds.dtype), averaged, shares).take(kept)


def _overlapping_pairs(
    found: Detections, p: SuppressionParameters
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Find the pairs that overlap enough: the index of each one, and their intersection over union."""
    left, top, width, height = found.boxes.astype(np.float64).T
    right, bottom = left + width, top + height
    by_top = np.argsort(top, kind="stable")
    # a box can overlap only those boxes whose top is above its bottom
    after = np.searchsorted(top[by_top], bottom[by_top])
    count = after - np.arange(len(by_top)) - 1
    count = np.maximum(0, count)
    i = np.repeat(np.arange(len(by_top)), count)
    j = np.arange(len(i)) - np.repeat(np.cumsum(count) - count, count) + i + 1
    a, b = by_top[i], by_top[j]
    shared_width = np.minimum(right[a], right[b]) - np.maximum(left[a], left[b])
    near = (shared_width > 0) & ((found.kinds[a] == SIGN) == (found.kinds[b] == SIGN))
    a, b, shared_width = a[near], b[near], shared_width[near]
    shared = shared_width * np.maximum(0, np.minimum(bottom[a], bottom[b]) - np.maximum(top[a], top[b]))
    area = np.maximum(1e-9, width * height)
    union, inside = shared / (area[a] + area[b] - shared), shared / np.minimum(area[a], area[b])
    overlaps = (union >= p.min_union_ratio) | (inside >= p.min_inside_ratio)
    return a[overlaps], b[overlaps], union[overlaps]
