"""How a camera held aslant bent a form, told from its ruled lines, which are level and upright on paper.

On paper lines of one direction are parallel; in a picture taken aslant they meet in a vanishing point, and their
slope grows evenly from one to the next. The way back is the homography that moves both vanishing points to infinity
(Hartley and Zisserman, Multiple View Geometry, 2.7).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.vision.binarize import Mask
from batchocr.vision.geometry.connected import connected

Floats = NDArray[np.float64]

RUN = 8
"""Pixels, at half the working resolution, that a line goes on at one height: with a slope of 10° its steps touch."""
LONG = 70
"""Pixels there from which a line tells a direction (24 mm at 150 dpi)."""
THICK = 5.0
"""Pixels there that a line is thick at most."""
FEWEST = 4
"""Lines of one direction without which nothing is told."""
SPREAD = 0.3
"""Share of the page over which they must be spread, one beside the other."""
OFF = np.tan(np.deg2rad(0.35))
"""By how much a line's slope may be off."""
AGREE = 0.75
"""Share of the lines, the longer counting for more, that must be no further off."""
BENT = np.tan(np.deg2rad(2.0))
"""By how much the slopes of a form's outermost lines differ at least; less does no harm to rows and rules."""
STEEPEST = np.tan(np.deg2rad(25))
"""Slope of a line at the page's ends that no picture has which can be read."""


def _level_lines(ink: Mask) -> Floats:
    """Long, thin, straight, nearly level lines: (n, 3) slope, y where they cross the picture's middle, length."""
    thinned = np.ascontiguousarray(ink[:, ::2])  # a line loses nothing by it
    runs = cv2.morphologyEx(thinned, cv2.MORPH_OPEN, np.ones((1, RUN // 2), np.uint8))
    lines = cv2.dilate(runs, np.ones((1, 3), np.uint8))
    labels, stats = connected(lines)
    width, high = 2 * stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    keep = (width >= LONG) & (2 * stats[:, cv2.CC_STAT_AREA] <= THICK * width) & (high <= STEEPEST * width + THICK)
    keep[0] = False
    if not keep.any():
        return np.empty((0, 3))
    y, x = np.divmod(np.flatnonzero(lines > 0), lines.shape[1])
    kept = keep[labels[y, x]]
    y, x = y[kept], x[kept]
    of = keep.cumsum()[labels[y, x]] - 1

    def mean(values: Floats) -> Floats:
        """By line, of `values` by pixel."""
        return np.bincount(of, values, np.count_nonzero(keep)) / stats[keep, cv2.CC_STAT_AREA]

    middle, crossing = mean(x), mean(y)
    right, below = 2 * (x - middle[of]), y - crossing[of]
    slope = mean(right * below) / mean(right * right)
    straight = mean(np.abs(below - slope[of] * right)) <= THICK / 4
    found = np.stack([slope, crossing + slope * (ink.shape[1] / 2 - 2 * middle), width[keep]], axis=1)
    return np.asarray(found[straight])


def _pencil(lines: Floats, height: int) -> tuple[float, float] | None:
    """Slope halfway down the picture and its growth a pixel for lines (slope, crossing, length); None if they disagree.

    The median over pairs of lines (Theil and Sen), as text and drawings have lines too.
    """
    if len(lines) < FEWEST:
        return None
    slope, crossing, length = lines.T
    crossing = crossing - height / 2
    i, j = np.triu_indices(len(lines), 1)
    apart = crossing[j] - crossing[i]
    far = np.abs(apart) >= 0.1 * height
    if not far.any():
        return None
    i, j, apart = i[far], j[far], apart[far]
    growths, weight = (slope[j] - slope[i]) / apart, length[i] * length[j]
    growth = _median(growths, weight)
    rest = slope - growth * crossing
    middle = _median(rest, length**2)
    good = np.abs(rest - middle) <= OFF
    if np.count_nonzero(good) < FEWEST or np.ptp(crossing[good]) < SPREAD * height:
        return None
    if (length**2)[good].sum() < AGREE * (length**2).sum():
        return None
    growth, middle = np.polyfit(crossing[good], slope[good], 1, w=length[good]).tolist()
    if abs(growth) * np.ptp(crossing[good]) < BENT:
        growth, middle = 0.0, float(np.average(slope[good], weights=length[good]))
    return middle, growth


def _median(values: Floats, weight: Floats) -> float:
    """The median of values (n,), each counted by its weight."""
    order = values.argsort()
    total = weight[order].cumsum()
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def keystone(ink: Mask) -> NDArray[np.float64] | None:
    """The homography, 3×3, that makes a form's lines level and upright; None where they are parallel, or few.

    `ink` (height, width) at half the working resolution; the homography is in its pixels, from its middle.
    """
    height, width = ink.shape
    level = _pencil(_level_lines(ink), height)
    upright = _pencil(_level_lines(cv2.transpose(ink)), width)
    if not (level and level[1]) and not (upright and upright[1]):
        return None
    # where one direction tells nothing it stands square to the other
    slope, growth = level or (-upright[0] if upright else 0.0, 0.0)
    lean, leaning = upright or (-slope, 0.0)
    far, down = np.array([1.0, slope, -growth]), np.array([lean, 1.0, -leaning])
    horizon = np.cross(far, down)
    straight = np.eye(3)
    straight[2] = horizon / horizon[2]
    axes = np.array([[1.0, lean], [slope, 1.0]]) / (np.hypot(1.0, slope), np.hypot(1.0, lean))
    turn = np.eye(3)
    turn[:2, :2] = np.linalg.inv(axes)
    steepest = max(abs(slope) + abs(growth) * height / 2, abs(lean) + abs(leaning) * width / 2)
    return turn @ straight if steepest <= STEEPEST else None
