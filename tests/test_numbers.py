"""A line is split into numbers by its gaps, and by boxes, combs and tables around its digits."""

from __future__ import annotations

import numpy as np
import pytest
from layouts import HIGH, WIDE, Boxes, row_of_boxes

from batchocr.decoding.layout.gaps import gap_limit
from batchocr.decoding.layout.lines import find_lines
from batchocr.decoding.layout.numbers import find_numbers
from batchocr.decoding.layout.rules import rules_between
from batchocr.records import Pixels

BASE = 200.0


def paper(seed: int = 0, noise: float = 3.0) -> Pixels:
    rng = np.random.default_rng(seed)
    return np.clip(245 + rng.normal(0, noise, (400, 1600)), 0, 255).astype(np.uint8)


def upright(pixels: Pixels, x: float, top: float, bottom: float, grey: int = 120, width: int = 3) -> None:
    pixels[round(top) : round(bottom), round(x) : round(x) + width] = grey


def level(pixels: Pixels, y: float, left: float, right: float, grey: int = 120, width: int = 3) -> None:
    pixels[round(y) : round(y) + width, round(left) : round(right)] = grey


def sizes(boxes: Boxes, pixels: Pixels) -> list[int]:
    return [len(number.digits) for line in find_numbers(find_lines(boxes), boxes, pixels) for number in line]


def in_cells(left: float, cell: float, filled: list[int], seed: int = 0) -> Boxes:
    """Return digits, some of them narrow, in cells from `left`, not exactly at their centres."""
    rng = np.random.default_rng(seed)
    return np.array(
        [
            (left + (i + 0.5) * cell - wide / 2 + rng.uniform(-0.12, 0.12) * cell, BASE - HIGH, wide, HIGH)
            for i, wide in zip(filled, rng.choice([8.0, 24.0, 28.0], len(filled)), strict=True)
        ]
    )


def comb(pixels: Pixels, left: float, cell: float, cells: int, teeth: float = 1.35, grey: int = 120) -> None:
    """Draw a frame with a tooth between cells, which reaches `teeth` heights above the base line."""
    top, bottom, right = BASE - 1.35 * HIGH, BASE + 0.3 * HIGH, left + cell * cells
    for y in (top, bottom):
        level(pixels, y, left, right + 3, grey)
    for x in (left, right):
        upright(pixels, x, top, bottom, grey)
    for i in range(1, cells):
        upright(pixels, left + i * cell, BASE - teeth * HIGH, bottom, grey)


def test_gaps_separate_numbers_on_plain_paper() -> None:
    boxes = np.concatenate([row_of_boxes(100, BASE, 3), row_of_boxes(300, BASE, 2), row_of_boxes(420, BASE, 1)])
    assert sizes(boxes, paper()) == [3, 2, 1]


def test_a_space_before_three_digits_does_not_split_a_number_that_is_alone() -> None:
    step, space = WIDE + 6, 1.25 * HIGH
    first = row_of_boxes(100, BASE, 2, step=step)
    second = row_of_boxes(first[-1, 0] + WIDE + space, BASE, 3, step=step)
    alone = np.concatenate([first, second])
    assert sizes(alone, paper()) == [5]
    below = alone + np.array((0, 3 * HIGH, 0, 0))
    assert sizes(np.concatenate([alone, below]), paper()) == [2, 3, 2, 3]  # two columns
    assert sizes(alone[:-1], paper()) == [2, 2]


def test_narrow_digits_stay_in_their_number() -> None:
    boxes = row_of_boxes(100, BASE, 5, step=44)
    boxes[1:4, 0] += 10
    boxes[1:4, 2] = 6
    assert sizes(boxes, paper()) == [5]


def test_overlapping_digits_are_one_number() -> None:
    boxes = row_of_boxes(100, BASE, 4, step=0.8 * WIDE)
    assert sizes(boxes, paper()) == [4]


@pytest.mark.parametrize("teeth", [0.3, 0.6, 1.35])
@pytest.mark.parametrize("grey", [40, 120, 215])
def test_a_comb_holds_one_number(teeth: float, grey: int) -> None:
    pixels = paper()
    comb(pixels, 100, 1.15 * HIGH, 8, teeth, grey)
    comb(pixels, 700, 1.15 * HIGH, 3, teeth, grey)
    boxes = np.concatenate([in_cells(100, 1.15 * HIGH, list(range(8))), in_cells(700, 1.15 * HIGH, [0, 1, 2], 1)])
    assert sizes(boxes, pixels) == [8, 3]


def test_separate_boxes_with_gaps_between_hold_one_number() -> None:
    pixels, cell, apart = paper(), 1.2 * HIGH, 0.4 * HIGH
    for i in range(6):
        comb(pixels, 100 + i * (cell + apart), cell, 1)
    boxes = in_cells(100 - apart / 2, cell + apart, list(range(6)))
    assert sizes(boxes, pixels) == [6]


def test_two_combs_close_together_are_two_numbers() -> None:
    pixels, cell = paper(), 1.1 * HIGH
    comb(pixels, 100, cell, 3)
    comb(pixels, 100 + 3 * cell + 1.2 * HIGH, cell, 2)
    boxes = np.concatenate([in_cells(100, cell, [0, 1, 2]), in_cells(100 + 3 * cell + 1.2 * HIGH, cell, [0, 1], 3)])
    assert sizes(boxes, pixels) == [3, 2]


def test_the_rule_of_a_table_separates_numbers() -> None:
    pixels = paper()
    for i in range(6):
        upright(pixels, 100 + 90 * i, 20, 380)
    for y in (80, 150, 220, 290):
        level(pixels, y, 100, 550)
    boxes = np.concatenate([row_of_boxes(116 + 90 * i, BASE, 2) for i in range(5)])
    assert sizes(boxes, pixels) == [2] * 5


def test_single_digits_in_square_cells_are_separate_numbers() -> None:
    pixels, cell = paper(), 1.8 * HIGH
    for i in range(8):
        upright(pixels, 100 + cell * i, 20, 380)
    boxes = in_cells(100, cell, list(range(7)))
    assert sizes(boxes, pixels) == [1] * 7


def table(cell: float, digits: int, rows: int = 6, columns: int = 7) -> tuple[Boxes, Pixels]:
    """Return the digits of a table that nearly fill its cells, some of them narrow, and the page."""
    rng = np.random.default_rng(0)
    pixels = np.clip(245 + rng.normal(0, 3, (900, 1600)), 0, 255).astype(np.uint8)
    for i in range(columns + 1):
        upright(pixels, 100 + cell * i, 20, 880)
    boxes = []
    for row in range(rows):
        for i in range(columns):
            wide = np.where(rng.random(digits) < 0.4, 8.0, WIDE)
            room = (cell - 8 - wide.sum()) / (digits + 0.3)
            x = 100 + cell * i + 4 + 0.65 * room + np.cumsum(np.r_[0, wide[:-1] + room])
            boxes += [(left, 100 + 1.7 * HIGH * row, w, HIGH) for left, w in zip(x, wide, strict=True)]
    return np.array(boxes), pixels


def test_cells_that_digits_nearly_fill_separate_numbers() -> None:
    boxes, pixels = table(2.0 * HIGH, 2)
    assert sizes(boxes, pixels) == [2] * 42


def test_narrow_columns_of_a_ledger_hold_one_number() -> None:
    boxes, pixels = table(1.15 * HIGH, 1)
    assert sizes(boxes, pixels) == [7] * 6


def test_the_rule_of_a_margin_does_not_split_a_number_across_it() -> None:
    boxes = np.concatenate([row_of_boxes(100, 100 + 70 * i, 6) for i in range(5)])
    pixels = paper()
    upright(pixels, 187, 0, 400)
    assert sizes(boxes, pixels) == [6] * 5


def test_regular_steps_join_the_digits_of_a_comb_without_visible_teeth() -> None:
    boxes = row_of_boxes(100, BASE, 6, step=1.7 * HIGH)
    assert sizes(boxes, paper()) == [6]


def test_gaps_are_relative_to_the_size_of_the_nearby_digits() -> None:
    boxes = np.concatenate([row_of_boxes(100, BASE, 5, high=HIGH), row_of_boxes(500, BASE, 6, step=16, high=20)])
    assert sizes(boxes, paper()) == [5, 6]


def test_raised_cents_belong_to_the_large_number_beside_them() -> None:
    boxes = np.concatenate([row_of_boxes(100, BASE, 3), row_of_boxes(192, BASE - 18, 2, step=15, high=20)])
    assert sizes(boxes, paper()) == [5]


def test_the_limit_is_in_the_hole_of_the_page_s_gaps() -> None:
    few, many = np.full(40, 0.2), np.full(15, 0.7)
    assert gap_limit(np.r_[few, many, np.full(10, 1.2)]) > 0.75
    assert gap_limit(np.r_[few, np.full(10, 0.95)]) < 0.95
    assert gap_limit(np.array([0.2, 0.6])) == 0.9


def test_a_rule_in_a_gap_is_measured() -> None:
    pixels = paper()
    upright(pixels, 150, BASE - 1.3 * HIGH, BASE + 0.3 * HIGH)
    (rule,) = rules_between(pixels, 130, 175, BASE - HIGH, BASE, HIGH)
    assert rule.x == pytest.approx(151.5, abs=1.5)
    assert rule.top == pytest.approx(BASE - 1.3 * HIGH, abs=8)
    assert rule.bottom == pytest.approx(BASE + 0.3 * HIGH, abs=8)


def test_horizontal_rules_noise_and_the_side_of_the_page_are_not_vertical_rules() -> None:
    pixels = paper(noise=6)
    level(pixels, BASE + 2, 0, 1600)
    level(pixels, BASE - 60, 0, 1600)
    assert all(rules_between(pixels, x, x + 40, BASE - HIGH, BASE, HIGH) == [] for x in range(100, 1500, 50))
    assert rules_between(pixels, -30, 2, BASE - HIGH, BASE, HIGH) == []
    assert rules_between(pixels[:1, :1], 10, 60, BASE - HIGH, BASE, HIGH) == []
