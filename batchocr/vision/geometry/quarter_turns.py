"""Rotation of a level page by multiples of 90 degrees."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels


def rotate(pixels: Pixels, to_page: NDArray[np.float64], quarters: int) -> tuple[Pixels, NDArray[np.float64]]:
    """Rotate a page by quarter turns to the left.

    Args:
        pixels: The page (height, width).
        to_page: Its homography (3, 3) to the page as given. Pixel 0 extends from 0 to 1.
        quarters: The number of turns.

    Returns:
        The rotated page and its homography to the page as given.
    """
    quarters %= 4
    height, width = pixels.shape
    back = {
        0: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        1: [[0, -1, width], [1, 0, 0], [0, 0, 1]],
        2: [[-1, 0, width], [0, -1, height], [0, 0, 1]],
        3: [[0, 1, 0], [-1, 0, height], [0, 0, 1]],
    }[quarters]
    return np.ascontiguousarray(np.rot90(pixels, quarters)), to_page @ np.array(back, np.float64)
