"""Lines and numbers, and the order in which they are read: on pieces whose place is known."""

from __future__ import annotations

import numpy as np
import pytest

from batchocr.vision.ink import Piece
from batchocr.vision.layout import lines, numbers

HEIGHT = 40


def piece(left: float, top: float, width: float = 26, height: float = HEIGHT) -> Piece:
    return Piece(round(left), round(top), round(left + width), round(top + height), round(width * height / 4), (1,))


def row(left: float, top: float, count: int, gap: float = 10, slope: float = 0.0) -> list[Piece]:
    """Digits side by side; each stands `slope` times its way to the right lower."""
    return [piece(left + i * (26 + gap), top + slope * i * (26 + gap)) for i in range(count)]


def shuffled(pieces: list[Piece]) -> list[Piece]:
    order = np.random.default_rng(5).permutation(len(pieces))
    return [pieces[i] for i in order]


# Lines


def test_nothing_gives_no_lines() -> None:
    assert lines([], 0.0) == []


def test_lines_come_from_the_top_and_their_pieces_from_the_left_whatever_the_order_of_pieces() -> None:
    written = [row(100, 100, 5), row(60, 200, 7), row(300, 300, 2)]
    assert lines(shuffled([p for r in written for p in r]), HEIGHT) == written


def test_a_row_of_a_table_is_one_line_whatever_its_gaps() -> None:
    written = [row(100, top, 2) + row(500, top + 5, 3) + row(1500, top - 5, 1) for top in (100, 180, 260)]
    assert lines(shuffled([p for r in written for p in r]), HEIGHT) == written


@pytest.mark.parametrize("slope", [-0.06, -0.03, 0.03, 0.06])
def test_a_sloping_line_stays_one_line(slope: float) -> None:
    written = [row(100, 200 + 90 * i, 25, slope=slope) for i in range(3)]
    assert lines(shuffled([p for r in written for p in r]), HEIGHT) == written


def test_an_unsteady_line_stays_one_line() -> None:
    unsteady = np.random.default_rng(2)
    written = [
        [piece(100 + 36 * i, top + unsteady.normal(0, 4), height=40 + unsteady.normal(0, 4)) for i in range(20)]
        for top in (100, 180, 260, 340)
    ]
    assert lines(shuffled([p for r in written for p in r]), HEIGHT) == written


def test_close_lines_are_told_apart() -> None:
    written = [row(100, 100 + 48 * i, 8) for i in range(6)]
    assert lines(shuffled([p for r in written for p in r]), HEIGHT) == written


def test_a_line_that_begins_further_right_is_still_in_its_place() -> None:
    written = [row(600, 100, 3), row(100, 180, 4), row(900, 260, 2)]
    assert lines(shuffled([p for r in written for p in r]), HEIGHT) == written


def test_points_dashes_and_frames_are_no_digits() -> None:
    digits = row(100, 100, 4)
    point, dash = piece(250, 134, 6, 6), piece(270, 118, 20, 4)
    frame, stripe = piece(80, 80, 400, 300), piece(80, 400, 400, 20)
    assert lines([*digits, point, dash, frame, stripe], HEIGHT) == [digits]


def test_digits_much_larger_than_small_print_are_kept() -> None:
    large = [piece(600 + 150 * i, 300, 100, 160) for i in range(3)]
    assert lines([*row(100, 320, 8), *large], HEIGHT)[0][-3:] == large


def test_a_digit_beside_much_smaller_print_is_a_digit() -> None:
    letters, tall = row(100, 100, 8), piece(600, 60, 80, 140)
    assert lines([*letters, tall], HEIGHT) == [[*letters, tall]]


def test_a_tall_frame_is_none_though_it_is_narrow() -> None:
    letters, frame = row(100, 100, 3), piece(90, 60, 120, 140)
    assert lines([*letters, frame], HEIGHT) == [letters]


# Numbers


def test_digits_side_by_side_are_one_number() -> None:
    digits = row(100, 100, 6, gap=12)
    assert numbers(digits) == [digits]


@pytest.mark.parametrize("gap", [60, 100, 900])
def test_a_wide_gap_ends_a_number(gap: int) -> None:
    first, second = row(100, 100, 4), row(100 + 4 * 36 - 10 + gap, 100, 3)
    assert numbers(first + second) == [first, second]


@pytest.mark.parametrize("height", [20, 40, 160])
def test_what_is_wide_depends_on_the_height_of_the_writing(height: int) -> None:
    wide, step = 0.65 * height, 0.9 * height
    first = [piece(100 + i * step, 100, wide, height) for i in range(3)]
    second = [piece(first[-1].right + 1.5 * height + i * step, 100, wide, height) for i in range(2)]
    assert numbers(first + second) == [first, second]


def test_numbers_of_one_digit() -> None:
    digits = [piece(100 + 200 * i, 100) for i in range(4)]
    assert numbers(digits) == [[d] for d in digits]


def test_a_one_in_a_comb_stays_with_its_number() -> None:
    """Cells 48 wide with digits 40 high: the narrow 1 stands in the middle of its cell."""
    digits = [piece(100 + 48 * i - wide / 2, 100, wide) for i, wide in enumerate([26, 4, 4, 26, 4, 26])]
    assert numbers(digits) == [digits]


def test_a_piece_above_another_does_not_end_a_number() -> None:
    digits = [piece(100, 100, 60), piece(110, 100, 10), piece(170, 100)]
    assert numbers(digits) == [digits]


def point(left: float, base: float, size: float = 6) -> Piece:
    return piece(left, base - size, size, size)


def test_a_point_or_a_comma_holds_a_number_together() -> None:
    first, second = row(100, 100, 2), row(100 + 62 + 46, 100, 3)
    assert numbers(first + second) == [first, second]
    assert numbers(first + second, [point(100 + 62 + 20, 140)]) == [first + second]


@pytest.mark.parametrize(("left", "base"), [(182, 112), (182, 190), (320, 140)])
def test_what_is_no_point_between_two_numbers_holds_nothing_together(left: float, base: float) -> None:
    first, second = row(100, 100, 2), row(208, 100, 3)
    assert numbers(first + second, [point(left, base)]) == [first, second]


def test_a_point_does_not_tie_what_stands_far_behind_it() -> None:
    first, second = row(100, 100, 1), row(230, 100, 3)
    assert numbers(first + second, [point(132, 140)]) == [first, second]
