"""Connected components of a mask."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.vision.binarize import Mask


def connected(mask: Mask) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """Components (8 neighbours) of a mask (height, width): labels, statistics and middles.

    The label of each pixel (height, width), 0 for nothing; by label, (n, 5), left, top, width, height and area, as
    OpenCV's CC_STAT_* name them; and the mean x, y of its pixels, (n, 2). By blocks of 2×2 pixels (Grana, Borghesani,
    Cucchiara, 2010): OpenCV's own choice takes four times as long over the statistics.
    """
    _, labels, stats, middles = cv2.connectedComponentsWithStatsWithAlgorithm(mask, 8, cv2.CV_32S, cv2.CCL_GRANA)
    return labels, stats, middles
