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
    """What is unread ink; lengths in heights of the number's digits, where they are not in pixels."""

    height_px: float = 24.0
    """The part of the page is scaled so that the digits are so high, where they are higher."""
    beside_heights: float = 1.2
    """Looked at on both sides of the number..."""
    above_heights: float = 1.1
    """...and above and below it, to see where a stroke ends."""
    least_height: float = 0.4
    """Height of such ink, at least: a digit's..."""
    most_height: float = 2.6
    """...and at most: the 5 of old hands is that long, rules are longer."""
    least_long_width: float = 0.2
    """Width of ink that goes on above or below, at least: the 5 of old hands bends, rules do not."""
    most_width: float = 1.6
    """Width, at most: rules and whole words are wider."""
    most_gap: float = 0.9
    """Paper between it and the number, at most: what is further away is not beside it."""
    least_overlap: float = 0.35
    """So much of it lies between the digits' tops and feet, at least."""
    touching_gap: float = 0.2
    """Up to such a gap ink of any width counts, as a word that a letter of was read as a digit..."""
    least_word_width: float = 0.4
    """...of this width, at least..."""
    rule_length: float = 2.0
    """...less its straight runs of this length: rules and sides of boxes."""
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
    scale = min(1.0, how.height_px / height)
    if scale < 1:
        part = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    size = np.array(part.shape[::-1])
    ink = _ink(part, _ends(digits, begin, scale, size), how)
    grown = how.around_ratio * height
    near = (explained[:, :2] - grown < stop).all(axis=1)
    near &= (explained[:, :2] + explained[:, 2:] + grown > begin).all(axis=1)
    for left, top, right, foot in _ends(explained[near], begin, scale, size, grown):
        ink[top:foot, left:right] = 0
    own = (ends - np.tile(begin, 2)) * scale
    height *= scale
    open_sides = np.array([begin[0] > 0, stop[0] < pixels.shape[1], begin[1] > 0, stop[1] < pixels.shape[0]])
    return _has_digit(ink, own, height, open_sides, how) or _has_word(ink, own, height, how)


def _has_digit(
    ink: NDArray[np.uint8], own: Floats, height: float, open_sides: NDArray[np.bool_], how: UnreadInkParameters
) -> bool:
    """Whether ink of a digit's size stands beside a number at `own` (left, top, right, bottom).

    `open_sides` (4,) says at which sides, left, right, top and bottom, the page goes on beyond the ink looked at.
    """
    import cv2

    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    left, top, width, high, area = stats[1:].T.astype(np.float64)
    inside = np.minimum(top + high, own[3]) - np.maximum(top, own[1])
    gap = np.maximum(0, np.maximum(own[0] - left - width, left - own[2]))
    is_digit = (high >= how.least_height * height) & (high <= how.most_height * height)
    is_digit &= (width <= how.most_width * height) & (gap <= how.most_gap * height)
    is_digit &= (inside >= how.least_overlap * height) & (area >= how.least_fill * width * high)
    at_side = left == 0, left + width == ink.shape[1], top == 0, top + high == ink.shape[0]
    goes_on = [at & is_open for at, is_open in zip(at_side, open_sides, strict=True)]
    is_digit &= ~goes_on[0] & ~goes_on[1] & ~(at_side[2] & at_side[3])
    is_digit &= ~(goes_on[2] | goes_on[3]) | (width >= how.least_long_width * height)
    return bool(is_digit.any())


def _has_word(ink: NDArray[np.uint8], own: Floats, height: float, how: UnreadInkParameters) -> bool:
    """Whether ink that is no rule touches a number at `own` (left, top, right, bottom), however wide it is."""
    import cv2

    length = max(3, round(how.rule_length * height))
    for shape in ((1, length), (length, 1)):
        rules = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones(shape, np.uint8))
        ink = cv2.subtract(ink, cv2.dilate(rules, np.ones((3, 3), np.uint8)))
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    left, top, width, high, area = stats[1:].T.astype(np.float64)
    inside = np.minimum(top + high, own[3]) - np.maximum(top, own[1])
    gap = np.maximum(own[0] - left - width, left - own[2])
    is_word = (gap <= how.touching_gap * height) & (gap > -how.touching_gap * height)
    is_word &= (
        (width >= how.least_word_width * height)
        & (high >= how.least_height * height)
        & (high <= how.most_height * height)
    )
    is_word &= (inside >= how.least_overlap * height) & (area >= how.least_fill * width * high)
    return bool(is_word.any())


def _ends(
    boxes: Floats, begin: NDArray[np.int_], scale: float, size: NDArray[np.int_], grown: float = 0.0
) -> list[list[int]]:
    """Boxes (n, 4) of the page, grown by so many pixels, as left, top, right and bottom within a scaled part of it."""
    first = (boxes[:, :2] - grown - begin) * scale
    last = (boxes[:, :2] + boxes[:, 2:] + grown - begin) * scale + 1
    ends: list[list[int]] = np.clip(np.c_[first, last].astype(int), 0, np.tile(size, 2)).tolist()
    return ends


def _ink(part: Pixels, digits: list[list[int]], how: UnreadInkParameters) -> NDArray[np.uint8]:
    """Where there is ink nearly as strong as that of the digits read: 255, else 0."""
    import cv2

    paper = float(np.median(part[::3, ::3]))
    darker = cv2.absdiff(part, np.full_like(part, round(paper)))
    own = [darker[top:foot, left:right].ravel() for left, top, right, foot in digits]
    usual = float(np.percentile(np.concatenate(own), INK_PERCENTILE))
    return cv2.compare(darker, max(LEAST_CONTRAST, how.ink_share * usual), cv2.CMP_GE)
