"""Fields whose ink and detections are drawn by hand, in millimetres, for tests of the reading of fields."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from batchocr.forms.form import Field, FieldKind, Rect
from batchocr.forms.reading.evidence import CropEvidence, Evidence
from batchocr.records import SIGNS, FieldInk

INK_PX_PER_MM = 8.0
PAGE_PX_PER_MM = 10.0
CELL_MM = 8.0
PEN_MM = 0.5
MARGIN_MM = 4.0
LEFT, TOP = 20.0, 40.0

Found = tuple[str, Rect, float]
"""A digit or sign, its box in mm, and the probability that it is there."""


def cells_field(count: int, **keys: object) -> Field:
    """Return a field of square cells side by side."""
    cells = tuple(Rect(LEFT + CELL_MM * i, TOP, CELL_MM, CELL_MM) for i in range(count))
    return Field("f", "cells", Rect(LEFT, TOP, CELL_MM * count, CELL_MM), cells, **keys)  # type: ignore[arg-type]


def free_field(width_mm: float = 40.0, kind: FieldKind = "number", **keys: object) -> Field:
    """Return a field without cells."""
    return Field("f", kind, Rect(LEFT, TOP, width_mm, CELL_MM), **keys)  # type: ignore[arg-type]


def ink_of(field: Field, *strokes: Rect) -> FieldInk:
    """Return the ink of a field: rectangles in mm."""
    left, top, s = field.place.left - MARGIN_MM, field.place.top - MARGIN_MM, INK_PX_PER_MM
    height, width = (round((side + 2 * MARGIN_MM) * s) for side in (field.place.height, field.place.width))
    mask = np.zeros((height, width), np.bool_)
    for each in strokes:
        y0, y1 = round((each.top - top) * s), round((each.bottom - top) * s)
        x0, x1 = round((each.left - left) * s), round((each.right - left) * s)
        mask[y0:y1, x0:x1] = True
    return FieldInk(mask, left, top, s)


def stroke(x_mm: float, height_mm: float = 6.0, top_mm: float = 1.0) -> Rect:
    """Return an upright stroke; x and top are measured from the corner of the field."""
    return Rect(LEFT + x_mm, TOP + top_mm, PEN_MM, height_mm)


def box(x_mm: float, width_mm: float = 4.0, top_mm: float = 0.8, height_mm: float = 6.4) -> Rect:
    """Return a box, measured from the corner of the field."""
    return Rect(LEFT + x_mm, TOP + top_mm, width_mm, height_mm)


def digit_shares(digit: str, share: float = 0.99) -> NDArray[np.float64]:
    """Return the probabilities (10,) of all digits: `share` for this one, and the same for each other one."""
    found = np.full(10, (1 - share) / 9)
    found[int(digit)] = share
    return found


def evidence_of(*found: Found, share: float = 0.99) -> Evidence:
    """Return what the networks found."""
    digits, signs = ([each for each in found if each[0].isdigit() == is_digit] for is_digit in (True, False))
    sign_probabilities = [[share if sign == text else (1 - share) / 5 for sign in SIGNS] for text, _, _ in signs]
    return Evidence(
        _boxes(digits),
        np.array([digit_shares(text, share) for text, _, _ in digits]).reshape(-1, 10),
        np.array([presence for _, _, presence in digits], np.float64),
        np.array([presence for _, _, presence in digits], np.float64),
        _boxes(signs),
        np.array(sign_probabilities, np.float64).reshape(-1, len(SIGNS)),
        np.array([presence for _, _, presence in signs], np.float64),
    )


def crop_of(digit: str, is_digit: float = 0.99, *, is_cross: bool = False) -> CropEvidence:
    """Return what the classifier says about the ink of a cell."""
    return CropEvidence(digit_shares(digit), is_digit, is_cross)


def _boxes(found: Sequence[Found]) -> NDArray[np.float64]:
    sides = [(each.left, each.top, each.width, each.height) for _, each, _ in found]
    return np.array(sides, np.float64).reshape(-1, 4) * PAGE_PX_PER_MM
