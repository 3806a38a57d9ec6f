"""The same digit inside its own box is removed; another digit inside it, and the same digit beside it, stay."""

from __future__ import annotations

import numpy as np
import pytest

from batchocr.decoding.digits.found_twice import is_found_twice
from batchocr.decoding.digits.joint import JointReading

LONG_SEVEN = (100, 100, 30, 60)


def reading(digits: str, confidences: list[float]) -> JointReading:
    known, none = np.array([int(c) for c in digits]), np.zeros(len(digits))
    return JointReading(known, known, np.array(confidences), none, none)


@pytest.mark.parametrize(
    ("other", "digits", "confidences", "gone"),
    [
        ((102, 100, 26, 30), "77", [0.9, 0.8], [False, True]),
        ((102, 100, 26, 30), "77", [0.5, 0.8], [True, False]),
        ((102, 100, 26, 30), "71", [0.9, 0.8], [False, False]),  # a 1 beside the long tail
        ((118, 100, 28, 60), "77", [0.9, 0.8], [False, False]),  # two that overlap
        ((140, 100, 30, 60), "77", [0.9, 0.8], [False, False]),
    ],
    ids=["part", "surer part", "other digit", "overlap", "apart"],
)
def test_a_digit_inside_the_box_of_the_same_digit(
    other: tuple[int, int, int, int], digits: str, confidences: list[float], gone: list[bool]
) -> None:
    boxes = np.array([LONG_SEVEN, other], float)
    assert is_found_twice(boxes, reading(digits, confidences)).tolist() == gone
    assert is_found_twice(boxes[::-1], reading(digits[::-1], confidences[::-1])).tolist() == gone[::-1]


def test_no_detections_are_accepted() -> None:
    assert is_found_twice(np.empty((0, 4)), reading("", [])).tolist() == []
