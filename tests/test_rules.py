"""Ruled lines and boxes go, digits stay whole: on drawn pages at working size (about 150 dpi)."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawing import Sheet, blurred, noisy

from batchocr.records import Box, Pixels
from batchocr.vision.binarize import Mask, binarize, faintest_ink, flatten
from batchocr.vision.find import PALE_RULE
from batchocr.vision.ink import Piece, components
from batchocr.vision.rules import find_rules, mend


def writing(pixels: Pixels) -> Mask:
    """The ink without its rules, of a page as a scanner gives it: a little soft, a little noisy."""
    contrast = flatten(noisy(blurred(pixels, 0.7), 2))
    faintest = faintest_ink(contrast)
    faint = cv2.compare(contrast, float(faintest), cv2.CMP_GT)
    rules = find_rules(cv2.compare(contrast, PALE_RULE * faintest, cv2.CMP_GT), contrast)
    if not rules:
        return binarize(contrast, faintest)
    bare = cv2.bitwise_and(contrast, cv2.bitwise_not(rules.halo()))
    return mend(binarize(bare, faintest), rules, faint)


def plain(pixels: Pixels) -> Mask:
    """The ink with all that is there."""
    contrast = flatten(noisy(blurred(pixels, 0.7), 2))
    return binarize(contrast, faintest_ink(contrast))


def pieces_of(ink: Mask, least: int = 12) -> list[Piece]:
    """Pieces of ink of some size, from the left."""
    return sorted((p for p in components(ink)[1] if max(p.width, p.height) >= least), key=lambda p: p.left)


def sheet() -> Sheet:
    """Paper with one number far from all rules, so that the page has ordinary writing too."""
    page = Sheet(1240, 1000)
    page.number("2074158369", 700, 900, 36)
    return page


def part(ink: Mask, bottom: int = 880) -> Mask:
    """The page above that number."""
    return ink[:bottom]


def is_whole(piece: Piece, box: Box, within: int = 3) -> bool:
    ends = zip(
        (piece.left, piece.top, piece.right, piece.bottom), (box.left, box.top, box.right, box.bottom), strict=True
    )
    return all(abs(a - b) <= within for a, b in ends)


def assert_whole(page: Sheet, boxes: list[Box], within: int = 3) -> None:
    """Each digit is one piece that fills its box, and there is nothing else."""
    pieces = pieces_of(part(writing(page.pixels)))
    told = [(p.left, p.top, p.right, p.bottom) for p in pieces]
    assert len(pieces) == len(boxes), told
    for piece, box in zip(pieces, sorted(boxes, key=lambda b: b.left), strict=True):
        assert is_whole(piece, box, within), (told, box)


# Ruled lines


@pytest.mark.parametrize("grey", [60, 120, 180])
@pytest.mark.parametrize("pen", [1, 2, 4])
def test_ruled_lines_without_writing_leave_nothing(pen: int, grey: int) -> None:
    page = sheet()
    for row in range(6):
        page.rule(80, 100 + 120 * row, 1160, 100 + 120 * row, pen, grey)
    assert pieces_of(part(writing(page.pixels))) == []


@pytest.mark.parametrize("sag", [4, 12])
def test_a_ruled_line_that_slopes_a_little_is_removed(sag: int) -> None:
    page = sheet()
    page.rule(80, 300, 1160, 300 + sag, 2, 120)
    assert pieces_of(part(writing(page.pixels))) == []


@pytest.mark.parametrize("grey", [60, 130, 180])
def test_digits_above_a_line_stay_as_they_are(grey: int) -> None:
    page = sheet()
    page.rule(80, 300, 1160, 300, 2, grey)
    assert_whole(page, page.number("2074158369", 200, 255, 36))


@pytest.mark.parametrize("grey", [60, 160])
@pytest.mark.parametrize("digit", list("0123456789"))
def test_a_digit_that_stands_on_a_line_keeps_its_height(digit: str, grey: int) -> None:
    page = sheet()
    page.rule(80, 300, 1160, 300, 2, grey)
    assert_whole(page, [page.digit(digit, 400, 263, 38)], within=4)


@pytest.mark.parametrize(("pen", "grey"), [(2, 60), (2, 160), (3, 110), (4, 30), (6, 60)])
@pytest.mark.parametrize("digit", list("01346789"))
def test_a_digit_that_crosses_a_line_is_mended_into_one_piece(digit: str, grey: int, pen: int) -> None:
    page = sheet()
    page.rule(80, 300, 1160, 300, pen, grey)
    assert_whole(page, [page.digit(digit, 400, 278, 44)], within=4)


def test_a_row_of_digits_crossing_a_line_stays_a_row_of_digits() -> None:
    page = sheet()
    page.rule(80, 300, 1160, 300, 2, 110)
    assert_whole(page, page.number("304916", 400, 276, 42, gap=0.4), within=4)


def test_a_one_that_reaches_from_one_rule_to_the_next_is_kept() -> None:
    page = sheet()
    page.rule(80, 260, 1160, 260, 2, 120)
    page.rule(80, 300, 1160, 300, 2, 120)
    boxes = [page.digit("1", 400, 260, 41), page.digit("7", 450, 266, 30)]
    assert_whole(page, boxes, within=4)


def test_a_struck_one_on_narrow_ruled_paper_is_kept() -> None:
    page = sheet()
    for row in range(6):
        page.rule(80, 260 + 40 * row, 1160, 260 + 40 * row, 2, 150)
    assert_whole(page, [page.digit("1", 400, 290, 56), page.digit("1", 430, 300, 36)], within=4)


@pytest.mark.parametrize("bend", [4, 10])
@pytest.mark.parametrize("grey", [60, 170])
def test_a_bent_line_is_removed_and_what_stands_above_it_is_not(grey: int, bend: int) -> None:
    page = sheet()
    page.stroke([(x, 320 + bend * np.sin(np.pi * (x - 80) / 1080)) for x in range(80, 1161, 20)], 2, grey)
    assert_whole(page, page.number("2074158369", 200, 260, 36))


def test_a_line_hardly_darker_than_its_paper_is_removed() -> None:
    page = sheet()
    for row in range(4):
        page.rule(80, 300 + 60 * row, 1160, 300 + 60 * row, 1, 218)
    assert_whole(page, page.number("304916", 400, 310, 40, gap=0.4))


# Boxes


@pytest.mark.parametrize("grey", [60, 130, 190])
@pytest.mark.parametrize("pen", [1, 2, 3])
@pytest.mark.parametrize("size", [(44, 52), (56, 56), (240, 60)])
def test_an_empty_box_leaves_nothing(size: tuple[int, int], pen: int, grey: int) -> None:
    page = sheet()
    page.frame(300, 300, *size, pen, grey)
    assert pieces_of(part(writing(page.pixels))) == []


@pytest.mark.parametrize("pen", [5, 8])
def test_a_thick_frame_goes_and_the_digits_in_it_stay(pen: int) -> None:
    page = sheet()
    page.frame(300, 300, 300, 70, pen, 60)
    assert_whole(page, page.number("2748", 330, 318, 36))


@pytest.mark.parametrize("lean", [-0.03, 0.03])
def test_a_box_that_leans_as_on_a_photo_leaves_nothing(lean: float) -> None:
    page = sheet()
    corners = [(300.0, 300.0), (480, 300 + 180 * lean), (480 - 60 * lean, 360 + 180 * lean), (300 - 60 * lean, 360)]
    page.stroke([*corners, corners[0]], 2, 90)
    assert_whole(page, [page.digit("5", 350, 312, 36)])


@pytest.mark.parametrize("digit", list("03578"))
def test_a_digit_alone_in_a_small_box_is_all_that_stays(digit: str) -> None:
    page = sheet()
    page.frame(300, 300, 36, 54, 2, 90)
    assert_whole(page, [page.digit(digit, 306, 308, 38, pen=3)])


@pytest.mark.parametrize("pen", [3, 4, 6])
def test_a_square_nought_is_no_box(pen: int) -> None:
    page = sheet()
    page.stroke([(x, y) for x, y in ((306, 300), (330, 301), (335, 306), (334, 334), (329, 339), (304, 338))], pen)
    page.stroke([(304, 338), (299, 333), (300, 305), (306, 300)], pen)
    assert np.array_equal(writing(page.pixels), plain(page.pixels))


def comb(page: Sheet, cells: int, left: int, top: int, width: int, height: int, grey: int) -> None:
    page.frame(left, top, cells * width, height, 2, grey)
    for cell in range(1, cells):
        page.rule(left + cell * width, top, left + cell * width, top + height, 2, grey)


@pytest.mark.parametrize("grey", [60, 130, 190])
def test_a_comb_goes_and_the_digits_in_it_stay(grey: int) -> None:
    page = sheet()
    comb(page, 6, 300, 300, 48, 56, grey)
    boxes = [page.digit(digit, 312 + 48 * i, 310, 36) for i, digit in enumerate("207418")]
    assert_whole(page, boxes)


@pytest.mark.parametrize(
    ("stem", "grey"), [(7, 60), (7, 190), *((stem, grey) for stem in (10, 15) for grey in (60, 130, 190))]
)
def test_a_four_whose_bar_touches_the_side_of_its_box_stays_whole(stem: int, grey: int) -> None:
    """Its upright stroke stands `stem` pixels from the side, which is at 396."""
    page = sheet()
    comb(page, 4, 300, 300, 48, 56, grey)
    x = 396 - stem
    page.stroke([(x - 8, 312), (x - 20, 334), (395, 334)], 4)
    page.stroke([(x, 318), (x, 346)], 4)
    boxes = [page.digit("2", 312, 310, 36), Box(x - 22, 310, 396 - (x - 22), 38), page.digit("7", 408, 310, 36)]
    assert_whole(page, boxes, within=4)


@pytest.mark.parametrize("grey", [60, 120])
def test_a_seven_whose_bar_reaches_both_sides_of_its_cell_keeps_it(grey: int) -> None:
    page = sheet()
    comb(page, 4, 300, 300, 48, 56, grey)
    page.rule(300, 300, 492, 300, 2, grey)
    page.stroke([(352, 314), (394, 313), (372, 350)], 5)
    (bar,) = [p for p in pieces_of(part(writing(page.pixels))) if 340 < p.left < 400]
    assert bar.width > 34 and bar.height > 32


def test_cells_over_each_other_leave_nothing() -> None:
    page = sheet()
    for x in (300, 350):
        page.rule(x, 300, x, 500, 2, 90)
    for y in range(300, 501, 50):
        page.rule(300, y, 350, y, 2, 90)
    assert not pieces_of(part(writing(page.pixels)))


@pytest.mark.parametrize("digit", list("147"))
def test_a_digit_that_runs_out_of_its_box_below_stays_whole(digit: str) -> None:
    page = sheet()
    comb(page, 4, 300, 300, 48, 56, 120)
    assert_whole(page, [page.digit(digit, 360, 318, 48)], within=4)


def test_a_table_goes_and_the_digits_in_it_stay() -> None:
    page = sheet()
    for row in range(5):
        page.rule(200, 200 + 60 * row, 1000, 200 + 60 * row, 2, 90)
    for column in range(5):
        page.rule(200 + 200 * column, 200, 200 + 200 * column, 440, 2, 90)
    boxes = page.number("2074", 220, 212, 36) + page.number("158", 420, 332, 36)
    assert_whole(page, boxes)


# What is no rule


@pytest.mark.parametrize("height", [20, 36, 60, 75])
@pytest.mark.parametrize("digit", list("0123456789"))
def test_without_rules_every_stroke_of_a_digit_is_kept(digit: str, height: int) -> None:
    page = sheet()
    page.number(digit * 6, 200, 300, height, pen=max(3, height // 12), gap=0.4)
    assert np.array_equal(writing(page.pixels), plain(page.pixels))


@pytest.mark.parametrize("wide", [30, 45, 60, 70])
@pytest.mark.parametrize("pen", [3, 5])
def test_the_bar_of_a_wide_seven_and_the_base_of_a_two_survive(pen: int, wide: int) -> None:
    page = sheet()
    page.stroke([(300, 300), (300 + wide, 300), (310, 350)], pen)
    page.stroke([(500, 310), (520, 300), (530, 315), (500, 350), (500 + wide, 350)], pen)
    assert np.array_equal(writing(page.pixels), plain(page.pixels))


@pytest.mark.parametrize("digit", list("2457"))
def test_the_bars_of_close_small_digits_in_a_row_are_no_rule(digit: str) -> None:
    page = sheet()
    page.number(digit * 6, 200, 300, 20, pen=3)
    assert np.array_equal(writing(page.pixels), plain(page.pixels))


def test_the_bar_of_a_seven_survives_on_ruled_paper() -> None:
    page = sheet()
    for row in range(5):
        page.rule(80, 250 + 60 * row, 1160, 250 + 60 * row, 2, 150)
    page.stroke([(300, 262), (350, 262), (315, 302)], 4)
    (seven,) = pieces_of(part(writing(page.pixels)))
    assert is_whole(seven, Box(298, 260, 54, 44), within=4)


def test_a_page_without_ink_has_no_rules() -> None:
    assert not writing(Sheet(600, 500).pixels).any()
