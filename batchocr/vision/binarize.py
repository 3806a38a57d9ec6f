"""Grey page → how dark each pixel is against its paper, and which pixels are ink."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.image_stats import percentiles
from batchocr.records import Pixels

Contrast = NDArray[np.uint8]
"""(height, width): 0 where there is bare paper, 255 where there is full black; light and shade evened out."""

Mask = NDArray[np.uint8]
"""(height, width): 255 where something is, 0 elsewhere."""

GRID = 220
"""Cells along the longer side of the grid on which the paper's brightness is sampled."""
KERNEL = 11
"""Cells: what is darker than its surroundings and narrower than this is writing, not shade."""
SMALL = 1000
"""Pixels: below this a picture may be one digit with strokes wider than KERNEL cells."""
SMALL_SHARE = 5
"""There the kernel is this part of the shorter side."""
DARK = 0.82
"""Times as bright as the paper: no brighter are broad strokes..."""
FEW, SPECKS = 12, 40
"""...of which there are no more, larger than KERNEL, and no more smaller ones: a page of writing has many."""
FAINTEST = 24
"""Least contrast that counts as ink, on 0..255."""
NOISE = 4.5
"""Ink stands out from the paper's own grain by this many standard deviations."""
QUIET = 4
"""Median difference of pixels two apart up to which the grain is so fine that the least contrast decides."""
LOCAL = 0.45
"""Share of the darkest ink near by at which a stroke's edge lies (half, and a little for blur)."""
REACH = 12
"""Pixels around a stroke in which its darkness sets the threshold (2 mm at 150 dpi)."""


def is_white_on_black(pixels: Pixels) -> bool:
    """True where the paper is darker than the writing, as on a blackboard or in MNIST's own pictures."""
    step = max(1, min(pixels.shape) // 256)
    low, paper, high = percentiles(pixels[::step, ::step], (0.5, 50, 99.5))
    return bool(high - paper > paper - low and paper < 128)


def flatten(pixels: Pixels) -> Contrast:
    """Even out the light: each pixel's darkness as a share of the paper's brightness around it.

    The paper is found by a grey closing on a coarse grid, wider than any stroke, and divided out
    (the usual shading correction; Gonzalez and Woods, Digital Image Processing, 9.6).
    Where the surroundings are far darker than the sheet (a desk, a margin of the scanner) nothing counts as ink.
    """
    height, width = pixels.shape
    cell = max(1, round(max(height, width) / GRID))
    grid = cv2.resize(pixels, (max(1, width // cell), max(1, height // cell)), interpolation=cv2.INTER_AREA)
    size = KERNEL if max(height, width) >= SMALL else max(KERNEL, min(grid.shape) // SMALL_SHARE)
    size = max(size, _broad_strokes(grid))
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (size | 1, size | 1))
    paper = cv2.morphologyEx(grid, cv2.MORPH_CLOSE, kernel, borderType=cv2.BORDER_REPLICATE)
    paper = cv2.GaussianBlur(paper, (0, 0), size / 4)
    sheet = float(np.percentile(paper, 90))
    if sheet < 1:
        return np.zeros_like(pixels)
    dark = paper < 0.3 * sheet
    paper[dark] = 255
    paper = cv2.resize(np.maximum(paper, 1), (width, height), interpolation=cv2.INTER_LINEAR)
    contrast = cv2.bitwise_not(cv2.divide(pixels, paper, scale=255))
    if dark.any():
        contrast[cv2.resize(dark.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0] = 0
    return contrast


def _broad_strokes(grid: Pixels) -> int:
    """Cells of a grid (height, width) by which its strokes are closed where it shows a few broad ones alone, else 0.

    A digit may fill a picture of any size, written with a marker; nothing that reaches the picture's sides is one.
    """
    side = min(grid.shape) // 2 | 1
    paper = cv2.morphologyEx(grid, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_RECT, (side, side)))
    dark = cv2.compare(grid, cv2.convertScaleAbs(paper, alpha=DARK), cv2.CMP_LT)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    if count > FEW + SPECKS:
        return 0
    left, top, wide, high = stats[:, :4].T
    inner = (left > 0) & (top > 0) & (left + wide < dark.shape[1]) & (top + high < dark.shape[0])
    large = inner & (np.maximum(wide, high) > KERNEL)
    if not 0 < np.count_nonzero(large) <= FEW:
        return 0
    strokes = large[labels].astype(np.uint8)
    thick = 2 * float(cv2.distanceTransform(strokes, cv2.DIST_L2, 3).max())
    return min(round(1.4 * thick) + 3, side) if thick > 0.7 * KERNEL else 0


def faintest_ink(contrast: Contrast) -> int:
    """The contrast, 1..254, above which a pixel stands out from the paper's grain.

    The paper is the commonest contrast; its grain is told from the median difference of pixels two apart,
    which ink hardly moves (a median absolute deviation; Rousseeuw and Croux, 1993).
    """
    paper = int(_histogram(contrast)[:128].argmax())
    steps = cv2.absdiff(contrast[:, 2:], contrast[:, :-2]) if contrast.shape[1] > 2 else np.zeros((1, 1), np.uint8)
    if np.count_nonzero(steps <= QUIET) > steps.size / 2:
        return paper + FAINTEST
    share = _histogram(steps)
    grain = float(np.interp(0.5, share.cumsum() / share.sum(), np.arange(256) + 0.5)) / 0.954
    return int(min(254, paper + max(FAINTEST, NOISE * grain)))


def _histogram(pixels: Pixels) -> NDArray[np.float32]:
    """How many pixels there are of each value, (256,), less the last of an odd number.

    They are counted by twos: one by one takes twice as long where most are alike.
    """
    flat = np.ascontiguousarray(pixels).ravel()
    pairs = flat[: len(flat) // 2 * 2].view(np.uint16)[None]
    count = cv2.calcHist([pairs], [0], None, [1 << 16], [0, 1 << 16]).reshape(256, 256)
    return np.asarray(count.sum(axis=0) + count.sum(axis=1))


def binarize(contrast: Contrast, faintest: int) -> Mask:
    """Ink: darker than the grain, and than a share of the darkest ink near by.

    The second keeps strokes as thin as they are beside blur and lets a pale rule fall away beside dark writing,
    while pencil on its own is kept whole (a contrast threshold in the manner of Bernsen, 1986).
    """
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * (REACH // 4) + 1, 2 * (REACH // 4) + 1))
    coarse = cv2.dilate(contrast, cv2.getStructuringElement(cv2.MORPH_RECT, (5, 5)))[::4, ::4]
    darkest = cv2.dilate(coarse, kernel)
    threshold = cv2.convertScaleAbs(darkest, alpha=LOCAL)
    threshold = cv2.max(threshold, np.full_like(threshold, faintest))
    height, width = contrast.shape
    threshold = cv2.resize(threshold, (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.compare(contrast, threshold, cv2.CMP_GT)
