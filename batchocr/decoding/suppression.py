"""Non-maximum suppression: what several cells, tiles and scales found at one place becomes one detection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.records import HAND, PRINT, SIGN, Detections


@dataclass(frozen=True)
class SuppressionParameters:
    """When two boxes are one digit."""

    min_union_ratio: float = 0.5
    """Intersection over union from which on two boxes are the same digit, and their classes are averaged."""
    min_inside_ratio: float = 0.8
    """Intersection over the smaller box from which on a weaker box is a part of a stronger one."""
    part_score: float = 0.4
    """From this score on what lies inside another box is a digit of its own: a 1 beside the long tail of a 7."""
    max_detections: int = 5000
    """Of a page, those of the highest scores: ten times a full page of writing, so that noise takes bounded time."""


PARAMETERS = SuppressionParameters()


def suppressed(found: Detections, parameters: SuppressionParameters = PARAMETERS) -> Detections:
    """The detections of a page, each digit and each sign once, the stronger first in place of the weaker.

    Digits by hand and printed ones at one place are one digit, and its score is that of being either, the sum of both;
    signs are looked at by themselves. Class probabilities are averages over the boxes of one digit, weighted by score.
    """
    if len(found) > parameters.max_detections:
        order = np.argsort(-found.scores, kind="stable")
        found = found.take(np.sort(order[: parameters.max_detections]))
    first, second, union = _overlaps(found, parameters)
    rank = np.empty(len(found), np.intp)
    rank[np.argsort(-found.scores, kind="stable")] = np.arange(len(found))
    swap = rank[first] > rank[second]
    strong, weak = np.where(swap, second, first), np.where(swap, first, second)
    order = np.lexsort((rank[weak], rank[strong]))
    kept = np.ones(len(found), np.bool_)
    weights = found.scores.astype(np.float64)
    sums = found.probabilities * weights[:, None]
    best = np.where(found.kinds == np.array([[HAND], [PRINT]]), weights, 0.0)  # by hand, in print
    for a, b, same in zip(
        strong[order].tolist(), weak[order].tolist(), (union >= parameters.min_union_ratio)[order].tolist(), strict=True
    ):
        if kept[a] and kept[b] and (same or found.scores[b] < parameters.part_score):
            kept[b] = False
            if same:
                sums[a] += found.probabilities[b] * found.scores[b]
                weights[a] += found.scores[b]
                best[:, a] = np.maximum(best[:, a], best[:, b])
    averaged = (sums / np.maximum(weights, 1e-9)[:, None]).astype(np.float32)
    by_hand, in_print = best
    is_sign = found.kinds == SIGN
    scores = np.where(is_sign, found.scores, np.minimum(1, by_hand + in_print)).astype(np.float32)
    kinds = np.where(is_sign, SIGN, np.where(in_print > by_hand, PRINT, HAND))
    shares = (in_print / np.maximum(by_hand + in_print, 1e-9)).astype(np.float32)
    return Detections(found.boxes, scores, kinds.astype(found.kinds.dtype), averaged, shares).take(kept)


def _overlaps(
    found: Detections, p: SuppressionParameters
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Pairs that overlap enough: both places, and their intersection over their union."""
    left, top, width, height = found.boxes.astype(np.float64).T
    right, bottom = left + width, top + height
    by_top = np.argsort(top, kind="stable")
    # of those that begin lower, only the ones that begin above its end
    after = np.searchsorted(top[by_top], bottom[by_top])
    count = after - np.arange(len(by_top)) - 1
    count = np.maximum(0, count)
    i = np.repeat(np.arange(len(by_top)), count)
    j = np.arange(len(i)) - np.repeat(np.cumsum(count) - count, count) + i + 1
    a, b = by_top[i], by_top[j]
    across = np.minimum(right[a], right[b]) - np.maximum(left[a], left[b])
    near = (across > 0) & ((found.kinds[a] == SIGN) == (found.kinds[b] == SIGN))
    a, b, across = a[near], b[near], across[near]
    shared = across * np.maximum(0, np.minimum(bottom[a], bottom[b]) - np.maximum(top[a], top[b]))
    area = np.maximum(1e-9, width * height)
    union, inside = shared / (area[a] + area[b] - shared), shared / np.minimum(area[a], area[b])
    one = (union >= p.min_union_ratio) | (inside >= p.min_inside_ratio)
    return a[one], b[one], union[one]
