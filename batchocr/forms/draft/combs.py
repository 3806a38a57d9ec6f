"""Combs: boxes and lines that short ticks divide into cells."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from batchocr.forms.draft.ink import Ink, kernel
from batchocr.forms.draft.parameters import PARAMETERS, DraftParameters
from batchocr.forms.draft.places import FieldPlace
from batchocr.forms.form import Rect


def comb_cells(ink: Ink, box: Rect, parameters: DraftParameters = PARAMETERS) -> int:
    """Return into how many cells ticks divide a box; 0 if they do not.

    Args:
        ink: The ink of the form.
        box: The inside of the box.
        parameters: See the class.
    """
    p = parameters
    if not p.min_cell_height_mm <= box.height <= p.max_height_mm:
        return 0
    m = p.max_gap_mm
    for top, bottom in ((box.bottom - p.min_tick_mm, box.bottom - m), (box.top + m, box.top + p.min_tick_mm)):
        ticks = _ticks(ink, box.left, top, box.right, bottom, p)
        inner = [tick for tick in ticks if box.left + p.min_tick_mm < tick < box.right - p.min_tick_mm]
        if count := _even_cells([box.left, *inner, box.right], p):
            return count
    return 0


def open_combs(
    ink: Ink, sides: list[Rect], parameters: DraftParameters = PARAMETERS
) -> tuple[list[FieldPlace], list[Rect]]:
    """Find combs without upper side: level lines with ticks upwards at both ends and between.

    Args:
        ink: The ink of the form.
        sides: The boxes of the form, whose sides are not combs.
        parameters: See the class.

    Returns:
        The combs, and the level solid lines that are neither combs nor sides of boxes.
    """
    p = parameters
    combs, lines = [], []
    run, gap = kernel(p.min_solid_run_mm, 0, p), kernel(p.min_line_mm, 0, p)
    level = cv2.morphologyEx(cv2.min(ink.level, ink.ink), cv2.MORPH_OPEN, run)
    _, _, stats, _ = cv2.connectedComponentsWithStats(cv2.morphologyEx(level, cv2.MORPH_CLOSE, gap), connectivity=8)
    for left, top, width, height, _ in stats[1:].tolist():
        line = ink.rect(left, top, left + width, top + height)
        if line.width < p.min_writing_line_mm or line.height > p.max_thickness_mm or _is_side(line, sides, p):
            continue
        ticks = _ticks(ink, line.left - 0.3, line.top - p.min_tick_mm, line.right + 0.3, line.top - p.max_gap_mm, p)
        if len(ticks) < 2:
            lines += [line] if _is_free(ink, line, p) else []
        elif count := _even_cells(ticks, p):
            high = _tick_height(ink, line, ticks, p)
            combs.append(
                FieldPlace("cells", Rect(ticks[0], line.top - high, ticks[-1] - ticks[0], high + p.max_gap_mm), count)
            )
    return combs, lines


def _is_side(line: Rect, boxes: list[Rect], p: DraftParameters) -> bool:
    middle, reach = line.top + line.height / 2, p.align_mm + line.height / 2
    return any(
        min(abs(middle - each.top), abs(middle - each.bottom)) < reach
        and min(line.right, each.right) - max(line.left, each.left) > p.min_line_mm / 2
        for each in boxes
    )


def _is_free(ink: Ink, line: Rect, p: DraftParameters) -> bool:
    """Return whether almost no ink is attached to a line."""
    for top, bottom in ((line.top - p.inset_mm, line.top - 0.1), (line.bottom + 0.1, line.bottom + p.inset_mm)):
        strip = ink.part(ink.ink, line.left, top, line.right, bottom)
        if strip.size and np.count_nonzero(strip.max(axis=0)) > p.max_attached_share * strip.shape[1]:
            return False
    return True


def _ticks(ink: Ink, left: float, top: float, right: float, bottom: float, p: DraftParameters) -> list[float]:
    """Return the x of the thin upright strokes that fill the height between `top` and `bottom`."""
    strip = ink.part(ink.ink, left, top, right, bottom)
    if not strip.size:
        return []
    full = np.concatenate([[0], np.count_nonzero(strip, axis=0) >= 0.8 * strip.shape[0], [0]]).astype(np.int8)
    starts, ends = np.flatnonzero(np.diff(full) == 1), np.flatnonzero(np.diff(full) == -1)
    offset = max(0, round(left * ink.px_per_mm))
    return [
        float(offset + (start + end) / 2) / ink.px_per_mm
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
        if end - start <= p.max_tick_width_mm * ink.px_per_mm
    ]


def _even_cells(sides: list[float], p: DraftParameters) -> int:
    """Return the number of cells between these sides; 0 if it is one, or if their widths differ."""
    widths = [after - before for before, after in pairwise(sides)]
    if len(widths) < 2:
        return 0
    usual = float(np.median(widths))
    if not p.min_cell_width_mm <= usual <= p.max_cell_width_mm:
        return 0
    return len(widths) if all(abs(width - usual) <= p.tick_tolerance_ratio * usual for width in widths) else 0


def _tick_height(ink: Ink, line: Rect, ticks: list[float], p: DraftParameters) -> float:
    """Return the height for digits above the line of a comb: that of its ticks, or more if the paper is free."""
    free = free_height(ink, line, p)
    across = (ticks[-1] - ticks[0]) / (len(ticks) - 1)
    return max(p.min_height_mm, min(free, 1.3 * across, p.max_writing_height_mm))


def free_height(ink: Ink, line: Rect, p: DraftParameters) -> float:
    """Return how high above a line there is no dark print, at most `max_writing_height_mm`."""
    inset = min(1.0, line.width / 10)
    above = ink.part(
        ink.dark, line.left + inset, line.top - p.max_writing_height_mm, line.right - inset, line.top - p.inset_mm
    )
    printed = np.flatnonzero(np.count_nonzero(above, axis=1) > 1)
    rows = above.shape[0] - 1 - int(printed[-1]) if len(printed) else above.shape[0]
    return rows / ink.px_per_mm + p.inset_mm
