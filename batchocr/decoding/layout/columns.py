"""Columns of a table: long vertical rules that are below each other on several lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.layout.rules import Rule


@dataclass(frozen=True)
class ColumnParameters:
    """When rules are sides of a table's columns; lengths in heights of the page's digits.

    Basis of all: tried on drawn tables.
    """

    max_offset_heights: float = 0.2
    """Maximum horizontal distance between neighbouring rules of one side of a column."""
    min_lines: int = 3
    """Minimum number of lines on which a side was found."""
    min_sides: int = 3
    """Minimum number of sides of a table; fewer may be a margin."""
    reach_heights: float = 2.0
    """A side extends this far above and below the part of it that was found."""


PARAMETERS = ColumnParameters()


@dataclass(frozen=True)
class Columns:
    """Sides of columns in pixels of the page, from the left."""

    x: NDArray[np.float64]
    """(n,) horizontal positions of the sides."""
    top: NDArray[np.float64]
    """(n,) upper ends of the sides."""
    bottom: NDArray[np.float64]
    """(n,) lower ends of the sides."""

    def width(self, left: float, right: float, y: float) -> float | None:
        """Return the width of the narrower column beside a side.

        Args:
            left: start of the range in which the side is searched, in pixels.
            right: end of this range, in pixels.
            y: height on the page at which it is searched, in pixels.

        Returns:
            The width in pixels; None if there is no side in the range.
        """
        sides = self.x[(self.top <= y) & (y <= self.bottom)]
        within = np.flatnonzero((sides >= left) & (sides <= right))
        if not len(within) or len(sides) < 2:
            return None
        return float(np.diff(sides[max(0, within[0] - 1) : within[-1] + 2]).min())


def find_columns(
    rules: Sequence[tuple[int, Rule]], height: float, parameters: ColumnParameters = PARAMETERS
) -> Columns | None:
    """Find the columns of a table by the long rules of a page.

    Args:
        rules: each rule with the index of the line on which it was found.
        height: usual height of the page's digits in pixels.
        parameters: when rules are sides of columns.

    Returns:
        The columns; None if there is no table.
    """
    p = parameters
    if len(rules) < p.min_lines * p.min_sides:
        return None
    ordered = sorted(rules, key=lambda item: item[1].x)
    x = np.array([rule.x for _, rule in ordered])
    parts = np.split(np.arange(len(x)), np.flatnonzero(np.diff(x) > p.max_offset_heights * height) + 1)
    sides = []
    for part in parts:
        if len({ordered[i][0] for i in part.tolist()}) >= p.min_lines:
            top = min(ordered[i][1].top for i in part.tolist()) - p.reach_heights * height
            bottom = max(ordered[i][1].bottom for i in part.tolist()) + p.reach_heights * height
            sides.append((float(np.median(x[part])), top, bottom))
    if len(sides) < p.min_sides:
        return None
    return Columns(*np.array(sides).T)
