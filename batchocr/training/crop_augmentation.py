"""Crops moved, turned, slanted, stretched and bent a little, otherwise for each batch."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Crops

SHIFT = 0.7
"""Pixels by which a crop is moved, as a standard deviation; likewise the others."""
TURN, SLANT, STRETCH = 0.07, 0.08, 0.05
"""Radians, share and share."""
WAVE = 0.6
"""Pixels by which each of 4 × 4 points is moved, and what lies between with them (elastic distortion; Simard,
Steinkraus, Platt, 2003)."""
AS_IT_IS = 0.25
"""Share of the crops that are left alone."""


def augment(crops: Crops, rng: np.random.Generator) -> Crops:
    """Crops (n, 28, 28) as they might have been written too."""
    n, side = len(crops), crops.shape[1]
    centre = (side - 1) / 2
    points = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).astype(np.float32) - centre
    turn, slant = rng.normal(0, TURN, n), rng.normal(0, SLANT, n)
    across, along = rng.normal(1, STRETCH, n), rng.normal(1, STRETCH, n)
    maps = np.array([[across, slant - turn], [turn, along]], np.float32).transpose(2, 0, 1)
    moved = rng.normal(0, SHIFT, (n, 2)).astype(np.float32) + centre
    fields = _spread(rng.normal(0, WAVE, (n, 4, 4, 2)).astype(np.float32), side)
    alone = rng.random(n) < AS_IT_IS
    out = crops.copy()
    for i in np.flatnonzero(~alone):
        source = points @ maps[i].T + fields[i] + moved[i]
        cv2.remap(crops[i], source, None, cv2.INTER_CUBIC, dst=out[i])
    return out


def _spread(coarse: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """(n, 4, 4, 2) to (n, side, side, 2), smoothly."""
    n = len(coarse)
    planes = coarse.transpose(1, 2, 0, 3).reshape(4, 4, 2 * n)
    # OpenCV resizes up to four planes at once
    wide = [
        cv2.resize(planes[..., at : at + 4], (side, side), interpolation=cv2.INTER_CUBIC).reshape(side, side, -1)
        for at in range(0, 2 * n, 4)
    ]
    return np.concatenate(wide, axis=2).reshape(side, side, n, 2).transpose(2, 0, 1, 3)
