"""A stroke through a number: it was struck out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.number_ink import Mask, NumberInk


@dataclass(frozen=True)
class StruckOutParameters:
    """What strikes a number out: a nearly straight stroke from one end of it to the other, or beyond.

    Lengths in heights of the number's digits.
    """

    ends_heights: tuple[float, ...] = (0.2, 0.0, -0.12)
    """Where the stroke is looked for at both ends of the number: beyond, at and within the boxes of its digits, which
    hold the ends of the stroke or not."""
    in_heights: float = 0.25
    """Its middle lies so far within the number's top and bottom: rules to write on and sides of boxes do not."""
    above_heights: float = 0.12
    """Its ends lie so far above the top and below the bottom, at most."""
    cover: float = 0.94
    """Share of the line that is ink..."""
    beside_px: int = 1
    """...at it or so near to it, in pixels of digits 24 high: strokes tremble..."""
    bows_px: tuple[float, ...] = (0.0, -1.5, 1.5, -3.0, 3.0)
    """...and bend: so far in their middle."""
    rule_heights: float = 1.0
    """What goes on for so far beyond an end is a rule."""
    most_thick: float = 0.35
    """Thickness of the stroke at its ends, at most: what is thicker is a blot, or another digit."""
    thick_heights: float = 0.16
    """What is further from its middle is other ink."""
    free_heights: float = 0.1
    """Through one digit or two it has free ends: nothing else is above or below it for so long, at least. Bars of 4 and
    7 have one free end, and two 4s side by side may have joined bars."""
    apart_heights: float = 0.2
    """Two strokes whose ends lie so far apart are a cross or a double stroke, whose ends need not be free."""
    least_length: float = 0.8
    """Of the stroke through one digit: the bar of a 7 is shorter."""
    least_other: float = 0.3
    """Share of the stroke's columns with other ink, at least: a 1 is a stroke alone."""


def is_struck_out(ink: NumberInk, digits: int, parameters: StruckOutParameters | None = None) -> bool:
    """Whether a stroke runs through a number of so many digits, from end to end."""
    how = parameters or StruckOutParameters()
    near = _thickened(ink.mask, how.beside_px)
    firsts = sorted({round(ink.own[0] - reach * ink.height) for reach in how.ends_heights})
    lasts = sorted({round(ink.own[2] + reach * ink.height) for reach in how.ends_heights})
    return any(_is_crossed(ink, near, first, last, digits, how) for first in firsts for last in lasts)


def _is_crossed(ink: NumberInk, near: Mask, first: int, last: int, digits: int, how: StruckOutParameters) -> bool:
    """Whether a stroke runs through a number from one column to another."""
    h, (_, top, _, bottom) = ink.height, ink.own.tolist()
    rows, width = ink.mask.shape
    low, high = max(0, round(top - how.above_heights * h)), min(rows, round(bottom + how.above_heights * h))
    if first < 0 or last >= width or last - first < 3 or high - low < 3:
        return False
    most_bow = int(np.ceil(max(how.bows_px)))
    any_ink = near[max(0, low - most_bow) : high + most_bow + 1, first : last + 1].max(axis=0)
    if any_ink.mean() < how.cover * 255:
        return False  # no line can be covered; most numbers have paper between their digits
    begins, stops = (_strokes(ink.mask, x, low, high, how.most_thick * h) for x in (first, last))
    if not begins or not stops:
        return False
    columns = np.arange(first, last + 1)
    share = (columns - first) / (last - first)
    lines: list[tuple[float, float]] = []
    for begin, stop in product(begins, stops):
        if not top + how.in_heights * h <= (begin + stop) / 2 <= bottom - how.in_heights * h:
            continue
        for bow in how.bows_px:
            exact = begin + (stop - begin) * share + 4 * bow * share * (1 - share)
            at = np.clip(np.round(exact).astype(int), 0, rows - 1)
            if near[at, columns].mean() < how.cover * 255 or _goes_on(near, first, last, at, how.rule_heights * h):
                continue
            if digits > 2 or _is_stroke(ink, at, columns, how):
                return True
            if np.hypot(last - first, stop - begin) >= how.least_length * h:
                lines.append((begin, stop))
    apart = how.apart_heights * h
    return any(max(abs(a - c), abs(b - d)) >= apart for (a, b), (c, d) in combinations(lines, 2))


def _is_stroke(ink: NumberInk, at: NDArray[np.int_], columns: NDArray[np.int_], how: StruckOutParameters) -> bool:
    """Whether a line of ink, at these rows and columns, is a stroke and no part of a digit or two."""
    h = ink.height
    rows = np.arange(ink.mask.shape[0])[:, None]
    other = ((ink.mask[:, columns] > 0) & (np.abs(rows - at) > max(2.0, how.thick_heights * h))).any(axis=0)
    free = max(1, round(how.free_heights * h))
    long = float(np.hypot(len(columns), at[-1] - at[0])) >= how.least_length * h
    return bool(long and other.mean() >= how.least_other and not other[:free].any() and not other[-free:].any())


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


def _goes_on(near: Mask, first: int, last: int, at: NDArray[np.int_], length: float) -> bool:
    """Whether the line's ink goes on for so many columns beyond an end, or to the mask's side after half as many."""
    for x, row, step in ((first, int(at[0]), -1), (last, int(at[-1]), 1)):
        gone = 0
        while gone < length and 0 <= (x := x + step) < near.shape[1]:
            below = max(0, row - 1)
            ink = np.flatnonzero(near[below : row + 2, x])
            if not len(ink):
                break
            row, gone = below + int(ink[len(ink) // 2]), gone + 1
        if gone >= length or (gone >= length / 2 and not 0 <= x < near.shape[1]):
            return True
    return False
