"""Signs that belong to numbers: which digit each stands beside, and the text of a number with its signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.joint import DIGITS
from batchocr.records import SIGN, SIGNS, Detections

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
    same_ratio: float = 0.4
    """Intersection over union from which on a sign and a digit are the same ink: the stronger is believed."""
    slash_height_ratio: float = 1.15
    """A slash is higher than the digits beside it by this; else it is a 1, and doubtful: on composed pages each such
    slash was a leaning 1."""
    slash_share: float = 0.1
    """Probability of being a sign that a slash has as either, at least."""
    slash_weights: tuple[float, float, float, float] = (8.8, -2.1, -3.6, 3.8)
    """Of its height in heights of the digits beside it, of the scores of the slash and of the digit, and of the greater
    probability of being a sign: a logistic regression on 235 slashes and 15 ones of UNIPEN's writers, and 122 ones of
    composed pages, cheques and registers. Of the slashes it knows 97%; 77% were stronger than the digit."""
    slash_bias: float = -9.4
    doubtful_slash: tuple[float, float] = (0.1, 0.9)
    """Between these probabilities it is doubtful."""
    beside_heights: float = 3.0
    """Digits in this reach are beside it."""
    contested_ratio: float = 0.6
    """The weaker one's strength over the stronger one's from which on that is doubtful."""
    least_score: float = 0.25
    """Of the detector: what is below is no sign, but leaves its mark."""
    sure_score: float = 0.5
    """A sign below is doubtful."""
    in_digit_share: float = 0.08
    """Probability of being a sign, from which on a digit may be one, such as a slash read as 1: it marks its number. Of
    the 1s of composed pages 5% have more, of those that are slashes nearly all."""
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


def contested(
    detections: Detections, min_score: float = 0.0, parameters: SignParameters | None = None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where a sign and a digit are the same ink: which detections (n,) are believed, and which signs are doubtful.

    The stronger is believed, by its score and by how much its classes speak for a digit or a sign at all. A sign that
    is nearly as strong as the digit stays, so that it marks the number; `find_signs` leaves it out of the text. A slash
    or a digit is told by its height too. Of signs with a score below `min_score` only slashes count.
    """
    how = parameters or SignParameters()
    kept, doubtful = np.ones(len(detections), np.bool_), np.zeros(len(detections), np.bool_)
    signs, digits = np.flatnonzero(detections.kinds == SIGN), np.flatnonzero(detections.kinds != SIGN)
    if not len(signs) or not len(digits):
        return kept, doubtful
    boxes = np.asarray(detections.boxes, np.float64)
    of_digit = detections.probabilities[:, :DIGITS].sum(axis=1)
    strength = detections.scores * np.where(detections.kinds == SIGN, 1 - of_digit, of_digit)
    areas = boxes[:, 2] * boxes[:, 3]
    kept[signs] = detections.scores[signs] >= min_score
    for i in signs.tolist():
        shared = _shared(boxes[digits], boxes[i])
        is_slash = int(detections.probabilities[i, DIGITS:].argmax()) == SIGNS.index("/")
        same = digits[shared > how.same_ratio * (areas[digits] + areas[i] - shared)].tolist()
        if is_slash and not same:
            kept[i] |= bool(detections.scores[i] >= how.least_score and of_digit[i] < 0.5)
        for j in same:
            if is_slash:
                wins, close = _slash_or_digit(detections, i, j, _height_ratio(boxes[i], boxes[digits], how), how)
            else:
                weaker, stronger = sorted((float(strength[i]), float(strength[j])))
                wins, close = bool(strength[i] > strength[j]), weaker >= how.contested_ratio * stronger
                wins, close = (wins and bool(kept[i])), (close and bool(kept[i]))
            if wins:
                kept[i], kept[j], doubtful[i] = True, False, bool(doubtful[i]) or close
            elif close:
                kept[i], doubtful[i] = True, True
            else:
                kept[i] = False
    return kept, doubtful


def _slash_or_digit(
    detections: Detections, slash: int, digit: int, height_ratio: float, how: SignParameters
) -> tuple[bool, bool]:
    """Whether two detections of one stroke are a slash, and whether that is doubtful."""
    share = float(detections.probabilities[[slash, digit], DIGITS:].sum(axis=1).max())
    if height_ratio < how.slash_height_ratio:
        return False, float(detections.scores[slash]) >= how.least_score and share >= how.in_digit_share
    if share < how.slash_share:
        return False, False
    features = min(2.0, height_ratio), float(detections.scores[slash]), float(detections.scores[digit]), share
    logit = how.slash_bias + sum(w * f for w, f in zip(how.slash_weights, features, strict=True))
    chance = 1 / (1 + float(np.exp(-logit)))
    low, high = how.doubtful_slash
    return chance >= 0.5, low < chance < high


def _height_ratio(slash: Floats, digits: Floats, how: SignParameters) -> float:
    """How high a slash is beside the digits (n, 4) near it; 1 where there are none."""
    x, y, wide, high = slash
    middles = digits[:, :2] + digits[:, 2:] / 2
    away = np.abs(middles - (x + wide / 2, y + high / 2)) / high
    same = _shared(digits, slash) > how.same_ratio * np.minimum(digits[:, 2] * digits[:, 3], wide * high)
    near = digits[(away[:, 0] < how.beside_heights) & (away[:, 1] < 0.5) & ~same]
    return float(high / np.median(near[:, 3])) if len(near) else 1.0


def _shared(boxes: Floats, box: Floats) -> Floats:
    """Area that each of boxes (n, 4) has in common with a box."""
    wide = np.minimum(boxes[:, 0] + boxes[:, 2], box[0] + box[2]) - np.maximum(boxes[:, 0], box[0])
    high = np.minimum(boxes[:, 1] + boxes[:, 3], box[1] + box[3]) - np.maximum(boxes[:, 1], box[1])
    return np.clip(wide, 0, None) * np.clip(high, 0, None)


def find_signs(
    signs: Detections,
    digits: NDArray[np.floating],
    doubted: NDArray[np.bool_] | None = None,
    parameters: SignParameters | None = None,
) -> list[Sign]:
    """Signs that stand beside a digit as such a sign does, from the left.

    `signs` are the detector's, `digits` (m, 4) the boxes of the page's digits, `doubted` (n,) says which signs may be
    digits. What stands beside no digit, or within one or within another sign, is left out; a doubted sign that is
    within a digit is the weaker one: it is not written, and marks its number.
    """
    how = parameters or SignParameters()
    boxes, scores, probabilities = np.asarray(signs.boxes, np.float64), signs.scores, signs.probabilities
    if not len(boxes) or not len(digits):
        return []
    of_signs = np.maximum(np.asarray(probabilities, np.float64)[:, DIGITS:], 1e-9)
    of_signs = of_signs / of_signs.sum(axis=1, keepdims=True)
    order = np.argsort(-of_signs, axis=1, kind="stable")
    of_digits = np.asarray(digits, np.float64)
    left, top, width, height = of_digits.T
    areas = boxes[:, 2] * boxes[:, 3]
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
        contested_here = doubted is not None and bool(doubted[i])
        within = (_shared(of_digits, boxes[i]) > how.inside_ratio * wide * high).any()
        larger = boxes[(areas > areas[i]) & (scores >= 0.5 * scores[i])]
        if (within and not contested_here) or (_shared(larger, boxes[i]) > how.inside_ratio * wide * high).any():
            continue
        beside = int(np.where(near, np.maximum(gap, 0) + 0.7 * np.abs(at - mostly), np.inf).argmin())
        score, ahead = float(scores[i]), float(of_signs[i, first] - of_signs[i, second])
        weak = score < how.least_score or bool(within)
        doubtful = contested_here or score < how.sure_score or ahead < how.sure_margin
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
