"""Find a stroke through a number: the number was struck out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.marks.number_ink import Mask, NumberInk


@dataclass(frozen=True)
class StruckOutParameters:
    """What strikes a number out: a nearly straight stroke from one end of it to the other, or longer.

    Lengths are in heights of the number's digits. Basis of all: tried on strokes drawn through numbers of composed
    pages, and on the same numbers without a stroke.
    """

    end_heights: tuple[float, ...] = (0.2, 0.0, -0.12)
    """Distances outside both ends of the number at which the ends of the stroke are searched. A negative one is inside
    the boxes of the digits, because a box may contain the end of the stroke."""
    min_centre_heights: float = 0.25
    """Minimum distance of the stroke's centre from the top and the bottom of the number; base lines and sides of boxes
    are closer."""
    max_outside_heights: float = 0.12
    """Maximum distance of the stroke's ends above the top and below the bottom of the number."""
    min_ink_share: float = 0.94
    """Minimum share of the stroke that is ink."""
    tolerance_px: int = 1
    """Ink this far above or below the stroke counts too, in pixels of the reduced page; strokes tremble."""
    bows_px: tuple[float, ...] = (0.0, -1.5, 1.5, -3.0, 3.0)
    """Bends that are tried: distances of the stroke's centre from a straight line, in pixels of the reduced page."""
    min_span_px: int = 3
    """Minimum width and height of the part in which a stroke is searched, in pixels of the reduced page."""
    min_rule_heights: float = 1.0
    """A line that continues this far beyond one end is a rule, not a stroke."""
    min_cut_rule_ratio: float = 0.5
    """Minimum share of this length for a line that ends at the side of the inspected part."""
    max_row_step_px: int = 1
    """Maximum vertical change of such a line from column to column, in pixels of the reduced page."""
    max_thickness_heights: float = 0.35
    """Maximum thickness of the stroke at its ends; thicker ink is a blot or another digit."""
    min_thickness_limit_px: float = 2.0
    """The limits of thickness are never lower than this, in pixels of the reduced page."""
    max_core_heights: float = 0.16
    """Ink farther from the stroke's centre line is other ink."""
    min_free_heights: float = 0.1
    """Minimum length of the free ends of a stroke through one or two digits: no other ink is above or below them. The
    bars of 4 and 7 have one free end, and two 4s side by side may have joined bars."""
    max_free_end_digits: int = 2
    """Maximum number of digits for which the ends of a stroke must be free."""
    min_pair_distance_heights: float = 0.2
    """Minimum distance between the ends of two strokes that are a cross or a double stroke, whose ends need not be
    free."""
    min_length_heights: float = 0.8
    """Minimum length of a stroke through one or two digits; the bar of a 7 is shorter."""
    min_other_share: float = 0.3
    """Minimum share of the stroke's columns that contain other ink; a 1 is a stroke alone."""


PARAMETERS = StruckOutParameters()


def is_struck_out(ink: NumberInk, digits: int, parameters: StruckOutParameters = PARAMETERS) -> bool:
    """Return whether a stroke runs through a number, from one end to the other.

    Args:
        ink: the ink around the number.
        digits: how many digits the number has.
        parameters: what such a stroke is.
    """
    near = _widened(ink.mask, parameters.tolerance_px)
    lefts = sorted({round(ink.own[0] - distance * ink.height) for distance in parameters.end_heights})
    rights = sorted({round(ink.own[2] + distance * ink.height) for distance in parameters.end_heights})
    return any(_is_crossed(ink, near, left, right, digits, parameters) for left in lefts for right in rights)


def _is_crossed(ink: NumberInk, near: Mask, left: int, right: int, digits: int, p: StruckOutParameters) -> bool:
    """Return whether a stroke runs through a number from column `left` to column `right`."""
    height, (_, top, _, bottom) = ink.height, ink.own.tolist()
    rows, width = ink.mask.shape
    y0 = max(0, round(top - p.max_outside_heights * height))
    y1 = min(rows, round(bottom + p.max_outside_heights * height))
    if left < 0 or right >= width or right - left < p.min_span_px or y1 - y0 < p.min_span_px:
        return False
    max_bow = int(np.ceil(max(p.bows_px)))
    any_ink = near[max(0, y0 - max_bow) : y1 + max_bow + 1, left : right + 1].max(axis=0)
    if any_ink.mean() < p.min_ink_share * 255:
        return False  # no line can be covered with ink; most numbers have paper between their digits
    starts, ends = (_stroke_centres(ink.mask, x, y0, y1, height, p) for x in (left, right))
    if not starts or not ends:
        return False
    columns = np.arange(left, right + 1)
    fraction = (columns - left) / (right - left)
    min_y, max_y = top + p.min_centre_heights * height, bottom - p.min_centre_heights * height
    strokes: list[tuple[float, float]] = []
    for start, end in product(starts, ends):
        if not min_y <= (start + end) / 2 <= max_y:
            continue
        for bow in p.bows_px:
            exact = start + (end - start) * fraction + 4 * bow * fraction * (1 - fraction)  # a parabola
            line = np.clip(np.round(exact).astype(int), 0, rows - 1)
            if near[line, columns].mean() < p.min_ink_share * 255 or _is_rule(near, left, right, line, height, p):
                continue
            if digits > p.max_free_end_digits or _has_free_ends(ink, line, columns, p):
                return True
            if np.hypot(right - left, end - start) >= p.min_length_heights * height:
                strokes.append((start, end))
    min_distance = p.min_pair_distance_heights * height
    return any(max(abs(a - c), abs(b - d)) >= min_distance for (a, b), (c, d) in combinations(strokes, 2))


def _has_free_ends(ink: NumberInk, line: NDArray[np.int_], columns: NDArray[np.int_], p: StruckOutParameters) -> bool:
    """Return whether a line of ink, at these rows and columns, is a stroke and not a part of one or two digits."""
    height = ink.height
    rows = np.arange(ink.mask.shape[0])[:, None]
    max_core = max(p.min_thickness_limit_px, p.max_core_heights * height)
    other = ((ink.mask[:, columns] > 0) & (np.abs(rows - line) > max_core)).any(axis=0)
    free = max(1, round(p.min_free_heights * height))
    is_long = float(np.hypot(len(columns), line[-1] - line[0])) >= p.min_length_heights * height
    return bool(is_long and other.mean() >= p.min_other_share and not other[:free].any() and not other[-free:].any())


def _stroke_centres(mask: Mask, x: int, y0: int, y1: int, height: float, p: StruckOutParameters) -> list[float]:
    """Return the centres of the runs of ink in a column, between two rows, that are not thicker than a stroke."""
    column = mask[y0:y1, x] > 0
    if not column.any():
        return []
    max_thickness = max(p.min_thickness_limit_px, p.max_thickness_heights * height)
    edges = np.flatnonzero(np.diff(np.r_[False, column, False]))
    runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [y0 + (start + stop - 1) / 2 for start, stop in runs if stop - start <= max_thickness]


def _widened(mask: Mask, margin_px: int) -> Mask:
    """Return the ink widened upwards and downwards."""
    import cv2  # imported late, because a run takes its lock before it loads large libraries

    return cv2.dilate(mask, np.ones((2 * margin_px + 1, 1), np.uint8))


def _is_rule(near: Mask, left: int, right: int, line: NDArray[np.int_], height: float, p: StruckOutParameters) -> bool:
    """Return whether a line continues far beyond one end, or to the side of the mask after a part of that length."""
    length = p.min_rule_heights * height
    for start_x, start_row, step in ((left, int(line[0]), -1), (right, int(line[-1]), 1)):
        x, row, reached = start_x, start_row, 0
        while reached < length and 0 <= (x := x + step) < near.shape[1]:
            upper = max(0, row - p.max_row_step_px)
            ink = np.flatnonzero(near[upper : row + p.max_row_step_px + 1, x])
            if not len(ink):
                break
            row, reached = upper + int(ink[len(ink) // 2]), reached + 1
        at_side = not 0 <= x < near.shape[1]
        if reached >= length or (reached >= p.min_cut_rule_ratio * length and at_side):
            return True
    return False
