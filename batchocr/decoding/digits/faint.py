"""The strength of the ink of each digit: ink that shines through from the back is far paler than the writing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.marks.contrast import PARAMETERS as CONTRAST
from batchocr.decoding.marks.contrast import ContrastParameters, paper_contrast
from batchocr.records import Pixels

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FaintParameters:
    """When ink is too pale, compared with the rest of the page, to be writing."""

    min_strength_share: float = 0.25
    """Minimum strength of ink, as a share of the usual strength; paler ink is on the back, or was rubbed out. Basis: of
    170 false digits on composed pages with text on their back 169 are paler, and of 24,000 true digits none is."""
    min_sure_score: float = 0.8
    """Minimum score of the sure digits; the median of their strengths is the usual strength. Basis: chosen by eye."""
    min_sure_digits: int = 5
    """Minimum number of sure digits; with fewer no digit is faint. Basis: chosen by eye."""
    height_px: float = 20.0
    """The page is reduced so that the median height of the digits is this. It is never enlarged. Basis: chosen by
    eye."""
    paper_px: int = 60
    """Side of the square whose median is the brightness of the paper, in pixels of the reduced page. Basis: three
    heights of a digit, so that most of it is paper."""
    ink_top_share: float = 0.1
    """Share of the pixels in a digit's box that have more contrast than the strength of its ink. Basis: chosen by
    eye."""


PARAMETERS = FaintParameters()


def is_faint(
    strengths: Floats, scores: NDArray[np.floating], parameters: FaintParameters = PARAMETERS
) -> NDArray[np.bool_]:
    """Find the digits whose ink is far paler than that of the sure digits of the page.

    Args:
        strengths: (n,) strengths of the digits' ink, from `ink_strengths`.
        scores: (n,) scores of the detector.
        parameters: when ink is faint.

    Returns:
        A mask (n,); all false if there are few sure digits.
    """
    p = parameters
    sure = scores >= p.min_sure_score
    if np.count_nonzero(sure) < p.min_sure_digits:
        return np.zeros(len(scores), np.bool_)
    return np.asarray(strengths < p.min_strength_share * np.median(strengths[sure]), np.bool_)


def ink_strengths(
    pixels: Pixels,
    boxes: NDArray[np.floating],
    parameters: FaintParameters = PARAMETERS,
    contrast_parameters: ContrastParameters = CONTRAST,
) -> Floats:
    """Measure the strength of the ink in each box.

    Args:
        pixels: (height, width) uint8, the level page, dark on light or light on dark.
        boxes: (n, 4) left, top, width and height of the digits in pixels.
        parameters: how the strength is measured.
        contrast_parameters: how the brightness of the paper is estimated.

    Returns:
        (n,) grey values by which the ink differs from the paper around it.
    """
    p = parameters
    if not len(boxes):
        return np.empty(0)
    scale = min(1.0, p.height_px / float(np.median(boxes[:, 3])))
    contrast = paper_contrast(pixels, scale, p.paper_px, contrast_parameters)
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1) * scale
    corners = np.concatenate([np.floor(corners[:, :2]), np.ceil(corners[:, 2:])], axis=1)
    corners = np.clip(corners, 0, np.tile(contrast.shape[::-1], 2)).astype(int)
    return np.array([_strength(contrast[top:bottom, left:right], p) for left, top, right, bottom in corners.tolist()])


def _strength(contrast: Pixels, p: FaintParameters) -> float:
    """Return the strength of the ink in the contrast of one box; 0 if the box is empty."""
    if not contrast.size:
        return 0.0
    i = int((1 - p.ink_top_share) * (contrast.size - 1))
    return float(np.partition(contrast, i, axis=None)[i])
