"""Boxes of printed lines: cells of tables, cells for digits, tick boxes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from batchocr.forms.draft.ink import Ink, Mask, dotted_lines, kernel
from batchocr.forms.draft.parameters import PARAMETERS, DraftParameters
from batchocr.forms.form import Rect


@dataclass(frozen=True)
class Box:
    """A box that no other box is in."""

    rect: Rect
    """The inside, without the lines."""
    printed: Rect | None = None
    """The dark print inside; None if it is empty."""


@dataclass(frozen=True)
class Boxes:
    """The boxes of a form, and the lines that no box has."""

    boxes: tuple[Box, ...]
    outer: tuple[Rect, ...]
    """Boxes with other boxes inside."""
    dotted: tuple[Rect, ...]
    """Level dotted lines that are not sides of boxes."""


def find_boxes(ink: Ink, *, is_filled: bool = False, parameters: DraftParameters = PARAMETERS) -> Boxes:
    """Find the boxes of a form.

    Args:
        ink: The ink of the form.
        is_filled: Whether the page is filled in. Then boxes that strokes of writing form are left out.
        parameters: See the class.
    """
    p = parameters
    if is_filled:
        p = replace(p, min_rectangle_share=p.min_filled_rectangle_share)
    solid = _rectangles(ink, ink.level, ink.upright, p)
    guides = [each for each in solid if max(each.width, each.height) <= p.max_guide_box_mm]
    across, down = dotted_lines(ink, guides, p)
    rects = solid
    if down:
        rects = _rectangles(ink, _with(ink, ink.level, across), _with(ink, ink.upright, down), p)
    rects = _without_guides(rects, solid, p)
    if is_filled:
        rects = _without_strokes(rects, p)
    outer = [each for each in rects if any(contains(each, other) for other in rects if other is not each)]
    boxes = [Box(each, print_inside(ink, each, p)) for each in rects if each not in outer]
    sides = [side for each in rects for side in (each.top, each.bottom)]
    dotted = [
        line
        for line in across
        if not any(abs(line.top + line.height / 2 - side) < p.align_mm and _shares(line, rects) for side in sides)
    ]
    return Boxes(tuple(boxes), tuple(outer), tuple(dotted))


def contains(outer: Rect, inner: Rect, margin_mm: float = 0.3) -> bool:
    """Return whether a rectangle is inside another one."""
    return (
        outer.left - margin_mm <= inner.left
        and outer.top - margin_mm <= inner.top
        and inner.right <= outer.right + margin_mm
        and inner.bottom <= outer.bottom + margin_mm
    )


def print_inside(ink: Ink, rect: Rect, p: DraftParameters) -> Rect | None:
    """Return the bounding rectangle of the dark print in a rectangle; None if there is too little."""
    m = p.inset_mm
    left, top, right, bottom = rect.left + m, rect.top + m, rect.right - m, rect.bottom - m
    if ink.printed_mm2(left, top, right, bottom) < p.min_print_mm2:
        return None
    ys, xs = np.nonzero(ink.part(ink.dark, left, top, right, bottom))
    scale = ink.px_per_mm
    x0, y0 = round(left * scale), round(top * scale)
    return ink.rect(x0 + int(xs.min()), y0 + int(ys.min()), x0 + int(xs.max()) + 1, y0 + int(ys.max()) + 1)


def _shares(line: Rect, rects: Iterable[Rect]) -> bool:
    """Return whether a level line is a side of a rectangle, for at least half of its length."""
    middle = line.top + line.height / 2
    return any(
        min(abs(middle - each.top), abs(middle - each.bottom)) < line.height + 0.7
        and min(line.right, each.right) - max(line.left, each.left) > 0.5 * line.width
        for each in rects
    )


def _with(ink: Ink, mask: Mask, lines: Iterable[Rect]) -> Mask:
    """Return a mask of lines with dotted lines drawn solid."""
    drawn = mask.copy()
    for line in lines:
        ink.part(drawn, line.left, line.top, line.right, line.bottom)[:] = 255
    return drawn


def _rectangles(ink: Ink, level: Mask, upright: Mask, p: DraftParameters) -> list[Rect]:
    """Return the insides of all boxes, also of those with boxes inside."""
    across = cv2.dilate(level, kernel(2 * p.end_mm, 0, p))
    down = cv2.dilate(upright, kernel(0, 2 * p.end_mm, p))
    paper = cv2.bitwise_not(cv2.max(across, down))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(paper, connectivity=4)
    found = []
    smallest = p.min_box_mm * ink.px_per_mm
    for index in range(1, count):
        left, top, width, height, _ = stats[index].tolist()
        at_border = left == 0 or top == 0 or left + width == paper.shape[1] or top + height == paper.shape[0]
        if min(width, height) < smallest or at_border:
            continue
        part = (labels[top : top + height, left : left + width] == index).astype(np.uint8)
        contours, _ = cv2.findContours(
            cv2.copyMakeBorder(part, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
        )
        area = max(cv2.contourArea(each) for each in contours)
        if area < p.min_rectangle_share * (width - 1) * (height - 1):
            continue
        if _has_sides(across, down, (left, top, width, height), p):
            found.append(ink.rect(left, top, left + width, top + height))
    return found


def _has_sides(across: Mask, down: Mask, inside: tuple[int, int, int, int], p: DraftParameters) -> bool:
    """Return whether there are lines at all four sides."""
    left, top, width, height = inside
    reach = max(2, round(p.max_gap_mm * p.px_per_mm))
    strips = (
        across[max(0, top - reach) : top + reach, left : left + width].max(axis=0),
        across[top + height - reach : top + height + reach, left : left + width].max(axis=0),
        down[top : top + height, max(0, left - reach) : left + reach].max(axis=1),
        down[top : top + height, left + width - reach : left + width + reach].max(axis=1),
    )
    return all(np.count_nonzero(strip) >= p.min_side_share * strip.size for strip in strips)


def _without_strokes(rects: list[Rect], p: DraftParameters) -> list[Rect]:
    """Leave out boxes in a box for a number that are clearly lower than it: strokes of digits surround them."""
    return [
        each
        for each in rects
        if not any(
            box.height <= p.max_height_mm and each.height < p.min_inner_ratio * box.height and contains(box, each)
            for box in rects
        )
    ]


def _without_guides(rects: list[Rect], solid: list[Rect], p: DraftParameters) -> list[Rect]:
    """Leave out boxes inside a box that is small enough for one digit: they are guides or symbols."""
    small = [each for each in solid if max(each.width, each.height) <= p.max_guide_box_mm]
    small = [each for each in small if each.width < p.max_cell_width_mm]
    return [
        replace(each)
        for each in rects
        if not any(contains(box, each) and box.width * box.height > 1.3 * each.width * each.height for box in small)
    ]
