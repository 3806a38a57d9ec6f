"""Connected components of a mask."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.vision.binarize import Mask


def connected(mask: Mask, neighbours: int = 8) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Label the connected components of a mask and measure them.

    This is faster than OpenCV's own function, which takes five times as long for the measures as for the labels: it
    reads every pixel, while this function reads the ends of runs only.

    Args:
        mask: The mask (height, width).
        neighbours: 4 or 8, the connectivity.

    Returns:
        The label (height, width) of each pixel, 0 for the background, and the measures (n, 5) by label: left, top,
        width, height and area, in the order of OpenCV's CC_STAT_* names.
    """
    height, width = mask.shape
    count, labels = cv2.connectedComponents(mask, connectivity=neighbours, ltype=cv2.CV_32S)
    padded = cv2.copyMakeBorder(mask, 0, 0, 1, 1, cv2.BORDER_CONSTANT).ravel()  # so that each run ends in its row
    y, x = np.divmod(np.flatnonzero(padded[1:] != padded[:-1]).reshape(-1, 2), width + 2)
    label = labels[y[:, 0], x[:, 0]]
    ends = _extents(np.repeat(label, 2), x.ravel().astype(np.float64), y.ravel().astype(np.float64))[1:]
    stats = np.empty((count, 5), np.int32)
    stats[1:, :2] = ends[:, :2]
    stats[1:, 2:4] = ends[:, 2:] - ends[:, :2] + (0, 1)
    stats[:, cv2.CC_STAT_AREA] = np.bincount(label, x[:, 1] - x[:, 0], count)
    stats[0] = 0, 0, width, height, mask.size - stats[1:, cv2.CC_STAT_AREA].sum()
    return labels.astype(np.int32, copy=False), stats


def _extents(label: NDArray[np.int32], x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return min x, min y, max x and max y (labels, 4) of points (n,), by label."""
    ends = np.full((4, int(label.max(initial=0)) + 1), np.inf)
    ends[2:] = -np.inf
    for lower, upper, values in ((ends[0], ends[2], x), (ends[1], ends[3], y)):
        np.minimum.at(lower, label, values)
        np.maximum.at(upper, label, values)
    return ends.T
