"""How strong the ink of each digit is: what shines through from the back is far paler than what is written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.contrast import paper_contrast
from batchocr.records import Pixels

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FaintParameters:
    """When ink is too pale beside the rest of the page to be writing.

    Of 170 false digits on composed pages whose back shines through 169 are paler, and of 24,000 true ones none.
    """

    min_share: float = 0.25
    """Of the usual strength: what is paler stands on the back, or was rubbed out."""
    sure_score: float = 0.8
    """Of the detector: such digits tell the usual strength, their median..."""
    least_sure: int = 5
    """...where there are so many."""
    height_px: float = 20.0
    """The page is scaled so that digits are about so high, where they are higher."""
    paper_px: int = 60
    """Side of the square whose median is the paper's brightness, in pixels of the scaled page."""


def is_faint(
    strengths: Floats, scores: NDArray[np.floating], parameters: FaintParameters | None = None
) -> NDArray[np.bool_]:
    """Which digits (n,) have ink far paler than the sure ones of the page; none where few are sure.

    `strengths` (n,) are those of `ink_strengths`, `scores` (n,) the detector's.
    """
    how = parameters or FaintParameters()
    sure = scores >= how.sure_score
    if np.count_nonzero(sure) < how.least_sure:
        return np.zeros(len(scores), np.bool_)
    return np.asarray(strengths < how.min_share * np.median(strengths[sure]), np.bool_)


def ink_strengths(pixels: Pixels, boxes: NDArray[np.floating], parameters: FaintParameters | None = None) -> Floats:
    """How strong the ink in each of the boxes (n, 4) is: (n,) grey values that it differs from the paper around it.

    `pixels` (height, width) is the level page, dark on light or light on dark; boxes are left, top, width and height in
    pixels.
    """
    how = parameters or FaintParameters()
    if not len(boxes):
        return np.empty(0)
    scale = min(1.0, how.height_px / float(np.median(boxes[:, 3])))
    contrast = paper_contrast(pixels, scale, how.paper_px)
    ends = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1) * scale
    ends = np.concatenate([np.floor(ends[:, :2]), np.ceil(ends[:, 2:])], axis=1)
    ends = np.clip(ends, 0, np.tile(contrast.shape[::-1], 2)).astype(int)
    return np.array([_strength(contrast[top:foot, left:right]) for left, top, right, foot in ends.tolist()])


def _strength(contrast: Pixels) -> float:
    """A high quantile of a box's contrast: that of its ink."""
    if not contrast.size:
        return 0.0
    at = int(0.9 * (contrast.size - 1))
    return float(np.partition(contrast, at, axis=None)[at])
