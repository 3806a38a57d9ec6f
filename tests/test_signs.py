"""Signs between and before digits are part of their numbers, and doubtful signs mark them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from layouts import HIGH, STEP, detected, row_of_boxes, together

from batchocr.decoding.layout.lines import find_lines
from batchocr.decoding.layout.numbers import WrittenNumber, find_numbers
from batchocr.decoding.layout.sign_conflicts import resolve_sign_conflicts
from batchocr.decoding.layout.signs import find_signs, number_text
from batchocr.records import HAND, SIGN, Detections

PAPER = np.full((400, 1200), 255, np.uint8)
BASE = 200.0
SHAPES = {  # left of its cell, top from the base line, width, height
    ".": (8, -6, 6, 6),
    ",": (8, -6, 7, 14),
    "/": (4, -44, 18, 46),
    "-": (4, -22, 18, 4),
    ":": (8, -28, 6, 26),
    "+": (4, -30, 18, 18),
}


def typed(text: str, step: float = STEP) -> tuple[Detections, Detections, str]:
    """Return the digits and the signs of a text on a line; a space is as wide as a digit."""
    digits, signs, characters, marks = [], [], "", ""
    for i, character in enumerate(text):
        x = 100 + i * step
        if character.isdigit():
            digits.append((x, BASE - HIGH, 24.0, HIGH))
            characters += character
        elif character != " ":
            left, top, width, height = SHAPES[character]
            signs.append((x + left, BASE + top, width, height))
            marks += character
    return (
        detected(np.array(digits), characters),
        detected(np.array(signs).reshape(-1, 4), marks, SIGN),
        characters,
    )


def texts(digits: Detections, signs: Detections, characters: str) -> tuple[list[str], list[WrittenNumber]]:
    boxes = np.asarray(digits.boxes, np.float64)
    found = find_signs(signs, boxes)
    numbers = [number for line in find_numbers(find_lines(boxes), boxes, PAPER, found) for number in line]
    return [number_text([int(characters[i]) for i in n.digits], n.signs) for n in numbers], numbers


@pytest.mark.parametrize(
    "text",
    ["12/05/2017", "1250,75", "1.250,75", "-17", "10:30", "+41", "767,000", "0.5", "12-05-2017", "7+5", "044-123"],
)
def test_the_text_of_a_number_is_read(text: str) -> None:
    read, numbers = texts(*typed(text))
    assert read == [text]
    assert not numbers[0].doubtful


def test_a_space_before_three_digits_and_a_point_is_within_a_number() -> None:
    digits, signs, characters = typed("3 045.00", step=28)
    assert texts(digits, signs, characters)[0] == ["3045.00"]


def test_a_dash_far_from_both_joins_nothing() -> None:
    assert texts(*typed("12   -   34"))[0] == ["12", "34"]


def test_a_minus_belongs_to_the_nearer_number() -> None:
    assert texts(*typed("12   -34"))[0] == ["12", "-34"]


def test_a_full_stop_after_a_number_is_not_part_of_it() -> None:
    assert texts(*typed("12."))[0] == ["12"]


def test_signs_above_the_line_and_signs_inside_a_digit_are_left_out() -> None:
    digits, signs, characters = typed("12.5")
    above, within = signs.boxes.copy(), signs.boxes.copy()
    above[:, 1] = BASE - 1.5 * HIGH
    within[:, 0] = digits.boxes[1, 0] + 8
    for moved in (above, within):
        assert texts(digits, replace(signs, boxes=moved), characters)[1][0].signs == ()


def test_a_doubtful_sign_is_written_and_marks_its_number() -> None:
    digits, signs, characters = typed("12.5")
    unsure = replace(signs, scores=np.array([0.4], np.float32))
    assert texts(digits, unsure, characters)[0] == ["12.5"]
    assert texts(digits, unsure, characters)[1][0].doubtful
    probabilities = signs.probabilities.copy()
    probabilities[0, 10:12] = 0.5, 0.45
    assert texts(digits, replace(signs, probabilities=probabilities), characters)[1][0].doubtful


def test_a_weak_sign_is_not_written_but_marks_its_number() -> None:
    digits, signs, characters = typed("12.5", step=26)
    read, numbers = texts(digits, replace(signs, scores=np.array([0.1], np.float32)), characters)
    assert read == ["125"]
    assert numbers[0].doubtful


def test_signs_belong_to_their_own_line() -> None:
    first, point, _ = typed("12.5")
    second = detected(row_of_boxes(100, BASE + 1.4 * HIGH, 4), "6789")
    digits = together(first, second)
    read, _ = texts(digits, point, "1256789")
    assert read == ["12.5", "6789"]


def test_no_signs_and_no_digits() -> None:
    assert find_signs(detected(np.empty((0, 4)), ""), np.empty((0, 4))) == []


def test_a_point_inside_a_colon_is_not_written_twice() -> None:
    digits, signs, characters = typed("10:30")
    x, _, wide, _ = signs.boxes[0].tolist()
    dot = detected(np.array([(x, BASE - 6, wide, 6.0)]), ".", SIGN, score=0.6)
    assert texts(digits, together(signs, dot), characters)[0] == ["10:30"]


def contest(text: str, digit: float, sign: float, height: float | None = None) -> tuple[str, bool]:
    """Return what is read if the sign of a text may also be a 1, and whether that is doubtful."""
    digits, signs, characters = typed(text)
    box = np.asarray(signs.boxes, np.float64)
    if height is not None:
        box[:, 1], box[:, 3] = BASE - height * HIGH, height * HIGH
    one = detected(box, "1", score=digit)
    sign_there = replace(signs, boxes=box.astype(np.float32), scores=np.array([sign], np.float32))
    all_of_it = together(digits, one, sign_there)
    kept, doubted = resolve_sign_conflicts(all_of_it)
    found, doubted = all_of_it.take(kept), doubted[kept]
    is_sign = found.kinds == SIGN
    boxes = np.asarray(found.take(~is_sign).boxes, np.float64)
    near = find_signs(found.take(is_sign), boxes, doubted[is_sign])
    ((number,),) = find_numbers(find_lines(boxes), boxes, PAPER, near)
    characters += "1"
    return number_text([int(characters[i]) for i in number.digits], number.signs), number.doubtful


@pytest.mark.parametrize(
    ("digit", "sign", "read", "doubtful"),
    [(0.3, 0.9, "12:05", False), (0.7, 0.8, "12:05", True), (0.9, 0.3, "12105", False), (0.8, 0.7, "12105", True)],
)
def test_of_a_sign_and_a_digit_in_the_same_ink_the_stronger_is_kept(
    digit: float, sign: float, read: str, doubtful: bool
) -> None:
    assert contest("12:05", digit, sign) == (read, doubtful)


@pytest.mark.parametrize(
    ("height", "digit", "sign", "read", "doubtful"),
    [
        (1.6, 0.3, 0.9, "12/05", False),
        (1.6, 0.6, 0.3, "12/05", True),  # higher than any 1
        (1.25, 0.9, 0.6, "12/05", True),
        (1.0, 0.3, 0.9, "12105", True),  # as high as the digits
    ],
)
def test_slash_and_one_are_also_distinguished_by_height(
    height: float, digit: float, sign: float, read: str, doubtful: bool
) -> None:
    assert contest("12/05", digit, sign, height) == (read, doubtful)


def test_of_weak_signs_only_slashes_are_kept() -> None:
    for text, kept_there in (("12/05", True), ("12:05", False)):
        digits, signs, _ = typed(text)
        weak = together(digits, replace(signs, scores=np.array([0.3], np.float32)))
        kept, _ = resolve_sign_conflicts(weak, 0.42)
        assert kept[-1] == kept_there
        assert kept[:-1].all()


@pytest.mark.parametrize("left, width, height, slash", [(60, 14, 46, False), (60, 14, 70, True), (60, 30, 46, False)])
def test_a_slash_as_high_as_digits_is_a_1_and_doubtful(left: int, width: int, height: int, slash: bool) -> None:
    boxes = [(20, 100, 30, 46), (left, 146 - height, width, height), (100, 100, 30, 46)]
    probabilities = np.zeros((4, 16), np.float32)
    probabilities[[0, 3], [2, 7]] = 1
    probabilities[1:3, [1, 12]] = (0.45, 0.55)
    found = Detections(
        np.array([boxes[0], boxes[1], boxes[1], boxes[2]], np.float32),
        np.array([0.9, 0.6, 0.6, 0.9], np.float32),
        np.array([HAND, HAND, SIGN, HAND], np.int8),
        probabilities,
        np.zeros(4, np.float32),
    )
    kept, doubtful = resolve_sign_conflicts(found)
    assert kept[1:3].tolist() == ([False, True] if slash else [True, True])
    assert doubtful[2] == (not slash)  # it may be either
