"""What is too low beside its number is no digit."""

from __future__ import annotations

import numpy as np

from batchocr.recognition.calibration import NONE, Floats
from batchocr.recognition.heights import by_height
from batchocr.records import Box


def sure(*digits: int) -> Floats:
    found = np.full((len(digits), 11), 0.001)
    found[np.arange(len(digits)), digits] = 0.99
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def boxes(*heights: int) -> list[Box]:
    return [Box(40 * i, 100 - high, 30, high) for i, high in enumerate(heights)]


def test_a_dash_after_a_number_is_no_one() -> None:
    found = by_height(sure(5, 5, 8, 0, 1), boxes(60, 58, 62, 55, 28))
    assert found[4, NONE] > 0.9
    assert found[:4].argmax(axis=1).tolist() == [5, 5, 8, 0]
    assert np.allclose(found.sum(axis=1), 1)


def test_small_zeros_after_a_tall_one_stay() -> None:
    given = sure(1, 0, 0, 0)
    found = by_height(given, boxes(80, 36, 34, 35))
    assert np.allclose(found, given, atol=0.01)


def test_a_pair_says_nothing_of_each_other() -> None:
    given = sure(7, 1)
    assert np.array_equal(by_height(given, boxes(60, 25)), given)
