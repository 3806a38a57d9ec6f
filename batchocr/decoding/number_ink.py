"""The ink around a number, at a small scale: what its marks are decided by."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels

Floats = NDArray[np.float64]
Mask = NDArray[np.uint8]
"""(height, width): 255 where there is ink, else 0."""


@dataclass(frozen=True)
class NumberInkParameters:
    """What is looked at around a number, and what is ink there; lengths in heights of the number's digits."""

    height_px: float = 24.0
    """The part of the page is scaled so that the digits are so high, where they are higher."""
    beside_heights: float = 1.2
    """Looked at on both sides of the number..."""
    above_heights: float = 1.1
    """...and above and below it, to see where a stroke ends."""
    ink_percentile: float = 90.0
    """Of the contrast within the boxes of digits: that of their ink."""
    ink_share: float = 0.5
    """Of the contrast of the read digits: paler ink is not counted, as rules and what shines through are."""
    least_contrast: float = 12.0
    """Grey values by which ink differs from the paper around it, at least."""


@dataclass(frozen=True)
class NumberInk:
    """A scaled part of the page around a number."""

    mask: Mask
    own: Floats
    """(4,): left, top, right and bottom of the number in the mask."""
    height: float
    """Of its digits, in the mask."""
    open_sides: NDArray[np.bool_]
    """(4,): whether the page goes on beyond the mask to the left, right, top and bottom."""
    begin: Floats
    """(2,): x and y of the mask's corner on the page."""
    scale: float

    def ends(self, boxes: Floats, grown: float = 0.0) -> list[list[int]]:
        """Boxes (n, 4) of the page, grown by so many of its pixels: left, top, right and bottom within the mask."""
        return _ends(boxes, self.begin, self.scale, self.mask.shape, grown)

    def near(self, boxes: Floats, grown: float = 0.0) -> Floats:
        """Those of the boxes (n, 4) of the page that, grown so, reach into the mask."""
        stop = self.begin + np.array(self.mask.shape[::-1]) / self.scale
        inside = (boxes[:, :2] - grown < stop).all(axis=1)
        return boxes[inside & (boxes[:, :2] + boxes[:, 2:] + grown > self.begin).all(axis=1)]


class ReducedPage:
    """A level page (height, width) at smaller scales, each made once: many numbers of a page need the same one."""

    STEPS = 8
    """Scales from one to its half."""

    def __init__(self, pixels: Pixels) -> None:
        self.pixels = pixels
        self._made: dict[int, Pixels] = {}

    def at(self, scale: float) -> tuple[Pixels, float]:
        """The page at that of its scales which is nearest to `scale`, and that one; at most 1."""
        import cv2  # here, so that a run takes its lock before anything large is loaded

        step = max(0, round(-math.log2(scale) * self.STEPS))
        if step not in self._made:
            factor = 2 ** (-step / self.STEPS)
            self._made[step] = (
                cv2.resize(self.pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
                if step and min(self.pixels.shape) * factor >= 1
                else self.pixels
            )
        made = self._made[step]
        return made, made.shape[1] / self.pixels.shape[1]


def ink_around(page: ReducedPage, digits: Floats, parameters: NumberInkParameters | None = None) -> NumberInk | None:
    """The ink around a number; None where the page is too small to see any.

    `page` is the level page, dark on light or light on dark; `digits` (n, 4) are the boxes of the number's digits:
    left, top, width, height in its pixels.
    """
    import cv2

    how = parameters or NumberInkParameters()
    height = float(np.median(digits[:, 3]))
    ends = np.concatenate([digits[:, :2].min(axis=0), (digits[:, :2] + digits[:, 2:]).max(axis=0)])
    reach = np.array([how.beside_heights, how.above_heights]) * height
    begin = np.maximum(0, ends[:2] - reach).astype(int)
    size = page.pixels.shape[::-1]
    stop = np.minimum(size, np.ceil(ends[2:] + reach)).astype(int)
    reduced, scale = page.at(how.height_px / height)
    first, last = (begin * scale).astype(int), np.ceil(stop * scale).astype(int)
    part = reduced[first[1] : last[1], first[0] : last[0]]
    if min(part.shape) < 4:
        return None
    begin = first / scale
    contrast = cv2.absdiff(part, np.full_like(part, round(float(np.median(part[::3, ::3])))))
    own = [contrast[top:foot, left:right].ravel() for left, top, right, foot in _ends(digits, begin, scale, part.shape)]
    usual = float(np.percentile(np.concatenate(own), how.ink_percentile))
    return NumberInk(
        cv2.compare(contrast, max(how.least_contrast, how.ink_share * usual), cv2.CMP_GE),
        (ends - np.tile(begin, 2)) * scale,
        height * scale,
        np.array([begin[0] > 0, stop[0] < size[0], begin[1] > 0, stop[1] < size[1]]),
        begin,
        scale,
    )


def _ends(boxes: Floats, begin: Floats, scale: float, shape: tuple[int, ...], grown: float = 0.0) -> list[list[int]]:
    first = (boxes[:, :2] - grown - begin) * scale
    last = (boxes[:, :2] + boxes[:, 2:] + grown - begin) * scale + 1
    size = np.array(shape[::-1])
    ends: list[list[int]] = np.clip(np.c_[first, last].astype(int), 0, np.tile(size, 2)).tolist()
    return ends
