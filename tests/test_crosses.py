"""A place that was struck out gives nothing; no digit is taken for a cross."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawing import Sheet

from batchocr.vision.crosses import without_crosses
from batchocr.vision.ink import Piece, components


def left(sheet: Sheet) -> list[Piece]:
    labels, pieces = components(np.where(sheet.pixels < 150, np.uint8(255), np.uint8(0)))
    return without_crosses(pieces, labels)


@pytest.mark.parametrize("pen", [2, 4, 6])
@pytest.mark.parametrize("ends", [(40, 40, 80, 90, 82, 44, 42, 88), (40, 46, 92, 84, 90, 40, 42, 92)])
def test_a_cross_goes(ends: tuple[int, ...], pen: int) -> None:
    sheet = Sheet(140, 140)
    for x, y, to_x, to_y in (ends[:4], ends[4:]):
        cv2.line(sheet.pixels, (x, y), (to_x, to_y), 40, pen, cv2.LINE_AA)
    assert left(sheet) == []


@pytest.mark.parametrize("slant", [-0.2, 0.0, 0.3])
def test_digits_stay(slant: float) -> None:
    sheet = Sheet(900, 140)
    for i in range(10):
        sheet.digit(str(i), 30 + 85 * i, 50, 48, slant=slant)
    assert len(left(sheet)) == 10


def test_no_pieces() -> None:
    assert left(Sheet(40, 40)) == []
