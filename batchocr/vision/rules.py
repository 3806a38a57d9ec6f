"""Ruled lines and the sides of boxes: found, taken out, and the strokes they crossed mended."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from batchocr.vision.binarize import Contrast, Mask
from batchocr.vision.stretches import box, find_stretches
from batchocr.vision.teeth import find_teeth
from batchocr.vision.tracks import Tracks

RUN = 24
"""Pixels of unbroken ink in one direction with which a track begins."""
LONG, UPRIGHT_LONG = 90, 135
"""Pixels that a line has to be long to be a rule by itself; the strokes of 1, 4, 7 and 9 are upright too."""
SPANNING = 0.96
"""Share of the page that a fold, a margin and ruled paper run over: what is longer is no side of a box."""
MENDED = 12
"""Pixels that a line is thick at most if strokes are to be seen again on its other side."""
ALIKE, QUITE_ALIKE = 2.4, 1.25
"""Times that one side of a box may be stronger than another; and one that divides a cell."""


@dataclass(frozen=True)
class Rules:
    """Thin ruled lines of a page: (height, width) masks, 255 where they are, and how thick they are at most."""

    level: Mask
    upright: Mask
    thickness: int
    drawn: Mask
    """Those that may be sides of boxes over their whole way, also where writing hides them."""

    def __bool__(self) -> bool:
        return self.thickness > 0

    @classmethod
    def none(cls, like: Mask) -> Rules:
        """Those of a page (height, width) without any."""
        blank = np.zeros_like(like)
        return cls(blank, blank, 0, blank)

    def __or__(self, other: Rules) -> Rules:
        """These and others of the same page."""
        if not (self and other):
            return self or other
        level, upright = cv2.bitwise_or(self.level, other.level), cv2.bitwise_or(self.upright, other.upright)
        return Rules(level, upright, max(self.thickness, other.thickness), cv2.bitwise_or(self.drawn, other.drawn))

    def halo(self) -> Mask:
        """All of them with their soft edges."""
        both = cv2.bitwise_or(self.level, self.upright)
        return cv2.dilate(both, box(3, 3), dst=both)


def find_rules(ink: Mask, contrast: Contrast) -> Rules:
    """The thin ruled lines of a page, and the sides of its boxes and combs.

    `ink`, with the palest lines in it, and `contrast` are (height, width) of a level page at about 150 dpi.
    A line is a rule where it is long, or where lines of the other direction, drawn alike, meet it at both of its ends:
    so a 1 that reaches from one ruled line to the next is no side of a box.
    """
    lying, standing = find_stretches(ink, RUN), find_stretches(ink, RUN, upright=True)
    # most strokes are short and meet nothing, or only such: they need not be followed
    standing = standing.only((standing.width >= UPRIGHT_LONG) | standing.may_meet(lying, lying.width > 0))
    lying = lying.only((lying.width >= LONG) | lying.may_touch(standing, standing.width > 0))
    level = Tracks(lying, ink, contrast)
    rules = level.thin & ((level.width >= LONG) | level.ruled)
    standing = standing.only((standing.width >= UPRIGHT_LONG) | standing.may_meet(lying, rules))
    if not (rules.any() or standing.width.any()):
        return Rules.none(ink)
    upright = Tracks(standing, ink, contrast)
    tall, long = upright.width >= UPRIGHT_LONG, level.width >= LONG
    sides = upright.thin & (tall | upright.ruled)
    for _ in range(2):  # what was met may be no rule itself
        sides &= tall | upright.meeting(level, rules, sides & ~tall, ALIKE)
        rules &= long | level.meeting(upright, sides, rules & ~long, ALIKE)
    if not (rules.any() or sides.any()):
        return Rules.none(ink)
    rules &= ~level.wedged(upright, sides, rules, ~long, QUITE_ALIKE)
    thickest = max(
        np.max(tracks.thickness, where=keep & (tracks.thickness <= MENDED), initial=0)
        for tracks, keep in ((level, rules), (upright, sides))
    )
    sides_and_teeth = upright.mask(sides)
    cv2.bitwise_or(sides_and_teeth, find_teeth(ink, contrast, level, rules), dst=sides_and_teeth)
    height, width = ink.shape
    drawn = level.band(rules & (level.width < SPANNING * width))
    cv2.bitwise_or(drawn, upright.band(sides & (upright.width < SPANNING * height)), dst=drawn)
    return Rules(level.mask(rules), sides_and_teeth, int(np.ceil(thickest)), drawn)


def mend(ink: Mask, rules: Rules, faint: Mask) -> Mask:
    """Ink once more where a stroke crossed a rule: between two stretches of `ink` that the rule cut apart.

    `ink` is the page without the rules and what clings to them, `faint` all that stands out from the paper.
    """
    reach = rules.thickness + 4  # the rule, its soft edges, and the stroke's own first pixel
    for lines, across, along in ((rules.level, (1, reach), (3, 1)), (rules.upright, (reach, 1), (1, 3))):
        if lines.any():
            bridges = cv2.dilate(ink, box(*along))
            cv2.morphologyEx(bridges, cv2.MORPH_CLOSE, box(*across), dst=bridges)
            cv2.bitwise_and(bridges, cv2.dilate(lines, box(3, 3)), dst=bridges)
            cv2.bitwise_and(bridges, faint, dst=bridges)
            ink = cv2.bitwise_or(ink, bridges, dst=bridges)
    return ink
