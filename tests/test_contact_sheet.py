"""Sheets of the digits for review: which digits, in which order, with their surroundings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from batchocr.output.drawing import contact_sheet
from batchocr.output.drawing.canvas import VERMILLION
from batchocr.output.drawing.contact_sheet import DoubtfulDigits, draw_sheets, sheet_paths
from batchocr.records import DigitRow, NumberRow, PageResult, PageRow, Pixels

ROW = DigitRow("a.png", 1, 1, 1, 1, 7, 0.6, 1, 0.3, 400, 300, 40, 60, "hand", "low-confidence")
PAGE = np.full((1000, 1200), 240, np.uint8)


def result(rows: Sequence[DigitRow], angle: float = 0.0) -> PageResult:
    """A page on which each digit is a number of its own."""
    digits = [replace(row, number=place) for place, row in enumerate(rows, 1)]
    numbers = [
        NumberRow(
            row.file,
            row.page,
            1,
            row.number,
            str(row.digit),
            str(row.digit),
            row.confidence,
            "hand",
            row.left,
            row.top,
            row.width,
            row.height,
            row.review,
        )
        for row in digits
    ]
    return PageResult(PageRow("a.png", 1, "read", angle=angle), tuple(digits), tuple(numbers))


def kept(*pages: Sequence[DigitRow], pixels: Pixels = PAGE) -> DoubtfulDigits:
    digits = DoubtfulDigits()
    for rows in pages:
        digits.add(pixels, result(rows))
    return digits


def test_only_digits_for_review_are_kept_and_the_least_sure_is_first() -> None:
    first = [replace(ROW, confidence=0.7), replace(ROW, confidence=0.1, review="")]
    second = [replace(ROW, confidence=0.5, page=2), replace(ROW, confidence=0.7, page=2)]
    digits = kept(first, second)
    assert digits.count == 3
    assert [(each.row.confidence, each.row.page) for each in digits.in_order()] == [(0.5, 2), (0.7, 1), (0.7, 2)]


def test_of_too_many_digits_the_least_sure_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact_sheet, "MAX_DIGITS", 3)
    digits = kept([replace(ROW, confidence=confidence / 10) for confidence in (5, 9, 2, 7, 3)])
    assert digits.count == 5
    assert [each.row.confidence for each in digits.in_order()] == [0.2, 0.3, 0.5]


@pytest.mark.parametrize(("left", "top"), [(400, 300), (0, 0), (1150, 930)])
@pytest.mark.parametrize("size", [(40, 60), (8, 12), (200, 600), (500, 60)])
def test_a_digit_is_in_its_box_also_at_the_side_of_the_page(left: int, top: int, size: tuple[int, int]) -> None:
    width, height = min(size[0], 1200 - left), min(size[1], 1000 - top)
    page = PAGE.copy()
    page[top : top + height, left : left + width] = 30
    (digit,) = kept([replace(ROW, left=left, top=top, width=width, height=height)], pixels=page).in_order()
    box = digit.box
    dark = digit.cut < 130
    ys, xs = np.nonzero(dark)
    assert abs(int(xs.min()) - box.left) <= 2 and abs(int(xs.max()) + 1 - box.right) <= 2
    assert abs(int(ys.min()) - max(0, box.top)) <= 2 and abs(int(ys.max()) + 1 - min(130, box.bottom)) <= 2


def test_the_number_of_a_digit_is_visible_around_it() -> None:
    page = PAGE.copy()
    page[300:360, 330:390] = 30  # the digit before it in the same number
    row = replace(ROW, left=400)
    read = result([row])
    read = replace(read, numbers=(replace(read.numbers[0], left=330, width=110),))
    digits = DoubtfulDigits()
    digits.add(page, read)
    (digit,) = digits.in_order()
    assert (digit.cut[:, : digit.box.left] < 130).sum() > 2000


def test_a_digit_of_a_page_on_its_side_is_upright() -> None:
    upright = PAGE.copy()
    upright[300:330, 400:440] = 30  # the upper half of the digit is dark
    digits = DoubtfulDigits()
    turned = np.rot90(upright, -1)
    digits.add(turned, result([replace(ROW, left=1000 - 300 - 60, top=400, width=60, height=40)], angle=90.0))
    (digit,) = digits.in_order()
    middle = digit.box.top + digit.box.height // 2
    part = digit.cut[:, digit.box.left : digit.box.right]
    assert part[digit.box.top + 3 : middle - 3].max() < 130 < part[middle + 3 : digit.box.bottom - 3].min()


def test_many_digits_are_on_several_sheets() -> None:
    digits = kept([replace(ROW, confidence=place / 200) for place in range(120)])
    sheets = list(draw_sheets(digits.in_order(), digits.count))
    assert len(sheets) == len(sheet_paths(Path("a.png"), 120)) == 3
    boxes = [int((sheet == VERMILLION).all(axis=2).sum()) for sheet in sheets]
    assert boxes[0] == boxes[1] and 0.3 < boxes[2] / boxes[0] < 0.5
    assert sheets[0].shape[1] < 1800 and sheets[0].shape[0] < 2400
    assert [path.name for path in sheet_paths(Path("a.png"), 120)] == ["a-001.png", "a-002.png", "a-003.png"]


def test_pages_without_digits_for_review_give_one_sheet_that_says_so() -> None:
    (sheet,) = draw_sheets([], 0)
    assert (sheet < 100).any() and not (sheet == VERMILLION).all(axis=2).any()
    assert sheet_paths(Path("a.png"), 0) == [Path("a.png")]


def test_a_long_file_name_stays_below_its_digit() -> None:
    rows = [replace(ROW, file="folder/" * 40 + "a.png", review="low-confidence;not-a-digit;struck-out")]
    (sheet,) = draw_sheets(kept(rows).in_order(), 1)
    assert (sheet[:, contact_sheet._CUT_WIDTH_PX + 2 * contact_sheet._GAP_PX :][60:] == 255).all()
