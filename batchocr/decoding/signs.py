"""Signs that belong to numbers: which digit each stands beside, and the text of a number with its signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.joint import DIGITS
from batchocr.records import SIGNS

Floats = NDArray[np.float64]

STANDS_AT = {".": (0.55, 1.4, 0.95), ",": (0.5, 1.6, 1.05), "/": (-0.1, 1.1, 0.5)} | {
    "-": (0.1, 0.95, 0.5),
    ":": (0.1, 1.1, 0.6),
    "+": (0.0, 1.0, 0.5),
}
"""Where the middle of a sign stands beside a digit: from, to, and mostly; 0 is the digit's top, 1 its foot."""
LEADING = "-+"
"""Signs that may stand before a number."""


@dataclass(frozen=True)
class SignParameters:
    """When a sign belongs to a number and when it is sure; gaps in heights of the digits beside it."""

    near_heights: float = 0.9
    """Gap between a sign and a digit of its number, at most."""
    leading_heights: float = 0.7
    """The same of a sign before the number."""
    taller_ratio: float = 2.2
    """Times the digit's height that a sign is high, at most."""
    wide_ratio: float = 1.6
    """The same of its width."""
    inside_ratio: float = 0.6
    """Share of a sign's box that lies in a digit's: from here on it is part of the digit."""
    least_score: float = 0.25
    """Of the detector: what is below is no sign, but leaves its mark."""
    sure_score: float = 0.5
    """A sign below is doubtful."""
    sure_margin: float = 0.3
    """Probability by which the likeliest sign is ahead of the next; below it is doubtful."""


@dataclass(frozen=True)
class Sign:
    """A sign beside a digit."""

    character: str
    left: float
    top: float
    right: float
    bottom: float
    confidence: float
    """Probability that it is there and is that one."""
    doubtful: bool
    weak: bool
    """It may be none: it is not written, and marks its number."""
    beside: int
    """Place of the digit that it stands beside."""

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2


def find_signs(
    boxes: NDArray[np.floating],
    scores: NDArray[np.floating],
    probabilities: NDArray[np.floating],
    digits: NDArray[np.floating],
    parameters: SignParameters | None = None,
) -> list[Sign]:
    """Signs that stand beside a digit as such a sign does, from the left.

    `boxes` (n, 4), `scores` (n,) and `probabilities` (n, 16) are the detector's of signs, `digits` (m, 4) the boxes of
    the page's digits. What stands beside none, or within one, is left out.
    """
    how = parameters or SignParameters()
    if not len(boxes) or not len(digits):
        return []
    of_signs = np.maximum(np.asarray(probabilities, np.float64)[:, DIGITS:], 1e-9)
    of_signs = of_signs / of_signs.sum(axis=1, keepdims=True)
    order = np.argsort(-of_signs, axis=1, kind="stable")
    left, top, width, height = np.asarray(digits, np.float64).T
    found = []
    for i in np.argsort(boxes[:, 0] + boxes[:, 2] / 2, kind="stable").tolist():
        x, y, wide, high = (float(v) for v in boxes[i])
        first, second = order[i, :2].tolist()
        character = SIGNS[first]
        low, most, mostly = STANDS_AT[character]
        at = (y + high / 2 - top) / height
        gap = np.maximum(x - (left + width), left - (x + wide)) / height
        near = (gap < how.near_heights) & (at > low) & (at < most)
        near &= (high < how.taller_ratio * height) & (wide < how.wide_ratio * height)
        if not near.any():
            continue
        shared = np.clip(np.minimum(left + width, x + wide) - np.maximum(left, x), 0, None)
        shared = shared * np.clip(np.minimum(top + height, y + high) - np.maximum(top, y), 0, None)
        if (shared > how.inside_ratio * wide * high).any():
            continue
        beside = int(np.where(near, np.maximum(gap, 0) + 0.7 * np.abs(at - mostly), np.inf).argmin())
        score, ahead = float(scores[i]), float(of_signs[i, first] - of_signs[i, second])
        weak = score < how.least_score
        doubtful = score < how.sure_score or ahead < how.sure_margin
        # a centre's score says how well it is met as much as whether there is one: above the sure score there is
        there = min(1.0, 0.5 + 0.5 * score / how.sure_score)
        sure = there * float(of_signs[i, first])
        found.append(Sign(character, x, y, x + wide, y + high, sure, doubtful, weak, beside))
    return found


def written(digits: Sequence[int], signs: Sequence[tuple[int, Sign]]) -> str:
    """What is written: digits from the left with each sign before the digit at its position (from 0)."""
    before: dict[int, str] = {}
    for position, sign in signs:
        before[position] = before.get(position, "") + sign.character
    return "".join(before.get(at, "") + str(digit) for at, digit in enumerate(digits))
