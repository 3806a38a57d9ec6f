"""Resample a page whose pixels are not square, such as a fax at 204 by 98 dpi."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels

MAX_MEGAPIXELS = 100.0
"""Size of the square page, which is later reduced to 9 megapixels. It is resampled to less if it would be larger."""


def square_pixels(pixels: Pixels, pixel_aspect: float) -> tuple[Pixels, NDArray[np.float64]]:
    """Return a page with square pixels, enlarged along the coarser axis.

    Args:
        pixels: The page (height, width).
        pixel_aspect: Width of a pixel divided by its height.

    Returns:
        The page, and the homography (3, 3) from its points to those of the page as given. Pixel 0 reaches from 0 to 1.
    """
    if pixel_aspect == 1:
        return pixels, np.eye(3)
    height, width = pixels.shape
    across, down = max(pixel_aspect, 1.0), max(1 / pixel_aspect, 1.0)
    scale = min(1.0, (MAX_MEGAPIXELS * 1e6 / (pixels.size * across * down)) ** 0.5)
    size = max(1, round(width * across * scale)), max(1, round(height * down * scale))
    interpolation = cv2.INTER_LINEAR if scale == 1 else cv2.INTER_AREA
    square: Pixels = cv2.resize(pixels, size, interpolation=interpolation)
    return square, np.diag([width / size[0], height / size[1], 1.0])
