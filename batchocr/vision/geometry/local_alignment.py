"""Find where small patches of a blank form are on a page that was laid on the form approximately.

Only print of the form is searched on the page: writing on the page is not a part of any patch.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Ink = NDArray[np.uint8]
"""(height, width), uint8: ink as a share of the paper's local brightness, 0 to 255."""


@dataclass(frozen=True)
class SearchParameters:
    """How patches are chosen on the form and searched on the page."""

    px_per_mm: float = 4.0
    """Resolution of the form and the page for this search. Basis: lines and letters are visible at 100 dpi."""
    patch_mm: float = 8.0
    """Side of a patch. Basis: it holds a word or a corner of a table."""
    spacing_mm: float = 10.0
    """Distance of the centres of neighbouring patches. Basis: chosen for speed."""
    reach_mm: float = 1.25
    """Patches are searched up to this distance from their expected place, in each direction. Basis: the wide search
    leaves less."""
    distinct_mm: float = 0.8
    """A patch must differ from its surroundings from this distance on. Basis: chosen by eye."""
    max_similarity: float = 0.75
    """Maximum correlation of a patch with the form from that distance on. Basis: lines of a table that repeat within
    the reach have a higher one."""
    min_contrast: float = 8.0
    """Minimum standard deviation of the ink in a patch, 0 to 127. Basis: a thin grey line has 10."""
    min_correlation: float = 0.4
    """Minimum correlation of a patch that is found. Basis: handwriting across a thin cell lowers it to 0.4."""


@dataclass(frozen=True)
class InkParameters:
    """How ink is measured.

    Basis of all: as the first channel of the detector's input, in mm.
    """

    paper_mm: float = 2.6
    """Side of the square whose lightest pixel is taken as paper."""
    smooth_mm: float = 8.0
    """Side of the square over which the paper's brightness is averaged."""
    blur_mm: float = 0.15
    """Standard deviation of a Gaussian blur of the ink."""


@dataclass(frozen=True)
class Patches:
    """Patches of a form."""

    parameters: SearchParameters
    corners: NDArray[np.intp]
    """(n, 2): left and top in pixels of the form at `parameters.px_per_mm`."""
    pixels: NDArray[np.uint8]
    """(n, side, side): their ink."""
    directions: Mask
    """(n, 2): whether the place in x and in y can be measured."""

    @property
    def centres_mm(self) -> Floats:
        """(n, 2): x and y of their centres."""
        return np.asarray((self.corners + self.pixels.shape[1] / 2) / self.parameters.px_per_mm, np.float64)


@dataclass(frozen=True)
class FoundPatches:
    """Where patches are on a page."""

    displacements_mm: Floats
    """(n, 2): in x and y from the expected place."""
    correlations: Floats
    """(n,): the highest correlation, -1 to 1."""


def ink_of(pixels: Pixels, px_per_mm: float, parameters: InkParameters | None = None) -> Ink:
    """Return the ink of a page as a share of the paper's local brightness.

    Args:
        pixels: (height, width) uint8, dark on light.
        px_per_mm: Resolution of the page.
        parameters: See the class.
    """
    p = parameters or InkParameters()
    side, smooth = (2 * max(1, round(each * px_per_mm / 2)) + 1 for each in (p.paper_mm, p.smooth_mm))
    lightest = cv2.dilate(pixels, np.ones((side, side), np.uint8))
    paper = cv2.add(cv2.blur(lightest, (smooth, smooth)), 1)
    share = cv2.divide(pixels, paper, scale=255.0)  # uint8, 255 where the pixel is as light as paper
    return np.asarray(cv2.GaussianBlur(cv2.bitwise_not(share), (0, 0), p.blur_mm * px_per_mm), np.uint8)


def reduced_ink(ink: Ink, factor: float) -> Ink:
    """Return ink at a lower resolution."""
    return np.asarray(cv2.resize(ink, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


def find_patches(ink: Ink, parameters: SearchParameters) -> Patches:
    """Choose patches of a form that can be found on a page.

    A patch is compared with its surroundings on the form. Its place can be measured in a direction in which it differs
    from all of them; so a line gives one direction, and a part of a regular grid none.

    Args:
        ink: The ink of the form at `parameters.px_per_mm`.
        parameters: See the class.
    """
    p = parameters
    side, reach = round(p.patch_mm * p.px_per_mm), round(p.reach_mm * p.px_per_mm)
    step = p.spacing_mm * p.px_per_mm
    height, width = ink.shape
    border = cv2.copyMakeBorder(ink, reach, reach, reach, reach, cv2.BORDER_CONSTANT, value=0)
    corners, pixels, directions = [], [], []
    for top in _starts(height, side, step):
        for left in _starts(width, side, step):
            patch = ink[top : top + side, left : left + side]
            if patch.std() < p.min_contrast:
                continue
            around = border[top : top + side + 2 * reach, left : left + side + 2 * reach]
            distinct = _distinct(cv2.matchTemplate(around, patch, cv2.TM_CCOEFF_NORMED), reach, p)
            if any(distinct):
                corners.append((left, top))
                pixels.append(patch)
                directions.append(distinct)
    return Patches(
        p,
        np.array(corners, np.intp).reshape(-1, 2),
        np.array(pixels, np.uint8).reshape(-1, side, side),
        np.array(directions, np.bool_).reshape(-1, 2),
    )


def search_patches(page: Ink, visible: Mask, patches: Patches) -> FoundPatches:
    """Search the patches of a form on a page, each around its expected place.

    Args:
        page: The ink of the page as it is laid on the form, at the resolution of the patches.
        visible: (n,) the patches that are searched; others have the correlation -1.
        patches: The n patches of the form.
    """
    p = patches.parameters
    reach = round(p.reach_mm * p.px_per_mm)
    side = patches.pixels.shape[1]
    count = len(patches.corners)
    displacements, correlations = np.zeros((count, 2)), np.full(count, -1.0)
    border = cv2.copyMakeBorder(page, reach, reach, reach, reach, cv2.BORDER_CONSTANT, value=0)
    for i, (left, top) in enumerate(patches.corners.tolist()):
        if not visible[i]:
            continue
        around = border[top : top + side + 2 * reach, left : left + side + 2 * reach]
        fit = cv2.matchTemplate(around, patches.pixels[i], cv2.TM_CCOEFF_NORMED)
        _, correlations[i], _, (x, y) = cv2.minMaxLoc(fit)
        displacements[i] = x + _vertex(fit[y], x) - reach, y + _vertex(fit[:, x], y) - reach
    return FoundPatches(displacements / p.px_per_mm, correlations)


def _starts(size: int, side: int, step: float) -> list[int]:
    """Return where patches start that are spread evenly over a length."""
    count = max(1, round((size - side) / step) + 1)
    starts: list[int] = np.linspace(0, max(0, size - side), count).round().astype(int).tolist()
    return starts


def _distinct(similarity: NDArray[np.float32], reach: int, p: SearchParameters) -> tuple[bool, bool]:
    """Return whether a patch differs from its surroundings in x and in y."""
    far = np.abs(np.arange(-reach, reach + 1)) >= p.distinct_mm * p.px_per_mm
    across, down = similarity.max(axis=0), similarity.max(axis=1)
    return bool(across[far].max() <= p.max_similarity), bool(down[far].max() <= p.max_similarity)


def _vertex(values: NDArray[np.float32], at: int) -> float:
    """Return how far the vertex of the parabola through three values is from their middle, in steps."""
    if not 0 < at < len(values) - 1:
        return 0.0
    before, middle, after = (float(each) for each in values[at - 1 : at + 2])
    curvature = before - 2 * middle + after
    return 0.5 * (before - after) / curvature if curvature < -1e-9 else 0.0
