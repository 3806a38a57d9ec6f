"""Ink of a digit's size beside the digits of a number that no detection explains: something may have been missed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.number_ink import Mask, NumberInk

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class UnreadInkParameters:
    """What is unread ink; lengths in heights of the number's digits."""

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
    least_fill: float = 0.08
    """Share of its box that it fills, at least: a frame is hollow."""


def has_unread_ink(ink: NumberInk, explained: Floats, parameters: UnreadInkParameters | None = None) -> bool:
    """Whether ink of a digit's size, or a word, stands on a number's line, beside or between its digits.

    `explained` (m, 4) are the boxes of all that was found on the page: left, top, width, height in its pixels.
    """
    how = parameters or UnreadInkParameters()
    grown = how.around_ratio * ink.height / ink.scale
    mask = ink.mask.copy()
    for left, top, right, foot in ink.ends(ink.near(explained, grown), grown):
        mask[top:foot, left:right] = 0
    return _has_digit(mask, ink.own, ink.height, ink.open_sides, how) or _has_word(mask, ink.own, ink.height, how)


def _has_digit(ink: Mask, own: Floats, height: float, open_sides: NDArray[np.bool_], how: UnreadInkParameters) -> bool:
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


def _has_word(ink: Mask, own: Floats, height: float, how: UnreadInkParameters) -> bool:
    """Whether ink that is no rule touches a number at `own` (left, top, right, bottom), however wide it is."""
    import cv2

    reach = round(how.touching_gap * height) + 1
    if not any(ink[:, max(0, side - reach) : side + reach + 1].any() for side in (round(own[0]), round(own[2]))):
        return False
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
