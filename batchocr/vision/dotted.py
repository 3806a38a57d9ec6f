"""Lines of dots or dashes, and boxes drawn with them: found by their even steps, also where writing hides some of them.

Continuous lines are followed in `tracks`; here each mark is a piece of ink by itself (`dot_rows`), and those that touch
writing are looked for where the others say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.vision.binarize import Contrast, Mask
from batchocr.vision.dot_rows import (
    BY,
    FEWEST_WITH_LONE,
    SLOPE,
    Marks,
    Row,
    has_gaps_of_ones,
    lone_dashes,
    rows_of,
    unlike,
)
from batchocr.vision.rules import Rules
from batchocr.vision.stretches import box
from batchocr.vision.tracks import DARKER, Floats

HALF, NEAR = 0.5, 7
"""A mark is darker than this share of the darkest ink within a square of so many pixels: soft dots stay apart."""
THICK, LONG = 8, 50
"""Pixels that a mark is thick and long at most (1.3 and 8 mm at 150 dpi)."""
HAIR, SOLID = 3, 0.55
"""What is thicker than so many pixels fills this share of its box with ink, as a dot does; letters have holes."""
FAR, REJOIN = 400, 0.7
"""Pixels that writing hides within a line, at most, and share of the places there that hold ink."""
PAST, HIDDEN = 2, 100
"""Places without ink at which a line has ended; pixels that writing hides at its end, at most."""
ASIDE = (0, -1, 1, -2, 2)
"""Pixels by which a bent line may lie off its course there."""
ON, SEEN, LONGER = 0.5, 0.8, 3
"""Share of a place that holds ink where a mark may be hidden; where it is to be seen, if it is so many times longer
than thick and paper is above and below."""
BEYOND = 3
"""Pixels above and below a dot at which the strokes are seen that come from there."""
BOX, SIDE = 160, 0.25
"""Pixels that a box is high at most; share of its height that the marks of its side make up."""


def find_dotted(contrast: Contrast, faintest: int) -> Rules:
    """The lines of dots or dashes of a level page, at about 150 dpi, and the sides of boxes drawn so.

    `contrast` is (height, width); ink is darker than `faintest`. Marks that touch writing are taken to be where the
    others say; strokes that run along there or come from above or below are kept.
    """
    peak = cv2.dilate(contrast, box(NEAR, NEAR))
    least = cv2.convertScaleAbs(peak, alpha=HALF)
    cv2.max(least, float(faintest), dst=least)
    ink = cv2.compare(contrast, least, cv2.CMP_GT, dst=least)
    inked = _inked_rows(ink)
    if not len(inked):
        return Rules.none(ink)
    try:
        # a third of the time that wider labels take
        _, labels_there, stats, middles = cv2.connectedComponentsWithStats(ink[inked], connectivity=8, ltype=cv2.CV_16U)
    except cv2.error:
        return Rules.none(ink)  # more than 65,534 pieces: grain
    wide, high, area = (stats[:, i] for i in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
    may = (np.maximum(wide, high) <= LONG) & (np.minimum(wide, high) <= THICK)
    may &= (np.minimum(wide, high) <= HAIR) | (area >= SOLID * wide * high)
    may &= np.arange(len(may)) > 0
    which = np.flatnonzero(may)
    top = stats[:, cv2.CC_STAT_TOP]
    middles[:, 1] += inked[top] - top
    x, y, w, h = middles[which, 0], middles[which, 1], wide[which].astype(float), high[which].astype(float)
    level = Marks(which, x, y, w, h).of(h <= np.minimum(THICK, w + BY))
    upright = Marks(which, y, x, h, w).of(w <= np.minimum(THICK, h + BY))
    rows = [rows_of(level), [row for row in rows_of(upright) if not has_gaps_of_ones(row)]]
    known = np.array([row.drawn for some in rows for row in some])
    if not len(known):
        return Rules.none(ink)
    drawn, taken = np.zeros_like(ink), []
    labels = np.zeros(ink.shape, np.uint16)
    labels[inked] = labels_there
    where = np.flatnonzero(labels > 0)
    pixels = where, labels.ravel()[where]
    for some, marks, turned in zip(rows, (level, upright), (False, True), strict=True):
        places = _Places(marks, labels.T if turned else labels, ink.T if turned else ink)
        every = [places.extended(row) for row in places.joined(some + rows_of(marks.but(some), known))]
        if not turned:
            lone = [places.extended(row) for row in lone_dashes(marks.but(every), known)]
            every += [row for row in lone if len(row.label) >= FEWEST_WITH_LONE]
            boxes = every
        else:
            every += _sides(boxes, marks.but(every), places)
        taken.append(_taken(every, pixels, contrast, peak, ink, turned))
        for row in every:
            way = np.stack([row.across, row.along] if turned else [row.along, row.across], axis=1)
            cv2.polylines(drawn, [way.round().astype(np.int32)], False, 255, max(1, round(row.thick)))
    thickest = max(np.ceil(row.thick) for some in rows for row in some)
    return Rules(taken[0], taken[1], int(thickest), drawn)


def _inked_rows(ink: Mask) -> NDArray[np.intp]:
    """The rows of pixels that hold ink, and so many bare ones that pieces stay apart: about half of a page's.

    Two by two, as OpenCV takes them: so the pieces come in the same order.
    """
    rows = np.zeros((len(ink) + 1) // 2 * 2, np.bool_)
    rows[: len(ink)] = ink.max(axis=1)
    pairs = rows[::2] | rows[1::2]
    pairs[1:] |= pairs[:-1].copy()
    return np.flatnonzero(np.repeat(pairs, 2)[: len(ink)])


def _sides(rows: Sequence[Row], marks: Marks, places: _Places) -> list[Row]:
    """The upright sides of boxes: marks that stand in line with the ends of two level rows, one above the other.

    At a corner a mark is cut short or hangs together with another, so that these are not at equal distances.
    """
    found: list[Row] = []
    ends = np.array([(row.along[0], row.along[-1], row.across[0], row.step + 4) for row in rows]).reshape(-1, 4)
    for above, (first, last, top, near) in zip(rows, ends, strict=True):
        beside = (np.abs(ends[:, 0] - first) <= near) & (np.abs(ends[:, 1] - last) <= near)
        beside &= (ends[:, 2] > top) & (ends[:, 2] <= top + BOX)
        for below in (rows[i] for i in np.flatnonzero(beside).tolist()):
            high = float(below.across[0] - top)
            for end in (0, -1):
                for x in {float(above.along[end]), float(below.along[end])}:
                    for edge in (x - above.long / 2, x, x + above.long / 2):
                        side = np.abs(marks.across - edge) <= BY
                        side &= (marks.thick <= above.thick + BY) & (marks.long <= above.long + BY)
                        side &= marks.along - marks.long / 2 >= above.across[end] - 4
                        side &= marks.along + marks.long / 2 <= below.across[end] + 4
                        if side.any() and (marks.long[side].sum() >= SIDE * high):
                            these = marks.of(side)
                            row = Row(these.label, these.along, these.across, above.long, above.thick, above.step)
                            found.append(places.cornered(row, float(above.across[end]), float(below.across[end])))
    return found


@dataclass(frozen=True)
class _Place:
    """Where a mark of a row should be."""

    label: int
    """Of the mark that stands free there, or 0."""
    along: float
    across: float
    inked: float
    """Share of it that holds ink."""
    seen: bool
    """Whether a mark is to be seen there, free or not."""


class _Places:
    """Finds the places of rows in one direction; `labels` and `ink` are (across, along)."""

    def __init__(self, marks: Marks, labels: NDArray[np.uint16], ink: Mask) -> None:
        self.marks, self.labels, self.ink = marks, labels, ink
        self.index = {int(label): i for i, label in enumerate(marks.label)}

    def at(self, along: float, across: float, row: Row) -> _Place:
        """What is at the place of a row's mark, or close by."""
        along, across, reach = float(along), float(across), row.step / 4  # numpy's own numbers are slow one by one
        near = set(self.labels[_part(along, across, row.long + 2 * reach, row.thick + 1)].ravel().tolist())
        for i in (self.index[label] for label in sorted(near) if label in self.index):
            long, thick = float(self.marks.long[i]), float(self.marks.thick[i])
            x, y = float(self.marks.along[i]), float(self.marks.across[i])
            like = thick <= row.thick + BY and long <= row.long + BY
            if like and abs(x - along) <= reach + (row.long - long) / 2 + 1 and abs(y - across) <= BY + 0.5:
                # one cut short says little of where it should be
                return _Place(int(self.marks.label[i]), x if long >= row.long - BY else along, y, 1.0, True)
        shares = self._inked_aside(along, across, row)
        best = max(ASIDE, key=lambda aside: round(8 * shares[aside]) - abs(aside) / 9)
        inked = shares[best]
        seen = row.long >= LONGER * row.thick and inked >= SEEN and self._bare_beside(along, across + best, row)
        return _Place(0, along, across + best, inked, seen)

    def _inked(self, along: float, across: float, row: Row, thick: float | None = None) -> float:
        part = self.ink[_part(along, across, row.long, row.thick if thick is None else thick)]
        return cv2.countNonZero(np.ascontiguousarray(part)) / part.size if part.size else 0.0

    def _inked_aside(self, along: float, across: float, row: Row) -> dict[int, float]:
        """The share of ink of a place and of those aside of it."""
        parts = {aside: _part(along, across + aside, row.long, row.thick) for aside in ASIDE}
        first, last = min(high.start for high, _ in parts.values()), max(high.stop for high, _ in parts.values())
        strip = self.ink[first:last, parts[0][1]]
        by_row, wide = strip.sum(axis=1).tolist(), strip.shape[1]
        shares = {}
        for aside, (high, _) in parts.items():
            counts = by_row[high.start - first : high.stop - first]
            shares[aside] = sum(counts) / (255 * len(counts) * wide) if counts and wide else 0.0
        return shares

    def _bare_beside(self, along: float, across: float, row: Row) -> bool:
        away = row.thick / 2 + 1
        return all(self._inked(along, across + side, row, 1) <= ON for side in (-away, away))

    def joined(self, rows: Sequence[Row]) -> list[Row]:
        """Rows of one line put together, with the places between them."""
        rows = sorted(rows, key=lambda row: row.along[0])
        starts = np.array([(row.along[0], row.across[0]) for row in rows]).reshape(-1, 2)
        free = np.ones(len(rows), bool)
        found: list[Row] = []
        for i, row in enumerate(rows):
            if not free[i]:
                continue
            free[i] = False
            while True:
                gap = starts[:, 0] - row.along[-1]
                near = free & (gap > 0.5 * row.step) & (gap <= FAR)
                near &= np.abs(starts[:, 1] - row.across[-1]) <= BY + SLOPE * gap
                after = next((j for j in np.flatnonzero(near).tolist() if self._goes_on(row, rows[j])), None)
                if after is None:
                    break
                free[after] = False
                row = self._together(row, rows[after])
            found.append(row)
        return found

    def _between(self, row: Row, other: Row) -> tuple[Floats, Floats]:
        gap = other.along[0] - row.along[-1]
        steps = max(1, round(float(gap) / row.step))
        share = np.arange(1, steps) / steps
        return row.along[-1] + share * gap, row.across[-1] + share * (other.across[0] - row.across[-1])

    def _goes_on(self, row: Row, other: Row) -> bool:
        gap = float(other.along[0] - row.along[-1])
        if unlike(other.drawn, row.drawn) > 1:
            return False
        _, step = row.ahead()
        times = gap / row.step
        off = abs(other.across[0] - row.across[-1] - times * step[1])
        if abs(times - round(times)) > 0.25 or off > BY + 0.02 * gap:
            return False
        between = zip(*self._between(row, other), strict=True)
        inked = [self.at(along, across, row).inked >= ON for along, across in between]
        return not inked or float(np.mean(inked)) >= REJOIN

    def _together(self, row: Row, other: Row) -> Row:
        for along, across in zip(*self._between(row, other), strict=True):
            place = self.at(along, across, row)
            if place.inked >= ON:
                row = row.with_(place.label, along, place.across)
        return replace(
            row,
            label=np.concatenate([row.label, other.label]),
            along=np.concatenate([row.along, other.along]),
            across=np.concatenate([row.across, other.across]),
        )

    def cornered(self, row: Row, top: float, bottom: float) -> Row:
        """The side of a box with the marks at its corners, which hang together with those of other sides."""
        for along in (top + row.long / 2, bottom - row.long / 2):
            place = self.at(along, float(np.median(row.across)), row)
            if place.seen and not place.label:
                row = row.with_(0, along, place.across)
        return row

    def extended(self, row: Row) -> Row:
        """A row with the places after both of its ends at which there is ink."""
        for sign in (1, -1):
            row = row if sign > 0 else row.turned()
            at, step = row.ahead()
            missed, hidden = 0, 0.0
            while missed < PAST and hidden <= HIDDEN:
                at = at + step
                place = self.at(sign * at[0], at[1], row)
                if place.inked < ON or sign * place.along <= row.along[-1] + row.step / 2:
                    missed += 1
                    continue
                row = row.with_(place.label, sign * place.along, place.across if place.seen else at[1])
                hidden += row.step
                if place.seen:
                    missed, hidden = 0, 0.0
                    at, step = row.ahead()
            row = row if sign > 0 else row.turned()
        return row


def _part(along: float, across: float, long: float, thick: float) -> tuple[slice, slice]:
    """The pixels, across and along, of a place."""
    left, top = round(along - (long - 1) / 2), round(across - (thick - 1) / 2)
    right, bottom = left + max(1, round(long)), top + max(1, round(thick))
    return slice(max(0, top), max(0, bottom)), slice(max(0, left), max(0, right))


def _taken(
    rows: Sequence[Row],
    pixels: tuple[NDArray[np.intp], NDArray[np.uint16]],
    contrast: Contrast,
    peak: Contrast,
    ink: Mask,
    turned: bool,
) -> Mask:
    """(height, width): the ink of all marks of rows in one direction.

    `pixels` are the places of all ink on the flat page and the label of each.
    """
    where, of = pixels
    free = np.zeros(int(of.max()) + 1, np.bool_)
    for row in rows:
        free[row.label] = True
    taken = np.zeros_like(ink)
    taken.ravel()[where[free[of]]] = 255
    across_along, dark, strokes = (a.T if turned else a for a in (taken, contrast, ink))
    darkness = peak.T if turned else peak
    for row in rows:
        across, along = (of[row.label > 0].round().astype(int) for of in (row.across, row.along))
        seen = darkness[across.clip(0, len(darkness) - 1), along.clip(0, darkness.shape[1] - 1)]
        darkest = DARKER * float(np.median(seen)) + 12
        for a, b in zip(row.along[row.label == 0], row.across[row.label == 0], strict=True):
            high, wide = _part(a, b, row.long, row.thick)
            ends = strokes[high, max(0, wide.start - 2) : wide.stop + 2]
            if ends.shape[1] > 4 and ends[:, :2].any(axis=0).all() and ends[:, -2:].any(axis=0).all():
                continue  # a stroke runs along
            mark = dark[high, wide] <= darkest
            if row.long < LONGER * row.thick:
                # a stroke that ends on a dot may reach as far as its middle
                y = np.arange(high.start, high.start + len(mark))[:, None]
                mark &= ~((strokes[max(0, high.start - BEYOND), wide] > 0) & (y <= b))
                mark &= ~((strokes[min(high.stop - 1 + BEYOND, len(strokes) - 1), wide] > 0) & (y >= b))
            across_along[high, wide][mark] = 255
    return taken
