"""Measures of the ink within a part of a field."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batchocr.forms.form import Rect
from batchocr.records import FieldInk

Mask = NDArray[np.bool_]


def ink_within(ink: FieldInk, place: Rect) -> Mask:
    """Return the ink within a place of the form.

    Args:
        ink: the ink of a field.
        place: a rectangle; what is outside of the field's margin is left out.

    Returns:
        (height, width), possibly empty.
    """
    s = ink.px_per_mm
    x0, y0 = max(0, round((place.left - ink.left_mm) * s)), max(0, round((place.top - ink.top_mm) * s))
    x1, y1 = max(x0, round((place.right - ink.left_mm) * s)), max(y0, round((place.bottom - ink.top_mm) * s))
    return ink.mask[y0:y1, x0:x1]


def area_mm2(ink: FieldInk, place: Rect) -> float:
    """Return the area of the ink within a place, in square millimetres."""
    return float(np.count_nonzero(ink_within(ink, place))) / ink.px_per_mm**2


def share(ink: FieldInk, place: Rect) -> float:
    """Return the share of a place that is ink, 0 to 1."""
    mask = ink_within(ink, place)
    return float(mask.mean()) if mask.size else 0.0


def span(ink: FieldInk, place: Rect) -> tuple[float, float]:
    """Return width and height of the ink within a place, as shares of the place; zeros without ink."""
    mask = ink_within(ink, place)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return 0.0, 0.0
    return float(columns[-1] - columns[0] + 1) / mask.shape[1], float(rows[-1] - rows[0] + 1) / mask.shape[0]
