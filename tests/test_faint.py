"""Digits are left out if the other digits of the page are far darker."""

from __future__ import annotations

import numpy as np
import pytest

from batchocr.decoding.digits.faint import ink_strengths, is_faint
from batchocr.records import Pixels

BOXES = np.array([(100 + 80 * i, 100 + 90 * (i % 3), 30, 44) for i in range(8)], np.float32)
SURE = np.full(8, 0.95, np.float32)


def page(ink: list[int], paper: int = 215) -> Pixels:
    """Return a page with a ring in each box, darker (or lighter) than the paper by the given grey values."""
    pixels = np.full((500, 900), paper, np.uint8)
    for (left, top, width, height), darker in zip(BOXES.astype(int).tolist(), ink, strict=True):
        pixels[top : top + height, left : left + width] = paper - darker
        pixels[top + 6 : top + height - 6, left + 6 : left + width - 6] = paper
    return pixels


@pytest.mark.parametrize("pale, faint", [(20, True), (32, True), (60, False), (160, False)])
def test_ink_far_paler_than_that_of_the_other_digits_is_faint(pale: int, faint: bool) -> None:
    found = is_faint(ink_strengths(page([160] * 6 + [pale] * 2), BOXES), SURE)
    assert found.tolist() == [False] * 6 + [faint] * 2


def test_light_ink_on_dark_paper_counts_the_same() -> None:
    found = is_faint(ink_strengths(page([-160] * 6 + [-25] * 2, paper=40), BOXES), SURE)
    assert found.tolist() == [False] * 6 + [True] * 2


def test_a_page_in_pale_pencil_has_no_faint_digits() -> None:
    assert not is_faint(ink_strengths(page([30] * 8), BOXES), SURE).any()


def test_a_shadow_does_not_make_digits_faint() -> None:
    pixels = page([120] * 8)
    pixels[:, 450:] = pixels[:, 450:] // 3
    assert not is_faint(ink_strengths(pixels, BOXES), SURE).any()


def test_with_few_sure_digits_no_digit_is_faint() -> None:
    strengths = ink_strengths(page([160] * 4 + [20] * 4), BOXES)
    assert not is_faint(strengths, np.array([0.95] * 4 + [0.5] * 4)).any()
    assert is_faint(strengths, np.array([0.95] * 5 + [0.5] * 3)).any()
