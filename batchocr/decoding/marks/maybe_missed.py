"""Detections beside a number that were nearly read as digits: a digit of the number may be missed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.digits.overlaps import shared_areas

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MaybeMissedParameters:
    """When a detection without a row marks the number beside it; lengths in heights of the number's digits."""

    min_digit_probability: float = 0.12
    """Minimum probability that the detection is a digit. Basis: on strips of registers, cheques, drawn cases and lines
    of text it marks 7 more of 49 wrong rows, and 15 of 831 right ones."""
    max_covered_ratio: float = 0.5
    """Maximum share of its box, or of the other box if that is smaller, that a digit or a sign covers; with more it is
    the same ink. Basis: chosen by eye."""
    max_gap_heights: float = 0.9
    """Maximum gap between it and the number. Basis: chosen by eye."""
    min_overlap_heights: float = 0.4
    """Minimum height that it shares with the number's line, in heights of the smaller one of both. Basis: chosen by
    eye."""
    min_height_ratio: float = 0.4
    """Minimum height of the detection. Basis: chosen by eye."""
    max_height_ratio: float = 2.2
    """Maximum height of the detection. Basis: chosen by eye."""


PARAMETERS = MaybeMissedParameters()


def uncovered_boxes(boxes: Floats, read: Floats, parameters: MaybeMissedParameters = PARAMETERS) -> Floats:
    """Return the boxes that no digit and no sign covers.

    Args:
        boxes: (n, 4) left, top, width and height of detections without a row.
        read: (m, 4) boxes of the digits and signs of the page.
        parameters: when a box is covered.

    Returns:
        (k, 4) those of `boxes` that are not covered.
    """
    if not len(boxes) or not len(read):
        return boxes
    shared = shared_areas(boxes, read)
    smaller = np.minimum(boxes[:, 2:].prod(axis=1)[:, None], read[:, 2:].prod(axis=1)[None])
    return np.asarray(boxes[(shared <= parameters.max_covered_ratio * smaller).all(axis=1)])


def may_lack_digit(digits: Floats, candidates: Floats, parameters: MaybeMissedParameters = PARAMETERS) -> bool:
    """Return whether a candidate is on the line of a number, beside its digits or between them.

    Args:
        digits: (m, 4) left, top, width and height of the number's digits in pixels.
        candidates: (n, 4) boxes of detections that were nearly read as digits.
        parameters: when a candidate belongs to the number.
    """
    p = parameters
    if not len(candidates):
        return False
    usual_height = float(np.median(digits[:, 3]))
    start, end = digits[:, :2].min(axis=0), (digits[:, :2] + digits[:, 2:]).max(axis=0)
    left, top, width, height = candidates.T
    gap = np.maximum(start[0] - left - width, left - end[0])
    overlap = np.minimum(end[1], top + height) - np.maximum(start[1], top)
    beside = (gap <= p.max_gap_heights * usual_height) & (
        overlap >= p.min_overlap_heights * np.minimum(usual_height, height)
    )
    fits = (height >= p.min_height_ratio * usual_height) & (height <= p.max_height_ratio * usual_height)
    return bool((beside & fits).any())
