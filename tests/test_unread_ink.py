"""Ink beside a number that no detection explains."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from layouts import row_of_boxes

from batchocr.decoding.marks.number_ink import ReducedPage, ink_around
from batchocr.decoding.marks.unread_ink import has_unread_ink
from batchocr.records import Pixels

BASE = 150.0
NONE = np.empty((0, 4))


def page(*strokes: tuple[tuple[int, int], tuple[int, int]], ink: int = 40) -> Pixels:
    """Return a page with three digits, drawn as frames, at x = 100, 130 and 160, and with other strokes."""
    pixels = np.full((260, 420), 240, np.uint8)
    for left, top, width, high in row_of_boxes(100, BASE, 3).astype(int).tolist():
        cv2.rectangle(pixels, (left + 2, top + 2), (left + width - 2, top + high - 2), 40, 4)
    for start, stop in strokes:
        cv2.line(pixels, start, stop, ink, 4)
    return pixels


def unread(pixels: Pixels, read: int = 3, explained: np.ndarray = NONE) -> bool:
    digits = row_of_boxes(100, BASE, 3)[:read]
    ink = ink_around(ReducedPage(pixels), digits)
    assert ink is not None
    return has_unread_ink(ink, np.concatenate([digits, explained]))


def test_digits_that_are_read_are_explained() -> None:
    assert not unread(page())


def test_a_digit_beside_the_number_that_was_not_read() -> None:
    assert unread(page(), read=2)


def test_light_writing_on_dark_paper_too() -> None:
    assert unread(255 - page(), read=2)
    assert not unread(255 - page())


@pytest.mark.parametrize("end", [150, 190])
def test_a_stroke_as_high_as_a_digit_or_twice_as_high(end: int) -> None:
    assert unread(page(((198, 112), (198, end))))


@pytest.mark.parametrize(
    "stroke",
    [
        ((196, 148), (198, 149)),  # a point
        ((60, 152), (300, 152)),  # a base line
        ((198, 0), (198, 259)),  # the side of a table's cell
        ((300, 110), (300, 150)),  # another number
        ((198, 160), (198, 200)),  # another line
    ],
)
def test_other_ink_is_not_an_unread_digit(stroke: tuple[tuple[int, int], tuple[int, int]]) -> None:
    assert not unread(page(stroke))


def test_faint_print_is_not_unread() -> None:
    assert not unread(page(((198, 112), (198, 150)), ink=190))


def test_a_sign_is_explained() -> None:
    assert not unread(page(((198, 112), (198, 150))), explained=np.array([[194.0, 110.0, 9.0, 42.0]]))


def test_a_5_of_an_old_register_that_continues_far_below_the_line() -> None:
    pixels = page()
    cv2.polylines(pixels, [np.array([(222, 96), (208, 104), (212, 170), (196, 256)], np.int32)], False, 40, 4)
    assert unread(pixels)


def test_a_word_that_touches_the_number_counts_and_a_rule_does_not() -> None:
    word = [((188 + 22 * i, 150), (199 + 22 * i, 120)) for i in range(6)]
    word += [((199 + 22 * i, 120), (210 + 22 * i, 150)) for i in range(6)]
    assert unread(page(*word))
    comb = [((60, 152), (400, 152)), *(((x, 134), (x, 152)) for x in (96, 127, 157, 188, 218, 248))]
    assert not unread(page(*comb))
