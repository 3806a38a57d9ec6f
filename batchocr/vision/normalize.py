"""A piece of ink → its 28×28 crop, the way MNIST was made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Crops, Pixels
from batchocr.vision.binarize import Contrast, Mask

SIDE = 28
INNER = 20
"""The digit fits into a square of this many pixels, its aspect kept."""
EDGE = 52
"""Of 255, full ink: from this on a pixel belongs to the digit's box."""
THINNEST = 1.7
"""Pixels of the crop: a finer pen is thickened to this, so that it does not fade away."""
NEXT: Mask = np.ones((3, 3), np.uint8)
"""A pixel and those next to it."""


def pen_width(mask: Mask) -> float:
    """Mean width of the strokes in pixels: in a bar of width w the distance to its edge is w/4 in the mean."""
    inside = cv2.distanceTransform(cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 3)
    area = cv2.countNonZero(mask)
    return 4 * cv2.sumElems(inside)[0] / max(1, area) - 1


@dataclass(frozen=True)
class Fitted:
    """A piece of ink made as large as a crop holds."""

    ink: Pixels
    """(height, width), the larger of them 20: 255 where it is as dark as the piece mostly is."""
    stroke: float
    """Mean width of the strokes of the piece, in pixels of the page."""
    dark: float
    """Mean contrast of the piece, 0 to 255."""


def normalize(contrast: Contrast, mask: Mask) -> Pixels:
    """The crop (28, 28) of the ink under `mask`: 255 ink on 0, 20×20 inside, the centre of mass in the middle.

    As the makers of MNIST did it (LeCun, Bottou, Bengio, Haffner, 1998, III.A): aspect kept, smooth edges.
    `contrast` and `mask` are (height, width) of one piece of ink with a pixel or two of paper around it;
    `mask` is 255 where that piece is, and no other ink is seen.
    """
    crop: Pixels = centred([fit(contrast, mask).ink])[0]
    return crop


def fit(contrast: Contrast, mask: Mask) -> Fitted:
    """The first half of `normalize`, piece by piece: the ink under `mask`, made as large as a crop holds."""
    dark, spread = (float(v[0, 0]) for v in cv2.meanStdDev(contrast, mask=mask))
    full = max(1.0, dark + 0.5 * spread)
    ink = cv2.convertScaleAbs(cv2.bitwise_and(contrast, cv2.dilate(mask, NEXT)), alpha=255 / full)
    left, top, width, height = cv2.boundingRect(cv2.bitwise_or(cv2.inRange(ink, EDGE, 255), mask))
    ink = ink[top : top + height, left : left + width]
    scale = INNER / max(width, height)
    stroke = pen_width(mask)
    thin = THINNEST / scale - stroke
    if thin >= 1:
        size = int(thin) + 1
        ink = cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    size_ = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(ink, size_, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    return Fitted(small, stroke, dark)


def centred(digits: Sequence[Pixels]) -> Crops:
    """The second half, all at once: each digit, at most 20×20, full black and on 28×28 by its centre of mass."""
    if not digits:
        return np.empty((0, SIDE, SIDE), np.uint8)
    block = np.zeros((len(digits), INNER, INNER), np.uint8)
    for own, digit in zip(block, digits, strict=True):
        own[: digit.shape[0], : digit.shape[1]] = digit
    shapes = np.array([digit.shape for digit in digits]).reshape(-1, 2)
    peak = _quantile(block, shapes.prod(axis=1), 0.97)
    gain = np.where((peak > 0) & (peak < 255), np.minimum(2.5, 255 / np.maximum(peak, 1)), 1).astype(np.float32)
    block = np.minimum(np.rint(block * gain[:, None, None]), 255).astype(np.uint8)
    mass = np.maximum(1, block.sum(axis=(1, 2)))
    places = np.arange(INNER)
    middle = np.stack([block.sum(axis=2) @ places, block.sum(axis=1) @ places], axis=1) / mass[:, None]
    corners = np.clip(np.rint(SIDE / 2 - middle), 0, SIDE - shapes).astype(np.intp)
    crops = np.zeros((len(digits), SIDE, SIDE), np.uint8)
    for crop, own, (top, left), (height, width) in zip(crops, block, corners.tolist(), shapes.tolist(), strict=True):
        crop[top : top + height, left : left + width] = own[:height, :width]
    return crops


def _quantile(block: Crops, count: NDArray[np.intp], share: float) -> NDArray[np.float64]:
    """That quantile of each picture (n, height, width), of which only `count` pixels count and all others are 0."""
    n = len(block)
    tones = np.arange(n)[:, None] * 256 + block.reshape(n, -1)
    tally = np.bincount(tones.ravel(), minlength=256 * n).reshape(n, 256)
    tally[:, 0] -= block[0].size - count
    at = share * (count - 1)
    no_more = tally.cumsum(axis=1)
    low, high = ((no_more > place[:, None]).argmax(axis=1) for place in (np.floor(at), np.ceil(at)))
    return np.asarray(low + (high - low) * (at - np.floor(at)))
