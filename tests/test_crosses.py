"""Crosses in cells: drawn strokes along both diagonals, and shapes that are none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from batchocr.forms.reading.crosses import is_cross
from batchocr.forms.reading.parameters import CrossParameters

Line = tuple[tuple[int, int], tuple[int, int]]
FALLING, RISING = ((5, 5), (22, 22)), ((5, 22), (22, 5))


def drawn(*lines: Line, thickness: int = 2) -> NDArray[np.uint8]:
    crop = np.zeros((28, 28), np.uint8)
    for start, end in lines:
        cv2.line(crop, start, end, 255, thickness, cv2.LINE_AA)
    return crop


@pytest.mark.parametrize(
    "lines",
    [
        (FALLING, RISING),
        (((3, 7), (24, 20)), ((4, 21), (23, 6))),  # wide
        (((8, 3), (19, 24)), ((8, 24), (19, 3))),  # narrow
        (((5, 6), (22, 21)), ((6, 22), (22, 5))),  # ends that are not at the same height
    ],
)
def test_two_diagonals_are_a_cross(lines: tuple[Line, ...]) -> None:
    assert is_cross(drawn(*lines), CrossParameters())


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (FALLING,),
        (((13, 4), (13, 23)), ((4, 13), (23, 13))),  # a plus
        (((13, 4), (13, 23)),),  # a one
        (((5, 5), (22, 5)), ((22, 5), (10, 23))),  # a seven
        (((8, 4), (8, 14)), ((8, 14), (21, 14)), ((18, 6), (18, 24))),  # a four
        (FALLING, ((5, 22), (13, 14))),  # half a stroke is missing
        (FALLING, RISING, ((5, 5), (22, 5)), ((5, 22), (22, 22)), ((5, 5), (5, 22))),  # a framed cross
        (((4, 12), (24, 15)), ((4, 15), (24, 12))),  # flat
    ],
)
def test_other_shapes_are_no_crosses(lines: tuple[Line, ...]) -> None:
    assert not is_cross(drawn(*lines), CrossParameters())


def test_a_circle_is_no_cross() -> None:
    crop = np.zeros((28, 28), np.uint8)
    cv2.circle(crop, (14, 14), 9, 255, 2)
    assert not is_cross(crop, CrossParameters())


def test_pale_pixels_are_no_ink() -> None:
    assert not is_cross(drawn(FALLING, RISING) // 4, CrossParameters())
