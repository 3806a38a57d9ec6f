"""The ink of a blank form: all of it, dark print, straight lines and dotted lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.forms.draft.parameters import PARAMETERS, DraftParameters
from batchocr.forms.form import Rect
from batchocr.records import Pixels
from batchocr.vision.binarize import PARAMETERS as BINARIZATION
from batchocr.vision.binarize import faintest_ink, flatten

Mask = NDArray[np.uint8]
"""(height, width): 255 inside, 0 outside."""


@dataclass(frozen=True)
class Ink:
    """The ink of a blank form, at the resolution of `DraftParameters`."""

    ink: Mask
    """All ink, also pale one."""
    dark: Mask
    """Dark ink without long straight lines: text and symbols."""
    level: Mask
    """Level straight lines."""
    upright: Mask
    """Upright straight lines."""
    px_per_mm: float

    @property
    def width_mm(self) -> float:
        """Width of the paper."""
        return self.ink.shape[1] / self.px_per_mm

    @property
    def height_mm(self) -> float:
        """Height of the paper."""
        return self.ink.shape[0] / self.px_per_mm

    def part(self, mask: Mask, left: float, top: float, right: float, bottom: float) -> Mask:
        """Return the part of a mask between these sides in millimetres; it may be empty."""
        height, width = mask.shape
        x0, x1 = (min(width, max(0, round(side * self.px_per_mm))) for side in (left, right))
        y0, y1 = (min(height, max(0, round(side * self.px_per_mm))) for side in (top, bottom))
        return mask[y0:y1, x0:x1]

    def printed_mm2(self, left: float, top: float, right: float, bottom: float) -> float:
        """Return the area of dark print between these sides in millimetres."""
        return float(np.count_nonzero(self.part(self.dark, left, top, right, bottom))) / self.px_per_mm**2

    def rect(self, left: float, top: float, right: float, bottom: float) -> Rect:
        """Return a rectangle in millimetres for sides in pixels."""
        scale = self.px_per_mm
        return Rect(left / scale, top / scale, (right - left) / scale, (bottom - top) / scale)


def find_ink(pixels: Pixels, width_mm: float, parameters: DraftParameters = PARAMETERS) -> Ink:
    """Find ink and straight lines on a level blank form.

    Args:
        pixels: (height, width), uint8, dark on light.
        width_mm: Width of the paper.
        parameters: See the class.
    """
    p = parameters
    scale = p.px_per_mm * width_mm / pixels.shape[1]
    size = round(pixels.shape[1] * scale), round(pixels.shape[0] * scale)
    pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    contrast = flatten(pixels)
    faintest = faintest_ink(contrast, replace(BINARIZATION, min_contrast=p.min_contrast))
    ink = cv2.compare(contrast, faintest, cv2.CMP_GT)
    levels = contrast[ink > 0]
    darkest = float(np.percentile(levels, p.darkest_percent)) if len(levels) else 255.0
    dark = cv2.compare(contrast, max(faintest, p.dark_ratio * darkest), cv2.CMP_GT)
    level, upright = straight_lines(ink, p)
    runs = (  # letters of small print are joined by closed gaps and pale edges
        cv2.morphologyEx(cv2.min(dark, lines), cv2.MORPH_OPEN, run)
        for lines, run in ((level, kernel(p.min_solid_run_mm, 0, p)), (upright, kernel(0, p.min_solid_run_mm, p)))
    )
    lines = cv2.dilate(cv2.max(*runs), np.ones((3, 3), np.uint8))
    return Ink(ink, cv2.subtract(dark, lines), level, upright, p.px_per_mm)


def straight_lines(ink: Mask, p: DraftParameters) -> tuple[Mask, Mask]:
    """Return the level and the upright lines of a mask, without ink that is thicker than lines."""
    thick = kernel(p.max_thickness_mm, p.max_thickness_mm, p)
    blobs = cv2.dilate(cv2.morphologyEx(ink, cv2.MORPH_OPEN, thick), np.ones((3, 3), np.uint8))
    thin = cv2.subtract(ink, blobs)
    found = []
    for is_level in (True, False):
        gap = kernel(p.max_gap_mm, 0, p) if is_level else kernel(0, p.max_gap_mm, p)
        run = kernel(p.min_line_mm, 0, p) if is_level else kernel(0, p.min_line_mm, p)
        found.append(cv2.morphologyEx(cv2.morphologyEx(thin, cv2.MORPH_CLOSE, gap), cv2.MORPH_OPEN, run))
    return found[0], found[1]


def kernel(width_mm: float, height_mm: float, p: DraftParameters) -> Mask:
    """Return a rectangular kernel of at least one pixel in each direction."""
    size = max(1, round(height_mm * p.px_per_mm)), max(1, round(width_mm * p.px_per_mm))
    return np.ones(size, np.uint8)


def dotted_lines(
    ink: Ink, without: Iterable[Rect] = (), parameters: DraftParameters = PARAMETERS
) -> tuple[list[Rect], list[Rect]]:
    """Find dotted and dashed lines.

    Args:
        ink: The ink of the form.
        without: Places whose dots do not count.
        parameters: See the class.

    Returns:
        The level lines and the upright lines.
    """
    p = parameters
    rest = ink.ink.copy()
    for place in without:
        ink.part(rest, place.left, place.top, place.right, place.bottom)[:] = 0
    _, labels, stats, centres = cv2.connectedComponentsWithStats(rest, connectivity=8)
    widths, heights = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    dot, dash = p.max_dot_mm * p.px_per_mm, p.max_dash_mm * p.px_per_mm
    found = []
    for is_level in (True, False):
        along, across = (widths, heights) if is_level else (heights, widths)
        small = (across <= dot) & (along <= dash) & ((along <= dot) | (along >= 2 * across))
        small[0] = False
        dots = np.where(small[labels], np.uint8(255), np.uint8(0))
        gap = kernel(p.max_dot_gap_mm, 0, p) if is_level else kernel(0, p.max_dot_gap_mm, p)
        chains = cv2.morphologyEx(dots, cv2.MORPH_CLOSE, gap)
        middles = np.round(centres[small]).astype(int)
        found.append(_chains(ink, chains, middles, is_level=is_level, p=p))
    return found[0], found[1]


def _chains(ink: Ink, chains: Mask, middles: NDArray[np.int_], *, is_level: bool, p: DraftParameters) -> list[Rect]:
    """Return the chains of dots that are long and straight, and have enough dots."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(chains, connectivity=8)
    inside = (middles[:, 1] < labels.shape[0]) & (middles[:, 0] < labels.shape[1])
    of_dots = labels[middles[inside, 1], middles[inside, 0]]
    dots = np.bincount(of_dots, minlength=count)
    found = []
    for index in np.flatnonzero(dots >= p.min_dots).tolist():
        left, top, width, height = stats[index, :4].tolist()
        if index == 0 or (height if is_level else width) > 1.5 * p.max_dot_mm * p.px_per_mm:
            continue
        for first, last in _even_parts(middles[inside][of_dots == index][:, 0 if is_level else 1], p):
            if is_level:
                found.append(ink.rect(first, top, last + 1, top + height))
            else:
                found.append(ink.rect(left, first, left + width, last + 1))
    return found


def _even_parts(places: NDArray[np.int_], p: DraftParameters) -> Iterator[tuple[int, int]]:
    """Split a chain of dots at wider gaps, and yield the ends of the parts that are long enough."""
    places = np.sort(places)
    steps = np.diff(places)
    wide = np.flatnonzero(steps > p.max_step_ratio * np.median(steps))
    for part in np.split(places, wide + 1):
        if len(part) >= p.min_dots and part[-1] - part[0] >= p.min_dotted_mm * p.px_per_mm:
            yield int(part[0]), int(part[-1])
