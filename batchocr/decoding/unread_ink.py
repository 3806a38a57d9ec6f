"""Ink of a digit's size beside the digits of a number that no detection explains: something may have been missed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels

Floats = NDArray[np.float64]

INK_PERCENTILE = 90.0
"""Of the contrast within the boxes of digits: that of their ink."""
LEAST_CONTRAST = 12.0
"""Grey values by which ink differs from the paper around it, at least."""


@dataclass(frozen=True)
class UnreadInkParameters:
    """What is unread ink; lengths in heights of the number's digits."""

    beside_heights: float = 0.9
    """Looked at on both sides of the number..."""
    above_heights: float = 1.1
    """...and above and below it, to see where a stroke ends."""
    least_height: float = 0.55
    """Height of such ink, at least: a digit's..."""
    most_height: float = 2.6
    """...and at most: the 5 of old hands is that long, rules are longer."""
    most_width: float = 1.6
    """Width, at most: rules and whole words are wider."""
    least_gap: float = 0.6
    """Paper between it and the number, at most: what is further away is not beside it."""
    least_overlap: float = 0.6
    """So much of it lies between the digits' tops and feet, at least."""
    around_ratio: float = 0.12
    """A box explains ink up to so far around it, as a share of the digit's height: boxes are a little tight."""
    ink_share: float = 0.5
    """Of the contrast of the read digits: paler ink is not counted, as rules and what shines through are."""
    least_fill: float = 0.08
    """Share of its box that it fills, at least: a frame is hollow."""


def has_unread_ink(
    pixels: Pixels, digits: Floats, explained: Floats, parameters: UnreadInkParameters | None = None
) -> bool:
    """Whether ink of a digit's size stands on a number's line, beside or between its digits, that nothing explains.

    `pixels` (height, width) is the level page, dark on light or light on dark; `digits` (n, 4) the boxes of the
    number's digits, `explained` (m, 4) those of all that was found on the page: left, top, width, height in pixels.
    """
    import cv2  # here, so that a run takes its lock before anything large is loaded

    how = parameters or UnreadInkParameters()
    height = float(np.median(digits[:, 3]))
    ends = np.concatenate([digits[:, :2].min(axis=0), (digits[:, :2] + digits[:, 2:]).max(axis=0)])
    reach = np.array([how.beside_heights, how.above_heights]) * height
    begin = np.maximum(0, ends[:2] - reach).astype(int)
    stop = np.minimum(pixels.shape[::-1], np.ceil(ends[2:] + reach)).astype(int)
    part = pixels[begin[1] : stop[1], begin[0] : stop[0]]
    if min(part.shape) < 4:
        return False
    ink = _ink(part, digits - [*begin, 0, 0], how)
    grown = how.around_ratio * height
    near = (explained[:, :2] - grown < stop).all(axis=1)
    near &= (explained[:, :2] + explained[:, 2:] + grown > begin).all(axis=1)
    for left, top, width, high in (explained[near] - [*begin, 0, 0]).tolist():
        first_x, last_x = (int(np.clip(v, 0, part.shape[1])) for v in (left - grown, left + width + grown + 1))
        first_y, last_y = (int(np.clip(v, 0, part.shape[0])) for v in (top - grown, top + high + grown + 1))
        ink[first_y:last_y, first_x:last_x] = 0
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    left, top, width, high, area = stats[1:].T.astype(np.float64)
    own = ends - np.tile(begin, 2)
    inside = np.minimum(top + high, own[3]) - np.maximum(top, own[1])
    gap = np.maximum(0, np.maximum(own[0] - left - width, left - own[2]))
    is_digit = (high >= how.least_height * height) & (high <= how.most_height * height)
    is_digit &= (width <= how.most_width * height) & (gap <= how.least_gap * height)
    is_digit &= (inside >= how.least_overlap * height) & (area >= how.least_fill * width * high)
    is_digit &= ((left > 0) | (begin[0] == 0)) & ((left + width < part.shape[1]) | (stop[0] == pixels.shape[1]))
    at_top, at_foot = top == 0, top + high == part.shape[0]
    is_digit &= ~(at_top & (begin[1] > 0)) & ~(at_foot & (stop[1] < pixels.shape[0])) & ~(at_top & at_foot)
    return bool(is_digit.any())


def _ink(part: Pixels, digits: Floats, how: UnreadInkParameters) -> NDArray[np.uint8]:
    """Where there is ink nearly as strong as that of the digits read: 255, else 0."""
    import cv2

    paper = float(np.median(part[::3, ::3]))
    darker = cv2.absdiff(part, np.full_like(part, round(paper)))
    ends = np.c_[digits[:, :2], digits[:, :2] + digits[:, 2:]]
    own = [
        darker[max(0, top) : foot + 1, max(0, left) : right + 1].ravel()
        for left, top, right, foot in ends.astype(int).tolist()
    ]
    usual = float(np.percentile(np.concatenate(own), INK_PERCENTILE))
    return cv2.compare(darker, max(LEAST_CONTRAST, how.ink_share * usual), cv2.CMP_GE)
