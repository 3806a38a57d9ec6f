"""Keystone correction: the perspective of a tilted camera, measured on the ruled lines of a form.

The lines are level or upright on paper. Lines of one direction are parallel on paper. In the image of a tilted camera
they meet in a vanishing point, so that their slope grows evenly from one line to the next. The correction is the
homography that moves both vanishing points to infinity (Hartley and Zisserman, Multiple View Geometry, 2.7).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.vision.binarize import Mask
from batchocr.vision.geometry.connected import connected

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class KeystoneParameters:
    """Which lines count, and when they agree. Pixels are those of half the working resolution (75 dpi for A4).

    Basis of all: tried on drawn forms, flat and photographed.
    """

    run_px: int = 8
    """Length of a level run of ink in a line. Basis: the steps of a line with a slope of 10° touch at this length."""
    min_length_px: int = 70
    """Length of the shortest line that counts. Basis: 24 mm on A4, longer than a stroke."""
    max_thickness_px: float = 5.0
    """Thickness of the thickest line. Basis: 1.7 mm on A4."""
    min_lines: int = 4
    """Number of lines of one direction without which nothing is measured."""
    min_spread_ratio: float = 0.3
    """The lines cover this share of the page, across their direction. Basis: closer lines show no perspective."""
    min_pair_ratio: float = 0.1
    """Distance of two lines whose slopes are compared, as a share of the page."""
    max_deviation_deg: float = 0.35
    """A line agrees with the others up to this deviation of its direction."""
    min_agreement_ratio: float = 0.75
    """Share of the lines that agree, weighted by squared length."""
    min_bend_deg: float = 2.0
    """Difference in direction of the outermost lines from which the page is corrected. Basis: less harms no row."""
    max_slope_deg: float = 25.0
    """Direction of a line at the page's border. Basis: beyond it a page cannot be read."""

    @cached_property
    def max_deviation(self) -> float:
        """`max_deviation_deg` as a slope."""
        return float(np.tan(np.deg2rad(self.max_deviation_deg)))

    @cached_property
    def max_slope(self) -> float:
        """`max_slope_deg` as a slope."""
        return float(np.tan(np.deg2rad(self.max_slope_deg)))


PARAMETERS = KeystoneParameters()


def keystone(ink: Mask, parameters: KeystoneParameters = PARAMETERS) -> Floats | None:
    """Find the homography that makes the lines of a form level and upright.

    Args:
        ink: The ink (height, width) at half of the working resolution.
        parameters: See the class.

    Returns:
        The homography (3, 3), in pixels of `ink` from its middle; None if the lines are parallel, or too few.
    """
    p = parameters
    height, width = ink.shape
    level = _pencil(_level_lines(ink, p), height, p)
    upright = _pencil(_level_lines(cv2.transpose(ink), p), width, p)
    if not (level and level[1]) and not (upright and upright[1]):
        return None
    # a direction without enough lines is taken to be perpendicular to the other
    slope, slope_growth = level or (-upright[0] if upright else 0.0, 0.0)
    lean, lean_growth = upright or (-slope, 0.0)
    right, down = np.array([1.0, slope, -slope_growth]), np.array([lean, 1.0, -lean_growth])
    horizon = np.cross(right, down)
    affine = np.eye(3)
    affine[2] = horizon / horizon[2]
    axes = np.array([[1.0, lean], [slope, 1.0]]) / (np.hypot(1.0, slope), np.hypot(1.0, lean))
    rotation = np.eye(3)
    rotation[:2, :2] = np.linalg.inv(axes)
    steepest = max(abs(slope) + abs(slope_growth) * height / 2, abs(lean) + abs(lean_growth) * width / 2)
    return rotation @ affine if steepest <= p.max_slope else None


def _level_lines(ink: Mask, p: KeystoneParameters) -> Floats:
    """Find long, thin, straight and nearly level lines: (n, 3) slope, y in the middle of the image, length."""
    thinned = np.ascontiguousarray(ink[:, ::2])  # half of the columns show a line as well
    runs = cv2.morphologyEx(thinned, cv2.MORPH_OPEN, np.ones((1, max(1, p.run_px // 2)), np.uint8))
    lines = cv2.dilate(runs, np.ones((1, 3), np.uint8))
    labels, stats = connected(lines)
    width, height = 2 * stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    keep = (width >= p.min_length_px) & (2 * stats[:, cv2.CC_STAT_AREA] <= p.max_thickness_px * width)
    keep &= height <= p.max_slope * width + p.max_thickness_px
    keep[0] = False
    if not keep.any():
        return np.empty((0, 3))
    y, x = np.divmod(np.flatnonzero(lines > 0), lines.shape[1])
    kept = keep[labels[y, x]]
    y, x = y[kept], x[kept]
    line = keep.cumsum()[labels[y, x]] - 1

    def mean(values: Floats) -> Floats:
        """Return the mean of `values`, one for each pixel, by line."""
        return np.bincount(line, values, np.count_nonzero(keep)) / stats[keep, cv2.CC_STAT_AREA]

    middle, crossing = mean(x), mean(y)
    right, below = 2 * (x - middle[line]), y - crossing[line]
    slope = mean(right * below) / mean(right * right)
    straight = mean(np.abs(below - slope[line] * right)) <= p.max_thickness_px / 4
    found = np.stack([slope, crossing + slope * (ink.shape[1] / 2 - 2 * middle), width[keep]], axis=1)
    return np.asarray(found[straight])


def _pencil(lines: Floats, height: int, p: KeystoneParameters) -> tuple[float, float] | None:
    """Return the slope in the middle of the image and its growth per pixel; None if the lines do not agree.

    `lines` (n, 3) are slope, crossing and length. The estimate is the median over pairs of lines (Theil and Sen),
    because text and drawings contain lines too.
    """
    if len(lines) < p.min_lines:
        return None
    slope, crossing, length = lines.T
    crossing = crossing - height / 2
    i, j = np.triu_indices(len(lines), 1)
    distance = crossing[j] - crossing[i]
    far = np.abs(distance) >= p.min_pair_ratio * height
    if not far.any():
        return None
    i, j, distance = i[far], j[far], distance[far]
    growths, weight = (slope[j] - slope[i]) / distance, length[i] * length[j]
    growth = _weighted_median(growths, weight)
    rest = slope - growth * crossing
    middle = _weighted_median(rest, length**2)
    good = np.abs(rest - middle) <= p.max_deviation
    if np.count_nonzero(good) < p.min_lines or np.ptp(crossing[good]) < p.min_spread_ratio * height:
        return None
    if (length**2)[good].sum() < p.min_agreement_ratio * (length**2).sum():
        return None
    growth, middle = np.polyfit(crossing[good], slope[good], 1, w=length[good]).tolist()
    if abs(growth) * np.ptp(crossing[good]) < np.tan(np.deg2rad(p.min_bend_deg)):
        growth, middle = 0.0, float(np.average(slope[good], weights=length[good]))
    return middle, growth


def _weighted_median(values: Floats, weight: Floats) -> float:
    """Return the median of values (n,), each counted by its weight."""
    order = values.argsort()
    total = weight[order].cumsum()
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
