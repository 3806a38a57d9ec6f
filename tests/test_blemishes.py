"""The other side's writing and the rims of holes go; what was written stays, however pale or round."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawing import Sheet, blurred, found_boxes, noisy, shape_of

from batchocr.records import Pixels
from batchocr.vision import find
from batchocr.vision.blemishes import without_holes
from batchocr.vision.ink import components


def page(grey: int = 40) -> Sheet:
    sheet = Sheet(1240, 1300)
    for row in range(4):
        sheet.number("207415", 300, 150 + 260 * row, 44, 5, grey)
    return sheet


def shining_through(strength: float, soft: float) -> Pixels:
    """Between the lines of a page those of its other side, mirrored."""
    other = Sheet(1240, 1300)
    for row in range(4):
        other.number("836925", 500, 280 + 260 * row, 44, 5)
    light = 1 - strength * (1 - blurred(other.pixels[:, ::-1], soft) / 245)
    return (page().pixels * light).round().astype(np.uint8)


@pytest.mark.parametrize(("strength", "soft"), [(0.15, 2.0), (0.25, 2.2)])
def test_what_shines_through_from_the_other_side_gives_none(strength: float, soft: float) -> None:
    assert shape_of(find(noisy(shining_through(strength, soft), 1.5))) == [[6]] * 4


@pytest.mark.parametrize("grey", [40, 120, 190])
def test_pale_writing_beside_dark_writing_stays(grey: int) -> None:
    sheet = page()
    for row in range(4):
        sheet.number("836925", 300, 280 + 260 * row, 44, 5, grey)
    assert shape_of(find(noisy(sheet.pixels, 1.5))) == [[6]] * 8


def test_pale_soft_writing_alone_stays() -> None:
    assert shape_of(find(noisy(blurred(page(190).pixels, 2), 1.5))) == [[6]] * 4


@pytest.mark.parametrize("pen", [2, 4])
@pytest.mark.parametrize("x", [60, 1180])
def test_the_rims_of_holes_give_none(x: int, pen: int) -> None:
    sheet = page()
    for y in (400, 870):
        cv2.circle(sheet.pixels, (x, y), 18, 60, pen, cv2.LINE_AA)
    boxes = found_boxes(find(noisy(sheet.pixels, 2)))
    assert len(boxes) == 24
    assert all(290 < box.left < 700 for box in boxes)


def left(sheet: Sheet) -> int:
    labels, pieces = components(np.where(sheet.pixels < 150, np.uint8(255), np.uint8(0)))
    return len(without_holes(pieces, labels))


def test_zeros_in_a_column_beside_the_margin_stay() -> None:
    sheet = Sheet(1240, 1300)
    for row in range(8):
        sheet.digit("0", 60, 60 + 150 * row, 40)
    assert left(sheet) == 8


def test_circles_stay_that_are_alone_or_close_or_amid_the_page() -> None:
    for spots in ([(60, 400)], [(60, 400), (60, 480)], [(600, 400), (600, 900)], [(60, 400), (120, 900)]):
        sheet = Sheet(1240, 1300)
        for spot in spots:
            cv2.circle(sheet.pixels, spot, 18, 60, 3, cv2.LINE_AA)
        assert left(sheet) == len(spots)


def test_a_page_without_ink_has_none() -> None:
    assert left(Sheet(300, 200)) == 0
