"""Draw a page in small with only what is to be checked: marked digits and numbers, and fields."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TypeVar

from batchocr.forms.form_status import TO_CHECK
from batchocr.output.drawing.canvas import Canvas, Text, draw_texts, in_colour, resized
from batchocr.output.drawing.labels import MAX_HIDDEN_RATIO, Free, placed_labels
from batchocr.output.drawing.style import style_of
from batchocr.output.drawing.upright import upright
from batchocr.records import Box, DigitRow, FieldRow, NumberRow, PageResult, Pixels

_CAP_PX = 11  # height of a digit in the labels
_MIN_SIDE_PX, _MAX_SCALE = 320, 4.0  # a smaller page is enlarged

_Row = TypeVar("_Row", DigitRow, NumberRow, FieldRow)


def draw_marked(pixels: Pixels, result: PageResult, *, max_side_px: int) -> Canvas:
    """Draw a page with what is to be checked on it.

    A marked digit has a thick frame and, where paper is free, its reading, second reading and confidence in percent. A
    number with marks of its own has a dashed line below it, a field to check a dashed line above and below it.

    Args:
        pixels: The page, (height, width).
        result: What was read on it, marked.
        max_side_px: The longer side of the picture in pixels at most.

    Returns:
        The page (height, width, 3), upright.
    """
    pixels, result = upright(pixels, result)
    scale = min(_MAX_SCALE, max(_MIN_SIDE_PX, min(max_side_px, max(pixels.shape))) / max(pixels.shape))
    page = resized(pixels, scale)
    style = style_of(page, 0)
    canvas = in_colour(page)
    for field in result.fields:
        if field.status in TO_CHECK:
            box = _box(_placed(field, scale))
            style.dashes(canvas, style.underline(box))
            style.dashes(canvas, Box(box.left, box.top - style.thick_px, box.width, max(2, style.thick_px - 1)))
    numbers = [_placed(row, scale) for row in result.numbers]
    groups = groupby((_placed(row, scale) for row in result.digits), key=lambda row: (row.line, row.number))
    digits_of = {key: list(rows) for key, rows in groups}
    free = Free(page, [_box(row) for rows in digits_of.values() for row in rows])
    texts: list[Text] = []
    for number in numbers:
        digits = digits_of.get((number.line, number.number), [])
        doubtful = [row for row in digits if row.review]
        for row in doubtful:
            style.frame(canvas, _box(row), doubtful=True)
        if doubtful:
            placed = placed_labels(number, digits, free, _CAP_PX, style.colours)
            texts += placed.texts if placed.hidden_ratio <= MAX_HIDDEN_RATIO else ()
        elif number.review:
            style.dashes(canvas, style.underline(_box(number)))
    draw_texts(canvas, [replace(text, halo=style.paper) for text in texts])
    return canvas


def _placed(row: _Row, scale: float) -> _Row:
    """The row with its box in pixels of the picture."""
    left, top = round(row.left * scale), round(row.top * scale)
    right, bottom = round((row.left + row.width) * scale), round((row.top + row.height) * scale)
    return replace(row, left=left, top=top, width=max(1, right - left), height=max(1, bottom - top))


def _box(row: DigitRow | NumberRow | FieldRow) -> Box:
    return Box(row.left, row.top, row.width, row.height)
