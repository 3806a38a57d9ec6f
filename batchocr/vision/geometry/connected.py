"""Connected components of a mask."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.vision.binarize import Mask


def connected(mask: Mask, neighbours: int = 8) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Components of a mask (height, width) by 4 or 8 `neighbours`: the label of each pixel, 0 for none, and statistics.

    Those are (n, 5) by label: left, top, width, height and area, in the places that OpenCV's CC_STAT_* name.
    OpenCV's own take five times as long as the labels, as they look at each pixel; these look where runs of them end.
    """
    height, width = mask.shape
    count, labels = cv2.connectedComponents(mask, connectivity=neighbours, ltype=cv2.CV_32S)
    edged = cv2.copyMakeBorder(mask, 0, 0, 1, 1, cv2.BORDER_CONSTANT).ravel()  # so that each run ends in its row
    y, x = np.divmod(np.flatnonzero(edged[1:] != edged[:-1]).reshape(-1, 2), width + 2)
    of = labels[y[:, 0], x[:, 0]]
    ends = extents(np.repeat(of, 2), x.ravel().astype(np.float64), y.ravel().astype(np.float64))[1:]
    stats = np.empty((count, 5), np.int32)
    stats[1:, :2] = ends[:, :2]
    stats[1:, 2:4] = ends[:, 2:] - ends[:, :2] + (0, 1)
    stats[:, cv2.CC_STAT_AREA] = np.bincount(of, x[:, 1] - x[:, 0], count)
    stats[0] = 0, 0, width, height, mask.size - stats[1:, cv2.CC_STAT_AREA].sum()
    return labels.astype(np.int32, copy=False), stats


def extents(of: NDArray[np.int32], x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """By label the least x and y and the greatest of the points (n,) that are `of` it, (labels, 4)."""
    ends = np.full((4, int(of.max(initial=0)) + 1), np.inf)
    ends[2:] = -np.inf
    for at_most, at_least, values in ((ends[0], ends[2], x), (ends[1], ends[3], y)):
        np.minimum.at(at_most, of, values)
        np.maximum.at(at_least, of, values)
    return ends.T
