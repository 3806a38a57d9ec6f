"""The teeth of combs go, ones that stand on rules stay: on drawn pages at working size (about 150 dpi)."""

from __future__ import annotations

import pytest
from test_rules import assert_whole, sheet


@pytest.mark.parametrize("tall", [10, 18, 28])
@pytest.mark.parametrize(("pen", "grey"), [(1, 60), (2, 120), (3, 60), (2, 190)])
def test_teeth_leave_nothing_and_the_digits_between_them_stay(pen: int, grey: int, tall: int) -> None:
    page = sheet()
    page.frame(300, 300, 6 * 48, 60, pen, grey)
    for cell in range(1, 6):
        page.rule(300 + 48 * cell, 360 - tall, 300 + 48 * cell, 360, pen, grey)
    assert_whole(page, [page.digit(d, 311 + 48 * i, 308, 36, pen=3) for i, d in enumerate("207538")])


def test_a_single_tooth_in_the_middle_of_a_box_goes() -> None:
    page = sheet()
    page.frame(300, 300, 110, 60, 2, 90)
    page.rule(355, 340, 355, 360, 2, 90)
    assert_whole(page, [page.digit("3", 314, 308, 38), page.digit("8", 370, 308, 38)])


def test_a_one_that_stands_on_the_foot_of_a_box_is_no_tooth() -> None:
    page = sheet()
    page.frame(300, 300, 240, 60, 2, 90)
    assert_whole(page, [page.digit("1", 420, 322, 38), page.digit("8", 470, 308, 38)], within=4)


def test_ones_on_a_ruled_line_are_no_teeth() -> None:
    page = sheet()
    page.rule(80, 300, 1160, 300, 2, 120)
    assert_whole(page, [page.digit("1", x, 264, 37) for x in (300, 331, 392, 420)], within=4)
