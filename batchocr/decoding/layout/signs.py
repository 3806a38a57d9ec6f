"""Signs that belong to numbers: the digit beside each sign, and the text of a number with its signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.digits.joint import DIGITS
from batchocr.decoding.digits.overlaps import shared_areas
from batchocr.decoding.layout.sign_parameters import PARAMETERS, SignParameters
from batchocr.records import SIGNS, Detections

Floats = NDArray[np.float64]

LEADING = "-+"
"""Signs that may be before a number."""


@dataclass(frozen=True)
class Sign:
    """A sign beside a digit; its box is in pixels of the level page."""

    character: str
    left: float
    top: float
    right: float
    bottom: float
    confidence: float
    """Probability that there is a sign and that it is this one."""
    doubtful: bool
    """It marks its number."""
    weak: bool
    """There may be no sign: it is not written, and marks its number."""
    beside: int
    """Index of the digit that it is beside."""

    @property
    def middle(self) -> float:
        """The horizontal centre."""
        return (self.left + self.right) / 2


def find_signs(
    signs: Detections,
    digits: NDArray[np.floating],
    doubted: NDArray[np.bool_] | None = None,
    parameters: SignParameters = PARAMETERS,
) -> list[Sign]:
    """Find the signs that are beside a digit, at a position that is usual for the sign.

    A sign that is beside no digit, or inside a digit or another sign, is left out. A doubted sign inside a digit is the
    weaker one of the two: it is not written, and it marks its number.

    Args:
        signs: the n signs that the detector found.
        digits: (m, 4) left, top, width and height of the page's digits in pixels.
        doubted: (n,) which signs may be digits; None if no sign is doubted.
        parameters: when a sign belongs to a number and when it is sure.

    Returns:
        The signs from the left.
    """
    p = parameters
    boxes, scores = np.asarray(signs.boxes, np.float64), signs.scores
    if not len(boxes) or not len(digits):
        return []
    sign_probabilities = np.maximum(np.asarray(signs.probabilities, np.float64)[:, DIGITS:], 1e-9)
    sign_probabilities = sign_probabilities / sign_probabilities.sum(axis=1, keepdims=True)
    order = np.argsort(-sign_probabilities, axis=1, kind="stable")
    digit_boxes = np.asarray(digits, np.float64)
    left, top, width, height = digit_boxes.T
    areas = boxes[:, 2] * boxes[:, 3]
    found = []
    for i in np.argsort(boxes[:, 0] + boxes[:, 2] / 2, kind="stable").tolist():
        x, y, own_width, own_height = (float(value) for value in boxes[i])
        best, second = order[i, :2].tolist()
        character = SIGNS[best]
        min_position, max_position, usual_position = p.positions.for_sign(character)
        position = (y + own_height / 2 - top) / height
        gap = np.maximum(x - (left + width), left - (x + own_width)) / height
        near = (gap < p.max_gap_heights) & (position > min_position) & (position < max_position)
        near &= (own_height < p.max_height_ratio * height) & (own_width < p.max_width_ratio * height)
        if not near.any():
            continue
        is_doubted = doubted is not None and bool(doubted[i])
        max_shared = p.max_inside_ratio * own_width * own_height
        is_inside = bool((shared_areas(digit_boxes, boxes[i : i + 1]) > max_shared).any())
        larger = boxes[(areas > areas[i]) & (scores >= p.min_larger_score_ratio * scores[i])]
        if (is_inside and not is_doubted) or (shared_areas(larger, boxes[i : i + 1]) > max_shared).any():
            continue
        distance = np.maximum(gap, 0) + p.position_weight * np.abs(position - usual_position)
        beside = int(np.where(near, distance, np.inf).argmin())
        score, margin = float(scores[i]), float(sign_probabilities[i, best] - sign_probabilities[i, second])
        presence = min(1.0, p.weak_presence + (1 - p.weak_presence) * score / p.sure_score)
        found.append(
            Sign(
                character,
                x,
                y,
                x + own_width,
                y + own_height,
                confidence=presence * float(sign_probabilities[i, best]),
                doubtful=is_doubted or score < p.sure_score or margin < p.sure_margin,
                weak=score < p.min_score or is_inside,
                beside=beside,
            )
        )
    return found


def number_text(digits: Sequence[int], signs: Sequence[tuple[int, Sign]]) -> str:
    """Return the text of a number.

    Args:
        digits: its digits from the left.
        signs: each sign with the index (from 0) of the digit that it is before.

    Returns:
        The digits with the signs before them.
    """
    before: dict[int, str] = {}
    for position, sign in signs:
        before[position] = before.get(position, "") + sign.character
    return "".join(before.get(i, "") + str(digit) for i, digit in enumerate(digits))
