"""A piece of ink → its 28×28 crop, the way MNIST was made."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels
from batchocr.vision.binarize import Contrast, Mask

SIDE = 28
INNER = 20
"""The digit fits into a square of this many pixels, its aspect kept."""
EDGE = 0.2
"""Share of full ink from which a pixel belongs to the digit's box."""
THINNEST = 1.7
"""Pixels of the crop: a finer pen is thickened to this, so that it does not fade away."""


def pen_width(mask: Mask) -> float:
    """Mean width of the strokes in pixels: in a bar of width w the distance to its edge is w/4 in the mean."""
    inside = cv2.distanceTransform(cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 3)
    area = cv2.countNonZero(mask)
    return 4 * float(cv2.sumElems(inside)[0]) / max(1, area) - 1


def normalize(contrast: Contrast, mask: Mask) -> Pixels:
    """The crop (28, 28) of the ink under `mask`: 255 ink on 0, 20×20 inside, the centre of mass in the middle.

    As the makers of MNIST did it (LeCun, Bottou, Bengio, Haffner, 1998, III.A): aspect kept, smooth edges.
    `contrast` and `mask` are (height, width) of one piece of ink with a pixel or two of paper around it;
    `mask` is 255 where that piece is, and no other ink is seen.
    """
    full, spread = (float(v[0, 0]) for v in cv2.meanStdDev(contrast, mask=mask))
    full = max(1.0, full + 0.5 * spread)
    near = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_RECT, (3, 3)))
    ink = cv2.convertScaleAbs(cv2.bitwise_and(contrast, near), alpha=255 / full)
    left, top, width, height = cv2.boundingRect(cv2.compare(ink, 255 * EDGE, cv2.CMP_GT) | mask)
    ink = ink[top : top + height, left : left + width]
    scale = INNER / max(width, height)
    thin = THINNEST / scale - pen_width(mask)
    if thin >= 1:
        size = int(thin) + 1
        ink = cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    size_ = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(ink, size_, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    # the 97th percentile
    peak = float(np.interp(0.97 * (small.size - 1), np.arange(small.size), np.sort(small, axis=None)))
    if 0 < peak < 255:
        small = cv2.convertScaleAbs(small, alpha=min(2.5, 255 / peak))
    return _centre(small)


def _centre(digit: Pixels) -> Pixels:
    """The digit, at most 20×20, on 28×28 with its centre of mass in the middle."""
    height, width = digit.shape
    moments = cv2.moments(digit)
    mass = max(1.0, moments["m00"])
    left = round(SIDE / 2 - moments["m10"] / mass)
    top = round(SIDE / 2 - moments["m01"] / mass)
    left, top = min(max(left, 0), SIDE - width), min(max(top, 0), SIDE - height)
    crop: NDArray[np.uint8] = np.zeros((SIDE, SIDE), np.uint8)
    crop[top : top + height, left : left + width] = digit
    return crop
