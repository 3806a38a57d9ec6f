"""Fields in rows and columns become tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from batchocr.forms.draft.ink import Ink
from batchocr.forms.draft.parameters import PARAMETERS, DraftParameters
from batchocr.forms.draft.places import FieldPlace, TablePlace, shared_height


def with_tables(
    ink: Ink, fields: Sequence[FieldPlace], parameters: DraftParameters = PARAMETERS
) -> list[FieldPlace | TablePlace]:
    """Replace fields that are in rows and columns by tables.

    Args:
        ink: The ink of the form.
        fields: Single fields.
        parameters: See the class.

    Returns:
        Tables, and the fields that belong to none.
    """
    p = parameters
    members = [each for each in fields if each.is_likely and not each.cells and each.kind != "code"]
    found: list[FieldPlace | TablePlace] = [each for each in fields if each not in members]
    for group in _groups(ink, members, p):
        found += _tables(group, p)
    return found


def _groups(ink: Ink, fields: Sequence[FieldPlace], p: DraftParameters) -> list[list[FieldPlace]]:
    """Group fields that are below each other, and such columns side by side."""
    owner = list(range(len(fields)))

    def root(at: int) -> int:
        while owner[at] != at:
            at = owner[at]
        return at

    pairs = [
        (one, other)
        for one in range(len(fields))
        for other in range(len(fields))
        if _is_below(ink, fields[one], fields[other], p)
    ]
    for one, other in pairs:
        owner[root(one)] = root(other)
    in_column = {at for pair in pairs for at in pair}
    for one in in_column:
        for other in in_column:
            if _is_right_of(ink, fields[one], fields[other], p):
                owner[root(one)] = root(other)
    groups: dict[int, list[FieldPlace]] = defaultdict(list)
    for at, field in enumerate(fields):
        groups[root(at)].append(field)
    return list(groups.values())


def _is_below(ink: Ink, upper: FieldPlace, lower: FieldPlace, p: DraftParameters) -> bool:
    one, other = upper.place, lower.place
    gap = other.top - one.bottom
    ratio = p.max_row_gap_ratio / 2 if upper.kind == "number" else p.max_row_gap_ratio
    return (
        upper.shape == lower.shape
        and abs(one.left - other.left) <= p.align_mm
        and abs(one.right - other.right) <= p.align_mm
        and -p.align_mm <= gap <= max(p.max_thickness_mm, ratio * min(one.height, other.height))
        and ink.printed_mm2(one.left, one.bottom, one.right, other.top) < p.min_print_mm2
    )


def _is_right_of(ink: Ink, left: FieldPlace, right: FieldPlace, p: DraftParameters) -> bool:
    one, other = left.place, right.place
    return (
        abs(one.top - other.top) <= p.align_mm
        and abs(one.bottom - other.bottom) <= p.align_mm
        and one.right - p.align_mm <= other.left <= one.right + max(one.width, other.width)
        and (left.kind == "mark") == (right.kind == "mark")
        and ink.printed_mm2(one.right, one.top, other.left, one.bottom) < p.min_print_mm2
        and shared_height(one, other) > 0.8
    )


def _tables(group: list[FieldPlace], p: DraftParameters) -> list[FieldPlace | TablePlace]:
    """Return the tables of a group. Rows with the same columns that follow each other are one table."""
    rows: list[list[FieldPlace]] = []
    for field in sorted(group, key=lambda each: each.place.top):
        if rows and abs(rows[-1][0].place.top - field.place.top) <= p.align_mm:
            rows[-1].append(field)
        else:
            rows.append([field])
    rows = [sorted(row, key=lambda each: each.place.left) for row in rows]
    parts: list[list[list[FieldPlace]]] = []
    for row in rows:
        if parts and _same_columns(parts[-1][0], row, p):
            parts[-1].append(row)
        else:
            parts.append([row])
    found: list[FieldPlace | TablePlace] = []
    for part in parts:
        columns = len(part[0])
        is_table = len(part) > 1 if columns > 1 else len(part) >= p.min_rows_of_one_column
        is_list_of_marks = columns == 1 and part[0][0].kind == "mark"
        found += [_table(part)] if is_table and not is_list_of_marks else [each for row in part for each in row]
    return found


def _same_columns(one: Sequence[FieldPlace], other: Sequence[FieldPlace], p: DraftParameters) -> bool:
    return len(one) == len(other) and all(
        a.shape == b.shape
        and abs(a.place.left - b.place.left) <= p.align_mm
        and abs(a.place.right - b.place.right) <= p.align_mm
        for a, b in zip(one, other, strict=True)
    )


def _table(rows: Sequence[Sequence[FieldPlace]]) -> TablePlace:
    tops = [min(each.place.top for each in row) for row in rows]
    bottoms = [max(each.place.bottom for each in row) for row in rows]
    columns = list(zip(*rows, strict=True))
    lefts = [min(each.place.left for each in column) for column in columns]
    rights = [max(each.place.right for each in column) for column in columns]
    kinds = {each.kind for each in rows[0]}
    return TablePlace(
        kind="cells" if "cells" in kinds else rows[0][0].kind,
        rows=tuple((top, bottom - top) for top, bottom in zip(tops, bottoms, strict=True)),
        columns=tuple((left, right - left) for left, right in zip(lefts, rights, strict=True)),
        counts=tuple(each.count for each in rows[0]),
    )
