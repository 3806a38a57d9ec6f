"""Ink beside the digits of a number that no detection explains: a digit may be missed, or a word may be beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.marks.number_ink import Mask, NumberInk

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class UnreadInkParameters:
    """What unread ink is; lengths in heights of the number's digits.

    Basis of all: tried on registers, lines of text, drawn cases and composed pages, by the share of wrong rows without
    a mark and of right rows with a mark.
    """

    min_height_ratio: float = 0.4
    """Minimum height of a piece of unread ink."""
    max_height_ratio: float = 2.6
    """Maximum height of a piece; the 5 of old registers is that long, rules are longer."""
    min_open_width_heights: float = 0.2
    """Minimum width of a piece that continues above or below the inspected part; the 5 of old registers is bent, rules
    are not."""
    max_width_heights: float = 1.6
    """Maximum width of a piece; rules and whole words are wider."""
    max_gap_heights: float = 0.9
    """Maximum gap between a piece and the number."""
    min_overlap_heights: float = 0.35
    """Minimum height that a piece shares with the number's line."""
    max_touching_gap_heights: float = 0.2
    """Maximum gap up to which a piece of any width counts, such as a word of which one letter was read as a digit."""
    min_word_width_heights: float = 0.4
    """Minimum width of such a piece, without its straight runs."""
    min_rule_heights: float = 2.0
    """Minimum length of straight runs that are not counted: rules and sides of boxes."""
    min_rule_px: int = 3
    """Minimum length of such runs in pixels of the inspected part."""
    rule_margin_px: int = 1
    """Ink this close to a rule is not counted either."""
    box_margin_heights: float = 0.12
    """A box explains the ink up to this distance around it, because boxes are a little tight."""
    min_fill_share: float = 0.08
    """Minimum share of its box that a piece fills; a frame is hollow."""


PARAMETERS = UnreadInkParameters()


def has_unread_ink(ink: NumberInk, explained: Floats, parameters: UnreadInkParameters = PARAMETERS) -> bool:
    """Return whether ink of a digit's size, or a word, is on a number's line, beside its digits or between them.

    Args:
        ink: the ink around the number.
        explained: (m, 4) left, top, width and height of all that was found on the page, in pixels of the page.
        parameters: what unread ink is.
    """
    margin = parameters.box_margin_heights * ink.height / ink.scale
    mask = ink.mask.copy()
    for left, top, right, bottom in ink.corners(ink.near(explained, margin), margin):
        mask[top:bottom, left:right] = 0
    return _has_digit(mask, ink.own, ink.height, ink.open_sides, parameters) or _has_word(
        mask, ink.own, ink.height, parameters
    )


def _has_digit(
    ink: Mask, own: Floats, usual_height: float, open_sides: NDArray[np.bool_], p: UnreadInkParameters
) -> bool:
    """Return whether a piece of ink of a digit's size is beside a number at `own` (left, top, right, bottom).

    `open_sides` (4,): whether the page continues beyond the left, right, top and bottom side of the inspected part.
    """
    import cv2  # imported late, because a run takes its lock before it loads large libraries

    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    left, top, width, height, area = stats[1:].T.astype(np.float64)
    overlap = np.minimum(top + height, own[3]) - np.maximum(top, own[1])
    gap = np.maximum(0, np.maximum(own[0] - left - width, left - own[2]))
    is_digit = (height >= p.min_height_ratio * usual_height) & (height <= p.max_height_ratio * usual_height)
    is_digit &= (width <= p.max_width_heights * usual_height) & (gap <= p.max_gap_heights * usual_height)
    is_digit &= (overlap >= p.min_overlap_heights * usual_height) & (area >= p.min_fill_share * width * height)
    at_side = left == 0, left + width == ink.shape[1], top == 0, top + height == ink.shape[0]
    continues = [at & is_open for at, is_open in zip(at_side, open_sides, strict=True)]
    is_digit &= ~continues[0] & ~continues[1] & ~(at_side[2] & at_side[3])
    is_digit &= ~(continues[2] | continues[3]) | (width >= p.min_open_width_heights * usual_height)
    return bool(is_digit.any())


def _has_word(ink: Mask, own: Floats, usual_height: float, p: UnreadInkParameters) -> bool:
    """Return whether ink that is not a rule touches a number at `own` (left, top, right, bottom), whatever its
    width."""
    import cv2

    reach = round(p.max_touching_gap_heights * usual_height) + 1
    if not any(ink[:, max(0, side - reach) : side + reach + 1].any() for side in (round(own[0]), round(own[2]))):
        return False
    length = max(p.min_rule_px, round(p.min_rule_heights * usual_height))
    margin = 2 * p.rule_margin_px + 1
    for shape in ((1, length), (length, 1)):
        rules = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones(shape, np.uint8))
        ink = cv2.subtract(ink, cv2.dilate(rules, np.ones((margin, margin), np.uint8)))
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    left, top, width, height, area = stats[1:].T.astype(np.float64)
    overlap = np.minimum(top + height, own[3]) - np.maximum(top, own[1])
    gap = np.maximum(own[0] - left - width, left - own[2])
    max_gap = p.max_touching_gap_heights * usual_height
    is_word = (gap <= max_gap) & (gap > -max_gap) & (width >= p.min_word_width_heights * usual_height)
    is_word &= (height >= p.min_height_ratio * usual_height) & (height <= p.max_height_ratio * usual_height)
    is_word &= (overlap >= p.min_overlap_heights * usual_height) & (area >= p.min_fill_share * width * height)
    return bool(is_word.any())
