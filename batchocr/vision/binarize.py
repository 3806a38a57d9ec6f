"""Contrast of a grey page against its paper, and its binarization into ink and paper.

Only the geometry stages use it: they measure directions on the ink. No step before the detector removes ink.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.image_stats import percentiles
from batchocr.records import Pixels

Contrast = NDArray[np.uint8]
"""(height, width): 0 is bare paper, 255 is full black. Uneven light is divided out."""

Mask = NDArray[np.uint8]
"""(height, width): 255 inside, 0 outside."""


@dataclass(frozen=True)
class BinarizationParameters:
    """How the contrast of a page is computed and binarized.

    Basis of all: tried on scanned and photographed pages.
    """

    grid_cells: int = 220
    """Number of cells along the longer side of the grid on which the paper's brightness is sampled."""
    kernel_cells: int = 11
    """Side of the closing kernel. What is darker than its surroundings and narrower is ink, not shade."""
    small_image_px: int = 1000
    """Images with a longer side below this may show one digit with strokes wider than the kernel."""
    small_image_ratio: float = 0.2
    """Side of the kernel of a small image, as a share of the shorter side of the grid."""
    broad_stroke_ratio: float = 0.82
    """Broad strokes are darker than the paper times this."""
    max_broad_strokes: int = 12
    """A page with more broad strokes has no broad strokes: it is a page of writing."""
    max_specks: int = 40
    """A page with more small components than this, in addition, is a page of writing."""
    broad_kernel_ratio: float = 1.4
    """Side of the kernel that closes broad strokes, in units of their thickness."""
    min_broad_ratio: float = 0.7
    """Thickness from which a stroke is broad, in units of `kernel_cells`."""
    paper_percent: float = 90.0
    """Percentile of the paper's brightness that stands for the whole paper."""
    surroundings_ratio: float = 0.3
    """Where the paper is darker than the whole paper times this, it is a desk or a scanner's margin, not paper."""
    min_contrast: int = 24
    """Lowest contrast of ink, of 255."""
    noise_deviations: float = 4.5
    """Ink differs from the paper's grain by this many standard deviations."""
    fine_grain: int = 4
    """The grain is fine, and `min_contrast` decides, up to this median difference of pixels two apart, of 255."""
    edge_ratio: float = 0.45
    """The edge of a stroke is at this share of the darkest ink nearby. Basis: one half, less a little for blur."""
    reach_px: int = 12
    """Distance within which the darkest ink sets the threshold. Basis: 2 mm at 150 dpi."""


PARAMETERS = BinarizationParameters()


def is_white_on_black(pixels: Pixels) -> bool:
    """Return whether the writing is lighter than the paper, as on a blackboard or in MNIST's images.

    Args:
        pixels: The grey image (height, width), uint8.
    """
    step = max(1, min(pixels.shape) // 256)
    darkest, paper, lightest = percentiles(pixels[::step, ::step], (0.5, 50, 99.5))
    return bool(lightest - paper > paper - darkest and paper < 128)


def flatten(pixels: Pixels, parameters: BinarizationParameters = PARAMETERS) -> Contrast:
    """Return the contrast of each pixel against the brightness of the paper around it.

    The paper's brightness is found by a grey closing on a coarse grid with a kernel wider than any stroke, and is
    divided out (shading correction; Gonzalez and Woods, Digital Image Processing, 9.6). Nothing counts as ink where
    the surroundings are far darker than the paper, as on a desk or in a scanner's margin.

    Args:
        pixels: The grey page (height, width), uint8, dark on light.
        parameters: See the class.

    Returns:
        The contrast (height, width), uint8: 0 for paper to 255 for black.
    """
    p = parameters
    height, width = pixels.shape
    cell = max(1, round(max(height, width) / p.grid_cells))
    grid = cv2.resize(pixels, (max(1, width // cell), max(1, height // cell)), interpolation=cv2.INTER_AREA)
    size = p.kernel_cells
    if max(height, width) < p.small_image_px:
        size = max(size, int(min(grid.shape) * p.small_image_ratio))
    size = max(size, _broad_stroke_cells(grid, p))
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (size | 1, size | 1))
    paper = cv2.morphologyEx(grid, cv2.MORPH_CLOSE, kernel, borderType=cv2.BORDER_REPLICATE)
    paper = cv2.GaussianBlur(paper, (0, 0), size / 4)
    whole = float(np.percentile(paper, p.paper_percent))
    if whole < 1:
        return np.zeros_like(pixels)
    dark = paper < p.surroundings_ratio * whole
    paper[dark] = 255
    paper = cv2.resize(np.maximum(paper, 1), (width, height), interpolation=cv2.INTER_LINEAR)
    contrast = cv2.bitwise_not(cv2.divide(pixels, paper, scale=255))
    if dark.any():
        contrast[cv2.resize(dark.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0] = 0
    return contrast


def _broad_stroke_cells(grid: Pixels, p: BinarizationParameters) -> int:
    """Return the kernel size, in cells, that closes the broad strokes of a grid (height, width); 0 if it has none.

    One digit may fill an image of any size, written with a marker. A component at the image's border is not a digit.
    """
    side = min(grid.shape) // 2 | 1
    paper = cv2.morphologyEx(grid, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_RECT, (side, side)))
    dark = cv2.compare(grid, cv2.convertScaleAbs(paper, alpha=p.broad_stroke_ratio), cv2.CMP_LT)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    if count > p.max_broad_strokes + p.max_specks:
        return 0
    left, top, width, height = stats[:, :4].T
    inner = (left > 0) & (top > 0) & (left + width < dark.shape[1]) & (top + height < dark.shape[0])
    large = inner & (np.maximum(width, height) > p.kernel_cells)
    if not 0 < np.count_nonzero(large) <= p.max_broad_strokes:
        return 0
    strokes = large[labels].astype(np.uint8)
    thickness = 2 * float(cv2.distanceTransform(strokes, cv2.DIST_L2, 3).max())
    if thickness <= p.min_broad_ratio * p.kernel_cells:
        return 0
    return min(round(p.broad_kernel_ratio * thickness) + 3, side)


def faintest_ink(contrast: Contrast, parameters: BinarizationParameters = PARAMETERS) -> int:
    """Return the contrast above which a pixel differs from the paper's grain.

    The paper is the most frequent contrast. Its grain is estimated from the median difference of pixels two apart,
    which ink hardly changes (median absolute deviation; Rousseeuw and Croux, 1993).

    Args:
        contrast: The contrast (height, width) of a page.
        parameters: See the class.

    Returns:
        The threshold, 1 to 254.
    """
    p = parameters
    paper = int(_histogram(contrast)[:128].argmax())
    steps = cv2.absdiff(contrast[:, 2:], contrast[:, :-2]) if contrast.shape[1] > 2 else np.zeros((1, 1), np.uint8)
    if np.count_nonzero(steps <= p.fine_grain) > steps.size / 2:
        return paper + p.min_contrast
    share = _histogram(steps)
    grain = float(np.interp(0.5, share.cumsum() / share.sum(), np.arange(256) + 0.5)) / 0.954
    return int(min(254, paper + max(p.min_contrast, p.noise_deviations * grain)))


def _histogram(pixels: Pixels) -> NDArray[np.float32]:
    """Count the pixels of each value, (256,); the last pixel of an odd number is left out.

    Pixels are counted in pairs: this takes half of the time where most pixels are equal.
    """
    flat = np.ascontiguousarray(pixels).ravel()
    pairs = flat[: len(flat) // 2 * 2].view(np.uint16)[None]
    count = cv2.calcHist([pairs], [0], None, [1 << 16], [0, 1 << 16]).reshape(256, 256)
    return np.asarray(count.sum(axis=0) + count.sum(axis=1))


def binarize(contrast: Contrast, faintest: int, parameters: BinarizationParameters = PARAMETERS) -> Mask:
    """Return the ink: pixels above the grain and above a share of the darkest ink nearby.

    The local threshold keeps strokes thin in spite of blur, and drops a pale rule beside dark writing. Pencil alone
    is kept whole (a contrast threshold similar to Bernsen, 1986).

    Args:
        contrast: The contrast (height, width) of a page.
        faintest: The contrast of the faintest ink, from `faintest_ink`.
        parameters: See the class.

    Returns:
        The mask (height, width): 255 for ink.
    """
    size = 2 * (parameters.reach_px // 4) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (size, size))
    coarse = cv2.dilate(contrast, cv2.getStructuringElement(cv2.MORPH_RECT, (5, 5)))[::4, ::4]
    darkest = cv2.dilate(coarse, kernel)
    threshold = cv2.convertScaleAbs(darkest, alpha=parameters.edge_ratio)
    threshold = cv2.max(threshold, np.full_like(threshold, faintest))
    height, width = contrast.shape
    threshold = cv2.resize(threshold, (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.compare(contrast, threshold, cv2.CMP_GT)
