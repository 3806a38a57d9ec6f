"""Normalization of one digit's ink to a 28×28 crop, as MNIST was made (LeCun et al. 1998, section III.A)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Crops, Pixels

SIDE = 28
"""Side of a crop in pixels, as in MNIST."""
INNER = 20
"""Side of the square that the digit fills, with its aspect kept, as in MNIST."""


@dataclass(frozen=True)
class NormalizationParameters:
    """How ink becomes the tones of a crop. A change requires a new training of the classifier."""

    edge: int = 52
    """Value of 255 from which a pixel is within the digit's box. Basis: a fifth of full ink; MNIST's soft edges."""
    min_stroke_px: float = 1.7
    """Thinner strokes are thickened to this, in pixels of the crop. Basis: thinner ones fade away when reduced."""
    full_quantile: float = 0.97
    """Quantile of a digit's values that becomes full ink. Basis: MNIST's digits reach 255."""
    max_gain: float = 2.5
    """Largest factor by which values are raised. Basis: chosen by eye, so that noise stays weak."""


PARAMETERS = NormalizationParameters()


def fit_to_crop(ink: Pixels, stroke_px: float, parameters: NormalizationParameters = PARAMETERS) -> Pixels:
    """Resize a digit's ink to the size that it has in a crop. Thin strokes are thickened.

    Args:
        ink: The ink within the digit's box (height, width), 255 on 0.
        stroke_px: The width of its strokes, in pixels of `ink`.
        parameters: See the class.

    Returns:
        The digit, with a longer side of 20 pixels.
    """
    height, width = ink.shape
    scale = INNER / max(width, height)
    missing = parameters.min_stroke_px / scale - stroke_px
    if missing >= 1:
        kernel_px = int(missing) + 1
        ink = cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (kernel_px, kernel_px)))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def center(digits: Sequence[Pixels], parameters: NormalizationParameters = PARAMETERS) -> Crops:
    """Raise digits to full ink, and place their centres of mass in the middle of crops.

    Args:
        digits: Digits of at most 20×20 pixels each.
        parameters: See the class.

    Returns:
        The crops (n, 28, 28), uint8.
    """
    if not digits:
        return np.empty((0, SIDE, SIDE), np.uint8)
    block = np.zeros((len(digits), INNER, INNER), np.uint8)
    for own, digit in zip(block, digits, strict=True):
        own[: digit.shape[0], : digit.shape[1]] = digit
    shapes = np.array([digit.shape for digit in digits]).reshape(-1, 2)
    peak = _quantile(block, shapes.prod(axis=1), parameters.full_quantile)
    gain = np.where((peak > 0) & (peak < 255), np.minimum(parameters.max_gain, 255 / np.maximum(peak, 1)), 1)
    block = np.minimum(np.rint(block * gain.astype(np.float32)[:, None, None]), 255).astype(np.uint8)
    mass = np.maximum(1, block.sum(axis=(1, 2)))
    places = np.arange(INNER)
    middle = np.stack([block.sum(axis=2) @ places, block.sum(axis=1) @ places], axis=1) / mass[:, None]
    corners = np.clip(np.rint(SIDE / 2 - middle), 0, SIDE - shapes).astype(np.intp)
    crops = np.zeros((len(digits), SIDE, SIDE), np.uint8)
    for crop, own, (top, left), (height, width) in zip(crops, block, corners.tolist(), shapes.tolist(), strict=True):
        crop[top : top + height, left : left + width] = own[:height, :width]
    return crops


def _quantile(block: Crops, count: NDArray[np.intp], share: float) -> NDArray[np.float64]:
    """Return a quantile of the first `count` pixels of each image (n, height, width); the others are 0."""
    tones = np.sort(block.reshape(len(block), -1), axis=1, kind="stable")  # radix sort, ten times as fast for bytes
    at = share * (count - 1)
    first = tones.shape[1] - count
    below, above = (
        np.take_along_axis(tones, (first + place(at).astype(np.intp))[:, None], 1)[:, 0].astype(np.float64)
        for place in (np.floor, np.ceil)
    )
    return np.asarray(below + (above - below) * (at - np.floor(at)))
