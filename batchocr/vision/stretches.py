"""Stretches of ink, level or upright, before they are followed: which may be thin lines, and which meet others."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.vision.binarize import Mask

Flags = NDArray[np.bool_]
Places = NDArray[np.intp]

SLOPE = 1 / 14
"""A track strays no further from its direction than this share of its length."""
THICK = 9
"""Pixels that a thin line is thick at most (1.5 mm at 150 dpi)..."""
SLENDER, THICKEST = 1 / 6, 24
"""...and one drawn with a ruler: this share of its length, up to so many pixels."""
HOLE = 2
"""Pixels by which a pale line may be broken."""
STEP = 9
"""Pixels within which stretches of one line lie, where it changes from one row of pixels to the next."""
NEAR_END, TOUCH = 8, 2
"""Pixels from the end of a line within which it meets another, and between two that touch."""
PAIRS = 4_000_000
"""Of stretches, up to which a test of all their boxes takes less time than it saves."""


def box(width: int, height: int) -> Mask:
    """A rectangular structuring element."""
    return cv2.getStructuringElement(cv2.MORPH_RECT, (width, height))


@dataclass(frozen=True)
class Stretches:
    """Pieces of ink in one direction that hold long runs of pixels and may be thin lines; k of them.

    Their own x is along them and y across, whichever way they lie on the page.
    """

    upright: bool
    """Whether x goes down the page and y along it."""
    x: Places
    y: Places
    """(n,): the pixels of the runs, in order..."""
    of: Places
    """...and to which stretch each belongs."""
    left: Places
    top: Places
    right: Places
    """(k,): the column of the last pixel..."""
    bottom: Places
    """...and the row."""

    @property
    def width(self) -> Places:
        return self.right - self.left + 1

    def only(self, keep: Flags) -> Stretches:
        """Some of them."""
        if keep.all():
            return self
        index = np.where(keep, keep.cumsum() - 1, -1)
        of = index[self.of]
        kept = np.flatnonzero(of >= 0)
        ends = (side[keep] for side in (self.left, self.top, self.right, self.bottom))
        return Stretches(self.upright, self.x[kept], self.y[kept], of[kept], *ends)

    def may_touch(self, others: Stretches, keep: Flags) -> Flags:
        """Which of them may touch kept ones of the other direction, by their boxes."""
        return self._near(others, keep, self.left, self.right)

    def may_meet(self, others: Stretches, keep: Flags) -> Flags:
        """Which of them may touch such near both of their ends."""
        first = self._near(others, keep, self.left, self.left + NEAR_END)
        return first & self._near(others, keep, self.right - NEAR_END, self.right)

    def _near(self, others: Stretches, keep: Flags, left: Places, right: Places) -> Flags:
        """Which of them may touch kept others between two columns each."""
        if len(left) * np.count_nonzero(keep) > PAIRS:
            return np.ones(len(left), np.bool_)
        ends = (others.top, others.bottom, others.left, others.right)
        first, last, high, low = (end[keep].astype(np.int32) for end in ends)
        near = (first <= right[:, None] + TOUCH) & (last >= left[:, None] - TOUCH)
        near &= (high <= self.bottom[:, None] + TOUCH) & (low >= self.top[:, None] - TOUCH)
        return np.asarray(near.any(axis=1))


def find_stretches(ink: Mask, run: int, upright: bool = False) -> Stretches:
    """The level or `upright` stretches of `ink` (height, width) that hold runs of `run` pixels."""
    inked = _inked_rows(ink)
    if not len(inked):
        nothing = np.zeros(0, np.intp)
        return Stretches(upright, *[nothing] * 7)
    ink = without_holes(cv2.transpose(ink[inked]) if upright else ink[inked])
    # a sloping line is a stair: a pixel more to each side makes its steps long enough
    stair = cv2.dilate(ink, box(1, 3))
    cv2.morphologyEx(stair, cv2.MORPH_OPEN, box(run, 1), dst=stair)
    runs = cv2.bitwise_and(stair, ink, dst=stair)
    where = np.flatnonzero(np.greater(runs, 0, out=runs.view(np.bool_)))
    height, width = ink.shape
    begins = np.diff(where, prepend=-STEP - 1) > STEP
    rows = np.searchsorted(where, np.arange(height) * width)
    begins[rows[rows < len(where)]] = True
    begin = np.flatnonzero(begins)
    y, first = np.divmod(where[begin], width)
    pixels = np.diff(begin, append=len(where))
    last = first + where[begin + pixels - 1] - where[begin]
    one, other = _beside(y, first, last, width)
    hang = _together(len(begin), one, other)
    top_runs, of = np.unique(hang, return_inverse=True)
    left, top, right, bottom = (of_run[top_runs] for of_run in (first, y, last, y))
    np.minimum.at(left, of, first)
    np.maximum.at(right, of, last)
    np.maximum.at(bottom, of, y)
    # of the runs and what lies within a step of them
    reach = STEP // 2
    areas = np.minimum(last + reach, width - 1) - np.maximum(first - reach, 0) + 1
    wide = np.minimum(right + reach, width - 1) - np.maximum(left - reach, 0) + 1
    thick = np.bincount(of, areas, len(top_runs)) / wide
    high = bottom - top + 1
    thin = thick <= 1.5 * np.clip(SLENDER * wide, THICK, THICKEST)
    thin &= high <= np.maximum(THICK, SLOPE * wide + thick)
    rows_of = np.repeat(y, pixels)
    x, y, of = where - rows_of * width, rows_of, np.repeat(of, pixels)
    if upright:
        x, left, right = inked[x], inked[left], inked[right]
    else:
        y, top, bottom = inked[y], inked[top], inked[bottom]
    return Stretches(upright, x, y, of, left, top, right, bottom).only(thin)


def without_holes(ink: Mask, upright: bool = False) -> Mask:
    """Ink (height, width) whose level or `upright` lines have no small holes."""
    return cv2.morphologyEx(ink, cv2.MORPH_CLOSE, box(1, HOLE + 1) if upright else box(HOLE + 1, 1))


def _inked_rows(ink: Mask) -> Places:
    """The rows of a page that hold ink, and those near by, by which stretches stay apart: often half of them."""
    rows = ink.max(axis=1)[:, None]
    return np.flatnonzero(cv2.dilate(rows, box(1, STEP + 2)) > 0)


def _beside(y: Places, first: Places, last: Places, width: int) -> tuple[Places, Places]:
    """Pairs of runs in neighbouring rows that lie within a step; each is in row y from first to last, all in order."""
    row = width + 2 * STEP
    low = np.searchsorted(y * row + last, (y + 1) * row + first - STEP)
    high = np.searchsorted(y * row + first, (y + 1) * row + last + STEP, side="right")
    count = np.maximum(high - low, 0)
    one = np.repeat(np.arange(len(y)), count)
    return one, low[one] + np.arange(len(one)) - (count.cumsum() - count)[one]


def _together(count: int, one: Places, other: Places) -> Places:
    """By thing the first of all that it hangs together with, over the pairs of `one` and `other`."""
    first = np.arange(count)
    while True:
        a, b = first[one], first[other]
        least = np.minimum(a, b)
        if (a == b).all():
            return first
        np.minimum.at(first, a, least)
        np.minimum.at(first, b, least)
        first = first[first]
