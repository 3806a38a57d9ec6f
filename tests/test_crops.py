"""Crops of boxes on a page have the digit alone, in the size of MNIST, whatever is around it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawing import Sheet, noisy, shaded
from numpy.typing import NDArray

from batchocr.records import Box, Pixels
from batchocr.vision.crops import make_crops


def as_array(*boxes: Box) -> NDArray[np.float32]:
    return np.array([(b.left, b.top, b.width, b.height) for b in boxes], np.float32).reshape(-1, 4)


def alone(digit: str, height: float = 50, pen: int = 4) -> Pixels:
    """Return the crop of a digit on bare paper."""
    page = Sheet(500, 500)
    return make_crops(page.pixels, as_array(page.digit(digit, 120, 120, height, pen)))[0]


def differs(crop: Pixels, other: Pixels) -> float:
    """Return the share of the ink of one crop that is more than a pixel away from the ink of the other."""
    one, two = (np.where(each > 110, np.uint8(1), np.uint8(0)) for each in (crop, other))
    near = np.ones((3, 3), np.uint8)
    return max(float((a & (cv2.dilate(b, near) == 0)).sum() / a.sum()) for a, b in ((one, two), (two, one)))


@pytest.mark.parametrize("digit", list("0123456789"))
def test_a_crop_has_the_size_and_centre_of_mnist(digit: str) -> None:
    crop = alone(digit)
    assert crop.shape == (28, 28)
    y, x = np.nonzero(crop > 40)
    assert max(np.ptp(y), np.ptp(x)) + 1 == pytest.approx(20, abs=1)
    middle = np.array([(crop.sum(axis=1 - axis) * np.arange(28)).sum() / crop.sum() for axis in (0, 1)])
    assert np.abs(middle - 14).max() <= 1
    assert crop.max() == 255


@pytest.mark.parametrize("height", [14, 24, 100, 220])
def test_the_size_on_the_page_matters_little(height: int) -> None:
    assert differs(alone("3", height, pen=max(1, height // 12)), alone("3", 50)) < 0.05


@pytest.mark.parametrize("shift", [(-3, 0), (2, 3), (0, -3)])
def test_a_box_a_little_off_gives_the_same_crop(shift: tuple[int, int]) -> None:
    page = Sheet(300, 300)
    box = page.digit("5", 120, 120, 50)
    off = Box(box.left + shift[0], box.top + shift[1], box.width, box.height)
    assert differs(make_crops(page.pixels, as_array(off))[0], alone("5")) < 0.05


def test_neighbours_that_reach_into_the_box_are_left_out() -> None:
    page = Sheet(300, 300)
    box = page.digit("6", 120, 120, 50)
    page.stroke([(box.left - 30, 110), (box.left + 4, 122)], 4)  # cut by the box's corner
    page.digit("1", box.right + 7, 120, 50)
    wide = Box(box.left - 3, box.top - 3, box.width + 8, box.height + 6)
    assert differs(make_crops(page.pixels, as_array(wide))[0], alone("6")) < 0.05


def test_each_of_two_touching_digits_has_its_own_part() -> None:
    page = Sheet(300, 300)
    first = page.digit("0", 100, 120, 50)
    second = page.digit("0", first.right - 3, 120, 50)
    for crop in make_crops(page.pixels, as_array(first, second)):
        assert differs(crop, alone("0")) < 0.2


@pytest.mark.parametrize("digit", list("2358"))
def test_a_rule_across_the_digit_is_left_out(digit: str) -> None:
    page = Sheet(300, 300)
    box = page.digit(digit, 120, 120, 50)
    page.rule(0, 158, 300, 158, pen=2, grey=90)
    page.rule(box.right + 2, 0, box.right + 2, 300, pen=2, grey=90)
    assert differs(make_crops(page.pixels, as_array(box))[0], alone(digit)) < 0.05


def test_light_and_grain_matter_little() -> None:
    page = Sheet(300, 300)
    box = page.digit("8", 120, 120, 50)
    crop = make_crops(noisy(shaded(page.pixels, 0.5), 5), as_array(box))[0]
    assert differs(crop, alone("8")) < 0.05


def test_pencil_is_as_black_as_ink() -> None:
    page = Sheet(300, 300)
    box = page.digit("8", 120, 120, 50, grey=205)
    crop = make_crops(page.pixels, as_array(box))[0]
    assert crop.max() == 255
    assert differs(crop, alone("8")) < 0.05


def test_at_the_sides_of_the_page_and_without_ink() -> None:
    page = Sheet(60, 60)
    box = page.digit("7", 0, 0, 50)
    crops = make_crops(page.pixels, as_array(box, Box(45, 45, 20, 30), Box(-30, -30, 20, 20)))
    assert differs(crops[0], alone("7")) < 0.1
    assert not crops[2].any()
    assert make_crops(page.pixels, as_array()).shape == (0, 28, 28)


def test_a_crop_does_not_depend_on_the_other_boxes() -> None:
    page = Sheet(900, 200)
    boxes = page.number("0123456789", 40, 60, 50)
    together = make_crops(page.pixels, as_array(*boxes))
    by_itself = [make_crops(page.pixels, as_array(box))[0] for box in boxes]
    assert np.array_equal(together, by_itself)


def test_a_large_page_is_reduced() -> None:
    page = Sheet(300, 300)
    box = page.digit("4", 120, 120, 50)
    large = cv2.resize(page.pixels, None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC)
    big = Box(8 * box.left, 8 * box.top, 8 * box.width, 8 * box.height)
    assert differs(make_crops(large, as_array(big))[0], alone("4")) < 0.05
