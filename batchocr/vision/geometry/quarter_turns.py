"""A level page that lies on its side or its head → upright."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels


def turned(pixels: Pixels, to_page: NDArray[np.float64], quarters: int) -> tuple[Pixels, NDArray[np.float64]]:
    """A page (height, width) after so many quarter turns to the left, and its homography to the page as given.

    `to_page` (3, 3) is that of the page before; pixel 0 reaches from 0 to 1.
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
