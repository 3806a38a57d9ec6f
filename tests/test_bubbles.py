"""Circles and boxes to be filled go, with what is in them; zeros stay, however round."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawing import Sheet

from batchocr.vision.bubbles import without_bubbles
from batchocr.vision.ink import Piece, components


def left(sheet: Sheet) -> list[Piece]:
    labels, pieces = components(np.where(sheet.pixels < 150, np.uint8(255), np.uint8(0)))
    return without_bubbles(pieces, labels)


def circles(sheet: Sheet, flat: float = 1.0, pen: int = 2) -> None:
    """Four rows of six."""
    for row in range(4):
        for column in range(6):
            middle = (80 + 60 * column, 60 + 40 * row)
            cv2.ellipse(sheet.pixels, middle, (14, round(14 * flat)), 0, 0, 360, 40, pen, cv2.LINE_AA)


@pytest.mark.parametrize(("flat", "pen"), [(1.0, 1), (1.0, 2), (1.0, 4), (0.7, 2)])
def test_circles_in_rows_go(flat: float, pen: int) -> None:
    sheet = Sheet(500, 250)
    circles(sheet, flat, pen)
    assert left(sheet) == []


def test_what_is_in_them_goes_and_those_that_were_filled() -> None:
    sheet = Sheet(500, 250)
    circles(sheet)
    sheet.digit("5", 76, 54, 12, pen=2)
    cv2.circle(sheet.pixels, (140, 100), 14, 60, -1, cv2.LINE_AA)
    number = sheet.number("207", 100, 205, 36)
    assert [piece.left for piece in left(sheet)] == pytest.approx([box.left for box in number], abs=2)


def test_boxes_in_a_column_go() -> None:
    sheet = Sheet(300, 400)
    for row in range(5):
        cv2.rectangle(sheet.pixels, (40, 40 + 60 * row), (62, 58 + 60 * row), 60, 2)
    assert left(sheet) == []


def test_zeros_that_are_no_circles_stay() -> None:
    sheet = Sheet(600, 200)
    sheet.number("000000", 60, 60, 40)
    assert len(left(sheet)) == 6


def test_round_zeros_of_different_sizes_stay() -> None:
    sheet = Sheet(900, 200)
    for i, radius in enumerate((14, 16, 18, 20, 22, 24, 15)):
        cv2.circle(sheet.pixels, (80 + 100 * i, 100), radius, 40, 3, cv2.LINE_AA)
    assert len(left(sheet)) == 7


def test_few_circles_stay() -> None:
    sheet = Sheet(500, 250)
    for x in (80, 140, 200):
        cv2.circle(sheet.pixels, (x, 100), 14, 40, 3, cv2.LINE_AA)
    assert len(left(sheet)) == 3
