"""Boxes of digits → rows of writing, in reading order, along slope and bend."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class LineParameters:
    """What a line of writing is; lengths in heights of digits. Tried on composed and drawn pages."""

    apart_heights: float = 0.7
    """A digit's centre lies no further from where its line runs, in heights of the larger: raised digits do."""
    memory_heights: float = 12.0
    """Distance at which a digit's say in where its line runs has fallen to 1/e."""
    ahead_heights: float = 10.0
    """So far ahead of a line's centre its slope is followed, and no further: a few digits know it badly."""
    stiff_heights: float = 5.0
    """A line bends as readily as if this were the spread of digits that call for no slope."""
    stacked_ratio: float = 0.5
    """Digits that share more of the lesser width than this..."""
    beside_ratio: float = 0.35
    """...and less of the lesser height than this stand one above the other: on two lines."""
    skewed_at_most: float = 0.09
    """Slope of a page that was turned level, at most."""
    bend_from: int = 40
    """Digits from which a bend is measured..."""
    skew_from: int = 16
    """...and from which a slope is; of fewer it is not known well enough."""
    doubt: float = 20.0
    """Digits at which twice as much speaks against a slope as on a full page."""
    asked: int = 400
    """Digits, at most, whose neighbours are asked for the bend."""
    reach_heights: float = 5.0
    """Neighbours are no further away than this."""
    sharper_ratio: float = 1.03
    """A bend is followed where it makes the profile sharper by this, at least."""
    short: int = 2
    """Digits of a line, at most, that may turn out to belong to another on both sides."""
    near_heights: float = 8.0
    """How far from them digits of that other line are, at most."""
    within_heights: float = 0.6
    """How far their centre is off where it runs, at most."""


def _sharpest(x: Floats, y: Floats, height: float, how: LineParameters) -> tuple[float, float]:
    """The slope at which the profile of centres is sharpest, and how sharp it is there."""
    step = max(1.0, 0.25 * height)
    best, sharpest = 0.0, -1.0
    for slope in np.linspace(-how.skewed_at_most, how.skewed_at_most, 61):
        across = (y - slope * x) / step
        counts = np.bincount((across - across.min()).astype(np.int64))
        sharp = float((np.convolve(counts, (0.5, 1.0, 0.5)) ** 2).sum()) * (1 - abs(slope) * (1 + how.doubt / len(x)))
        if sharp > sharpest * (1 + 1e-9):
            best, sharpest = float(slope), sharp
    return best, sharpest


def rise(x: Floats, y: Floats, heights: Floats, parameters: LineParameters | None = None) -> Floats:
    """By how many pixels (n,) the writing at centres `x`, `y` lies lower than on a level page: slope and bend.

    The bend is a polynomial, of the third degree along the lines and changing down the page, fitted to how digits near
    to each other lie; it is taken where it makes the profile of centres sharper. 0 of few digits.
    """
    how = parameters or LineParameters()
    if len(x) < how.skew_from:
        return np.zeros(len(x))
    height = float(np.median(heights))
    slope, sharp = _sharpest(x, y, height, how)
    if len(x) < how.bend_from:
        return slope * x
    bend = _bend(x, y, height, how)
    further, sharper = _sharpest(x, y - bend, height, how)
    return bend + further * x if sharper > sharp * how.sharper_ratio else slope * x


def _bend(x: Floats, y: Floats, height: float, how: LineParameters) -> Floats:
    """The polynomial's value at each centre, (n,)."""
    size = max(float(np.ptp(x)), float(np.ptp(y)), height)
    u, v = (x - x.mean()) / size, (y - y.mean()) / size
    basis = np.stack([u, u * u, u**3, u * v, u * u * v], axis=1)
    bend = np.zeros(len(x))
    some = np.unique(np.linspace(0, len(x) - 1, min(len(x), how.asked)).astype(np.intp))
    for reach in (how.reach_heights / 2, how.reach_heights):
        along = x - x[some, None]
        across = (y - bend) - (y - bend)[some, None]
        i, j = np.nonzero((along > 0.4 * height) & (along < reach * height) & (np.abs(across) < 0.6 * height))
        if len(i) < how.bend_from:
            return bend
        inputs, outputs = basis[j] - basis[some[i]], y[j] - y[some[i]]
        held = np.eye(basis.shape[1]) * 1e-4 * len(i) / len(x)
        weights = np.ones(len(i))
        coefficients = np.zeros(basis.shape[1])
        for _ in range(4):
            weighed = inputs * weights[:, None]
            coefficients = np.linalg.solve(weighed.T @ inputs + held, weighed.T @ outputs)
            off = (outputs - inputs @ coefficients) / (0.5 * height)
            weights = np.clip(1 - off * off, 0, None) ** 2  # Tukey's: neighbours of other lines do not count
        bend = basis @ coefficients
    return bend


class _Rows:
    """Lines as they grow from the left: of each where it runs, by its digits' weighed regression line."""

    def __init__(self, most: int, how: LineParameters) -> None:
        self.how = how
        self.count = 0
        self.state = np.zeros((8, most))  # mean x, mean y, slope, mean height; left, top, right, bottom of the last
        self.sums: list[tuple[float, float, float, float]] = []  # weight, covariance xx, xy, last x

    def best(self, x: float, y: float, box: tuple[float, float, float, float]) -> int | None:
        """Which line a digit continues; None where it continues none."""
        how = self.how
        if not self.count:
            return None
        mean_x, mean_y, slope, high = self.state[:4, : self.count]
        height = box[3] - box[1]
        runs_at = mean_y + slope * np.minimum(x - mean_x, how.ahead_heights * high)
        off = np.abs(y - runs_at) / np.maximum(high, height)
        while True:
            at = int(off.argmin())
            if off[at] >= how.apart_heights:
                return None
            if not self._stacked(at, box):
                return at
            off[at] = np.inf

    def _stacked(self, at: int, box: tuple[float, float, float, float]) -> bool:
        """Whether a digit stands above or below the last one of a line."""
        left, top, right, bottom = self.state[4:, at].tolist()
        shared_x, shared_y = min(right, box[2]) - max(left, box[0]), min(bottom, box[3]) - max(top, box[1])
        return shared_x > self.how.stacked_ratio * min(right - left, box[2] - box[0]) and (
            shared_y < self.how.beside_ratio * min(bottom - top, box[3] - box[1])
        )

    def add(self, at: int | None, x: float, y: float, box: tuple[float, float, float, float]) -> int:
        """Let a digit go on a line, or begin one; returns which."""
        height = box[3] - box[1]
        if at is None:
            at = self.count
            self.count += 1
            self.sums.append((1.0, 0.0, 0.0, x))
            self.state[:, at] = (x, y, 0.0, height, *box)
            return at
        weight, xx, xy, last = self.sums[at]
        mean_x, mean_y, _, high = self.state[:4, at].tolist()
        fade = exp(-max(0.0, x - last) / (self.how.memory_heights * max(high, height)))
        own = min(1.0, (height / high) ** 2)  # small ones may be raised
        before = weight * fade
        weight = before + own
        dx, dy = x - mean_x, y - mean_y
        xx, xy = fade * xx + before * own / weight * dx * dx, fade * xy + before * own / weight * dx * dy
        mean_x, mean_y, high = (
            mean_x + own / weight * dx,
            mean_y + own / weight * dy,
            high + own / weight * (height - high),
        )
        slope = xy / (xx + (self.how.stiff_heights * high) ** 2)
        self.sums[at] = (weight, xx, xy, x)
        self.state[:, at] = (mean_x, mean_y, slope, high, *box)
        return at


def find_lines(boxes: NDArray[np.floating], parameters: LineParameters | None = None) -> list[Places]:
    """Lines of digits from the top, each the places of its boxes from the left; every box stands on one line.

    `boxes` (n, 4) left, top, width, height in pixels. Each box goes, from the left, to the line that runs nearest to
    its centre, where that is near enough: so a line follows slope and bend, and a row of a table is one line whatever
    its gaps.
    """
    how = parameters or LineParameters()
    if not len(boxes):
        return []
    level = np.asarray(boxes, np.float64).copy()
    x = level[:, 0] + level[:, 2] / 2
    level[:, 1] -= rise(x, level[:, 1] + level[:, 3] / 2, level[:, 3], how)
    y = level[:, 1] + level[:, 3] / 2
    ends = np.concatenate([level[:, :2], level[:, :2] + np.maximum(level[:, 2:], 1)], axis=1).tolist()
    rows, members = _Rows(len(level), how), list[list[int]]()
    for i in np.lexsort((y, x)).tolist():
        box = tuple(ends[i])
        at = rows.add(rows.best(float(x[i]), float(y[i]), box), float(x[i]), float(y[i]), box)
        if at == len(members):
            members.append([])
        members[at].append(i)
    members = _absorbed(members, level, how)
    found = [np.array(sorted(row, key=lambda i: (x[i], y[i])), np.intp) for row in members]
    return sorted(found, key=lambda row: (float(np.median(y[row])), float(x[row[0]])))


def _absorbed(members: list[list[int]], level: Floats, how: LineParameters) -> list[list[int]]:
    """The lines, where short ones that lie in the run of another have become part of it."""
    if len(members) < 2 or not any(len(row) <= how.short for row in members):
        return members
    line = np.empty(len(level), np.intp)
    for at, row in enumerate(members):
        line[row] = at
    left, top, width, height = level.T
    right, bottom, x, y = left + width, top + height, left + width / 2, top + height / 2
    for at, row in sorted(enumerate(members), key=lambda each: (len(each[1]), each[0])):
        if len(row) > how.short:
            break
        own = np.array(row)
        high, cx, cy = height[own].max(), x[own].mean(), y[own].mean()
        near = np.flatnonzero(
            (line != at)
            & (np.abs(x - cx) < how.near_heights * np.maximum(high, height))
            & (np.abs(y - cy) < 1.5 * np.maximum(high, height))
        )
        best, nearest = -1, how.within_heights
        for other in np.unique(line[near]).tolist():
            there = near[line[near] == other]
            if (line == other).sum() < len(row):
                continue
            weights = np.exp(-np.abs(x[there] - cx) / (2 * high)) * height[there] ** 2
            tall = float(np.average(height[there], weights=weights))
            if len(there) >= 3:
                spread = x[there] - np.average(x[there], weights=weights)
                slope = (weights * spread * y[there]).sum() / (
                    (weights * spread**2).sum() + (how.stiff_heights / 2 * tall) ** 2 * weights.sum()
                )
            else:
                slope = 0.0
            runs_at = np.average(y[there] + slope * (cx - x[there]), weights=weights)
            off = abs(cy - runs_at) / max(high, tall)
            shared_x = np.minimum(right[there, None], right[own]) - np.maximum(left[there, None], left[own])
            shared_y = np.minimum(bottom[there, None], bottom[own]) - np.maximum(top[there, None], top[own])
            stacked = (shared_x > how.stacked_ratio * np.minimum(width[there, None], width[own])) & (
                shared_y < how.beside_ratio * np.minimum(height[there, None], height[own])
            )
            if off < nearest and not stacked.any():
                best, nearest = other, off
        if best >= 0:
            line[own] = best
    return [np.flatnonzero(line == at).tolist() for at in range(len(members)) if (line == at).any()]
