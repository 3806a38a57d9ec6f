"""The outline of a sheet of paper in a photograph: four straight sides around something bright.

Each side is found by a Hough transform, and the best combination of four sides is taken (Hough, 1962; Zhang and He,
Whiteboard scanning and image enhancement, 2007). A side of the image itself can be a side of the sheet, because a sheet
may extend beyond the image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels

Points = NDArray[np.float64]
"""(n, 2) x, y in pixels; the corners of the image are at 0, 0 and width, height."""
Floats = NDArray[np.float64]

_CACHED_POINTS = 250
"""Edge pixels up to which all slopes are processed at once. More would not fit into the processor's cache."""


@dataclass(frozen=True)
class OutlineParameters:
    """What counts as a side of a sheet. Pixels are those of the small image that `find_sheet` makes.

    Basis of all: tried on drawn sheets on desks of wood, cloth and stone.
    """

    min_gradient: int = 14
    """Sobel gradient of the weakest edge. Basis: a step of some 4 grey levels."""
    max_slope: float = 0.5
    """Slope of a side against the image's side. Basis: 26 degrees."""
    slope_step: float = 0.02
    """Step of the slopes of the Hough transform."""
    bin_px: int = 3
    """Width of a bin of the Hough transform."""
    max_lines: int = 7
    """Number of lines that are tried for each of the four sides, in addition to the image's own side."""
    min_visible_ratio: float = 0.15
    """Share of the image's side on which a line shows an edge, for a line to be tried."""
    near_px: float = 2.0
    """Distance within which an edge pixel is on a line."""
    min_support_ratio: float = 0.6
    """Share of a side of the sheet that shows an edge."""
    min_area_ratio: float = 0.18
    """Share of the image that the smallest sheet covers."""
    max_outside_ratio: float = 0.1
    """Distance of a corner outside of the image, as a share of the longer side."""
    image_side_weight: float = 0.5
    """Support that a side of the image itself counts for. Basis: better than a poor line, worse than a good one."""
    area_weight: float = 0.3
    """Weight of the area against the support, so that a frame printed on the sheet is not taken for the sheet."""
    min_side_ratio: float = 0.25
    """Length of the shortest side, as a share of the image's shorter side."""


PARAMETERS = OutlineParameters()


class _Lines(NamedTuple):
    """Lines y = middle + slope · (x − width / 2) that may be one side of a sheet; the first is the image's side."""

    middle: Floats
    slope: Floats
    visible: Floats
    """(lines, width + 1): number of columns before each x in which an edge is on the line."""


def outline(image: Pixels, parameters: OutlineParameters = PARAMETERS) -> tuple[Points, tuple[bool, bool, bool, bool]]:
    """Find the best four sides around something bright.

    Args:
        image: A small grey image (height, width) without its writing.
        parameters: See the class.

    Returns:
        The corners (4, 2), clockwise from the top left, and whether the top, right, bottom and left side shows an edge.
        The other sides are those of the image; all four are where nothing is found.
    """
    p = parameters
    height, width = image.shape
    sides = _candidates(image, p)
    if all(len(side.middle) == 1 for side in sides):
        return np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]]), (False, False, False, False)
    choice = np.indices([len(side.middle) for side in sides]).reshape(4, -1)
    top, right, bottom, left = (np.stack([s.middle[i], s.slope[i]]) for s, i in zip(sides, choice, strict=True))
    corners = np.stack(
        [
            _intersections(top, left, width, height),
            _intersections(top, right, width, height),
            _intersections(bottom, right, width, height),
            _intersections(bottom, left, width, height),
        ],
        axis=1,
    )
    x, y = corners[..., 0], corners[..., 1]
    spans = ((x[:, 0], x[:, 1]), (y[:, 1], y[:, 2]), (x[:, 3], x[:, 2]), (y[:, 0], y[:, 3]))
    length, support = np.stack(
        [_support(side, i, *span, p) for side, i, span in zip(sides, choice, spans, strict=True)], axis=1
    )
    area = 0.5 * (x * np.roll(y, -1, 1) - np.roll(x, -1, 1) * y).sum(axis=1) / (width * height)
    score = (length * support).sum(axis=0) / length.sum(axis=0) + p.area_weight * area
    slack = p.max_outside_ratio * max(width, height)
    within = (corners >= -slack) & (corners <= np.array([width, height]) + slack)
    min_length = p.min_side_ratio * min(width, height)
    long = np.all([end - start > min_length for start, end in spans], axis=0)
    score[~(within.all(axis=(1, 2)) & long & (area >= p.min_area_ratio))] = -np.inf
    best = int(score.argmax())
    own = [bool(i[best]) for i in choice]
    return corners[best], (own[0], own[1], own[2], own[3])


def _candidates(image: Pixels, p: OutlineParameters) -> tuple[_Lines, _Lines, _Lines, _Lines]:
    """Find lines that may be the top, right, bottom and left side of something brighter than its surroundings."""
    height, width = image.shape
    right, down = cv2.Sobel(image, cv2.CV_16S, 1, 0), cv2.Sobel(image, cv2.CV_16S, 0, 1)
    level = np.abs(down) >= np.abs(right)
    down, right = down * level, cv2.transpose(right * ~level)
    return (
        _lines(down, 0.0, p),
        _lines(-right, float(width), p),
        _lines(-down, float(height), p),
        _lines(right, 0.0, p),
    )


def _lines(gradient: NDArray[np.int16], side: float, p: OutlineParameters) -> _Lines:
    """Find nearly level lines along which the image gets brighter downwards; `side` is the middle of the image's side.

    The gradient (height, width) counts where it is a local maximum of its column.
    """
    height, width = gradient.shape
    y, x = np.divmod(np.flatnonzero(gradient >= p.min_gradient), width)
    above, below = gradient[np.maximum(y - 1, 0), x], gradient[np.minimum(y + 1, height - 1), x]
    ridge = (gradient[y, x] >= above) & ((gradient[y, x] > below) | (y == height - 1))
    y, x = y[ridge], x[ridge]
    across, down = x + 0.5 - width / 2, y + 0.5
    weight = np.sqrt(gradient[y, x].astype(np.float64))  # the grain of wood is many weak edges
    slopes = np.arange(-p.max_slope, p.max_slope + 0.0001, p.slope_step)
    votes = _votes(across, down, weight, slopes, gradient.shape, p)
    reach = _reach(width, p.max_slope)
    middles, chosen = [side], [0.0]
    while len(middles) <= p.max_lines:
        i, j = divmod(int(votes.argmax()), votes.shape[1])
        if votes[i, j] <= 0:
            break
        slope, middle = float(slopes[i]), float(p.bin_px * j - reach)
        for tolerance in (2 * p.near_px, p.near_px, p.near_px):
            on = np.abs(down - middle - slope * across) <= tolerance
            if np.count_nonzero(on) < 8 or np.ptp(across[on]) < 8:
                break
            slope, middle = np.polyfit(across[on], down[on], 1).tolist()
        if not any(abs(middle - m) < p.near_px and abs(slope - s) < 0.02 for m, s in zip(middles, chosen, strict=True)):
            middles.append(middle)
            chosen.append(slope)
        votes[max(0, i - 3) : i + 4, max(0, j - 3) : j + 4] = 0
    visible = np.zeros((len(middles), width + 1))
    for k, (middle, slope) in enumerate(zip(middles, chosen, strict=True)):
        on = np.abs(down - middle - slope * across) <= p.near_px
        visible[k, 1:] = np.minimum(np.bincount(x[on], minlength=width), 1).cumsum()
    return _Lines(np.array(middles), np.array(chosen), visible)


def _reach(width: int, max_slope: float) -> int:
    """Return how far outside of the image the middle of a line can be."""
    return int(width * max_slope / 2) + 1


def _votes(
    across: Floats, down: Floats, weight: Floats, slopes: Floats, shape: tuple[int, ...], p: OutlineParameters
) -> Floats:
    """Return the Hough transform of edge pixels (slopes, bins); lines with too few pixels have no votes."""
    height, width = shape
    reach = _reach(width, p.max_slope)
    bins = (height + 2 * reach) // p.bin_px + 2
    votes, count = np.empty((2, len(slopes), bins))
    for part in np.array_split(np.arange(len(slopes)), 1 + len(down) // _CACHED_POINTS):
        place = ((down - slopes[part, None] * across + reach) / p.bin_px).astype(np.int64)
        place += bins * np.arange(len(part))[:, None]
        votes[part] = np.bincount(place.ravel(), np.tile(weight, len(part)), len(part) * bins).reshape(-1, bins)
        count[part] = np.bincount(place.ravel(), minlength=len(part) * bins).reshape(-1, bins)
    for table in (votes, count):
        table[:, 1:] += table[:, :-1].copy()
    votes[count < p.min_visible_ratio * width] = 0
    return votes


def _intersections(level: Floats, upright: Floats, width: int, height: int) -> Points:
    """Return the intersections (n, 2) of nearly level and nearly upright lines, both (2, n) middle and slope."""
    (a, p), (b, q) = level, upright
    y = (a - height / 2 + p * (b - width / 2)) / (1 - p * q)
    return np.stack([b + q * y, y + height / 2], axis=1)


def _support(
    side: _Lines, choice: NDArray[np.int64], start: Floats, end: Floats, p: OutlineParameters
) -> tuple[Floats, Floats]:
    """Return the length within the image of lines from start to end, and the share of it that shows an edge."""
    last = side.visible.shape[1] - 1
    first, stop = (np.clip(ends.round(), 0, last).astype(np.int64) for ends in (start, end))
    length = np.maximum(stop - first, 1).astype(np.float64)
    share = (side.visible[choice, stop] - side.visible[choice, first]) / length
    return length, np.where(choice == 0, p.image_side_weight, np.where(share < p.min_support_ratio, -np.inf, share))
