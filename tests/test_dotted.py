"""Lines of dots and dashes go, digits and all that is written in a row stay: on drawn pages at about 150 dpi."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from drawing import Sheet, blurred, noisy

from batchocr.records import Box, Pixels
from batchocr.vision.binarize import Mask, faintest_ink, flatten
from batchocr.vision.dotted import find_dotted
from batchocr.vision.find import stages
from batchocr.vision.ink import Piece, components
from batchocr.vision.rules import Rules


def scanned(page: Sheet) -> Pixels:
    return noisy(blurred(page.pixels, 0.6), 2)


def ink_of(page: Sheet) -> Mask:
    return stages(scanned(page)).ink


def dotted(page: Sheet) -> Rules:
    contrast = flatten(scanned(page))
    return find_dotted(contrast, faintest_ink(contrast))


def pieces_of(page: Sheet, least: int = 8) -> list[Piece]:
    """Pieces of ink of some size above the number at the foot of the page, from the left."""
    found = components(ink_of(page)[:880])[1]
    return sorted((p for p in found if max(p.width, p.height) >= least), key=lambda p: p.left)


def sheet() -> Sheet:
    """Paper with one number far from all else, so that the page has ordinary writing too."""
    page = Sheet(1240, 1000)
    page.number("2074158369", 700, 900, 36)
    return page


def line(
    page: Sheet,
    x0: float,
    y0: float,
    x1: float,
    y1: float,
    step: float = 7,
    long: float = 0,
    pen: int = 2,
    grey: int = 60,
    bend: float = 0,
) -> None:
    """Dots or dashes `step` pixels apart from point to point, on a bow `bend` high."""
    length = float(np.hypot(x1 - x0, y1 - y0))
    for at in np.arange(0, length - long, step):
        ends = np.array([at, at + long]) / length
        up = bend * np.sin(np.pi * ends)
        page.stroke(np.stack([x0 + ends * (x1 - x0), y0 + ends * (y1 - y0) - up], axis=1), pen, grey)


def frame(page: Sheet, left: float, top: float, right: float, bottom: float, step: float, long: float) -> None:
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    for start, stop in pairwise(corners):
        line(page, *start, *stop, step, long)


def assert_whole(page: Sheet, boxes: list[Box], within: int = 5) -> None:
    """Each digit is one piece as large as its box, and there is nothing else."""
    found = [(p.width, p.height) for p in pieces_of(page)]
    wanted = [(b.width, b.height) for b in sorted(boxes, key=lambda b: b.left)]
    assert len(found) == len(wanted), found
    assert np.abs(np.array(found) - wanted).max(initial=0) <= within, (found, wanted)


DRAWN = [(5, 0, 1), (7, 0, 2), (12, 0, 4), (18, 0, 6), (8, 4, 1), (16, 9, 2), (36, 20, 3)]
"""Step, length less the pen, pen."""


@pytest.mark.parametrize("bend", [0, 5])
@pytest.mark.parametrize(("step", "long", "pen"), DRAWN)
def test_a_row_of_dots_or_dashes_leaves_nothing(step: float, long: float, pen: int, bend: float) -> None:
    page = sheet()
    line(page, 80, 300, 1100, 306, step, long, pen, 90, bend)
    assert components(ink_of(page)[:880])[1] == []


@pytest.mark.parametrize(("step", "long", "pen"), [*DRAWN[1:-1], (30, 20, 3)])
def test_an_upright_row_of_dots_or_dashes_leaves_nothing(step: float, long: float, pen: int) -> None:
    page = sheet()
    line(page, 400, 100, 402, 800, step, long, pen)
    assert components(ink_of(page)[:880])[1] == []


@pytest.mark.parametrize("drop", [2, 12, 38])
@pytest.mark.parametrize(("step", "long", "pen"), [(7, 0, 2), (12, 0, 4), (24, 14, 2)])
@pytest.mark.parametrize("digit", list("1247"))
def test_a_digit_on_a_dotted_line_through_it_or_below_it_stays_whole(
    digit: str, step: float, long: float, pen: int, drop: int
) -> None:
    page = sheet()
    line(page, 200, 300, 800, 300, step, long, pen)
    assert_whole(page, [page.digit(digit, 400, 264 + drop, 38)])


def test_a_number_that_hides_most_of_a_dashed_line_stays_as_it_is() -> None:
    page = sheet()
    line(page, 200, 500, 800, 500, 30, 16)  # tells how the lines of this page are drawn
    line(page, 290, 300, 640, 303, 30, 16)
    assert_whole(page, page.number("304716", 330, 266, 40, gap=0.4))


@pytest.mark.parametrize(("step", "long"), [(7, 0), (12, 6), (34, 20)])
def test_a_dotted_box_goes_and_the_digits_in_it_stay(step: float, long: float) -> None:
    page = sheet()
    frame(page, 200, 300, 600, 364, step, long)
    assert_whole(page, page.number("2718", 260, 314, 36))


def test_a_dotted_box_is_a_place_for_one_number() -> None:
    page = sheet()
    frame(page, 200, 300, 600, 364, 7, 0)
    drawn = dotted(page).drawn
    assert all(drawn[y - 2 : y + 3, x - 2 : x + 3].any() for x, y in ((400, 300), (400, 364), (200, 330), (600, 330)))


# What is written


def assert_nothing(page: Sheet) -> None:
    assert not dotted(page)


@pytest.mark.parametrize("height", [9, 14, 36])
def test_a_row_of_ones_is_no_dotted_line(height: int) -> None:
    page = sheet()
    for i in range(14):
        page.stroke([(300 + 14 * i, 300), (300 + 14 * i, 300 + height)], 3)
    assert_nothing(page)


def test_ones_one_above_the_other_on_even_lines_are_no_dashes() -> None:
    page = sheet()
    for i in range(10):
        page.digit("1", 300, 100 + 50 * i, 24, pen=3)
    assert_nothing(page)


def test_points_and_dashes_by_hand_are_no_dotted_line() -> None:
    page, rng = sheet(), np.random.default_rng(3)
    for i, (x, y) in enumerate(zip(rng.normal(0, 2.5, 14), rng.normal(0, 2, 14), strict=True)):
        page.stroke([(300 + 22 * i + x, 300 + y), (308 + 22 * i + 2 * x, 300 - y)], 3)
        page.stroke([(300 + 22 * i + y, 500 + x), (300 + 22 * i + y, 500 + x)], 4)
    assert_nothing(page)


def test_the_points_of_numbers_in_a_column_are_no_dotted_line() -> None:
    page = sheet()
    for i in range(12):
        page.number("20.74", 300, 100 + 56 * i, 36)
    assert_nothing(page)


def test_a_page_without_ink_has_no_dotted_lines() -> None:
    assert_nothing(Sheet(600, 500))
