"""Turn a page that lies on its side or upside down, and its rows, for drawing."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np

from batchocr.records import DigitRow, FieldRow, NumberRow, PageResult, Pixels

_Row = TypeVar("_Row", DigitRow, NumberRow, FieldRow)


def upright(pixels: Pixels, result: PageResult) -> tuple[Pixels, PageResult]:
    """Return a page and its result as they are after the quarter turns that make its writing upright.

    Args:
        pixels: The page as given, (height, width).
        result: What was read on it; its angle says how the page lies.

    Returns:
        The turned page, and the result with boxes in pixels of it. A page that is upright is returned as it is.
    """
    quarters = round((result.page.angle or 0.0) / 90) % 4
    if not quarters:
        return pixels, result
    digits, numbers, fields = result.digits, result.numbers, result.fields
    height, width = pixels.shape
    for _ in range(quarters):
        digits = tuple(_turned(row, width) for row in digits)
        numbers = tuple(_turned(row, width) for row in numbers)
        fields = tuple(_turned(row, width) for row in fields)
        height, width = width, height
    turned = np.ascontiguousarray(np.rot90(pixels, quarters))
    return turned, replace(result, digits=digits, numbers=numbers, fields=fields)


def _turned(row: _Row, page_width: int) -> _Row:
    """The row after a quarter turn of the page to the left."""
    left, top = row.top, page_width - row.left - row.width
    return replace(row, left=left, top=top, width=row.height, height=row.width)
