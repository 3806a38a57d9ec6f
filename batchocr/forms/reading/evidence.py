"""What both networks found on a placed page: for each detection the probabilities of ten digits and of a non-digit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.digits.joint import DIGITS, joint_probabilities, read_jointly
from batchocr.decoding.digits.neighbours import neighbour_scores
from batchocr.decoding.parameters import DecodingParameters
from batchocr.forms.reading.crosses import is_cross
from batchocr.forms.reading.parameters import CrossParameters
from batchocr.records import SIGN, Detections

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """The n digits and m signs that may be on a page; boxes are in pixels of the level page."""

    boxes: Floats
    """(n, 4) left, top, width and height of digits, also of weak ones."""
    digits: Floats
    """(n, 10): joint probability of each digit if it is one; each row adds up to 1."""
    is_digit: Floats
    """(n,): probability that it is a digit at all."""
    scores: Floats
    """(n,): scores of the detector."""
    sign_boxes: Floats
    """(m, 4)."""
    sign_probabilities: Floats
    """(m, 6): probabilities of SIGNS; each row adds up to 1."""
    sign_scores: Floats
    """(m,)."""


@dataclass(frozen=True)
class CropEvidence:
    """The classifier's answer for the ink of a cell."""

    digits: Floats
    """(10,): probability of each digit if it is one; their sum is 1."""
    is_digit: float
    """Probability that it is a digit."""
    is_cross: bool = False
    """Whether it has the shape of a cross."""


def crop_evidence(probabilities: Floats, crop: NDArray[np.uint8], crosses: CrossParameters) -> CropEvidence:
    """Return the evidence of a crop.

    Args:
        probabilities: (11,) of the classes: ten digits, then the non-digit.
        crop: (28, 28), ink 255 on 0.
        crosses: what a cross is.
    """
    digits = np.maximum(probabilities[:DIGITS], 1e-9)
    return CropEvidence(digits / digits.sum(), 1 - float(probabilities[DIGITS]), is_cross(crop, crosses))


def page_evidence(detections: Detections, crop_probabilities: Floats, parameters: DecodingParameters) -> Evidence:
    """Read all detections of a page jointly.

    Args:
        detections: the detections of the page, also weak ones.
        crop_probabilities: (n, 11) class probabilities of their crops; zeros for signs.
        parameters: the parameters of decoding.

    Returns:
        The evidence for digits and signs.
    """
    p = parameters
    is_sign = detections.kinds == SIGN
    digits, signs, crops = detections.take(~is_sign), detections.take(is_sign), crop_probabilities[~is_sign]
    neighbours = neighbour_scores(digits.boxes, digits.scores, p.neighbours)
    reading = read_jointly(digits.scores, digits.probabilities, crops, neighbours, p.joint, p.calibration, p.features)
    joint = joint_probabilities(digits.probabilities, crops, p.joint, p.features)
    share = np.clip(reading.confidences / np.maximum(reading.is_digit, reading.confidences), 1e-6, 1 - 1e-6)
    of_signs = np.maximum(np.asarray(signs.probabilities, np.float64)[:, DIGITS:], 1e-9)
    return Evidence(
        np.asarray(digits.boxes, np.float64).reshape(-1, 4),
        _with_best(joint, reading.digits, share),
        np.maximum(reading.is_digit, reading.confidences),
        np.asarray(digits.scores, np.float64),
        np.asarray(signs.boxes, np.float64).reshape(-1, 4),
        of_signs / of_signs.sum(axis=1, keepdims=True),
        np.asarray(signs.scores, np.float64),
    )


def _with_best(joint: Floats, best: NDArray[np.int64], share: Floats) -> Floats:
    """Return probabilities (n, 10) in which the best digit has the calibrated share and the others have the rest."""
    rows = np.arange(len(joint))
    found = np.maximum(joint, 1e-9)
    found[rows, best] = 0
    found *= ((1 - share) / np.maximum(found.sum(axis=1), 1e-12))[:, None]
    found[rows, best] = share
    return np.asarray(found)
