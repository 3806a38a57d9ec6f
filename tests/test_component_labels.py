"""The boxes of a known number are those of its ink, if it has as many separate pieces as digits."""

from __future__ import annotations

import cv2
import numpy as np

from batchocr.records import Pixels
from batchocr.training.component_labels import component_boxes, missing_boxes


def strip(text: str, gap: int = 10) -> Pixels:
    """Return a number in a plain stroke font on grainy paper, 80 px high."""
    rng = np.random.default_rng(len(text))
    pixels = np.clip(225 + rng.normal(0, 3, (80, 60 + 40 * len(text))), 0, 255).astype(np.uint8)
    x = 25
    for character in text:
        cv2.putText(pixels, character, (x, 58), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 40, 2, cv2.LINE_AA)
        x += 24 + gap
    return pixels


def test_separate_digits_have_the_boxes_of_their_ink() -> None:
    boxes = component_boxes(strip("2069"), 4)
    assert boxes is not None
    assert (np.diff(boxes[:, 0]) > 25).all()  # from the left, one for each digit
    assert (np.abs(boxes[:, 3] - 28) <= 4).all()
    assert (np.abs(boxes[:, 1] + boxes[:, 3] - 59) <= 3).all()


def test_another_number_of_pieces_gives_no_boxes() -> None:
    assert component_boxes(strip("2069"), 3) is None
    assert component_boxes(strip("88", gap=-8), 3) is None  # they touch
    assert component_boxes(np.full((80, 120), 230, np.uint8), 1) is None


def test_rules_at_the_side_and_specks_are_not_digits() -> None:
    pixels = strip("25")
    pixels[:, :4] = 30
    pixels[40:44, 15:18] = 60
    boxes = component_boxes(pixels, 2)
    assert boxes is not None
    assert boxes[0, 0] > 20


def test_the_flag_of_a_digit_is_a_part_of_it() -> None:
    pixels = np.full((80, 100), 230, np.uint8)
    cv2.ellipse(pixels, (45, 48), (12, 12), 0, -120, 140, 40, 2)
    cv2.line(pixels, (38, 26), (56, 26), 40, 2)
    boxes = component_boxes(pixels, 1)
    assert boxes is not None
    assert boxes[0, 3] > 32


def test_two_digits_in_one_stroke_are_separated_along_their_slant() -> None:
    pixels = np.full((80, 120), 230, np.uint8)
    cv2.line(pixels, (40, 20), (30, 42), 40, 2)  # a leaning 1
    cv2.polylines(pixels, [np.array([(38, 24), (58, 22), (40, 68)])], False, 40, 2)  # a leaning 7 that it touches
    boxes = component_boxes(pixels, 2)
    assert boxes is not None
    one, seven = boxes
    assert one[1] + one[3] < 46 and one[2] < 20, "the tail of the 7 belongs to the 1"
    assert seven[0] + seven[2] > 56 and seven[1] + seven[3] > 66


def test_a_missing_digit_has_the_box_of_its_ink() -> None:
    pixels = strip("580")
    every = component_boxes(pixels, 3)
    assert every is not None
    found = missing_boxes(pixels, every[1:], (0, float(every[1, 0])), 1)
    assert found is not None and np.abs(found[0] - every[0]).max() <= 2
    assert missing_boxes(pixels, every[1:], (0, float(every[1, 0])), 2) is None
    assert missing_boxes(pixels, every[1:], (120, 180), 1) is None, "there is no ink"
