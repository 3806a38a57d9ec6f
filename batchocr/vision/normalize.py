"""A piece of ink → its 28×28 crop, the way MNIST was made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Crops, Pixels
from batchocr.vision.binarize import Contrast, Mask
from batchocr.vision.ink import Piece

SIDE = 28
INNER = 20
"""The digit fits into a square of this many pixels, its aspect kept."""
EDGE = 52
"""Of 255, full ink: from this on a pixel belongs to the digit's box."""
THINNEST = 1.7
"""Pixels of the crop: a finer pen is thickened to this, so that it does not fade away."""
AROUND = 2
"""Pixels of paper that are looked at round a piece."""
TOGETHER = 128
"""Pieces that are fitted at once, at most: few enough for the processor's cache."""
NEXT: Mask = np.ones((3, 3), np.uint8)
"""A pixel and those next to it."""


def pen_width(mask: Mask) -> float:
    """Mean width of the strokes in pixels: in a bar of width w the distance to its edge is w/4 in the mean."""
    inside = cv2.distanceTransform(cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 3)
    area = cv2.countNonZero(mask)
    return 4 * cv2.sumElems(inside)[0] / max(1, area) - 1


@dataclass(frozen=True)
class Normal:
    """A piece of ink as the classifier sees it, and how it is drawn."""

    crop: Pixels
    """(28, 28)."""
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
    left, top, width, height = cv2.boundingRect(mask)
    piece = Piece(left, top, left + width, top + height, cv2.countNonZero(mask), (255,))
    return normalize_all([piece], mask.astype(np.int32), contrast)[0].crop


def normalize_all(pieces: Sequence[Piece], labels: NDArray[np.int32], contrast: Contrast) -> list[Normal]:
    """The same of many pieces of a page, whose `labels` and `contrast` (height, width) these are."""
    size = [(piece.right - piece.left).bit_length() for piece in pieces]
    alike = sorted(range(len(pieces)), key=size.__getitem__)
    fitted: list[tuple[Pixels, float, float]] = []
    for _, same in groupby(alike, key=size.__getitem__):
        while some := [pieces[i] for i in islice(same, TOGETHER)]:
            fitted += _fitted(some, labels, contrast)
    crops = centred([ink for ink, _, _ in fitted])
    normal = {i: Normal(crop, *drawn) for i, crop, (_, *drawn) in zip(alike, crops, fitted, strict=True)}
    return [normal[i] for i in range(len(pieces))]


def _fitted(
    pieces: Sequence[Piece], labels: NDArray[np.int32], contrast: Contrast
) -> Iterator[tuple[Pixels, float, float]]:
    """Pieces of like width, each made as large as a crop holds, with stroke and darkness as in `Normal`.

    They are looked at below each other, with paper between them.
    """
    tall = [piece.height + 2 * AROUND for piece in pieces]
    first = np.cumsum([0, *tall])
    starts, rows = first[:-1], first[-1]
    wide = max(piece.width for piece in pieces) + 2 * AROUND
    tones = np.zeros((rows, wide), np.uint8)
    of = np.zeros((rows, wide), np.int32)
    for piece, row in zip(pieces, starts.tolist(), strict=True):
        up, back = min(AROUND, piece.top), min(AROUND, piece.left)
        part = slice(piece.top - up, piece.bottom + AROUND), slice(piece.left - back, piece.right + AROUND)
        here = labels[part]
        y, x = row + AROUND - up, AROUND - back
        place = slice(y, y + here.shape[0]), slice(x, x + here.shape[1])
        tones[place], of[place] = contrast[part], here
        if len(piece.labels) > 1:
            of[place][piece.inside(here)] = piece.labels[0]
    mask = (of == np.repeat([piece.labels[0] for piece in pieces], tall)[:, None]).astype(np.uint8) * np.uint8(255)
    beside = cv2.bitwise_and(cv2.dilate(mask, NEXT), cv2.compare(of, 0, cv2.CMP_EQ))
    own = cv2.bitwise_and(tones, mask)
    area = np.maximum(1, _sums(mask, starts) / 255)
    dark = _sums(own, starts) / area
    spread = np.sqrt(np.maximum(0, _sums(cv2.multiply(own, own, dtype=cv2.CV_32F), starts) / area - dark**2))
    tones = cv2.bitwise_and(tones, cv2.bitwise_or(mask, beside))
    gain = np.repeat(255 / np.maximum(1, dark + 0.5 * spread), tall).astype(np.float32)
    tones = cv2.convertScaleAbs(tones * gain[:, None])
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    strokes = 4 * _sums(inside, starts) / area - 1  # as in `pen_width`
    boxes = _boxes(pieces, cv2.compare(tones, EDGE, cv2.CMP_GE), starts)
    for (left, top, right, bottom), stroke, mean in zip(boxes, strokes.tolist(), dark.tolist(), strict=True):
        yield resized(tones[top:bottom, left:right], stroke), stroke, mean


def _sums(picture: NDArray[Any], starts: NDArray[np.intp]) -> NDArray[np.float64]:
    """Of all pixels from each row of `starts` to the next."""
    return np.asarray(np.add.reduceat(cv2.reduce(picture, 1, cv2.REDUCE_SUM, dtype=cv2.CV_64F)[:, 0], starts))


def _boxes(pieces: Sequence[Piece], inked: Mask, starts: NDArray[np.intp]) -> list[list[int]]:
    """Left, top, right and bottom of each piece that lies from a row of `starts` to the next, AROUND within.

    They are those of its mask, or a pixel beyond, where that is `inked`.
    """
    wide, tall = np.array([(piece.width, piece.height) for piece in pieces]).T
    right, bottom = AROUND + wide, starts + AROUND + tall
    last_column = np.repeat(right, tall + 2 * AROUND)[:, None]
    beyond = (
        np.maximum.reduceat(inked[:, AROUND - 1], starts),
        inked[starts + AROUND - 1].max(axis=1),
        np.maximum.reduceat(np.take_along_axis(inked, last_column, axis=1)[:, 0], starts),
        inked[bottom].max(axis=1),
    )
    before, above, after, below = (each > 0 for each in beyond)
    boxes: list[list[int]] = np.stack(
        [AROUND - before, starts + AROUND - above, right + after, bottom + below], axis=1
    ).tolist()
    return boxes


def resized(ink: Pixels, stroke: float) -> Pixels:
    """Ink within its box, with strokes so wide, to the size that a crop holds; fine strokes are thickened."""
    height, width = ink.shape
    scale = INNER / max(width, height)
    thin = THINNEST / scale - stroke
    if thin >= 1:
        size = int(thin) + 1
        ink = cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    size_ = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(ink, size_, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def centred(digits: Sequence[Pixels]) -> Crops:
    """Digits, each at most 20×20, made full black and put on 28×28 by their centres of mass."""
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
    tones = np.sort(block.reshape(len(block), -1), axis=1, kind="stable")  # by radix, ten times as fast for bytes
    at = share * (count - 1)
    first = tones.shape[1] - count
    low, high = (
        np.take_along_axis(tones, (first + place(at).astype(np.intp))[:, None], 1)[:, 0].astype(np.float64)
        for place in (np.floor, np.ceil)
    )
    return np.asarray(low + (high - low) * (at - np.floor(at)))
