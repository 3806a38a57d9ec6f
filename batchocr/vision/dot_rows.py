"""Rows of dots or dashes that stand free on a page: alike, at equal distances, on one course.

Nobody writes points, dashes or ones so evenly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from statistics import median

import numpy as np
from numpy.typing import NDArray

from batchocr.vision.stretches import Flags
from batchocr.vision.tracks import Floats

WIDEST, FURTHEST = 2.5, 30
"""From one mark to the next: times its length, and pixels, together."""
SLOPE = 1 / 8
"""A line leans no more than this."""
ALIKE, BY = 0.25, 1.5
"""Share of its length, or pixels, by which a mark differs from the next."""
EVEN, JITTER = 0.04, 1.2
"""Share of a step and pixels, together, by which it differs from the next."""
FEWEST, FEWEST_KNOWN, INKED = 6, 2, 12
"""Marks in a row that are a line; where longer lines of the page are drawn just so, of so many pixels together."""
DASH, FEWEST_WITH_LONE = 8, 3
"""Pixels that a dash is long at least that stands by itself, and with how many others, which touch writing."""
UNEVEN, WIDER, CROOKED = 0.5, 0.02, 0.6
"""Pixels, and share of a step, by which marks stray from equal distances, and pixels from a smooth course, root mean
square."""
ONE = 12
"""Pixels: marks longer than this, one above the other, may be ones, but for gaps of no more than half of it."""


@dataclass(frozen=True)
class Marks:
    """What may be dots or dashes of lines in one direction: pieces of ink, (n,) of everything, in pixels."""

    label: NDArray[np.intp]
    along: Floats
    """Middle, in the lines' direction..."""
    across: Floats
    """...and square to it."""
    long: Floats
    thick: Floats

    def of(self, which: NDArray[np.intp] | Flags) -> Marks:
        return Marks(*(getattr(self, field.name)[which] for field in fields(self)))

    def but(self, rows: Sequence[Row]) -> Marks:
        """Those that stand in none of the rows."""
        used = np.concatenate([np.zeros(0, np.intp), *(row.label for row in rows)])
        return self.of(~np.isin(self.label, used))


@dataclass(frozen=True, eq=False)
class Row:
    """Marks in a row: the places (n,) of those that were found and of those between and beside them."""

    label: NDArray[np.intp]
    """Of the mark that stands free at each place; 0 where writing may hide one."""
    along: Floats
    across: Floats
    long: float
    """Of a mark."""
    thick: float
    step: float
    """From one to the next."""

    @property
    def drawn(self) -> Floats:
        """How it is drawn: length, thickness, step, (3,)."""
        return np.array([self.long, self.thick, self.step])

    def ahead(self) -> tuple[Floats, Floats]:
        """The middle of its last place, and what leads from each to the next, (2,) along and across."""
        last = min(FEWEST, len(self.along)) - 1
        end = np.array([self.along[-1], self.across[-1]])
        if not last:
            return end, np.array([self.step, 0.0])
        step = (end - (self.along[-1 - last], self.across[-1 - last])) / last
        return end, step if last == FEWEST - 1 else np.array([self.step, step[1]])

    def turned(self) -> Row:
        """The same from its other end, as in a mirror."""
        return replace(self, label=self.label[::-1], along=-self.along[::-1], across=self.across[::-1])

    def with_(self, label: int, along: float, across: float) -> Row:
        """One place more at its end."""
        return replace(
            self,
            label=np.append(self.label, label),
            along=np.append(self.along, along),
            across=np.append(self.across, across),
        )


def rows_of(marks: Marks, known: Floats | None = None) -> list[Row]:
    """Rows of marks that stand free, alike and at equal distances; as long, thick and far apart as those `known`."""
    if len(marks.label) < FEWEST_KNOWN:
        return []
    after = _next(marks)
    has = after >= 0
    step, rise = (np.where(has, of[after] - of, 0.0) for of in (marks.along, marks.across))
    if known is None:
        even = (np.abs(step[after] - step) <= EVEN * step + JITTER) & (np.abs(rise[after] - rise) <= BY)
        first = has & has[after] & even
        linked = first.copy()
        linked[after[first]] = True
    else:
        each = np.stack([marks.long, marks.thick, step], axis=1)
        linked = has.copy()
        linked[has] = (unlike(each[has, None], known[None]) <= 1).any(axis=1)
        first = linked & linked[after]
    begins = np.flatnonzero(linked & ~np.isin(np.arange(len(after)), after[first]))
    found = []
    for start in begins.tolist():
        chain = [start]
        while first[chain[-1]]:
            chain.append(int(after[chain[-1]]))
        chain.append(int(after[chain[-1]]))
        row = _row(marks.of(np.array(chain))) if len(chain) >= (FEWEST if known is None else FEWEST_KNOWN) else None
        if row and known is not None:
            off = unlike(row.drawn, known)
            few = len(chain) * row.long < INKED
            row = None if few or off.min() > 1 else replace(row, step=float(known[off.argmin(), 2]))
        if row:
            found.append(row)
    return found


def lone_dashes(marks: Marks, known: Floats) -> list[Row]:
    """Dashes that stand by themselves, as long and thick as those `known`, each as a row of one."""
    dashes = marks.of(marks.long >= DASH)
    drawn = np.broadcast_arrays(dashes.long[:, None], dashes.thick[:, None], known[:, 2])
    off = unlike(np.stack(drawn, axis=2), known)
    found = []
    for i in np.flatnonzero(off.min(axis=1) <= 1).tolist():
        one = dashes.of(np.array([i]))
        long, thick, step = known[off[i].argmin()].tolist()
        found.append(Row(one.label, one.along, one.across, long, thick, step))
    return found


def unlike(these: Floats, known: Floats) -> Floats:
    """How much length, thickness and step (..., 3) differ from those `known`, each as a share of what it may; (...)."""
    long, thick, step = (np.abs(these[..., i] - known[..., i]) for i in range(3))
    return np.maximum(np.maximum(long / BY, thick), step / (1 + EVEN * known[..., 2]))


def _next(marks: Marks) -> NDArray[np.intp]:
    """The mark that follows each, the nearest of those alike that lies no further from its course; −1 for none."""
    band = (marks.across // 4).astype(np.int64)
    length = int(marks.along.max()) + 2
    order = np.argsort(band * length + marks.along)
    keys = (band * length + marks.along)[order]
    best, nearest = np.full(len(keys), -1), np.full(len(keys), np.inf)
    for aside in (-1, 0, 1):
        at = np.searchsorted(keys, (band + aside) * length + marks.along + 0.5)
        for further in (0, 1):
            j = order[np.minimum(at + further, len(keys) - 1)]
            step = marks.along[j] - marks.along
            good = (step > 0) & (step <= WIDEST * marks.long + FURTHEST) & (step < nearest)
            good &= np.abs(marks.across[j] - marks.across) <= 1 + SLOPE * step
            for of in (marks.long, marks.thick):
                good &= np.abs(of[j] - of) <= np.maximum(BY, ALIKE * of)
            best[good], nearest[good] = j[good], step[good]
    # each follows one only
    order = np.argsort(-nearest, kind="stable")
    before = np.full(len(keys), -1)
    has = order[best[order] >= 0]
    before[best[has]] = has
    return np.where((best >= 0) & (before[best] == np.arange(len(keys))), best, -1)


def _row(marks: Marks) -> Row | None:
    """Marks in order as a row, if they are even enough."""
    count = len(marks.label)
    places = np.stack([marks.along, marks.across])
    course = _courses(count)
    uneven, crooked = np.sqrt(np.mean((places - places @ course @ course.T) ** 2, axis=1)).tolist()
    step = float(marks.along[-1] - marks.along[0]) / (count - 1)
    if uneven > UNEVEN + WIDER * step or crooked > CROOKED:
        return None
    return Row(marks.label, marks.along, marks.across, median(marks.long.tolist()), median(marks.thick.tolist()), step)


@lru_cache(maxsize=1000)
def _courses(count: int) -> Floats:
    """(count, 2 or 3): what straight rows of marks are made of, or bows of more, for a least-squares fit."""
    places = np.arange(count) - (count - 1) / 2
    return np.linalg.qr(np.vander(places, 3 if count >= FEWEST else 2))[0]


def has_gaps_of_ones(row: Row) -> bool:
    """Whether marks one above the other may be ones."""
    return row.long > ONE and row.step > 1.5 * row.long
