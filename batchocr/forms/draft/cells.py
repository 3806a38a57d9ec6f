"""From boxes to fields: rows of cells, dates, numbers and tick boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from batchocr.forms.draft.boxes import Box, Boxes, print_inside
from batchocr.forms.draft.combs import comb_cells
from batchocr.forms.draft.ink import Ink
from batchocr.forms.draft.parameters import PARAMETERS, DraftParameters
from batchocr.forms.draft.places import FieldPlace, around
from batchocr.forms.form import DateOrder, Rect

_DATES: dict[tuple[int, ...], DateOrder] = {(2, 2, 4): "dmy", (2, 2, 2): "dmy", (4, 2, 2): "ymd"}
"""By the numbers of cells in its groups: the order of a date."""


def fields_in_boxes(
    ink: Ink, found: Boxes, *, is_filled: bool, parameters: DraftParameters = PARAMETERS
) -> list[FieldPlace]:
    """Propose a field for each box, or for boxes that belong together.

    Args:
        ink: The ink of the form.
        found: The boxes.
        is_filled: Whether the page is filled in. Then print in a box says nothing.
        parameters: See the class.
    """
    p = parameters
    empty: list[Rect] = []
    rest: list[Rect] = []
    fields: list[FieldPlace] = []
    for box in found.boxes:
        if not is_filled and (count := comb_cells(ink, box.rect, p)) and _is_empty_comb(ink, box.rect, count, p):
            fields.append(_comb(box.rect, count, p))
            continue
        rect = box.rect if is_filled or box.printed is None else _below_label(box, p)
        if rect is None:
            continue
        (empty if rect is box.rect and _is_cell(rect, p) else rest).append(rect)
    headers = [box.rect for box in found.boxes if box.printed is not None]
    for run in _runs(ink, empty, p):
        if len(run) > 1 and not _has_headers(run, headers, p):
            fields.append(_cells(run, p))
        else:
            rest += run
    fields = _decimals(ink, _dates(fields, p), p)
    for rect in rest:
        if (field := _single(ink, rect, is_filled=is_filled, p=p)) is not None:
            fields.append(field)
    return fields


def _comb(rect: Rect, count: int, p: DraftParameters) -> FieldPlace:
    return FieldPlace("cells", _grown(rect, p), count, is_likely=count <= p.max_cells)


def _is_empty_comb(ink: Ink, rect: Rect, count: int, p: DraftParameters) -> bool:
    """Return whether no cell of a comb is printed. The ticks are not counted."""
    m = p.max_tick_width_mm / 2 + p.inset_mm / 2
    printed = sum(
        ink.printed_mm2(cell.left + m, cell.top + p.inset_mm, cell.right - m, cell.bottom - p.inset_mm)
        for cell in each_cell(FieldPlace("cells", rect, count))
    )
    return printed < p.min_print_mm2


def _grown(rect: Rect, p: DraftParameters) -> Rect:
    """Return the place of a box from its inside: it reaches into its lines."""
    m = p.line_half_mm
    return Rect(rect.left - m, rect.top - m, rect.width + 2 * m, rect.height + 2 * m)


def _below_label(box: Box, p: DraftParameters) -> Rect | None:
    """Return the free lower part of a box with a small label at its upper left; None if the print is elsewhere."""
    rect, printed = box.rect, box.printed
    assert printed is not None
    used = printed.bottom - rect.top
    is_label = (
        printed.height <= p.max_label_mm
        and used <= p.max_label_share * rect.height
        and printed.left - rect.left <= p.max_label_mm
        and printed.right < rect.right - p.max_label_mm
    )
    if not is_label or rect.height - used < p.max_label_mm or rect.height > p.max_height_mm:
        return None
    return Rect(rect.left, printed.bottom + p.inset_mm, rect.width, rect.bottom - printed.bottom - p.inset_mm)


def _is_cell(rect: Rect, p: DraftParameters) -> bool:
    return (
        p.min_cell_width_mm <= rect.width <= p.max_cell_width_mm
        and p.min_cell_height_mm <= rect.height <= p.max_height_mm
        and p.min_cell_aspect <= rect.width / rect.height <= p.max_cell_aspect
    )


def _runs(ink: Ink, cells: Sequence[Rect], p: DraftParameters) -> list[list[Rect]]:
    """Group cells that are side by side: of the same size, close to each other, and without print between them."""
    runs: list[list[Rect]] = []
    rest = sorted(cells, key=lambda each: each.left)
    while rest:
        run = [rest.pop(0)]
        while (following := _following(ink, run[-1], rest, p)) is not None:
            run.append(following)
            rest.remove(following)
        runs += _split_at_gaps(run)
    return runs


def _following(ink: Ink, cell: Rect, others: Sequence[Rect], p: DraftParameters) -> Rect | None:
    for other in others:
        gap = other.left - cell.right
        same = (
            abs(other.top - cell.top) <= p.align_mm
            and abs(other.bottom - cell.bottom) <= p.align_mm
            and abs(other.width - cell.width) <= p.size_tolerance_ratio * cell.width + p.align_mm / 2
        )
        if not same or not 0 <= gap <= max(p.max_thickness_mm, p.max_cell_gap_ratio * cell.width):
            continue
        is_separate = gap > p.max_thickness_mm
        if is_separate and (
            cell.width < p.min_separate_cell_mm
            or ink.printed_mm2(cell.right + p.inset_mm, cell.top, other.left - p.inset_mm, cell.bottom) > 0.1
        ):
            return None
        return other
    return None


def _split_at_gaps(run: list[Rect]) -> list[list[Rect]]:
    """Split a row of cells where the gap is wider than usual, as between day, month and year."""
    if len(run) < 3:
        return [run]
    gaps = [after.left - before.right for before, after in pairwise(run)]
    limit = 1.6 * float(np.median(gaps)) + 0.6
    parts = [[run[0]]]
    for gap, cell in zip(gaps, run[1:], strict=True):
        if gap > limit:
            parts.append([])
        parts[-1].append(cell)
    return parts


def _has_headers(run: Sequence[Rect], printed: Sequence[Rect], p: DraftParameters) -> bool:
    """Return whether most cells of a row have their own printed box above them: they are columns of a table."""
    with_header = sum(
        any(
            abs(each.left - cell.left) <= p.align_mm
            and abs(each.right - cell.right) <= p.align_mm
            and -p.align_mm <= cell.top - each.bottom <= p.max_thickness_mm
            for each in printed
        )
        for cell in run
    )
    return with_header > len(run) / 2


def _cells(run: Sequence[Rect], p: DraftParameters) -> FieldPlace:
    """Return the field of a row of cells. Its place reaches to the middle of the lines at its ends."""
    place = around(run)
    gaps = [after.left - before.right for before, after in pairwise(run)]
    pitch = (place.width + float(np.mean(gaps))) / len(run)
    is_even = all(abs(cell.left - place.left - at * pitch) <= p.align_mm for at, cell in enumerate(run))
    if not is_even:
        return FieldPlace("cells", place, cells=tuple(_grown(cell, p) for cell in run))
    half = min(float(np.mean(gaps)), p.max_thickness_mm) / 2
    m = p.line_half_mm
    place = Rect(place.left - half, place.top - m, place.width + 2 * half, place.height + 2 * m)
    return FieldPlace("cells", place, len(run), is_likely=len(run) <= p.max_cells)


def _dates(fields: list[FieldPlace], p: DraftParameters) -> list[FieldPlace]:
    """Join cells for day, month and year that are in one row."""
    rest = sorted(fields, key=lambda each: (round(each.place.top), each.place.left))
    joined: list[FieldPlace] = []
    while rest:
        row = _date_row(rest[0], rest, p)
        numbers = tuple(each.count for each in row)
        if len(row) == 1 and numbers == (0,) and (order := _DATES.get(_groups(row[0].cells))):
            joined.append(replace(row[0], kind="date", order=order))
        elif order := _DATES.get(numbers):
            cells = tuple(cell for each in row for cell in each_cell(each))
            joined.append(FieldPlace("date", around(cells), cells=cells, order=order))
        else:
            row = row[:1]
            joined += row
        rest = [each for each in rest if each not in row]
    return joined


def _decimals(ink: Ink, fields: list[FieldPlace], p: DraftParameters) -> list[FieldPlace]:
    """Join cells before and after a printed point or comma."""
    joined = list(fields)
    for field in fields:
        row = _date_row(field, fields, p)[:2]
        if len(row) < 2 or row[1].count > p.max_decimals or not all(each in joined for each in row):
            continue
        left, right = row[0].place, row[1].place
        gap = Rect(left.right, left.top, right.left - left.right, left.height + p.align_mm)
        point = print_inside(ink, gap, p) if gap.width <= left.width / row[0].count + p.align_mm else None
        if point and max(point.width, point.height) <= p.max_point_mm and point.top > left.top + left.height / 2:
            cells = tuple(cell for each in row for cell in each_cell(each))
            joined[joined.index(row[0])] = FieldPlace("decimal", around(cells), cells=cells, decimals=row[1].count)
            joined.remove(row[1])
    return joined


def _groups(cells: Sequence[Rect]) -> tuple[int, ...]:
    """Return the numbers of cells between wider gaps."""
    return tuple(len(part) for part in _split_at_gaps(list(cells)))


def _date_row(first: FieldPlace, fields: Sequence[FieldPlace], p: DraftParameters) -> list[FieldPlace]:
    """Return the fields to the right of the first one, with cells of the same size and not far from each other."""
    row = [first]
    if not first.count:
        return row
    width = first.place.width / first.count
    while True:
        last = row[-1].place
        near = [
            each
            for each in fields
            if each.count
            and abs(each.place.top - last.top) <= p.align_mm
            and abs(each.place.height - last.height) <= p.align_mm
            and abs(each.place.width / each.count - width) <= p.size_tolerance_ratio * width
            and 0 < each.place.left - last.right <= p.max_date_gap_ratio * width
        ]
        if not near:
            return row
        row.append(min(near, key=lambda each: each.place.left))


def each_cell(field: FieldPlace) -> list[Rect]:
    """Return the cells of a field."""
    if field.cells:
        return list(field.cells)
    width = field.place.width / field.count
    return [replace(field.place, left=field.place.left + at * width, width=width) for at in range(field.count)]


def _is_tick_box(ink: Ink, rect: Rect, is_filled: bool, p: DraftParameters) -> bool:
    """Return whether a small box is empty and stands alone, other than a part of a letter, of a symbol or a grid."""
    m = p.inset_mm
    inside = ink.part(ink.ink, rect.left + m, rect.top + m, rect.right - m, rect.bottom - m)
    if not is_filled and np.count_nonzero(inside) > p.max_mark_ink_share * inside.size:
        return False
    rim, m = p.max_thickness_mm, p.max_thickness_mm + p.inset_mm
    surroundings = ink.part(ink.ink, rect.left - m, rect.top - m, rect.right + m, rect.bottom + m).copy()
    edge = round((m - rim) * ink.px_per_mm)
    surroundings[edge:-edge, edge:-edge] = 0
    ring = surroundings.size - (surroundings.shape[0] - 2 * edge) * (surroundings.shape[1] - 2 * edge)
    return np.count_nonzero(surroundings) <= p.max_ring_ink_share * ring


def _single(ink: Ink, rect: Rect, *, is_filled: bool, p: DraftParameters) -> FieldPlace | None:
    """Return the field of a box that is alone; None if nothing can be written into it."""
    if is_filled and (count := comb_cells(ink, rect, p)) >= p.min_filled_cells:
        return _comb(rect, count, p)
    sides = sorted((rect.width, rect.height))
    if p.min_mark_mm <= sides[0] and sides[1] <= p.max_mark_mm and sides[1] <= p.max_mark_aspect * sides[0]:
        return FieldPlace("mark", _grown(rect, p)) if _is_tick_box(ink, rect, is_filled, p) else None
    if rect.height < p.min_height_mm:
        return None
    if rect.height > p.max_height_mm:
        is_wide = rect.width >= 2 * p.min_number_mm and rect.width > rect.height / 2
        return FieldPlace("number", _grown(rect, p), is_likely=False) if is_wide else None
    if rect.width >= p.min_number_mm and rect.width >= p.min_number_aspect * rect.height:
        return FieldPlace("number", _grown(rect, p), is_likely=rect.width <= p.max_number_mm)
    return FieldPlace("cells", _grown(rect, p), 1) if _is_cell(rect, p) else None
