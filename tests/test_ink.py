"""Pieces of ink: dirt dropped, broken digits joined, neighbours left apart."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawing import BROKEN, Sheet, Stroke, arc

from batchocr.vision.binarize import Mask
from batchocr.vision.ink import Piece, components, join_strokes, only_digit, perhaps_one, writing_height

HEIGHT = 40
PEN = 4


def ink_of(sheet: Sheet) -> Mask:
    ink: Mask = cv2.compare(sheet.pixels, 128, cv2.CMP_LT)
    return ink


def pieces_of(sheet: Sheet) -> list[Piece]:
    return components(ink_of(sheet))[1]


def joined(sheet: Sheet, height: float = HEIGHT) -> list[Piece]:
    labels, pieces = components(ink_of(sheet))
    return sorted(join_strokes(pieces, labels, height), key=lambda p: p.left)


def draw(*strokes: Stroke) -> Sheet:
    """Strokes in a box one high, drawn HEIGHT high."""
    sheet = Sheet(300, 120)
    for stroke in strokes:
        sheet.stroke(np.array(stroke) * (HEIGHT - PEN) + (102, 42), PEN)
    return sheet


# Components


def test_a_piece_knows_its_box_and_its_ink() -> None:
    ink = np.zeros((50, 60), np.uint8)
    ink[10:30, 20:26] = 255
    (piece,) = components(ink)[1]
    assert (piece.left, piece.top, piece.right, piece.bottom) == (20, 10, 26, 30)
    assert (piece.width, piece.height, piece.middle, piece.area) == (6, 20, 20, 120)


def test_the_labels_say_which_pixels_are_a_piece() -> None:
    sheet = Sheet(300, 100)
    sheet.number("207", 20, 20, HEIGHT)
    labels, pieces = components(ink_of(sheet))
    assert len(pieces) == 3
    assert sum(np.count_nonzero(np.isin(labels, p.labels)) for p in pieces) == np.count_nonzero(ink_of(sheet))


def test_strokes_that_touch_at_a_corner_hang_together() -> None:
    ink = np.zeros((30, 30), np.uint8)
    ink[5:10, 5:10] = ink[10:15, 10:15] = 255
    assert len(components(ink)[1]) == 1


@pytest.mark.parametrize("size", [1, 2, 3])
def test_specks_are_dropped(size: int) -> None:
    ink = np.zeros((60, 60), np.uint8)
    for x in range(5, 55, 10):
        ink[20 : 20 + size, x : x + size] = 255
    assert components(ink)[1] == []


def test_no_ink_gives_no_pieces() -> None:
    labels, pieces = components(np.zeros((5, 7), np.uint8))
    assert pieces == []
    assert labels.shape == (5, 7)
    assert writing_height(pieces) == 0
    assert join_strokes(pieces, labels, 0) == []


def test_the_height_of_writing_is_that_of_digits_and_not_of_dirt() -> None:
    sheet = Sheet(900, 200)
    sheet.number("2074158369", 20, 50, HEIGHT)
    for i in range(60):
        sheet.stroke([(20 + 14 * i, 150), (22 + 14 * i, 150)], 3)
    assert writing_height(pieces_of(sheet)) == pytest.approx(HEIGHT, abs=2)


def test_bits_much_smaller_than_the_writing_are_dropped() -> None:
    sheet = Sheet(300, 120)
    sheet.digit("0", 100, 30, 60)
    sheet.stroke([(200, 60), (201, 60)], 3)
    assert len(pieces_of(sheet)) == 2
    assert len(joined(sheet, height=60)) == 1


# Broken digits


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_digit_is_put_together(name: str) -> None:
    sheet = draw(*BROKEN[name])
    assert len(pieces_of(sheet)) == 2
    (piece,) = joined(sheet)
    assert len(piece.labels) == 2
    assert piece.area == np.count_nonzero(ink_of(sheet))


def test_a_digit_in_three_parts_is_put_together() -> None:
    sheet = draw(
        [(0.08, 0.0), (0.06, 0.3)], [(0.28, 0.0), (0.6, 0.0)], [(0.06, 0.52), *arc(0.25, 0.75, 0.3, 0.25, -80, 140)]
    )
    assert len(pieces_of(sheet)) == 3
    (piece,) = joined(sheet)
    assert len(piece.labels) == 3


def test_broken_digits_side_by_side_are_joined_each_by_itself() -> None:
    sheet = Sheet(600, 120)
    for i, name in enumerate(["5 without its flag", "8 in two halves", "7 with its bar apart", "5 without its flag"]):
        for stroke in BROKEN[name]:
            sheet.stroke(np.array(stroke) * (HEIGHT - PEN) + (52 + 42 * i, 42), PEN)
    assert len(pieces_of(sheet)) == 8
    assert [len(piece.labels) for piece in joined(sheet)] == [2, 2, 2, 2]


@pytest.mark.parametrize("length", [0.6, 0.8])
def test_the_long_flag_of_a_5_broken_off_is_part_of_it_and_a_dash_is_not(length: float) -> None:
    body = [(0.06, 0.3), (0.06, 0.5), *arc(0.25, 0.72, 0.32, 0.26, -90, 140)]
    (piece,) = joined(draw(body, [(0.4, 0.18), (0.4 + length, 0.1)]))
    assert len(piece.labels) == 2
    assert len(joined(draw(body, [(0.7, 0.5), (0.7 + length, 0.5)]))) == 2
    assert len(joined(draw(body, [(0.95, 0.14), (0.95 + length, 0.1)]))) == 2


# Neighbours


@pytest.mark.parametrize("gap", [0.08, 0.15, 0.4])
@pytest.mark.parametrize("text", ["20", "11", "111", "74", "00", "88", "51", "17", "10", "415", "2074158369"])
def test_separate_digits_are_not_joined(text: str, gap: float) -> None:
    sheet = Sheet(700, 120)
    sheet.number(text, 30, 40, HEIGHT, PEN, gap=gap)
    assert len(joined(sheet)) == len(text)


@pytest.mark.parametrize("slant", [0.45, 0.6])
@pytest.mark.parametrize("text", ["11", "17", "71", "47", "77", "10", "01"])
def test_slanted_neighbours_whose_boxes_overlap_are_not_joined(text: str, slant: float) -> None:
    sheet = Sheet(300, 120)
    sheet.digit(text[0], 80, 40, HEIGHT, PEN, slant=slant)
    ink = np.nonzero(ink_of(sheet))
    x = 80.0
    while True:  # as near as leaves four pixels of paper between them
        both = Sheet(300, 120)
        second = both.digit(text[1], x, 40, HEIGHT, PEN, slant=slant)
        away = cv2.distanceTransform(cv2.bitwise_not(ink_of(both)), cv2.DIST_L2, 5)
        if away[ink].min() >= 5:
            break
        x += 1
    first = both.digit(text[0], 80, 40, HEIGHT, PEN, slant=slant)
    assert first.right > second.left
    assert len(pieces_of(both)) == 2
    assert len(joined(both)) == 2


@pytest.mark.parametrize("drop", [0.2, 0.5])
def test_a_lower_neighbour_is_not_joined(drop: float) -> None:
    sheet = Sheet(300, 150)
    sheet.digit("3", 80, 40, HEIGHT, PEN)
    sheet.digit("6", 80 + 0.8 * HEIGHT, 40 + drop * HEIGHT, HEIGHT, PEN)
    assert len(joined(sheet)) == 2


@pytest.mark.parametrize("gap", [0.05, 0.15, 0.3])
def test_digits_below_one_another_are_not_joined(gap: float) -> None:
    sheet = Sheet(300, 200)
    sheet.digit("3", 80, 40, HEIGHT, PEN)
    sheet.digit("6", 80, 40 + (1 + gap) * HEIGHT, HEIGHT, PEN)
    assert len(joined(sheet)) == 2


@pytest.mark.parametrize("gap", [0.08, 0.15, 0.3])
@pytest.mark.parametrize("digit", list("0123456789"))
def test_a_decimal_point_is_not_joined_to_the_digit_before_it(digit: str, gap: float) -> None:
    sheet = Sheet(300, 120)
    box = sheet.digit(digit, 80, 40, HEIGHT, PEN)
    sheet.digit(".", box.right + gap * HEIGHT, 40, HEIGHT, 6)
    pieces = joined(sheet)
    assert [len(p.labels) for p in pieces] == [1] * len(pieces)
    assert abs(pieces[0].right - box.right) <= 2


@pytest.mark.parametrize("digit", list("0147"))
def test_a_comma_between_two_digits_is_joined_to_neither(digit: str) -> None:
    sheet = Sheet(300, 140)
    box = sheet.digit(digit, 80, 40, HEIGHT, PEN)
    x = box.right + 6
    sheet.stroke([(x + 3, 76), (x, 86)], PEN)
    sheet.digit("2", x + 10, 40, HEIGHT, PEN)
    pieces = [p for p in joined(sheet) if p.height > 0.5 * HEIGHT]
    assert [len(p.labels) for p in pieces] == [1, 1]


# Pictures of one digit


@pytest.mark.parametrize("name", [name for name in BROKEN if name[0] in "23578"])
def test_a_broken_digit_alone_on_its_picture_is_one(name: str) -> None:
    whole = only_digit(pieces_of(draw(*BROKEN[name])))
    assert whole is not None
    assert len(whole.labels) == 2


def test_dirt_beside_a_digit_alone_on_its_picture_is_left_out() -> None:
    sheet = Sheet(300, 120)
    box = sheet.digit("0", 100, 20, 80)
    for x in (20, 60, 220):
        sheet.stroke([(x, 60), (x + 3, 60)], 4)
    whole = only_digit(pieces_of(sheet))
    assert whole is not None
    assert (whole.left, whole.right) == pytest.approx((box.left, box.right), abs=2)


@pytest.mark.parametrize("text", ["20", "11", "74", "10", "207", "2074158369"])
def test_several_digits_are_not_taken_for_one(text: str) -> None:
    sheet = Sheet(700, 120)
    sheet.number(text, 30, 40, HEIGHT, PEN)
    assert only_digit(pieces_of(sheet)) is None


@pytest.mark.parametrize("slant", [0.2, 0.35, 0.5])
@pytest.mark.parametrize("text", ["11", "17", "71", "74"])
def test_two_slanted_digits_are_not_taken_for_one(text: str, slant: float) -> None:
    sheet = Sheet(300, 120)
    first = sheet.digit(text[0], 80, 40, HEIGHT, PEN, slant=slant)
    sheet.digit(text[1], first.right - slant * (HEIGHT - PEN) + 5, 40, HEIGHT, PEN, slant=slant)
    assert len(pieces_of(sheet)) == 2
    assert only_digit(pieces_of(sheet)) is None


def test_two_digits_far_apart_or_below_one_another_are_not_taken_for_one() -> None:
    for x, y in [(300, 20), (30, 100)]:
        sheet = Sheet(500, 200)
        sheet.digit("3", 30, 20, HEIGHT, PEN)
        sheet.digit("8", x, y, HEIGHT, PEN)
        assert only_digit(pieces_of(sheet)) is None


def test_no_piece_is_no_digit() -> None:
    assert only_digit([]) is None


# Pieces that may be one digit, for reading to say


def test_low_neighbours_may_be_one_digit_and_tall_ones_are_not() -> None:
    def piece(left: int, top: int, width: int, bottom: int) -> Piece:
        return Piece(left, top, left + width, bottom, 50, (left,))

    low = [piece(0, 0, 12, 25), piece(16, 5, 12, 40)]
    assert [run[:2] for run in perhaps_one(low, HEIGHT)] == [(0, 2)]
    tall = [piece(0, 0, 12, 40), piece(16, 0, 12, 40)]
    assert perhaps_one(tall, HEIGHT) == []
    far = [piece(0, 0, 12, 25), piece(30, 5, 8, 40)]
    assert perhaps_one(far, HEIGHT) == []
    (run,) = perhaps_one(low, HEIGHT)
    assert (run[2].left, run[2].top, run[2].right, run[2].bottom) == (0, 0, 28, 40)
