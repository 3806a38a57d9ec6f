"""The pictures of a page on its way: what is drawn, and in which colour."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawing import Sheet

from batchocr.output import cuts
from batchocr.output.overlay import Colour, Picture
from batchocr.output.stages import BLUE, GREEN, STAGES
from batchocr.records import Candidate, DigitRow, Pixels
from batchocr.vision.candidates import layout
from batchocr.vision.find import find, stages


def row(candidate: Candidate, digit: int, review: str = "") -> DigitRow:
    box = candidate.box
    place = ("page.png", 1, 1, 1, 1, digit, 0.9, 0, 0.1)
    return DigitRow(*place, box.left, box.top, box.width, box.height, review)


def drawn(stage: str, pixels: Pixels, digits: list[DigitRow] | None = None) -> Picture:
    seen = stages(pixels)
    return STAGES[stage](pixels, seen, layout(seen, pixels.shape), digits or [])


def has(picture: Picture, colour: Colour, least: int = 20) -> bool:
    return int((picture == colour).all(axis=-1).sum()) >= least


def touching() -> Pixels:
    """A page with two noughts that touch, and other numbers."""
    page = Sheet(900, 500)
    page.number("2748", 100, 100, 50)
    page.digit("0", 100, 300, 50)
    page.digit("0", 128, 300, 50)
    return page.pixels


def parts(pixels: Pixels) -> list[Candidate]:
    """The candidates of the number that may be cut, the whole first."""
    (number,) = [n for line in find(pixels).lines for n in line.numbers if max(c.box.width for c in n.candidates) > 50]
    return sorted(number.candidates, key=lambda c: (c.start, -c.stop))


def test_a_cut_that_was_made_is_black_and_its_digits_have_colours_of_their_own() -> None:
    pixels = touching()
    found = parts(pixels)
    halves = [c for c in found if c.cut and c.box.width < 40]
    first = next(c for c in halves if c.start == 0)
    second = next(c for c in halves if c.start == first.stop and c.stop == found[0].stop)
    picture = drawn("cuts", pixels, [row(first, 0), row(second, 0)])
    assert has(picture, cuts.CHOSEN)
    assert all(has(picture, ink, 300) for ink in cuts.INKS[:2])


def test_a_cut_that_was_not_made_is_pale_and_the_digit_in_one_colour() -> None:
    pixels = touching()
    picture = drawn("cuts", pixels, [row(parts(pixels)[0], 8, "low-confidence")])
    assert has(picture, cuts.REJECTED)
    assert has(picture, cuts.INKS[0], 600)
    assert not has(picture, cuts.INKS[1])
    assert has(picture, cuts.REVIEW)


def test_what_gave_no_row_is_grey() -> None:
    picture = drawn("cuts", touching())
    assert has(picture, cuts.NONE, 1000)
    assert not any(has(picture, ink) for ink in cuts.INKS)


@pytest.mark.parametrize("stage", list(STAGES))
def test_each_stage_of_a_page_without_writing_is_a_picture(stage: str) -> None:
    picture = drawn(stage, np.full((300, 400), 240, np.uint8))
    assert picture.ndim == 3
    assert picture.dtype == np.uint8


def test_the_outline_of_a_photographed_sheet_is_green_where_it_lies() -> None:
    page = Sheet(900, 1200)
    for y in range(100, 1100, 120):
        page.number("2074158", 100, y, 50)
    ends = np.array([(160, 120), (1040, 150), (1010, 1330), (130, 1290)], np.float32)
    corners = np.array([(0, 0), (900, 0), (900, 1200), (0, 1200)], np.float32)
    desk = np.full((1450, 1200), 70, np.uint8)
    matrix = cv2.getPerspectiveTransform(corners, ends)
    photo = cv2.warpPerspective(page.pixels, matrix, (1200, 1450), dst=desk, borderMode=cv2.BORDER_TRANSPARENT)
    picture = drawn("sheet", photo)
    above = picture.shape[0] - 1450
    ys, xs = np.nonzero((picture == GREEN).all(axis=-1))
    off = [np.hypot(xs - end[0], ys - above - end[1]).min() for end in ends.tolist()]
    assert max(off) < 12, off
    assert has(picture, BLUE, 2000)


def test_a_page_that_fills_its_picture_has_no_outline() -> None:
    assert not has(drawn("sheet", touching()), GREEN)
