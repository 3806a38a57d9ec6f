"""Boxes and combs of a form: which places on a page belong to one number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.vision.binarize import Mask
from batchocr.vision.ink import Piece
from batchocr.vision.stretches import box

SCALE = 2
"""Fields are looked for on a page this many times smaller."""
END = 3
"""Pixels beyond a line's end within which it meets another."""
FULL = 0.8
"""Share of its bounding box that a cell fills: it is a rectangle."""
LOWEST, HIGHEST, NARROWEST = 0.8, 2.6, 0.4
"""Heights of writing that a cell is high, and wide, for one line of writing."""
CELL = 1.15
"""Times its height that a cell for one digit is wide, at most."""
MERGED = 3
"""Cells that are one where the sides between them were not found, at most."""
APART = 0.3
"""Share of its height by which cells of one comb stand apart, at most."""
RULED = 8.0
"""Times its height that a cell is wide, at least, where several under one another are the lines of ruled paper."""
ALIKE = 0.2
"""Share of their size by which cells of one comb differ."""
SQUARE = 0.85
"""Times its height that a cell of a number grid is wide, at least; narrower ones part the digits of a number..."""
ACROSS, DOWN = 6, 4
"""...and how many stand in its rows and columns, at least: fewer may be combs that stand close."""


@dataclass(frozen=True)
class Fields:
    """Where the digits of one number stand."""

    cells: NDArray[np.int32]
    """Which cell a pixel lies in, SCALE times smaller than the page; 0 is none."""
    numbers: NDArray[np.int32]
    """To which number the digits of each cell belong, by cell; 0 where a cell says nothing of that."""

    def cell(self, piece: Piece) -> int:
        """In which cell the middle of a piece lies; 0 for none."""
        return self._at(piece, piece.middle)

    def _at(self, piece: Piece, y: float) -> int:
        high, wide = self.cells.shape
        x = (piece.left + piece.right) // 2 // SCALE
        return int(self.cells[min(max(int(y) // SCALE, 0), high - 1), min(max(x, 0), wide - 1)])

    def spans(self, piece: Piece) -> bool:
        """Whether a piece reaches from a rule above it to one below."""
        return self._at(piece, piece.top - END) == 0 == self._at(piece, piece.bottom + END)

    def number(self, piece: Piece) -> int:
        """To which number it belongs by where it stands; 0 where that is not known."""
        return int(self.numbers[self.cell(piece)])


def find_fields(drawn: Mask, pieces: Sequence[Piece], height: float) -> Fields | None:
    """The boxes for one line of writing, and the combs, between the rules `drawn` on a page.

    `height` in pixels is that of the page's writing, by which empty cells are judged; others by the `pieces` in them.
    The cells of a comb are as high as each other and hold a digit each; a side that was not found makes one cell of
    two. Of cells that stand in rows and columns, a table's, the wide ones hold a number each, and so do the square ones
    of a large grid; of others, and of the lines of ruled paper, it is not known which digits make a number. None where
    there are no cells.
    """
    walls = cv2.dilate(drawn, box(5, 5))[::SCALE, ::SCALE]
    _, cells, stats, _ = cv2.connectedComponentsWithStats(cv2.bitwise_not(walls), connectivity=4)
    left, top, wide, high, area = (stats[:, i].astype(np.float64) for i in range(5))
    right, bottom = left + wide, top + high
    every = Fields(cells, np.zeros(len(stats), np.int32))
    tallest = np.zeros(len(stats))
    np.maximum.at(tallest, [every.cell(p) for p in pieces], [p.height / SCALE for p in pieces])
    unit = np.where(tallest >= LOWEST * height / SCALE, tallest, height / SCALE)
    may = (area >= FULL * wide * high) & (high >= LOWEST * unit) & (high <= HIGHEST * unit) & (wide >= NARROWEST * unit)
    may &= (left > 0) & (top > 0) & (right < cells.shape[1]) & (bottom < cells.shape[0])
    may[0] = False
    if not may.any():
        return None
    numbers = np.where(may, np.arange(len(stats)), 0).astype(np.int32)
    long = np.flatnonzero(may & (wide > RULED * high))
    drop = top[long] - bottom[long, None]
    alike = (np.abs(left[long] - left[long, None]) <= high[long]) & (
        np.abs(right[long] - right[long, None]) <= high[long]
    )
    under = alike & (drop >= 0) & (drop <= 0.15 * high[long] + 4)
    numbers[long[under.any(axis=0) | under.any(axis=1)]] = 0
    narrow = np.flatnonzero(may & (wide <= MERGED * CELL * high))
    narrow = narrow[np.argsort(left[narrow])]
    table: set[int] = set()
    for i in narrow:
        even = (np.abs(top[narrow] - top[i]) <= ALIKE * high[i]) & (
            np.abs(bottom[narrow] - bottom[i]) <= ALIKE * high[i]
        )
        gap = left[narrow] - right[i]
        beside = narrow[even & (gap >= 0) & (gap <= APART * high[i] + 4)]
        if len(beside):
            j = beside[0]
            one = min(wide[i], wide[j])
            times = max(wide[i], wide[j]) / one
            if one <= CELL * high[i] and abs(times - round(times)) <= ALIKE * round(times):
                numbers[numbers == numbers[j]] = numbers[i]
        drop = top[narrow] - bottom[i]
        under = np.abs(left[narrow] - left[i]) <= ALIKE * wide[i]
        under &= (drop >= 0) & (drop <= 0.15 * high[i] + 4) & (np.abs(wide[narrow] - wide[i]) <= ALIKE * wide[i])
        if under.any():
            table |= {int(i), *narrow[under].tolist()}
    numbers[np.isin(numbers, numbers[list(table)])] = 0
    of = np.array(sorted(table), np.intp)
    across = (np.abs(top[of, None] - top[of]) <= ALIKE * high[of]).sum(axis=1)
    down = (np.abs(left[of, None] - left[of]) <= ALIKE * wide[of]).sum(axis=1)
    grid = (wide[of] >= SQUARE * high[of]) & (across >= ACROSS) & (down >= DOWN)
    own = of[grid | (wide[of] > CELL * high[of])]
    numbers[own] = own
    return Fields(cells, numbers)
