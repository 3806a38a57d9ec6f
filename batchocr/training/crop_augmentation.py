"""Random small distortions of crops: shift, rotation, slant, stretch and waves."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Crops


@dataclass(frozen=True)
class AugmentationParameters:
    """How much crops are distorted; the values are standard deviations that keep each digit recognizable.

    Basis of all: set in the training rounds (docs/training-rounds.md), not varied one by one.
    """

    shift_px: float = 0.7
    """Shift in each direction, in pixels."""
    turn_rad: float = 0.07
    """Rotation, in radians."""
    slant_ratio: float = 0.08
    """Horizontal shift per pixel of height."""
    stretch_ratio: float = 0.05
    """Change of width and height, as a share of them."""
    wave_px: float = 0.6
    """Shift of each point of a grid of 4 × 4, in pixels; the pixels between follow smoothly."""
    unchanged_share: float = 0.25
    """Share of the crops that are not changed."""


PARAMETERS = AugmentationParameters()


def augment(crops: Crops, rng: np.random.Generator, p: AugmentationParameters = PARAMETERS) -> Crops:
    """Distort crops.

    The waves are an elastic distortion (Simard, Steinkraus, Platt, 2003).

    Args:
        crops: Crops (n, 28, 28) uint8.
        rng: Source of random numbers; the same state gives the same result.
        p: Parameters.

    Returns:
        Distorted copies, (n, 28, 28) uint8.
    """
    n, side = len(crops), crops.shape[1]
    centre = (side - 1) / 2
    points = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).astype(np.float32) - centre
    turn, slant = rng.normal(0, p.turn_rad, n), rng.normal(0, p.slant_ratio, n)
    across, along = rng.normal(1, p.stretch_ratio, n), rng.normal(1, p.stretch_ratio, n)
    maps = np.array([[across, slant - turn], [turn, along]], np.float32).transpose(2, 0, 1)
    moved = rng.normal(0, p.shift_px, (n, 2)).astype(np.float32) + centre
    fields = _spread(rng.normal(0, p.wave_px, (n, 4, 4, 2)).astype(np.float32), side)
    alone = rng.random(n) < p.unchanged_share
    out = crops.copy()
    for i in np.flatnonzero(~alone):
        source = points @ maps[i].T + fields[i] + moved[i]
        cv2.remap(crops[i], source, None, cv2.INTER_CUBIC, dst=out[i])
    return out


def _spread(coarse: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Interpolate (n, 4, 4, 2) to (n, side, side, 2)."""
    n = len(coarse)
    planes = coarse.transpose(1, 2, 0, 3).reshape(4, 4, 2 * n)
    # OpenCV resizes up to four planes at once
    resized = [
        cv2.resize(planes[..., at : at + 4], (side, side), interpolation=cv2.INTER_CUBIC).reshape(side, side, -1)
        for at in range(0, 2 * n, 4)
    ]
    return np.concatenate(resized, axis=2).reshape(side, side, n, 2).transpose(2, 0, 1, 3)
