"""Detections that were nearly read as digits mark the number beside them."""

from __future__ import annotations

import numpy as np
import pytest

from batchocr.decoding.marks.maybe_missed import may_lack_digit, uncovered_boxes

NUMBER = np.array([[100.0, 50, 20, 30], [125, 50, 20, 30], [150, 52, 20, 30]])


@pytest.mark.parametrize(
    "box, missed",
    [
        ((175, 50, 20, 30), True),  # after the last
        ((75, 52, 18, 28), True),  # before the first
        ((125, 50, 20, 30), True),  # between
        ((205, 50, 20, 30), False),  # too far
        ((175, 85, 20, 30), False),  # of the line below
        ((175, 60, 5, 8), False),  # a speck
        ((175, 20, 60, 90), False),  # far too large
    ],
)
def test_a_digit_may_be_missed_on_the_line_of_a_number(box: tuple[int, ...], missed: bool) -> None:
    assert may_lack_digit(NUMBER, np.array([box], float)) is missed
    assert not may_lack_digit(NUMBER, np.empty((0, 4)))


def test_ink_of_a_digit_is_not_missed() -> None:
    boxes = np.array([[102.0, 52, 16, 26], [180, 50, 20, 30], [168, 50, 20, 30]])
    assert uncovered_boxes(boxes, NUMBER)[:, 0].tolist() == [180, 168]
    assert len(uncovered_boxes(boxes, np.empty((0, 4)))) == 3
