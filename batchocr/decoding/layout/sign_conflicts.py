"""Decide between a sign and a digit that were detected in the same ink."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.digits.joint import DIGITS
from batchocr.decoding.digits.overlaps import shared_areas
from batchocr.decoding.layout.sign_parameters import PARAMETERS, SignParameters
from batchocr.records import SIGN, SIGNS, Detections

Floats = NDArray[np.float64]


def resolve_sign_conflicts(
    detections: Detections, min_score: float = 0.0, parameters: SignParameters = PARAMETERS
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Decide which detections are kept where a sign and a digit are the same ink.

    The stronger detection is kept. Its strength is its score times the probability of being a digit, or of being a
    sign. A sign that is nearly as strong as the digit is kept too, so that it marks the number; `find_signs` leaves it
    out of the text. The choice between a slash and a digit also depends on the height.

    Args:
        detections: the n detections of a page.
        min_score: minimum score of signs other than slashes; weaker ones are not kept.
        parameters: when a sign and a digit are the same ink, and which of them is kept.

    Returns:
        Two masks (n,): which detections are kept, and which signs are doubtful.
    """
    p = parameters
    kept, doubtful = np.ones(len(detections), np.bool_), np.zeros(len(detections), np.bool_)
    signs, digits = np.flatnonzero(detections.kinds == SIGN), np.flatnonzero(detections.kinds != SIGN)
    if not len(signs) or not len(digits):
        return kept, doubtful
    boxes = np.asarray(detections.boxes, np.float64)
    digit_shares = detections.probabilities[:, :DIGITS].sum(axis=1)
    strengths = detections.scores * np.where(detections.kinds == SIGN, 1 - digit_shares, digit_shares)
    areas = boxes[:, 2] * boxes[:, 3]
    kept[signs] = detections.scores[signs] >= min_score
    for i in signs.tolist():
        shared = shared_areas(boxes[digits], boxes[i : i + 1])[:, 0]
        is_slash = int(detections.probabilities[i, DIGITS:].argmax()) == SIGNS.index("/")
        same = digits[shared > p.min_same_ratio * (areas[digits] + areas[i] - shared)].tolist()
        if is_slash and not same:
            kept[i] |= bool(detections.scores[i] >= p.min_score and digit_shares[i] < p.max_slash_digit_share)
        for j in same:
            if is_slash:
                wins, close = _is_slash(detections, i, j, _height_ratio(boxes[i], boxes[digits], p), p)
            else:
                weaker, stronger = sorted((float(strengths[i]), float(strengths[j])))
                wins, close = bool(strengths[i] > strengths[j]), weaker >= p.min_doubtful_strength_ratio * stronger
                wins, close = (wins and bool(kept[i])), (close and bool(kept[i]))
            if wins:
                kept[i], kept[j], doubtful[i] = True, False, bool(doubtful[i]) or close
            elif close:
                kept[i], doubtful[i] = True, True
            else:
                kept[i] = False
    return kept, doubtful


def _is_slash(
    detections: Detections, slash: int, digit: int, height_ratio: float, p: SignParameters
) -> tuple[bool, bool]:
    """Return whether two detections of one stroke are a slash, and whether that is doubtful."""
    share = float(detections.probabilities[[slash, digit], DIGITS:].sum(axis=1).max())
    if height_ratio < p.min_slash_height_ratio:
        return False, float(detections.scores[slash]) >= p.min_score and share >= p.min_digit_sign_share
    if share < p.min_slash_share:
        return False, False
    weights = p.slash_height_weight, p.slash_score_weight, p.slash_digit_score_weight, p.slash_share_weight
    capped_ratio = min(p.max_slash_height_ratio, height_ratio)
    features = capped_ratio, float(detections.scores[slash]), float(detections.scores[digit]), share
    logit = p.slash_bias + sum(w * f for w, f in zip(weights, features, strict=True))
    probability = 1 / (1 + float(np.exp(-logit)))
    is_doubtful = p.min_doubtful_slash_probability < probability < p.max_doubtful_slash_probability
    return probability >= p.min_slash_probability, is_doubtful


def _height_ratio(slash: Floats, digits: Floats, p: SignParameters) -> float:
    """Return the height of a slash in heights of the digits (n, 4) near it; 1 if there are none."""
    x, y, width, height = slash
    centres = digits[:, :2] + digits[:, 2:] / 2
    distances = np.abs(centres - (x + width / 2, y + height / 2)) / height
    shared = shared_areas(digits, slash[None])[:, 0]
    same = shared > p.min_same_ratio * np.minimum(digits[:, 2] * digits[:, 3], width * height)
    is_near = (distances[:, 0] < p.max_slash_digit_distance_heights) & (
        distances[:, 1] < p.max_slash_digit_offset_heights
    )
    near = digits[is_near & ~same]
    return float(height / np.median(near[:, 3])) if len(near) else 1.0
