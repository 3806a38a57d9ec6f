"""Detected boxes on a level page → 28×28 crops, the way MNIST was made.

All boxes are looked at in windows of one size, below each other in one picture, so that each step is one call.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Crops, Pixels
from batchocr.vision.binarize import Mask
from batchocr.vision.normalize import EDGE, centred, resized

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class CropParameters:
    """How a digit's ink is told from paper, rules and neighbours."""

    digit_px: int = 32
    """Longer side of a box in its window: 1.6 times that of the digit in its crop, so that edges stay smooth."""
    window_px: int = 48
    """Side of the square window: what lies around the box tells whose ink it is."""
    cell_px: int = 8
    """Of the grid on which the paper's brightness is sampled: narrower than the gaps between strokes."""
    darkest_ratio: float = 0.92
    """Quantile of the contrast within the box that is taken for full ink: strokes fill a fifth of most boxes."""
    ink_ratio: float = 0.45
    """Share of that contrast at which a stroke's edge lies (half, and a little for blur)."""
    min_contrast: int = 10
    """Of 255, of what counts as ink at all."""
    around_px: int = 2
    """By which ink may lie outside of its box: boxes are a pixel or two off."""
    own_ratio: float = 0.5
    """Share of a component within the box from which on it belongs to it."""
    main_ratio: float = 0.35
    """Share of the box's ink from which on a component belongs to it all the same: a digit that touches others."""
    min_speck_px: int = 4
    """Area of the smallest component that is no grain."""
    rule_px: int = 45
    """Length of a straight run, of the window's, that no digit has: a rule."""
    rule_thick_px: int = 6
    """Thickness of a rule at most."""
    together: int = 64
    """Windows that are looked at in one call: few enough for the processor's cache."""


PARAMETERS = CropParameters()
_CROSS = cv2.getStructuringElement(cv2.MORPH_RECT, (3, 3))


def cut_crops(level: Pixels, boxes: NDArray[np.float32], parameters: CropParameters = PARAMETERS) -> Crops:
    """The crops (n, 28, 28) of boxes (n, 4) left, top, width, height on a level page (height, width), dark on light.

    Ink 255 on 0, 20×20 inside, the centre of mass in the middle; a box without ink gives an empty crop.
    """
    if not len(boxes):
        return np.empty((0, 28, 28), np.uint8)
    scales = parameters.digit_px / np.maximum(1.0, boxes[:, 2:].max(axis=1))
    windows = _windows(level, boxes, scales, parameters.window_px)
    inside, on_page = _inside(boxes, scales, level.shape, parameters)
    parts = [slice(start, start + parameters.together) for start in range(0, len(boxes), parameters.together)]
    return np.concatenate([_crops(windows[part], inside[part], on_page[part], parameters) for part in parts])


def _crops(windows: Pixels, inside: NDArray[np.bool_], on_page: NDArray[np.bool_], p: CropParameters) -> Crops:
    """The crops of the boxes that lie `inside` their windows (n, side, side), which lie partly `on_page`."""
    n, side, _ = windows.shape
    contrast = _contrast(windows, p)
    ink = _ink(contrast, inside, p)
    ink[~on_page] = 0
    ink = _without_rules(ink.reshape(n * side, side), p)
    mask = _own(ink, inside, p)
    return _normalized(contrast.reshape(n * side, side), mask, n, side)


def _windows(level: Pixels, boxes: NDArray[np.float32], scales: NDArray[np.floating], side: int) -> Pixels:
    """The surroundings of each box (n, side, side), scaled, the box in the middle; beyond the page it is mirrored."""
    pyramid = {1: level}
    windows = np.empty((len(boxes), side, side), np.uint8)
    middles = boxes[:, :2] + boxes[:, 2:] / 2
    for window, (x, y), scale in zip(windows, middles.tolist(), scales.tolist(), strict=True):
        reduction = 1
        while scale * reduction < 0.6 and min(level.shape) > 4 * reduction:  # bilinear sampling passes over pixels
            reduction *= 2
        if reduction not in pyramid:
            size = -(-level.shape[1] // reduction), -(-level.shape[0] // reduction)
            pyramid[reduction] = cv2.resize(level, size, interpolation=cv2.INTER_AREA)
        of = pyramid[reduction]
        across, down = scale * level.shape[1] / of.shape[1], scale * level.shape[0] / of.shape[0]
        matrix = np.array(
            [
                [across, 0, side / 2 - scale * x + across / 2 - 0.5],
                [0, down, side / 2 - scale * y + down / 2 - 0.5],
            ]
        )
        cv2.warpAffine(of, matrix, (side, side), window, cv2.INTER_LINEAR, cv2.BORDER_REFLECT_101)
    return windows


def _contrast(windows: Pixels, p: CropParameters) -> Pixels:
    """How dark each pixel is (n, side, side), 0 to 255, as a share of the paper's brightness around it."""
    n, side, _ = windows.shape
    cells = side // p.cell_px
    grid = windows.reshape(n, cells, p.cell_px, cells, p.cell_px).max(axis=(2, 4)).astype(np.float32)
    edged = np.pad(grid, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = np.maximum(np.maximum(edged[:, :-2], edged[:, 1:-1]), edged[:, 2:])
    paper = np.maximum(np.maximum(rows[..., :-2], rows[..., 1:-1]), rows[..., 2:])
    edged = np.pad(paper, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = (edged[:, :-2] + edged[:, 1:-1] + edged[:, 2:]) / 3
    paper = np.maximum(1, (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]) / 3)
    between = _interpolation(cells, p.cell_px)
    light = (between @ paper @ between.T).reshape(n * side, side)
    share: Pixels = cv2.divide(windows.reshape(n * side, side), light, scale=255, dtype=cv2.CV_8U)
    return cv2.bitwise_not(share).reshape(n, side, side)


def _interpolation(cells: int, cell: int) -> Floats:
    """The matrix (pixels, cells) that gives values between the middles of cells; beyond the outermost they stay."""
    at = (np.arange(cells * cell) + 0.5) / cell - 0.5
    return np.maximum(0, 1 - np.abs(at.clip(0, cells - 1)[:, None] - np.arange(cells))).astype(np.float32)


def _inside(
    boxes: NDArray[np.float32], scales: NDArray[np.floating], shape: tuple[int, ...], p: CropParameters
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where in each window its box lies on the page, and a little around it, and where the page (n, side, side)."""
    middle, half = boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:] / 2 * scales[:, None] + p.around_px
    at = np.arange(p.window_px) + 0.5 - p.window_px / 2

    def between(low: NDArray[np.floating], high: NDArray[np.floating]) -> NDArray[np.bool_]:
        across = (at >= low[:, :1]) & (at <= high[:, :1])
        down = (at >= low[:, 1:]) & (at <= high[:, 1:])
        return np.asarray(down[:, :, None] & across[:, None, :])

    on_page = between(-middle * scales[:, None], (np.array(shape[::-1]) - middle) * scales[:, None])
    return between(-half, half) & on_page, on_page


def _ink(contrast: Pixels, inside: NDArray[np.bool_], p: CropParameters) -> Mask:
    """Which pixels are ink (n, side, side), by the darkest of each box; all else, neighbours too, by the same."""
    n = len(contrast)
    of, _, _ = np.nonzero(inside)
    counts = np.bincount(of * 256 + contrast[inside], minlength=n * 256).reshape(n, 256).cumsum(axis=1)
    darkest = (counts < p.darkest_ratio * counts[:, -1:]).sum(axis=1)
    least = np.maximum(p.min_contrast, p.ink_ratio * darkest).astype(np.uint8)
    ink: Mask = (contrast > least[:, None, None]).view(np.uint8) * np.uint8(255)
    ink[:, 0] = ink[:, -1] = 0  # so that windows do not touch
    return ink


def _without_rules(ink: Mask, p: CropParameters) -> Mask:
    """The stacked ink less thin straight lines that cross a whole window; strokes that cross them stay whole."""
    for rule, thick in (((p.rule_px, 1), (1, p.rule_thick_px + 1)), ((1, p.rule_px), (p.rule_thick_px + 1, 1))):
        kernel = np.ones(rule[::-1], np.uint8)
        lines = cv2.morphologyEx(ink, cv2.MORPH_OPEN, kernel)
        if not lines.any():
            continue
        lines = cv2.subtract(lines, cv2.morphologyEx(lines, cv2.MORPH_OPEN, np.ones(thick[::-1], np.uint8)))
        lines = cv2.bitwise_and(cv2.dilate(lines, _CROSS), ink)
        bare = cv2.subtract(ink, lines)
        across = np.ones((thick[1] + 2, 1) if thick[1] > 1 else (1, thick[0] + 2), np.uint8)
        crossing = cv2.bitwise_and(cv2.morphologyEx(bare, cv2.MORPH_CLOSE, across), lines)
        ink = cv2.bitwise_or(bare, crossing)
    return ink


def _own(ink: Mask, inside: NDArray[np.bool_], p: CropParameters) -> Mask:
    """The stacked ink of each box less components that belong to neighbours, and less what lies outside."""
    n, side, _ = inside.shape
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8, ltype=cv2.CV_32S)
    within = np.where(inside.reshape(n * side, side), labels, 0)
    own = np.bincount(within.ravel(), minlength=count)
    own[0] = 0
    area = np.maximum(1, stats[:, cv2.CC_STAT_AREA])
    window = stats[:, cv2.CC_STAT_TOP] // side
    of_box = np.bincount(window[1:], own[1:], n)
    largest = np.zeros(n)
    np.maximum.at(largest, window[1:], own[1:])
    keep = (own >= p.own_ratio * area) | (own >= p.main_ratio * np.maximum(1, of_box)[window])
    keep |= own >= np.maximum(1, largest)[window]
    keep &= own >= p.min_speck_px
    keep[0] = False
    return (keep[within]).astype(np.uint8) * np.uint8(255)


def _normalized(contrast: Pixels, mask: Mask, n: int, side: int) -> Crops:
    """The crops of stacked windows: contrast under the mask and at its soft edge, made full black."""
    starts = np.arange(0, n * side, side)

    def sums(picture: NDArray[np.floating] | Pixels) -> NDArray[np.float64]:
        rows = cv2.reduce(picture, 1, cv2.REDUCE_SUM, dtype=cv2.CV_64F)[:, 0]
        return np.asarray(np.add.reduceat(rows, starts))

    own = cv2.bitwise_and(contrast, mask)
    area = np.maximum(1, sums(mask) / 255)
    dark = sums(own) / area
    spread = np.sqrt(np.maximum(0, sums(cv2.multiply(own, own, dtype=cv2.CV_32F)) / area - dark**2))
    soft = cv2.bitwise_and(contrast, cv2.dilate(mask, _CROSS))
    gain = np.repeat(255 / np.maximum(1, dark + 0.5 * spread), side).astype(np.float32)
    tones: Pixels = cv2.convertScaleAbs(soft * gain[:, None])
    strokes = (
        4 * sums(cv2.distanceTransform(mask, cv2.DIST_L2, 3)) / area - 1
    )  # in a bar of width w the distance to its edge is w / 4 in the mean
    inked: NDArray[np.bool_] = np.greater_equal(tones, EDGE).reshape(n, side, side)
    rows, columns = np.any(inked, axis=2), np.any(inked, axis=1)
    tops, lefts = rows.argmax(axis=1), columns.argmax(axis=1)
    bottoms, rights = side - rows[:, ::-1].argmax(axis=1), side - columns[:, ::-1].argmax(axis=1)
    stacked = tones.reshape(n, side, side)
    digits = [
        resized(window[top:bottom, left:right] if some else window[:1, :1], stroke)
        for window, some, top, bottom, left, right, stroke in zip(
            stacked,
            np.any(rows, axis=1).tolist(),
            tops.tolist(),
            bottoms.tolist(),
            lefts.tolist(),
            rights.tolist(),
            strokes.tolist(),
            strict=True,
        )
    ]
    return centred(digits)
