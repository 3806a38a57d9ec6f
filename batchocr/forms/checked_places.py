"""Check that the fields of a form are on the page and do not overlap."""

from __future__ import annotations

import numpy as np

from batchocr.forms.compiled_fields import LocatedField
from batchocr.forms.faults import Faults
from batchocr.forms.form import Rect

_MAX_OUTSIDE_MM = 0.1
"""Fields may be outside the page by this much. Basis: rounding of places to whole pixels."""
_MAX_OVERLAP_SHARE = 0.1
"""Cells may overlap by this share of the smaller one. Basis: printed lines between neighbouring cells."""


def check_places(fields: list[LocatedField], width_mm: float, height_mm: float, faults: Faults) -> None:
    """Note fields that are outside the page, and fields that overlap.

    Args:
        fields: All fields of a form.
        width_mm: Width of the paper.
        height_mm: Height of the paper.
        faults: Receives the faults.
    """
    for located in fields:
        field = located.field
        if not all(_is_inside(rect, width_mm, height_mm) for rect in (field.place, *field.cells)):
            place = field.place
            ends = f"from {place.left:.1f}, {place.top:.1f} to {place.right:.1f}, {place.bottom:.1f} mm"
            faults.add(
                located.path,
                f"{field.name!r} reaches {ends}, but the page is {width_mm:.1f} x {height_mm:.1f} mm: correct its "
                "place, or unit and size_mm of [page]",
            )
    owners = [at for at, located in enumerate(fields) for _ in _cells(located)]
    rects = [rect for located in fields for rect in _cells(located)]
    for first, second in sorted(_overlaps(rects, owners)):
        one, other = fields[first], fields[second]
        if first == second:
            faults.add(other.path, f"cells of {other.field.name!r} overlap: correct their places")
        else:
            message = f"{other.field.name!r} overlaps field {one.field.name!r}: correct the place of one"
            faults.add(other.path, message)


def _cells(located: LocatedField) -> tuple[Rect, ...]:
    return located.field.cells or (located.field.place,)


def _is_inside(rect: Rect, width: float, height: float) -> bool:
    return (
        min(rect.left, rect.top) >= -_MAX_OUTSIDE_MM
        and rect.right <= width + _MAX_OUTSIDE_MM
        and rect.bottom <= height + _MAX_OUTSIDE_MM
    )


def _overlaps(rects: list[Rect], owners: list[int]) -> set[tuple[int, int]]:
    """Return the pairs of owners of which cells overlap, each with the smaller number first."""
    corners = np.array([(rect.left, rect.top, rect.right, rect.bottom) for rect in rects]).reshape(-1, 4)
    order = np.argsort(corners[:, 1], kind="stable")
    left, top, right, bottom = corners[order].T
    areas = (right - left) * (bottom - top)
    ends = np.searchsorted(top, bottom)  # rectangles from this one on are below
    found = set()
    for at, end in enumerate(ends):
        others = slice(at + 1, end)
        width = np.minimum(right[others], right[at]) - np.maximum(left[others], left[at])
        height = np.minimum(bottom[others], bottom[at]) - top[others]
        shared = width.clip(0) * height.clip(0)
        for other in np.flatnonzero(shared > _MAX_OVERLAP_SHARE * np.minimum(areas[others], areas[at])):
            one, two = owners[order[at]], owners[order[at + 1 + other]]
            found.add((min(one, two), max(one, two)))
    return found
