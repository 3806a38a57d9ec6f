"""Statistics of 8-bit images from a histogram of their 256 values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def percentiles(pixels: NDArray[np.uint8], percents: Sequence[float]) -> NDArray[np.float64]:
    """Compute percentiles of an image, as np.percentile does with linear interpolation, but many times faster.

    Args:
        pixels: Image (height, width), uint8.
        percents: Percentiles to compute, 0 to 100.

    Returns:
        The values (n,), 0 to 255.
    """
    import cv2

    cumulative = cv2.calcHist([pixels], [0], None, [256], [0, 256]).cumsum(dtype=np.int64)
    position = np.array(percents) / 100 * (cumulative[-1] - 1)
    below, above = (np.searchsorted(cumulative, rank, side="right") for rank in (np.floor(position), np.ceil(position)))
    return np.asarray(below + position % 1 * (above - below))
