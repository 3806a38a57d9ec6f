"""From detected boxes on a level page to 28×28 crops, as MNIST was made.

All boxes are processed in windows of one size, stacked in one image, so that each step is one call of OpenCV.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Crops, Pixels
from batchocr.vision.binarize import Mask
from batchocr.vision.normalize import NormalizationParameters, center, fit_to_crop

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class CropParameters:
    """How a digit's ink is separated from paper, rules and neighbours. A change requires new trained classifiers.

    Basis of all: tried on composed pages by the error of the classifier.
    """

    digit_px: int = 32
    """Longer side of a box in its window. Basis: 1.6 times that of the digit in its crop, so that edges stay smooth."""
    window_px: int = 48
    """Side of the square window. Basis: the surroundings of a box show whose ink it is."""
    cell_px: int = 8
    """Cell of the grid on which the paper's brightness is sampled. Basis: wider than a stroke in its window."""
    full_ink_quantile: float = 0.92
    """Quantile of the contrast in the box that is taken as full ink. Basis: strokes fill a fifth of most boxes."""
    edge_ratio: float = 0.45
    """The edge of a stroke is at this share of full ink. Basis: one half, less a little for blur."""
    min_contrast: int = 10
    """Contrast of the faintest ink, of 255."""
    outside_px: int = 2
    """Ink counts up to this distance outside of its box. Basis: boxes are off by a pixel or two."""
    min_inside_ratio: float = 0.5
    """A component belongs to the box if this share of it is inside."""
    min_main_ratio: float = 0.35
    """A component also belongs to the box if it is this share of the box's ink, because digits may touch others."""
    min_component_px: int = 4
    """Area of the smallest component that counts. Basis: smaller ones are noise."""
    min_rule_px: int = 45
    """Length of a straight run that is a rule. Basis: almost the whole window, longer than any digit."""
    max_rule_thickness_px: int = 6
    """Thickness of the thickest rule."""
    max_windows: int = 64
    """Windows that are processed in one call. Basis: so many fit into the processor's cache."""
    normalization: NormalizationParameters = field(default_factory=NormalizationParameters)


PARAMETERS = CropParameters()
_CROSS = cv2.getStructuringElement(cv2.MORPH_RECT, (3, 3))


def make_crops(level: Pixels, boxes: NDArray[np.float32], parameters: CropParameters = PARAMETERS) -> Crops:
    """Cut the crops of boxes out of a level page.

    Args:
        level: The level page (height, width), uint8, dark on light.
        boxes: (n, 4) left, top, width and height, in pixels of the page.
        parameters: See the class.

    Returns:
        The crops (n, 28, 28), uint8: ink 255 on 0, the digit within 20×20 pixels, its centre of mass in the middle.
        A box without ink gives an empty crop.
    """
    if not len(boxes):
        return np.empty((0, 28, 28), np.uint8)
    scales = parameters.digit_px / np.maximum(1.0, boxes[:, 2:].max(axis=1))
    windows = _windows(level, boxes, scales, parameters.window_px)
    inside, on_page = _inside(boxes, scales, level.shape, parameters)
    parts = [slice(start, start + parameters.max_windows) for start in range(0, len(boxes), parameters.max_windows)]
    return np.concatenate([_crops(windows[part], inside[part], on_page[part], parameters) for part in parts])


def _crops(windows: Pixels, inside: NDArray[np.bool_], on_page: NDArray[np.bool_], p: CropParameters) -> Crops:
    """Return the crops of windows (n, side, side), with masks of the box and of the page in each."""
    n, side, _ = windows.shape
    contrast = _contrast(windows, p)
    ink = _ink(contrast, inside, p)
    ink[~on_page] = 0
    ink = _remove_rules(ink.reshape(n * side, side), p)
    mask = _own_components(ink, inside, p)
    return _normalized(contrast.reshape(n * side, side), mask, n, side, p.normalization)


def _windows(level: Pixels, boxes: NDArray[np.float32], scales: NDArray[np.floating], side: int) -> Pixels:
    """Return a scaled window (n, side, side) around the middle of each box; the page is mirrored at its border."""
    pyramid = {1: level}
    windows = np.empty((len(boxes), side, side), np.uint8)
    middles = boxes[:, :2] + boxes[:, 2:] / 2
    for window, (x, y), scale in zip(windows, middles.tolist(), scales.tolist(), strict=True):
        reduction = 1
        while scale * reduction < 0.6 and min(level.shape) > 4 * reduction:  # bilinear sampling would skip pixels
            reduction *= 2
        if reduction not in pyramid:
            size = -(-level.shape[1] // reduction), -(-level.shape[0] // reduction)
            pyramid[reduction] = cv2.resize(level, size, interpolation=cv2.INTER_AREA)
        reduced = pyramid[reduction]
        across, down = scale * level.shape[1] / reduced.shape[1], scale * level.shape[0] / reduced.shape[0]
        matrix = np.array(
            [
                [across, 0, side / 2 - scale * x + across / 2 - 0.5],
                [0, down, side / 2 - scale * y + down / 2 - 0.5],
            ]
        )
        cv2.warpAffine(reduced, matrix, (side, side), window, cv2.INTER_LINEAR, cv2.BORDER_REFLECT_101)
    return windows


def _contrast(windows: Pixels, p: CropParameters) -> Pixels:
    """Return the contrast (n, side, side), 0 to 255, of each pixel against the brightness of the paper around it."""
    n, side, _ = windows.shape
    cells = side // p.cell_px
    grid = windows.reshape(n, cells, p.cell_px, cells, p.cell_px).max(axis=(2, 4)).astype(np.float32)
    padded = np.pad(grid, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = np.maximum(np.maximum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])
    paper = np.maximum(np.maximum(rows[..., :-2], rows[..., 1:-1]), rows[..., 2:])
    padded = np.pad(paper, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = (padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) / 3
    paper = np.maximum(1, (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]) / 3)
    interpolation = _interpolation(cells, p.cell_px)
    light = (interpolation @ paper @ interpolation.T).reshape(n * side, side)
    share: Pixels = cv2.divide(windows.reshape(n * side, side), light, scale=255, dtype=cv2.CV_8U)
    return cv2.bitwise_not(share).reshape(n, side, side)


def _interpolation(cells: int, cell: int) -> Floats:
    """Return the matrix (pixels, cells) that interpolates between the middles of cells."""
    at = (np.arange(cells * cell) + 0.5) / cell - 0.5
    return np.maximum(0, 1 - np.abs(at.clip(0, cells - 1)[:, None] - np.arange(cells))).astype(np.float32)


def _inside(
    boxes: NDArray[np.float32], scales: NDArray[np.floating], shape: tuple[int, ...], p: CropParameters
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return masks (n, side, side) of each box, a little enlarged, and of the page."""
    middle, half = boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:] / 2 * scales[:, None] + p.outside_px
    at = np.arange(p.window_px) + 0.5 - p.window_px / 2

    def between(lower: NDArray[np.floating], upper: NDArray[np.floating]) -> NDArray[np.bool_]:
        across = (at >= lower[:, :1]) & (at <= upper[:, :1])
        down = (at >= lower[:, 1:]) & (at <= upper[:, 1:])
        return np.asarray(down[:, :, None] & across[:, None, :])

    on_page = between(-middle * scales[:, None], (np.array(shape[::-1]) - middle) * scales[:, None])
    return between(-half, half) & on_page, on_page


def _ink(contrast: Pixels, inside: NDArray[np.bool_], p: CropParameters) -> Mask:
    """Return the ink (n, side, side). The darkest pixels of each box set the threshold of its window."""
    n = len(contrast)
    window, _, _ = np.nonzero(inside)
    counts = np.bincount(window * 256 + contrast[inside], minlength=n * 256).reshape(n, 256).cumsum(axis=1)
    full_ink = (counts < p.full_ink_quantile * counts[:, -1:]).sum(axis=1)
    threshold = np.maximum(p.min_contrast, p.edge_ratio * full_ink).astype(np.uint8)
    ink: Mask = (contrast > threshold[:, None, None]).view(np.uint8) * np.uint8(255)
    ink[:, 0] = ink[:, -1] = 0  # so that components do not touch those of the next window
    return ink


def _remove_rules(ink: Mask, p: CropParameters) -> Mask:
    """Remove thin straight lines that cross a whole window from stacked ink; strokes that cross them stay whole."""
    length, thickness = p.min_rule_px, p.max_rule_thickness_px + 1
    for rule, thick in (((length, 1), (1, thickness)), ((1, length), (thickness, 1))):
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


def _own_components(ink: Mask, inside: NDArray[np.bool_], p: CropParameters) -> Mask:
    """Keep the components of stacked ink that belong to each box, and only their part inside it."""
    n, side, _ = inside.shape
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8, ltype=cv2.CV_32S)
    within = np.where(inside.reshape(n * side, side), labels, 0)
    own = np.bincount(within.ravel(), minlength=count)
    own[0] = 0
    area = np.maximum(1, stats[:, cv2.CC_STAT_AREA])
    window = stats[:, cv2.CC_STAT_TOP] // side
    total = np.bincount(window[1:], own[1:], n)
    largest = np.zeros(n)
    np.maximum.at(largest, window[1:], own[1:])
    keep = (own >= p.min_inside_ratio * area) | (own >= p.min_main_ratio * np.maximum(1, total)[window])
    keep |= own >= np.maximum(1, largest)[window]
    keep &= own >= p.min_component_px
    keep[0] = False
    return (keep[within]).astype(np.uint8) * np.uint8(255)


def _normalized(contrast: Pixels, mask: Mask, n: int, side: int, p: NormalizationParameters) -> Crops:
    """Return the crops of stacked windows: the contrast under the mask and at its soft edge, raised to full ink."""
    starts = np.arange(0, n * side, side)

    def sums(image: NDArray[np.floating] | Pixels) -> NDArray[np.float64]:
        """Return the sum over each window of a stacked image."""
        rows = cv2.reduce(image, 1, cv2.REDUCE_SUM, dtype=cv2.CV_64F)[:, 0]
        return np.asarray(np.add.reduceat(rows, starts))

    own = cv2.bitwise_and(contrast, mask)
    area = np.maximum(1, sums(mask) / 255)
    dark = sums(own) / area
    spread = np.sqrt(np.maximum(0, sums(cv2.multiply(own, own, dtype=cv2.CV_32F)) / area - dark**2))
    soft = cv2.bitwise_and(contrast, cv2.dilate(mask, _CROSS))
    gain = np.repeat(255 / np.maximum(1, dark + 0.5 * spread), side).astype(np.float32)
    tones: Pixels = cv2.convertScaleAbs(soft * gain[:, None])
    # in a bar of width w the mean distance to its edge is w / 4
    strokes = 4 * sums(cv2.distanceTransform(mask, cv2.DIST_L2, 3)) / area - 1
    inked: NDArray[np.bool_] = np.greater_equal(tones, p.edge).reshape(n, side, side)
    rows, columns = np.any(inked, axis=2), np.any(inked, axis=1)
    tops, lefts = rows.argmax(axis=1), columns.argmax(axis=1)
    bottoms, rights = side - rows[:, ::-1].argmax(axis=1), side - columns[:, ::-1].argmax(axis=1)
    stacked = tones.reshape(n, side, side)
    digits = [
        fit_to_crop(window[top:bottom, left:right] if has_ink else window[:1, :1], stroke, p)
        for window, has_ink, top, bottom, left, right, stroke in zip(
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
    return center(digits, p)
