"""Thin stretches of ink along one direction: where each runs, column by column, and what it is like.

A rule is followed, not fitted: it may be bent, lie askew, or be wider where writing crosses it, and what is taken
out later is a band of its own thickness around its own middle, whatever stands on it.
"""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.vision.binarize import Contrast, Mask
from batchocr.vision.stretches import (
    NEAR_END,
    SLENDER,
    SLOPE,
    THICK,
    THICKEST,
    TOUCH,
    Flags,
    Places,
    Stretches,
    box,
    without_holes,
)

Floats = NDArray[np.float64]

BAR = 1 / 12
"""Share of its length that a bar is thick at most."""
UNBROKEN, UNBROKEN_RULED = 0.94, 0.85
"""Share of a line that must be ink, less where it was drawn with a ruler: boxes stand close in a row, but so do sevens.
"""
ROUGH = 0.96
"""Of a line drawn with a ruler, at most: pixels by which it strays from a straight one, and shares of its ink by which
that varies, of its length that something stands beside it (all three together).
"""
STRAY = 0.006
"""Share of its length by which any line strays from a straight one, root mean square."""
SHORT_STRAY = 0.5
"""Pixels of the same for the shortest."""
BARE = 0.3
"""Share of a line's length that no writing touches, at least."""
BESIDE, CLEAR = 0.5, 0.35
"""There is paper along both sides of a line, paler than this share of it, over this share of its length."""
EDGE = 0.3
"""Share of a line's darkness at which its soft edge begins."""
BEND = 20
"""Pixels to each side over which a line's course is averaged."""
NEAR_WALL = 7
"""Pixels from the ends of the bar of a digit within which walls are looked for."""
DARKER = 1.25
"""Ink on a line that is darker than the line by this factor is writing."""


class Tracks:
    """Stretches that were followed; k of them.

    Their x is along them and y across. What is known of one column of one track stands in flat arrays, track after
    track.
    """

    def __init__(self, stretches: Stretches, ink: Mask, contrast: Contrast) -> None:
        self.ink, self.contrast, self.upright = ink, contrast, stretches.upright
        high, wide = ink.shape[0], int(ink.shape[1])
        self.along, self.across = (wide, 1) if self.upright else (1, wide)
        """From a pixel to the next on the flat page."""
        self.rows = wide if self.upright else high
        """How many y there are."""
        self.count = len(stretches.left)
        self.left, self.width = stretches.left, stretches.width
        self._follow(stretches.x, stretches.y, stretches.of)

    def _follow(self, x: Places, y: Places, of: Places) -> None:
        """Column by column: where the middle of each track lies; its pixels are at x and y, of the track `of`."""
        self.start = np.concatenate([[0], self.width.cumsum()])
        self.of = np.repeat(np.arange(self.count), self.width)
        self.x = np.arange(self.start[-1]) - self.start[self.of] + self.left[self.of]
        at = self.start[of] + x - self.left[of]
        pixels = np.bincount(at, minlength=len(self.x))
        middle = np.bincount(at, y, len(self.x)) / np.maximum(pixels, 1)

        def mean(values: NDArray[np.float64 | np.int64], of_these: Flags) -> Floats:
            return np.asarray(self._sum(np.where(of_these, values, 0)) / np.maximum(self._sum(of_these), 1))

        # where writing crosses or stands on it, a track is wider than elsewhere and says nothing of its course
        counts = np.bincount(
            self.of * THICKEST * 2 + np.minimum(pixels, THICKEST * 2 - 1), minlength=self.count * THICKEST * 2
        )
        counts = counts.reshape(self.count, THICKEST * 2)
        counts[:, 0] = 0
        least = (counts.cumsum(axis=1) > BARE * counts.sum(axis=1, keepdims=True)).argmax(axis=1)
        usual = (pixels > 0) & (pixels <= np.where(least <= 3, least + 1, 1.15 * least)[self.of])
        self.thickness = mean(pixels, usual)
        across = self.x - mean(self.x, usual)[self.of]
        square = np.maximum(mean(across * across, usual), 1e-9)
        straight = mean(middle, usual)[self.of] + across * (mean(across * middle, usual) / square)[self.of]
        off = middle - straight
        usual &= np.abs(off) <= self.thickness[self.of] + SLOPE * BEND
        weight = self._around(usual.astype(np.float64))
        bend = self._around(np.where(usual, off, 0)) / np.maximum(weight, 1)
        self.middle = straight + np.where(weight > 0, bend, 0)
        # the corners of a box belong to its other sides
        place = self.x - self.left[self.of]
        corner = np.minimum(self.thickness + 1, 0.15 * self.width)[self.of]
        inner = usual & (place >= corner) & (self.width[self.of] - 1 - place >= corner)
        self.stray = np.sqrt(mean((middle - straight) ** 2, inner))
        """Pixels by which it strays from a straight line, root mean square."""
        close = np.abs(y - self.middle[at]) <= self.thickness[of] / 2 + 0.6
        inked = np.flatnonzero(close)
        dark = self.contrast.ravel()[y[inked] * self.across + x[inked] * self.along]
        for _ in range(2):
            owner = of[inked]
            owned = np.maximum(np.bincount(owner, minlength=self.count), 1)
            self.darkness = np.bincount(owner, dark, self.count) / owned
            full = np.flatnonzero(dark > EDGE * self.darkness[owner])
            inked, dark = inked[full], dark[full]
        self.row, self.owner, self.column = y[inked], of[inked], at[inked]
        self.thickness = mean(np.bincount(self.column, minlength=len(self.x)), usual)
        ink_of = np.bincount(self.column, dark, len(self.x))
        usually = mean(ink_of, inner)
        self.uneven = np.sqrt(np.maximum(mean(ink_of**2, inner) - usually**2, 0)) / np.maximum(usually, 1)
        """Share of its ink a column by which that varies, root mean square."""
        self.plain = np.flatnonzero(usual[self.column])
        """Of its pixels those where no writing crosses it."""
        near = self._darkest(self.x, self._row(0), THICK // 2) > self.darkness[self.of] / 2
        unbroken = self._sum(near) / self.width
        clear = self._sum(self._beside() < BESIDE * self.darkness[self.of]) / self.width
        rough = self.stray + self.uneven + 1 - clear
        self.ruled = (rough <= ROUGH) & (self.thickness <= SLENDER * self.width)
        """Straight, even, by itself and slender, as the four strokes of a square 0 are not."""
        whole = unbroken >= np.where(self.ruled, UNBROKEN_RULED, UNBROKEN)
        limit = np.clip(np.where(self.ruled, SLENDER, BAR) * self.width, THICK, THICKEST)
        straight_enough = self.stray <= np.maximum(STRAY * self.width + 0.2, SHORT_STRAY)
        self.thin = (self.thickness <= limit) & whole & (self.ruled | ((clear >= CLEAR) & straight_enough))
        # of a short line writing that stands on it may be most: it is as thick as it is elsewhere
        self.bare = np.where(self.ruled, self.thickness, np.minimum(self.thickness, least))
        self.strength = self.darkness * self.thickness
        """Ink a pixel of length: the same however the line fell on the grid of pixels."""

    @cached_property
    def darkest(self) -> Floats:
        """Contrast of the middle of each track at most; `darkness` is the mean over its thickness."""
        owner = self.owner[self.plain]
        heart = self._darkest(self.x[self.column[self.plain]], self.row[self.plain], 1)
        mean = np.bincount(owner, heart, self.count) / np.maximum(np.bincount(owner, minlength=self.count), 1)
        # of a line as thin as a pixel some of it lies on one pixel, some on two
        most = np.maximum(mean, self.darkness * self.thickness / np.maximum(1, self.thickness - 1.5))
        # of a short line writing that stands on it may be most: it is as dark as it is elsewhere
        tones = np.bincount(owner * 256 + heart, minlength=self.count * 256).reshape(-1, 256)
        elsewhere = (tones.cumsum(axis=1) > BARE * tones.sum(axis=1, keepdims=True)).argmax(axis=1)
        return np.where(self.ruled, most, np.minimum(most, elsewhere))

    def _row(self, away: Floats | int) -> NDArray[np.intp]:
        """Column by column, the row so far from the middle of a track."""
        return np.clip(np.round(self.middle + away), 0, self.rows - 1).astype(np.intp)

    def _darkest(self, x: Places, y: Places, reach: int) -> NDArray[np.uint8]:
        """The darkest of each pixel (n,) and those within reach above and below it."""
        contrast, top = self.contrast.ravel(), x * self.along
        places, bottom = top + y * self.across, top + (self.rows - 1) * self.across
        found = contrast[places]
        for away in range(1, reach + 1):
            np.maximum(found, contrast[np.maximum(places - away * self.across, top)], out=found)
            np.maximum(found, contrast[np.minimum(places + away * self.across, bottom)], out=found)
        return found

    def _beside(self) -> Floats:
        """Column by column, the contrast beside a track, on the darker side."""
        away = self.thickness[self.of] / 2 + 2
        places = (self._row(side) * self.across + self.x * self.along for side in (-away, away))
        above, below = (self.contrast.ravel()[place].astype(np.float64) for place in places)
        # a line may lie at the very edge of a picture
        above[self.middle - away < -0.5], below[self.middle + away > self.rows - 0.5] = 0, 0
        return np.maximum(above, below)

    def _sum(self, values: NDArray[np.float64 | np.int64 | np.bool_]) -> NDArray[np.float64 | np.int64]:
        """Sum over the columns of each track."""
        kind = np.intp if values.dtype == np.bool_ else None
        return np.asarray(np.add.reduceat(values, self.start[:-1], dtype=kind))

    def _around(self, values: Floats) -> Floats:
        """Sum over the columns of the same track around each."""
        total = np.concatenate([[0.0], values.cumsum()])
        at = np.arange(len(values))
        low = np.maximum(at - BEND, self.start[self.of])
        high = np.minimum(at + BEND + 1, self.start[self.of + 1])
        return np.asarray(total[high] - total[low])

    @cached_property
    def where(self) -> Places:
        """Their pixels, as places on the flat page; `owner` says whose."""
        return self.row * self.across + self.x[self.column] * self.along

    def picture(self, values: Floats, keep: Flags) -> NDArray[np.uint8]:
        """(height, width): at each pixel of a track that is kept its value, rounded to 1..255; 0 elsewhere."""
        drawn = np.zeros_like(self.contrast)
        drawn.ravel()[self.where] = np.where(keep, values.round().clip(1, 255), 0).astype(np.uint8)[self.owner]
        return drawn

    @cached_property
    def _way(self) -> tuple[Places, Places, Flags]:
        """All of the way of each track, ink or not, and its thickness: places on the page, whose, and whether inked."""
        of = self.of
        reach = (self.bare[of] - 1) / 2
        top = np.floor(self.middle - reach + 0.25).astype(np.intp)
        bottom = np.ceil(self.middle + reach - 0.25).astype(np.intp)
        top, bottom = np.maximum(top, 0), np.minimum(bottom, self.rows - 1)
        pixels = np.maximum(bottom - top + 1, 0)
        column = np.repeat(np.arange(len(of)), pixels)
        x, y = self.x[column], np.arange(len(column)) + (top - pixels.cumsum() + pixels)[column]
        places = y * self.across + x * self.along
        return places, of[column], without_holes(self.ink, self.upright).ravel()[places] > 0

    def band(self, keep: Flags) -> Mask:
        """(height, width): all of the way of each track that is kept, and its thickness."""
        places, of, _ = self._way
        drawn = np.zeros_like(self.contrast)
        drawn.ravel()[places[keep[of]]] = 255
        return drawn

    def mask(self, keep: Flags) -> Mask:
        """(height, width): the ink of the tracks kept, less the darker writing on them."""
        kept = np.flatnonzero(keep[self._way[1]])
        places, of, inked = (a[kept] for a in self._way)
        most = (DARKER * self.darkest + 12).round().clip(1, 255)
        drawn = np.zeros_like(self.contrast)
        drawn.ravel()[places] = np.where(inked & (self.contrast.ravel()[places] <= most[of]), 255, 0)
        return drawn

    def meeting(self, others: Tracks, keep: Flags, which: Flags, alike: float) -> Flags:
        """Which of some tracks touch, near both of their ends, kept ones of the other direction that are drawn alike.

        One may be `alike` times stronger than the other.
        """
        if not (keep.any() and which.any()):
            return np.zeros(self.count, np.bool_)
        near_others = others.picture(others.strength / 8, keep)
        cv2.dilate(near_others, box(2 * TOUCH + 1, 2 * TOUCH + 1), dst=near_others)
        pixels = np.flatnonzero(which[self.owner])
        of = self.owner[pixels]
        place = (self.column[pixels] - self.start[of]) / self.width[of]
        near = np.minimum(0.2, NEAR_END / self.width)[of]

        def met(end: Flags) -> Flags:
            owner = of[end]
            strength, own = near_others.ravel()[self.where[pixels[end]]] * 8.0, self.strength[owner]
            same = (strength > own / alike) & (strength < own * alike)
            return np.bincount(owner[same], minlength=self.count) > 0

        return met(place <= near) & met(place >= 1 - near)

    def wedged(self, others: Tracks, walls: Flags, keep: Flags, short: Flags, alike: float) -> Flags:
        """Which of the `short` tracks that are kept lie like the bar of a 7 between two `walls`, not drawn quite alike.

        The walls, of the other direction, run on to both sides of them, and behind the walls no kept track goes on: so
        no cell begins there.
        """
        if not (keep & short).any():
            return np.zeros(self.count, np.bool_)
        strength = others.picture(others.strength / 8, walls)
        own = self.picture(self.strength / 8, keep)
        wide = own.shape[1]
        found = np.zeros(self.count, np.bool_)
        for i in np.flatnonzero(keep & short).tolist():
            unlike = 0
            for column, away in ((self.start[i], -1), (self.start[i + 1] - 1, 1)):
                x, y, reach = int(self.x[column]), round(float(self.middle[column])), int(self.thickness[i] / 2) + 4
                wall = slice(*sorted(min(max(x + by * away, 0), wide) for by in (-3, NEAR_WALL)))
                above, below = slice(max(0, y - reach - 5), max(0, y - reach)), slice(y + reach, y + reach + 5)
                behind = slice(*sorted(min(max(x + by * away, 0), wide) for by in (8, 14)))
                runs_on = strength[above, wall].any() and strength[below, wall].any()
                goes_on = own[max(0, y - 4) : y + 5, behind].any()
                ratio = self.strength[i] / 8 / max(1.0, float(strength[above, wall].max(initial=0)))
                unlike += bool(runs_on and not goes_on and not 1 / alike <= ratio <= alike)
            found[i] = unlike == 2
        return found
