"""Boxes and combs of a form: which places on a page belong to one number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.vision.binarize import Mask
from batchocr.vision.geometry.connected import connected
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
AT_ONCE = 50_000
"""Pairs of cells that are compared in one go; more would be slower, as they leave the cache."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Fields:
    """Where the digits of one number stand."""

    cells: NDArray[np.int32]
    """Which cell a pixel lies in, SCALE times smaller than the page; 0 is none."""
    numbers: NDArray[np.int32]
    """To which number the digits of each cell belong, by cell; 0 where a cell says nothing of that."""

    def cell(self, piece: Piece) -> int:
        """In which cell the middle of a piece lies; 0 for none."""
        y, x = (piece.top + piece.bottom) // 2, (piece.left + piece.right) // 2
        return int(self.cells[y // SCALE, x // SCALE])

    def spans(self, piece: Piece) -> bool:
        """Whether a piece reaches from a rule above it to one below."""
        x = (piece.left + piece.right) // 2 // SCALE
        above, below = max(piece.top - END, 0) // SCALE, (piece.bottom + END) // SCALE
        return bool(self.cells[above, x] == 0 == self.cells[min(below, len(self.cells) - 1), x])

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
    if not drawn.any():
        return None
    walls = cv2.dilate(drawn, box(5, 5))[::SCALE, ::SCALE]
    cells, stats = connected(cv2.bitwise_not(walls), neighbours=4)
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
    beside, in_table = _neighbours(left[narrow], top[narrow], right[narrow], bottom[narrow])
    for i, j in zip(narrow[beside >= 0], narrow[beside[beside >= 0]], strict=True):
        one = min(wide[i], wide[j])
        times = max(wide[i], wide[j]) / one
        if one <= CELL * high[i] and abs(times - round(times)) <= ALIKE * round(times):
            numbers[numbers == numbers[j]] = numbers[i]
    of = np.sort(narrow[in_table])
    numbers[np.isin(numbers, numbers[of])] = 0
    across = (np.abs(top[of, None] - top[of]) <= ALIKE * high[of]).sum(axis=1)
    down = (np.abs(left[of, None] - left[of]) <= ALIKE * wide[of]).sum(axis=1)
    grid = (wide[of] >= SQUARE * high[of]) & (across >= ACROSS) & (down >= DOWN)
    own = of[grid | (wide[of] > CELL * high[of])]
    numbers[own] = own
    return Fields(cells, numbers)


def _neighbours(left: Floats, top: Floats, right: Floats, bottom: Floats) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Of cells, in order from the left: which stands close beside each on its right, -1 for none, and whether others
    as wide stand close above or below it."""
    wide, high = right - left, bottom - top
    beside, in_table = np.full(len(left), -1), np.zeros(len(left), np.bool_)
    rows = AT_ONCE // (len(left) + 1) + 1

    def alike(some: slice, each: Floats, size: Floats) -> NDArray[np.bool_]:
        return np.abs(each - each[some, None]) <= ALIKE * size[some, None]

    for some in (slice(first, first + rows) for first in range(0, len(left), rows)):
        gap, drop = left - right[some, None], top - bottom[some, None]
        close = (gap >= 0) & (gap <= APART * high[some, None] + 4) & alike(some, top, high) & alike(some, bottom, high)
        beside[some] = np.where(close.any(axis=1), close.argmax(axis=1), -1)
        under = (drop >= 0) & (drop <= 0.15 * high[some, None] + 4) & alike(some, left, wide) & alike(some, wide, wide)
        in_table[some] |= under.any(axis=1)
        in_table |= under.any(axis=0)
    return beside, in_table
