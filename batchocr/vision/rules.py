"""Ruled lines and the sides of boxes: found, taken out, and the strokes they crossed mended."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.vision.binarize import Contrast, Mask

RUN = 40
"""Pixels of unbroken level ink that no digit of ordinary size has (7 mm at 150 dpi)."""
LONG = 90
"""Pixels that a level line has to be long to be a rule by itself."""
UPRIGHT_RUN, UPRIGHT_LONG = 24, 135
"""The same for upright lines: the strokes of 1, 4, 7 and 9 are upright too."""
SLOPE = 1 / 14
"""A rule strays no further from its direction than this share of its length."""
THICK = 9
"""Pixels that a thin rule is thick at most (1.5 mm at 150 dpi)."""
HOLE = 2
"""Pixels by which a pale line may be broken."""
UNBROKEN = 0.94
"""Share of a line that must be ink: the bars of a row of sevens are no line, though they stand close."""
ALIKE = 2.2
"""Times that one side of a box may be stronger than another."""
DARKER = 1.35
"""Ink on a rule that is darker than the rule by this factor is writing."""


def _box(width: int, height: int) -> Mask:
    return cv2.getStructuringElement(cv2.MORPH_RECT, (width, height))


class _Lines:
    """Thin straight stretches of ink along x: their pixels, and what each is like."""

    def __init__(self, ink: Mask, contrast: Contrast, run: int) -> None:
        whole = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, _box(HOLE + 1, 1))
        self.runs = cv2.morphologyEx(whole, cv2.MORPH_OPEN, _box(run, 1))
        # a slightly sloping line is a stair of runs: let its steps touch
        steps = cv2.dilate(self.runs, _box(5, 1))
        self.count, labels, stats, _ = cv2.connectedComponentsWithStats(steps, connectivity=8)
        self.where = np.flatnonzero(self.runs)
        self.of: NDArray[np.int32] = labels.ravel()[self.where]
        self.dark: NDArray[np.uint8] = contrast.ravel()[self.where]
        self.left, self.width = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_WIDTH]
        self.thickness = stats[:, cv2.CC_STAT_AREA] / np.maximum(self.width, 1)
        straight = stats[:, cv2.CC_STAT_HEIGHT] <= np.maximum(THICK, SLOPE * self.width + self.thickness)
        pixels = np.maximum(np.bincount(self.of, minlength=self.count), 1)
        self.darkness = np.bincount(self.of, self.dark, self.count) / pixels
        across = cv2.dilate(contrast, _box(1, THICK)).ravel()[self.where]
        unbroken = np.bincount(self.of, across > self.darkness[self.of] / 2, self.count) / pixels
        self.thin = (self.thickness <= THICK) & straight & (unbroken >= UNBROKEN)
        self.thin[0] = False
        self.strength = self.darkness * self.thickness
        """Ink a pixel of length: the same however the line fell on the grid of pixels."""

    def picture(self, values: NDArray[np.float64], keep: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """(height, width): at each pixel of a line that is kept its value, rounded to 1..255; 0 elsewhere."""
        drawn = np.zeros_like(self.runs)
        drawn.ravel()[self.where] = np.where(keep, values.round().clip(1, 255), 0).astype(np.uint8)[self.of]
        return drawn

    def meeting(self, others: _Lines, keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which lines touch, near both of their ends, kept lines of the other direction that are drawn alike."""
        near_others = cv2.dilate(others.picture(others.strength / 8, keep), _box(5, 5))
        strength = np.ascontiguousarray(near_others.T).ravel()[self.where] * 8.0
        own = self.strength[self.of]
        alike = (strength > own / ALIKE) & (strength < own * ALIKE)
        of, x = self.of[alike], self.where[alike] % self.runs.shape[1]
        place = (x - self.left[of]) / np.maximum(self.width[of], 1)
        near = np.minimum(0.2, 8 / np.maximum(self.width[of], 1))
        first = np.bincount(of[place <= near], minlength=self.count) > 0
        last = np.bincount(of[place >= 1 - near], minlength=self.count) > 0
        return np.asarray(first & last)

    def mask(self, keep: NDArray[np.bool_]) -> Mask:
        """The pixels of the lines kept, less the darker writing on them."""
        writing = self.dark > DARKER * self.darkness[self.of] + 12
        lines = np.zeros_like(self.runs)
        lines.ravel()[self.where[keep[self.of] & ~writing]] = 255
        return lines


@dataclass(frozen=True)
class Rules:
    """Thin ruled lines of a page: (height, width) masks, 255 where they are, and how thick they are at most."""

    level: Mask
    upright: Mask
    thickness: int

    def __bool__(self) -> bool:
        return self.thickness > 0

    def halo(self) -> Mask:
        """All of them with their soft edges."""
        return cv2.dilate(self.level | self.upright, _box(3, 3))


def find_rules(ink: Mask, contrast: Contrast) -> Rules:
    """The thin ruled lines of a page, and the sides of its boxes and combs.

    `ink`, with the palest lines in it, and `contrast` are (height, width) of a level page at about 150 dpi.
    A line is a rule where it is long, or where lines of the other direction, drawn alike, meet it at both of its ends:
    so a 1 that reaches from one ruled line to the next is no side of a box.
    """
    level = _Lines(ink, contrast, RUN)
    upright = _Lines(np.ascontiguousarray(ink.T), np.ascontiguousarray(contrast.T), UPRIGHT_RUN)
    sides = upright.thin & ((upright.width >= UPRIGHT_LONG) | upright.meeting(level, level.thin))
    rules = level.thin & ((level.width >= LONG) | level.meeting(upright, sides))
    thickest = max(np.max(level.thickness, where=rules, initial=0), np.max(upright.thickness, where=sides, initial=0))
    return Rules(level.mask(rules), np.ascontiguousarray(upright.mask(sides).T), int(np.ceil(thickest)))


def mend(ink: Mask, rules: Rules, faint: Mask) -> Mask:
    """Ink once more where a stroke crossed a rule: between two stretches of `ink` that the rule cut apart.

    `ink` is the page without the rules and what clings to them, `faint` all that stands out from the paper.
    """
    reach = rules.thickness + 3  # the rule, its soft edges, and the stroke's own first pixel
    for lines, across, along in ((rules.level, (1, reach), (3, 1)), (rules.upright, (reach, 1), (1, 3))):
        if lines.any():
            bridges = cv2.morphologyEx(cv2.dilate(ink, _box(*along)), cv2.MORPH_CLOSE, _box(*across))
            ink = ink | (bridges & cv2.dilate(lines, _box(3, 3)) & faint)
    return ink
