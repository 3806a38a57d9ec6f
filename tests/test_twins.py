"""Printed figures that stand alone: drawn crops, the same again and again, or each a little different."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from batchocr.recognition.twins import printed
from batchocr.records import Box, Crops, Style

TEXT = "17205127350"
NUMBERS = [[0, 1, 2], [3, 4, 5], [6, 7], [8], [9, 10]]


def crops(text: str, wobble: float) -> Crops:
    """Figures of a drawn font, each bent by so many pixels at random."""
    rng = np.random.default_rng(5)
    made = []
    for digit in text:
        crop = np.zeros((28, 28), np.uint8)
        cv2.putText(crop, digit, (6, 23), cv2.FONT_HERSHEY_SIMPLEX, 0.75, 255, 2, cv2.LINE_AA)
        ends = np.array([(0, 0), (27, 0), (0, 27)], np.float32)
        bend = cv2.getAffineTransform(ends, (ends + rng.normal(0, wobble, (3, 2))).astype(np.float32))
        made.append(cv2.warpAffine(crop, bend, (28, 28)))
    return np.stack(made)


def styles(*heights: int) -> list[Style]:
    return [Style(Box(0, 0, 12, high), 3.0, 200.0) for high in heights]


def test_figures_that_come_again_the_same_are_print_and_all_of_their_size() -> None:
    assert printed(NUMBERS, [int(d) for d in TEXT], styles(*[24] * 11), crops(TEXT, 0)) == [True] * 5


def test_digits_that_differ_are_writing() -> None:
    assert printed(NUMBERS, [int(d) for d in TEXT], styles(*[24] * 11), crops(TEXT, 2.5)) == [False] * 5


def test_a_number_of_another_size_is_none_of_the_print() -> None:
    heights = styles(*[24] * 8, 40, 24, 24)
    assert printed(NUMBERS, [int(d) for d in TEXT], heights, crops(TEXT, 0)) == [True, True, True, False, True]


@pytest.mark.parametrize("text", ["1111", "2345", "2277"[:2]])
def test_bars_and_single_figures_and_a_pair_tell_nothing(text: str) -> None:
    numbers = [[i] for i in range(len(text))]
    digits = [int(d) for d in text]
    assert printed(numbers, digits, styles(*[24] * len(text)), crops(text, 0)) == [False] * len(text)
