"""A stroke through a number: it was struck out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from batchocr.decoding.number_ink import Mask, NumberInk


@dataclass(frozen=True)
class StruckOutParameters:
    """What strikes a number out: a straight line of ink from beyond its left end to beyond its right one.

    Lengths in heights of the number's digits.
    """

    beyond_heights: float = 0.2
    """The stroke reaches so far beyond the number at both ends, at least: bars of 4 and 7 do not."""
    in_heights: float = 0.25
    """Its middle lies so far within the number's top and bottom: rules to write on and sides of boxes do not."""
    above_heights: float = 0.3
    """Its ends lie so far above the top and below the bottom, at most."""
    cover: float = 0.94
    """Share of the line that is ink..."""
    beside_px: int = 1
    """...at it or so near to it, in pixels of digits 24 high: strokes bend a little."""
    rule_heights: float = 1.0
    """What goes on for so far beyond an end is a rule."""
    most_thick: float = 0.35
    """Thickness beyond the ends, at most: what is thicker is a blot, or another digit."""


def is_struck_out(ink: NumberInk, digits: int, parameters: StruckOutParameters | None = None) -> bool:
    """Whether a straight stroke runs through a number of so many digits and beyond its ends.

    Of several digits it may end with the number at one side: the last digit's box may hold it.
    """
    how = parameters or StruckOutParameters()
    beyond = how.beyond_heights * ink.height
    sides = [(beyond, beyond)] if digits == 1 else [(beyond, beyond), (beyond, -1.0), (-1.0, beyond)]
    near = _thickened(ink.mask, how.beside_px)
    return any(
        _is_crossed(ink, near, round(ink.own[0] - left), round(ink.own[2] + right), how) for left, right in sides
    )


def _is_crossed(ink: NumberInk, near: Mask, first: int, last: int, how: StruckOutParameters) -> bool:
    """Whether a straight stroke runs through a number from one column to another."""
    h, (_, top, _, bottom) = ink.height, ink.own.tolist()
    rows, width = ink.mask.shape
    low, high = max(0, round(top - how.above_heights * h)), min(rows, round(bottom + how.above_heights * h))
    if first < 0 or last >= width or high - low < 3:
        return False
    begins, stops = (_strokes(ink.mask, x, low, high, how.most_thick * h) for x in (first, last))
    if not begins or not stops:
        return False
    near = _thickened(ink.mask, how.beside_px)
    columns = np.arange(first, last + 1)
    for begin in begins:
        for stop in stops:
            middle = (begin + stop) / 2
            if not top + how.in_heights * h <= middle <= bottom - how.in_heights * h:
                continue
            slope = (stop - begin) / (last - first)
            at = np.round(begin + slope * (columns - first)).astype(int)
            if near[at, columns].mean() >= how.cover * 255 and not _goes_on(near, first, last, begin, slope, h, how):
                return True
    return False


def _strokes(mask: Mask, x: int, low: int, high: int, most: float) -> list[float]:
    """The middles of the runs of ink in a column, between two rows, that are no longer than `most`."""
    column = mask[low:high, x] > 0
    if not column.any():
        return []
    edges = np.flatnonzero(np.diff(np.r_[False, column, False]))
    runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [low + (begin + stop - 1) / 2 for begin, stop in runs if stop - begin <= max(2.0, most)]


def _thickened(mask: Mask, by: int) -> Mask:
    """Ink, and what is above and below it by so many pixels."""
    import cv2

    return cv2.dilate(mask, np.ones((2 * by + 1, 1), np.uint8))


def _goes_on(near: Mask, first: int, last: int, begin: float, slope: float, h: float, how: StruckOutParameters) -> bool:
    """Whether the line goes on far beyond an end, or to the mask's side where that is half as far at least."""
    length = round((how.rule_heights - how.beyond_heights) * h)
    covered = []
    for columns in (np.arange(max(0, first - length), first), np.arange(last + 1, min(near.shape[1], last + length))):
        at = np.clip(np.round(begin + slope * (columns - first)).astype(int), 0, near.shape[0] - 1)
        covered.append(len(columns) >= length / 2 and near[at, columns].mean() >= how.cover * 255)
    return any(covered)
