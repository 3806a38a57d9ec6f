"""How dark ink is: as a share of the paper's brightness, so that shade does not change it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.forms.ink.parameters import DarknessParameters
from batchocr.records import Pixels

Darkness = NDArray[np.float32]


def paper_brightness(pixels: Pixels, px_per_mm: float, parameters: DarknessParameters) -> Darkness:
    """Return the brightness of the paper at each pixel.

    Args:
        pixels: (height, width) uint8, dark on light.
        px_per_mm: pixels for each millimetre.
        parameters: how the paper is found.

    Returns:
        (height, width) float32, 1 to 256.
    """
    side = max(3, round(parameters.paper_mm * px_per_mm))
    lightest = cv2.dilate(pixels, np.ones((side, side), np.uint8))
    smooth = max(3, round(parameters.smooth_mm * px_per_mm))
    return np.asarray(cv2.blur(lightest, (smooth, smooth)).astype(np.float32) + 1)


def darkness(pixels: Pixels, px_per_mm: float, parameters: DarknessParameters) -> Darkness:
    """Return how much darker each pixel is than the paper around it.

    Args:
        pixels: (height, width) uint8, dark on light.
        px_per_mm: pixels for each millimetre.
        parameters: how the paper is found.

    Returns:
        (height, width) float32, 0 to 1: a share of the paper's brightness.
    """
    return np.asarray(np.clip(1 - pixels / paper_brightness(pixels, px_per_mm, parameters), 0, 1), np.float32)


def spread(dark: Darkness, radius_px: float) -> Darkness:
    """Return the greatest darkness within a distance of each pixel.

    Args:
        dark: (height, width) float32.
        radius_px: the distance in pixels.
    """
    side = 2 * max(1, round(radius_px)) + 1
    return np.asarray(cv2.dilate(dark, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))))
