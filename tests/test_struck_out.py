"""Numbers with a stroke through them, and strokes that strike nothing out."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawing import Sheet

from batchocr.decoding.marks.number_ink import ReducedPage, ink_around
from batchocr.decoding.marks.struck_out import is_struck_out
from batchocr.records import Pixels

LEFT, TOP, HIGH = 200, 150, 48
Stroke = tuple[tuple[int, int], tuple[int, int]]
NUMBERS = ("385", "907", "41", "7", "4", "2017", "60", "111", "88", "5")


def struck_out(text: str, *strokes: Stroke, shift: int = 0) -> bool:
    """Return whether a number with strokes is struck out.

    The first point of a stroke is relative to the upper left corner of the number, the second to its upper right one.
    """
    sheet = Sheet(640, 360)
    boxes = np.array([[b.left, b.top, b.width, b.height] for b in sheet.number(text, LEFT, TOP + shift, HIGH)], float)
    right = int((boxes[:, 0] + boxes[:, 2]).max())
    pixels: Pixels = sheet.pixels
    for (x0, y0), (x1, y1) in strokes:
        cv2.line(pixels, (LEFT + x0, TOP + y0), (right + x1, TOP + y1), 40, 4, cv2.LINE_AA)
    ink = ink_around(ReducedPage(pixels), boxes)
    assert ink is not None
    return is_struck_out(ink, len(boxes))


@pytest.mark.parametrize("text", NUMBERS)
@pytest.mark.parametrize(
    "strokes",
    [
        [((-22, 22), (24, 27))],
        [((-20, 17), (20, 16)), ((-20, 30), (22, 31))],
        [((-15, 48), (15, 0))],
        [((-15, 0), (15, 48))],
        [((-15, 0), (15, 48)), ((-15, 48), (15, 0))],
    ],
    ids=["line", "double", "upwards", "downwards", "cross"],
)
def test_a_number_with_a_stroke_through_it(text: str, strokes: list[Stroke]) -> None:
    assert struck_out(text, *strokes)


@pytest.mark.parametrize("text", NUMBERS)
@pytest.mark.parametrize(
    "strokes",
    [
        [],
        [((-22, 52), (24, 52))],  # underlined
        [((-22, 45), (24, 45))],  # written on a base line
        [((-190, 26), (300, 26))],  # a rule across the whole page
        [((-22, 26), (300, 26))],  # a rule that starts here
        [((-12, -8), (12, -8)), ((-12, 58), (12, 58))],  # a box
        [((10, 26), (70, 26))],  # from one digit to the next
    ],
    ids=["alone", "underlined", "on the line", "rule", "rule that starts", "box", "dash"],
)
def test_other_lines_do_not_strike_a_number_out(text: str, strokes: list[Stroke]) -> None:
    assert not struck_out(text, *strokes)
