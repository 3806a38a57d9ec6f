"""Marks of whole pages: writing without any reading, and digits that the side of the page cuts off."""

from __future__ import annotations

import numpy as np
from drawing import Sheet

from batchocr.decoding.marks.page_ink import has_writing, is_cut, is_whole_page
from batchocr.records import Pixels

BOX = np.array([[400.0, 300, 30, 40]])


def test_a_page_with_writing_is_distinguished_from_a_bare_and_a_ruled_one() -> None:
    bare, ruled, written = Sheet(900, 700), Sheet(900, 700), Sheet(900, 700)
    for row in range(6):
        ruled.rule(50, 100 + 90 * row, 850, 100 + 90 * row)
    for i in range(4):
        written.digit("8", 100 + 130 * i, 200, 40, pen=4)
    assert not has_writing(bare.pixels)
    assert not has_writing(ruled.pixels)
    assert has_writing(written.pixels)
    assert has_writing((255 - written.pixels).astype(np.uint8))


def test_specks_are_not_writing() -> None:
    pixels = Sheet(900, 700).pixels.copy()
    for x in range(50, 850, 40):
        pixels[300:303, x : x + 3] = 30
    assert not has_writing(pixels)


def cut_page(left: int) -> Pixels:
    """Return a page with a stroke that is 30 pixels wide and starts at a column; a negative one is outside the page."""
    pixels = np.full((700, 900), 240, np.uint8)
    pixels[300:340, max(0, left) : left + 30] = 40
    return pixels


def test_ink_that_ends_at_the_side_is_cut_and_ink_near_it_is_not() -> None:
    strength = np.array([200.0])
    assert is_cut(cut_page(-10), np.array([[-10.0, 300, 30, 40]]), strength).tolist() == [True]
    assert is_cut(cut_page(2), np.array([[1.0, 300, 31, 40]]), strength).tolist() == [False]
    assert is_cut(cut_page(400), BOX, strength).tolist() == [False]
    turned = np.ascontiguousarray(np.rot90(cut_page(-10)))
    assert is_cut(turned, np.array([[300.0, 880, 40, 30]]), strength).tolist() == [True]


def test_a_strip_is_not_a_whole_page() -> None:
    assert is_whole_page(np.zeros((700, 900), np.uint8), BOX)
    assert not is_whole_page(np.zeros((90, 900), np.uint8), BOX)
    assert not is_whole_page(np.zeros((700, 900), np.uint8), np.empty((0, 4)))
