"""Boxes and combs, and which digits they make one number."""

from __future__ import annotations

import numpy as np
import pytest

from batchocr.vision.binarize import Mask
from batchocr.vision.fields import Fields, find_fields
from batchocr.vision.ink import Piece
from batchocr.vision.layout import lines, numbers

HEIGHT = 36


def digit(left: int, top: int, width: int = 24, height: int = HEIGHT) -> Piece:
    return Piece(left, top, left + width, top + height, width * height // 3, (1,))


def page() -> Mask:
    return np.zeros((500, 900), np.uint8)


def cells(drawn: Mask, left: int, top: int, widths: list[int], height: int = 56) -> None:
    """Draw cells side by side, with walls of two pixels."""
    right = left + sum(widths)
    for y in (top, top + height):
        drawn[y : y + 2, left : right + 2] = 255
    for x in np.cumsum([left, *widths]).tolist():
        drawn[top : top + height + 2, x : x + 2] = 255


def found(drawn: Mask, pieces: list[Piece]) -> Fields:
    fields = find_fields(drawn, pieces, HEIGHT)
    assert fields is not None
    return fields


def read(drawn: Mask, pieces: list[Piece]) -> list[list[list[Piece]]]:
    fields = found(drawn, pieces)
    return [numbers(row, (), fields) for row in lines(pieces, HEIGHT, fields)]


def test_no_rules_no_fields() -> None:
    assert find_fields(page(), [digit(100, 100)], HEIGHT) is None


def test_the_digits_of_a_comb_are_one_number_though_cells_are_empty() -> None:
    drawn = page()
    cells(drawn, 100, 100, [48] * 6)
    digits = [digit(112 + 48 * i, 110) for i in (0, 1, 4, 5)]
    assert read(drawn, digits) == [[digits]]


def test_a_scrap_at_the_foot_of_a_box_does_not_draw_its_digit_to_another_line() -> None:
    drawn = page()
    cells(drawn, 100, 100, [48] * 3)
    small = [digit(20 + 14 * i, 116, 10, 14) for i in range(5)]
    digits = [digit(112 + 48 * i, 104) for i in range(3)]
    scrap = digit(110 + 48, 134, 14, 9)
    fields = find_fields(drawn, [*small, *digits, scrap], 16)
    (line,) = lines([*small, *digits, scrap], 16, fields)
    assert [piece for piece in line if piece in digits] == digits


def test_lines_of_ruled_paper_between_its_margin_and_a_fold_are_no_boxes() -> None:
    drawn = page()
    for top in range(60, 400, 56):
        cells(drawn, 60, top, [700])
    digits = [[digit(left + 28 * i, 126) for i in range(3)] for left in (80, 210)]
    assert read(drawn, digits[0] + digits[1]) == [digits]


def test_two_combs_on_a_line_are_two_numbers_though_they_stand_close() -> None:
    drawn = page()
    cells(drawn, 100, 100, [48] * 3)
    cells(drawn, 100 + 144 + 30, 100, [48] * 2)
    first = [digit(112 + 48 * i, 110) for i in range(3)]
    second = [digit(286 + 48 * i, 110) for i in range(2)]
    assert read(drawn, first + second) == [[first, second]]


def test_boxes_of_one_digit_side_by_side_are_one_number() -> None:
    drawn = page()
    for i in range(3):
        cells(drawn, 100 + 58 * i, 100, [50])
    digits = [digit(112 + 58 * i, 110) for i in range(3)]
    assert read(drawn, digits) == [[digits]]


def test_a_side_that_was_not_found_does_not_end_a_number() -> None:
    drawn = page()
    cells(drawn, 100, 100, [48, 96, 48])
    digits = [digit(112 + 48 * i, 110) for i in range(4)]
    assert read(drawn, digits) == [[digits]]


def test_neighbouring_cells_of_a_table_are_different_numbers() -> None:
    drawn = page()
    cells(drawn, 100, 100, [160, 160])
    first, second = [digit(200, 110), digit(230, 110)], [digit(266, 110), digit(296, 110)]
    assert read(drawn, first + second) == [[first, second]]


def test_a_wide_gap_in_a_box_is_no_end_and_a_very_wide_one_is() -> None:
    drawn = page()
    cells(drawn, 100, 100, [500])
    near = [digit(120, 110), digit(120 + 24 + 50, 110)]
    assert read(drawn, near) == [[near]]
    far = [digit(120, 110), digit(120 + 24 + 100, 110)]
    assert read(drawn, far) == [[[far[0]], [far[1]]]]


def test_a_grid_of_narrow_cells_says_nothing_of_numbers() -> None:
    drawn = page()
    for row in range(3):
        cells(drawn, 100, 100 + 56 * row, [48] * 4)
    fields = found(drawn, [digit(112, 110)])
    assert not fields.numbers.any()


def test_square_cells_of_a_large_grid_hold_a_number_each() -> None:
    drawn = page()
    for row in range(5):
        cells(drawn, 100, 100 + 56 * row, [56] * 7)
    digits = [digit(116 + 56 * i, 110, width=40) for i in range(7)]
    assert read(drawn, digits) == [[[piece] for piece in digits]]


def test_wide_cells_of_a_table_hold_a_number_each() -> None:
    drawn = page()
    for row in range(3):
        cells(drawn, 100, 100 + 56 * row, [100] * 3)
    first, second = [digit(140, 110), digit(172, 110)], [digit(206, 110), digit(236, 110)]
    assert read(drawn, first + second) == [[first, second]]


def test_what_is_left_of_a_side_between_two_rules_is_no_digit_beside_small_print() -> None:
    drawn = page()
    cells(drawn, 100, 100, [300, 300], height=150)
    cells(drawn, 100, 300, [300], height=50)
    letters = [digit(120 + 40 * i, 310) for i in range(5)]
    side, one = digit(250, 103, width=4, height=146), digit(500, 120, width=6, height=110)
    fields = found(drawn, [*letters, side, one])
    assert fields.spans(side)
    assert not fields.spans(one)
    assert lines([*letters, side, one], HEIGHT, fields) == [[one], letters]


def test_a_high_box_is_no_field_for_one_line() -> None:
    drawn = page()
    cells(drawn, 100, 100, [400], height=300)
    assert find_fields(drawn, [digit(120, 110)], HEIGHT) is None


def test_paper_between_rules_and_the_edge_of_the_page_is_no_box() -> None:
    drawn = page()
    for y in (100, 156):
        drawn[y : y + 2] = 255
    drawn[:, 150:152] = 255
    assert find_fields(drawn, [digit(200, 110)], HEIGHT) is None


@pytest.mark.parametrize("drop", [-25, 25])
def test_what_stands_high_and_low_in_a_comb_is_on_one_line(drop: int) -> None:
    drawn = page()
    cells(drawn, 100, 100, [48] * 3, height=80)
    digits = [digit(112, 125), digit(160, 125 + drop, height=26), digit(208, 125)]
    assert read(drawn, digits) == [[digits]]


def test_a_flat_digit_alone_in_its_cell_is_kept_and_one_beside_a_digit_is_not() -> None:
    drawn = page()
    cells(drawn, 100, 100, [60] * 3)
    digits = [digit(112, 110), digit(166, 130, width=40, height=14), digit(232, 110)]
    assert read(drawn, digits) == [[digits]]
    beside = digit(112, 140, width=30, height=14)
    assert read(drawn, [*digits[::2], beside]) == [[digits[::2]]]
