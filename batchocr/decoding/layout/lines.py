"""Group boxes of digits into lines of writing, in reading order, also if the lines slope or bend."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.layout.bend import BendParameters, vertical_offsets

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
"""Indices of boxes."""
Corners = tuple[float, float, float, float]
"""Left, top, right and bottom."""


@dataclass(frozen=True)
class LineParameters:
    """What a line of writing is; lengths in heights of digits.

    Basis of all: tried on composed and drawn pages.
    """

    bend: BendParameters = field(default_factory=BendParameters)
    """How slope and bend of the page are measured."""
    max_offset_heights: float = 0.7
    """Maximum vertical distance from a digit's centre to its line, in heights of the larger digits. Raised digits reach
    this distance."""
    memory_heights: float = 12.0
    """Distance at which the weight of a digit in the regression of its line has decreased to 1/e."""
    max_ahead_heights: float = 10.0
    """Maximum distance from the line's centre up to which its slope is extrapolated; a few digits determine the slope
    badly."""
    stiffness_heights: float = 5.0
    """Spread of the digits at which the slope of a line is half of what its digits alone give."""
    stacked_ratio: float = 0.5
    """Minimum share of the smaller width that two digits above each other have in common."""
    beside_ratio: float = 0.35
    """Share of the smaller height from which on two digits are beside each other, not above each other."""
    max_short_digits: int = 2
    """Maximum number of digits of a short line, which may be merged into another line."""
    near_heights: float = 8.0
    """Maximum horizontal distance between the digits of a short line and digits of the other line."""
    near_vertical_heights: float = 1.5
    """Maximum vertical distance between the digits of a short line and digits of the other line."""
    max_merge_offset_heights: float = 0.6
    """Maximum vertical distance between the centre of a short line and the other line."""
    merge_memory_heights: float = 2.0
    """Distance at which the weight of a digit has decreased to 1/e when the other line is fitted near a short line."""
    min_merge_slope_digits: int = 3
    """Minimum number of digits for which the slope of the other line is fitted near a short line."""
    merge_stiffness_heights: float = 2.5
    """`stiffness_heights` in this fit."""


PARAMETERS = LineParameters()


def find_lines(boxes: NDArray[np.floating], parameters: LineParameters = PARAMETERS) -> list[Places]:
    """Group the digits of a page into lines.

    The boxes are processed from the left. Each box joins the line that is nearest to its centre, if that line is near
    enough. In this way a line follows slope and bend, and a row of a table is one line, whatever its gaps are.

    Args:
        boxes: (n, 4) left, top, width and height in pixels of the level page.
        parameters: what a line is.

    Returns:
        The lines from the top. Each line has the indices of its boxes, from the left. Each box is on one line.
    """
    if not len(boxes):
        return []
    level = np.asarray(boxes, np.float64).copy()
    x = level[:, 0] + level[:, 2] / 2
    level[:, 1] -= vertical_offsets(x, level[:, 1] + level[:, 3] / 2, level[:, 3], parameters.bend)
    y = level[:, 1] + level[:, 3] / 2
    corners = np.concatenate([level[:, :2], level[:, :2] + np.maximum(level[:, 2:], 1)], axis=1).tolist()
    growing, members = _GrowingLines(len(level), parameters), list[list[int]]()
    for i in np.lexsort((y, x)).tolist():
        box = tuple(corners[i])
        line = growing.add(growing.best(float(x[i]), float(y[i]), box), float(x[i]), float(y[i]), box)
        if line == len(members):
            members.append([])
        members[line].append(i)
    members = _merge_short_lines(members, level, parameters)
    found = [np.array(sorted(line, key=lambda i: (x[i], y[i])), np.intp) for line in members]
    return sorted(found, key=lambda line: (float(np.median(y[line])), float(x[line[0]])))


class _GrowingLines:
    """Lines that grow from the left; the course of each is a weighted regression line of its digits."""

    def __init__(self, capacity: int, parameters: LineParameters) -> None:
        self.parameters = parameters
        self.count = 0
        # rows: mean x, mean y, slope, mean height; then left, top, right, bottom of the last digit
        self.state = np.zeros((8, capacity))
        # weight, covariance of x and x, covariance of x and y, last x
        self.sums: list[tuple[float, float, float, float]] = []

    def best(self, x: float, y: float, box: Corners) -> int | None:
        """Return the line that a digit continues; None if there is no such line."""
        p = self.parameters
        if not self.count:
            return None
        mean_x, mean_y, slope, mean_height = self.state[:4, : self.count]
        height = box[3] - box[1]
        line_y = mean_y + slope * np.minimum(x - mean_x, p.max_ahead_heights * mean_height)
        offsets = np.abs(y - line_y) / np.maximum(mean_height, height)
        while True:
            line = int(offsets.argmin())
            if offsets[line] >= p.max_offset_heights:
                return None
            if not self._is_stacked(line, box):
                return line
            offsets[line] = np.inf

    def _is_stacked(self, line: int, box: Corners) -> bool:
        """Return whether a digit is above or below the last digit of a line."""
        p = self.parameters
        left, top, right, bottom = self.state[4:, line].tolist()
        shared_x, shared_y = min(right, box[2]) - max(left, box[0]), min(bottom, box[3]) - max(top, box[1])
        return shared_x > p.stacked_ratio * min(right - left, box[2] - box[0]) and (
            shared_y < p.beside_ratio * min(bottom - top, box[3] - box[1])
        )

    def add(self, line: int | None, x: float, y: float, box: Corners) -> int:
        """Add a digit to a line, or to a new line if `line` is None; return the index of the line."""
        p = self.parameters
        height = box[3] - box[1]
        if line is None:
            line = self.count
            self.count += 1
            self.sums.append((1.0, 0.0, 0.0, x))
            self.state[:, line] = (x, y, 0.0, height, *box)
            return line
        weight, xx, xy, last_x = self.sums[line]
        mean_x, mean_y, _, mean_height = self.state[:4, line].tolist()
        fade = exp(-max(0.0, x - last_x) / (p.memory_heights * max(mean_height, height)))
        own = min(1.0, (height / mean_height) ** 2)  # small digits may be raised
        before = weight * fade
        weight = before + own
        dx, dy = x - mean_x, y - mean_y
        xx, xy = fade * xx + before * own / weight * dx * dx, fade * xy + before * own / weight * dx * dy
        mean_x, mean_y, mean_height = (
            mean_x + own / weight * dx,
            mean_y + own / weight * dy,
            mean_height + own / weight * (height - mean_height),
        )
        slope = xy / (xx + (p.stiffness_heights * mean_height) ** 2)
        self.sums[line] = (weight, xx, xy, x)
        self.state[:, line] = (mean_x, mean_y, slope, mean_height, *box)
        return line


def _merge_short_lines(members: list[list[int]], level: Floats, p: LineParameters) -> list[list[int]]:
    """Return the lines after short lines in the course of another line were merged into it."""
    if len(members) < 2 or not any(len(line) <= p.max_short_digits for line in members):
        return members
    line_of = np.empty(len(level), np.intp)
    for i, line in enumerate(members):
        line_of[line] = i
    x, y, height = level[:, 0] + level[:, 2] / 2, level[:, 1] + level[:, 3] / 2, level[:, 3]
    for i, line in sorted(enumerate(members), key=lambda item: (len(item[1]), item[0])):
        if len(line) > p.max_short_digits:
            break
        own = np.array(line)
        own_height, own_x, own_y = height[own].max(), x[own].mean(), y[own].mean()
        near = np.flatnonzero(
            (line_of != i)
            & (np.abs(x - own_x) < p.near_heights * np.maximum(own_height, height))
            & (np.abs(y - own_y) < p.near_vertical_heights * np.maximum(own_height, height))
        )
        best, best_offset = -1, p.max_merge_offset_heights
        for other in np.unique(line_of[near]).tolist():
            others = near[line_of[near] == other]
            if (line_of == other).sum() < len(line):
                continue
            offset = _offset_from(x[others], y[others], height[others], own_x, own_y, own_height, p)
            if offset < best_offset and not _any_stacked(level, others, own, p):
                best, best_offset = other, offset
        if best >= 0:
            line_of[own] = best
    return [np.flatnonzero(line_of == i).tolist() for i in range(len(members)) if (line_of == i).any()]


def _offset_from(
    x: Floats, y: Floats, height: Floats, own_x: float, own_y: float, own_height: float, p: LineParameters
) -> float:
    """Return the vertical distance of a short line from digits (n,) of another line, in heights."""
    weights = np.exp(-np.abs(x - own_x) / (p.merge_memory_heights * own_height)) * height**2
    mean_height = float(np.average(height, weights=weights))
    if len(x) >= p.min_merge_slope_digits:
        spread = x - np.average(x, weights=weights)
        stiffness = (p.merge_stiffness_heights * mean_height) ** 2 * weights.sum()
        slope = (weights * spread * y).sum() / ((weights * spread**2).sum() + stiffness)
    else:
        slope = 0.0
    line_y = np.average(y + slope * (own_x - x), weights=weights)
    return float(abs(own_y - line_y) / max(own_height, mean_height))


def _any_stacked(level: Floats, others: Places, own: Places, p: LineParameters) -> bool:
    """Return whether any of the boxes `own` is above or below any of the boxes `others`."""
    left, top, width, height = level.T
    right, bottom = left + width, top + height
    shared_x = np.minimum(right[others, None], right[own]) - np.maximum(left[others, None], left[own])
    shared_y = np.minimum(bottom[others, None], bottom[own]) - np.maximum(top[others, None], top[own])
    stacked = (shared_x > p.stacked_ratio * np.minimum(width[others, None], width[own])) & (
        shared_y < p.beside_ratio * np.minimum(height[others, None], height[own])
    )
    return bool(stacked.any())
