"""Columns of a table: where long upright rules stand under one another, line after line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.rules import Rule


@dataclass(frozen=True)
class ColumnParameters:
    """When rules are sides of a table's columns; lengths in heights of the page's digits. Tried on drawn tables."""

    aligned_heights: float = 0.2
    """Rules that stand so far from the next, sideways, are one side of a column."""
    least_lines: int = 3
    """Lines on which a side was found, at least."""
    least_sides: int = 3
    """Sides of a table, at least: fewer may be a margin."""
    reach_heights: float = 2.0
    """A side goes on so far above and below what was found of it."""


@dataclass(frozen=True)
class Columns:
    """Sides of columns, in pixels of the page, from the left."""

    x: NDArray[np.float64]
    top: NDArray[np.float64]
    bottom: NDArray[np.float64]

    def width(self, left: float, right: float, y: float) -> float | None:
        """Width of the narrower column beside a side between `left` and `right` at `y`; None where there is no side."""
        here = self.x[(self.top <= y) & (y <= self.bottom)]
        within = np.flatnonzero((here >= left) & (here <= right))
        if not len(within) or len(here) < 2:
            return None
        return float(np.diff(here[max(0, within[0] - 1) : within[-1] + 2]).min())


def find_columns(
    rules: Sequence[tuple[int, Rule]], height: float, parameters: ColumnParameters | None = None
) -> Columns | None:
    """Columns from the long rules of a page, each with its line, where digits are `height` pixels high; or None."""
    how = parameters or ColumnParameters()
    if len(rules) < how.least_lines * how.least_sides:
        return None
    ordered = sorted(rules, key=lambda each: each[1].x)
    x = np.array([rule.x for _, rule in ordered])
    parts = np.split(np.arange(len(x)), np.flatnonzero(np.diff(x) > how.aligned_heights * height) + 1)
    sides = []
    for part in parts:
        if len({ordered[i][0] for i in part.tolist()}) >= how.least_lines:
            top = min(ordered[i][1].top for i in part.tolist()) - how.reach_heights * height
            bottom = max(ordered[i][1].bottom for i in part.tolist()) + how.reach_heights * height
            sides.append((float(np.median(x[part])), top, bottom))
    if len(sides) < how.least_sides:
        return None
    return Columns(*np.array(sides).T)
