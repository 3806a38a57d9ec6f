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
DARKER = 1.35
"""Ink on a rule that is darker than the rule by this factor is writing."""


def _box(width: int, height: int) -> Mask:
    return cv2.getStructuringElement(cv2.MORPH_RECT, (width, height))


class _Lines:
    """Thin straight stretches of ink along x: their pixels, and for each its length and whether it is thin."""

    def __init__(self, ink: Mask, run: int) -> None:
        self.runs = cv2.morphologyEx(ink, cv2.MORPH_OPEN, _box(run, 1))
        # a slightly sloping line is a stair of runs: let its steps touch
        steps = cv2.dilate(self.runs, _box(5, 1))
        self.count, labels, stats, _ = cv2.connectedComponentsWithStats(steps, connectivity=8)
        self.where = np.flatnonzero(self.runs)
        self.of: NDArray[np.int32] = labels.ravel()[self.where]
        self.left, self.width = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_WIDTH]
        thick = stats[:, cv2.CC_STAT_AREA] / np.maximum(self.width, 1)
        self.thin = (thick <= THICK) & (stats[:, cv2.CC_STAT_HEIGHT] <= np.maximum(THICK, SLOPE * self.width + thick))
        self.thin[0] = False

    def meeting(self, others: Mask) -> NDArray[np.bool_]:
        """Which of the lines touch `others` near both of their ends."""
        touch = others.ravel()[self.where] > 0
        of, x = self.of[touch], self.where[touch] % self.runs.shape[1]
        place = (x - self.left[of]) / np.maximum(self.width[of], 1)
        near = np.minimum(0.2, 8 / np.maximum(self.width[of], 1))
        first = np.bincount(of[place <= near], minlength=self.count) > 0
        last = np.bincount(of[place >= 1 - near], minlength=self.count) > 0
        return np.asarray(first & last)

    def mask(self, keep: NDArray[np.bool_], contrast: Contrast) -> Mask:
        """The pixels of the lines kept, less the darker writing on them."""
        dark = contrast.ravel()[self.where]
        mean = np.bincount(self.of, dark, self.count) / np.maximum(np.bincount(self.of, minlength=self.count), 1)
        lines = np.zeros_like(self.runs)
        lines.ravel()[self.where[keep[self.of] & (dark <= DARKER * mean[self.of] + 12)]] = 255
        return lines


@dataclass(frozen=True)
class Rules:
    """Thin ruled lines of a page: (height, width) masks, 255 where they are."""

    level: Mask
    upright: Mask

    def __bool__(self) -> bool:
        return bool(self.level.any() or self.upright.any())

    def halo(self) -> Mask:
        """All of them with their soft edges."""
        return cv2.dilate(self.level | self.upright, _box(3, 3))


def find_rules(ink: Mask, contrast: Contrast) -> Rules:
    """The thin ruled lines of a page, and the sides of its boxes and combs.

    `ink`, with the palest lines in it, and `contrast` are (height, width) of a level page at about 150 dpi.
    A line is a rule where it is long, or where lines of the other direction meet it at both of its ends.
    """
    level = _Lines(ink, RUN)
    upright = _Lines(np.ascontiguousarray(ink.T), UPRIGHT_RUN)
    near_level = cv2.dilate(level.mask(level.thin, contrast), _box(5, 5))
    turned = np.ascontiguousarray(contrast.T)
    sides = upright.thin & ((upright.width >= UPRIGHT_LONG) | upright.meeting(np.ascontiguousarray(near_level.T)))
    uprights = np.ascontiguousarray(upright.mask(sides, turned).T)
    near_upright = cv2.dilate(uprights, _box(5, 5))
    rules = level.mask(level.thin & ((level.width >= LONG) | level.meeting(near_upright)), contrast)
    return Rules(rules, uprights)


def mend(ink: Mask, rules: Rules, faint: Mask) -> Mask:
    """Ink once more where a stroke crossed a rule: between two stretches of `ink` that the rule cut apart.

    `ink` is the page without the rules and what clings to them, `faint` all that stands out from the paper.
    """
    wide = cv2.dilate(ink, _box(3, 3))
    for lines, kernel in ((rules.level, _box(1, 2 * THICK - 1)), (rules.upright, _box(2 * THICK - 1, 1))):
        if lines.any():
            across = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, kernel)
            ink = ink | (across & cv2.dilate(lines, _box(3, 3)) & faint)
    return ink
