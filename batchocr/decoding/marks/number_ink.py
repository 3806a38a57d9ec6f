"""The ink around a number at a small scale; the marks of the number are decided by it."""

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
    """Which part of the page around a number is inspected, and what ink is; lengths in heights of the number's
    digits."""

    height_px: float = 24.0
    """The part of the page is reduced so that the digits have this height. It is never enlarged. Basis: chosen by
    eye."""
    scale_steps: int = 8
    """Number of scales between 1 and 1/2 at which a page is reduced. Basis: many numbers of a page have about one size
    and share a reduced page."""
    margin_heights: float = 1.2
    """Margin that is inspected on both sides of the number. Basis: it holds the next digit."""
    vertical_margin_heights: float = 1.1
    """Margin that is inspected above and below the number. Basis: it shows where a stroke ends."""
    median_step_px: int = 3
    """Every such row and column is used for the median that is the brightness of the paper. Basis: the median of more
    pixels takes longer and is nearly the same."""
    ink_top_share: float = 0.1
    """Share of the pixels in the digits' boxes that have more contrast than the contrast of their ink. Basis: chosen by
    eye."""
    min_ink_share: float = 0.5
    """Minimum contrast of ink, as a share of the contrast of the digits. Basis: pale rules and ink that shines through
    from the back are not counted."""
    min_contrast: float = 12.0
    """Minimum contrast of ink in grey values. Basis: chosen by eye."""
    min_side_px: int = 4
    """Minimum height and width of the inspected part. Basis: nothing is visible in a smaller one."""


PARAMETERS = NumberInkParameters()


@dataclass(frozen=True)
class NumberInk:
    """The ink in a reduced part of the page around a number."""

    mask: Mask
    own: Floats
    """(4,): left, top, right and bottom of the number in pixels of the mask."""
    height: float
    """Height of its digits in pixels of the mask."""
    open_sides: NDArray[np.bool_]
    """(4,): whether the page continues beyond the left, right, top and bottom side of the mask."""
    start: Floats
    """(2,): x and y of the mask's upper left corner in pixels of the page."""
    scale: float
    """Pixels of the mask per pixel of the page."""

    def corners(self, boxes: Floats, margin_px: float = 0.0) -> list[list[int]]:
        """Return the corners of boxes in pixels of the mask.

        Args:
            boxes: (n, 4) left, top, width and height in pixels of the page.
            margin_px: margin around each box in pixels of the page.

        Returns:
            Of each box its left, top, right and bottom, clipped to the mask.
        """
        return _corners(boxes, self.start, self.scale, self.mask.shape, margin_px)

    def near(self, boxes: Floats, margin_px: float = 0.0) -> Floats:
        """Return those of the boxes (n, 4) of the page that reach into the mask, each with a margin around it."""
        end = self.start + np.array(self.mask.shape[::-1]) / self.scale
        inside = (boxes[:, :2] - margin_px < end).all(axis=1)
        return boxes[inside & (boxes[:, :2] + boxes[:, 2:] + margin_px > self.start).all(axis=1)]


class ReducedPage:
    """A level page at smaller scales. Each scale is made once, because many numbers of a page need the same one."""

    def __init__(self, pixels: Pixels, parameters: NumberInkParameters = PARAMETERS) -> None:
        """Keep the page (height, width) and the parameters that give its scales."""
        self.pixels = pixels
        self.parameters = parameters
        self._reduced: dict[int, Pixels] = {}

    def at(self, scale: float) -> tuple[Pixels, float]:
        """Return the page at the available scale nearest to `scale`, and that scale, which is at most 1."""
        import cv2  # imported late, because a run takes its lock before it loads large libraries

        steps = self.parameters.scale_steps
        step = max(0, round(-math.log2(scale) * steps))
        if step not in self._reduced:
            factor = 2 ** (-step / steps)
            self._reduced[step] = (
                cv2.resize(self.pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
                if step and min(self.pixels.shape) * factor >= 1
                else self.pixels
            )
        reduced = self._reduced[step]
        return reduced, reduced.shape[1] / self.pixels.shape[1]


def ink_around(page: ReducedPage, digits: Floats) -> NumberInk | None:
    """Find the ink around a number.

    Args:
        page: the level page, dark on light or light on dark, with the parameters of this step.
        digits: (n, 4) left, top, width and height of the number's digits in pixels of the page.

    Returns:
        The ink; None if the page is too small to show any.
    """
    import cv2

    p = page.parameters
    height = float(np.median(digits[:, 3]))
    own = np.concatenate([digits[:, :2].min(axis=0), (digits[:, :2] + digits[:, 2:]).max(axis=0)])
    reach = np.array([p.margin_heights, p.vertical_margin_heights]) * height
    start = np.maximum(0, own[:2] - reach).astype(int)
    size = page.pixels.shape[::-1]
    end = np.minimum(size, np.ceil(own[2:] + reach)).astype(int)
    reduced, scale = page.at(p.height_px / height)
    (x0, y0), (x1, y1) = (start * scale).astype(int).tolist(), np.ceil(end * scale).astype(int).tolist()
    part = reduced[y0:y1, x0:x1]
    if min(part.shape) < p.min_side_px:
        return None
    start = np.array([x0, y0]) / scale
    paper = round(float(np.median(part[:: p.median_step_px, :: p.median_step_px])))
    contrast = cv2.absdiff(part, np.full_like(part, paper))
    digit_contrasts = [
        contrast[top:bottom, left:right].ravel()
        for left, top, right, bottom in _corners(digits, start, scale, part.shape)
    ]
    usual = float(np.percentile(np.concatenate(digit_contrasts), 100 * (1 - p.ink_top_share)))
    return NumberInk(
        cv2.compare(contrast, max(p.min_contrast, p.min_ink_share * usual), cv2.CMP_GE),
        (own - np.tile(start, 2)) * scale,
        height * scale,
        np.array([start[0] > 0, end[0] < size[0], start[1] > 0, end[1] < size[1]]),
        start,
        scale,
    )


def _corners(
    boxes: Floats, start: Floats, scale: float, shape: tuple[int, ...], margin_px: float = 0.0
) -> list[list[int]]:
    """Return left, top, right and bottom of boxes (n, 4) of the page, clipped to a part of it that starts at
    `start`."""
    upper_left = (boxes[:, :2] - margin_px - start) * scale
    lower_right = (boxes[:, :2] + boxes[:, 2:] + margin_px - start) * scale + 1
    size = np.array(shape[::-1])
    corners: list[list[int]] = np.clip(np.c_[upper_left, lower_right].astype(int), 0, np.tile(size, 2)).tolist()
    return corners
