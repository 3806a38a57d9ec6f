"""What is drawn on a page: boxes where the digits are, the writing left as it is, labels that can be read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from batchocr.output.draw_rows import Picture, draw
from batchocr.records import DigitRow, Pixels

ROW = DigitRow("a.png", 1, 1, 1, 1, 7, 0.991, 1, 0.005, 100, 120, 40, 60, "hand", "")


def paper(height: int = 600, width: int = 800) -> Pixels:
    return np.full((height, width), 250, np.uint8)


def green(picture: Picture) -> NDArray[np.bool_]:
    return _stands_out(picture, 1)


def red(picture: Picture) -> NDArray[np.bool_]:
    return _stands_out(picture, 2)


def _stands_out(picture: Picture, channel: int) -> NDArray[np.bool_]:
    values = picture.astype(np.int64)
    others = np.delete(values, channel, axis=2).max(axis=2)
    marked: NDArray[np.bool_] = values[..., channel] > others + 40
    return marked


def test_a_box_stands_just_outside_its_digit_and_hides_nothing() -> None:
    page = paper()
    page[120:180, 100:140] = np.arange(60, dtype=np.uint8)[:, None]
    picture = draw(page, [ROW])
    assert picture.shape == (600, 800, 3)
    assert np.array_equal(picture[120:180, 100:140], np.dstack([page[120:180, 100:140]] * 3))
    assert green(picture)[119, 99:141].all()
    assert green(picture)[180, 99:141].all()
    assert green(picture)[119:181, 99].all()
    assert green(picture)[119:181, 140].all()
    assert not red(picture).any()


def test_the_label_stands_above_the_box_and_nothing_elsewhere() -> None:
    drawn = green(draw(paper(), [ROW]))
    label = drawn[80:118, 80:160]
    assert 15 <= np.ptp(np.nonzero(label.any(axis=1))[0]) <= 25
    assert np.ptp(np.nonzero(label.any(axis=0))[0]) <= 60
    drawn[80:182, 80:160] = False
    assert not drawn.any()


def test_a_digit_for_review_is_red() -> None:
    picture = draw(paper(), [ROW, replace(ROW, position=2, left=160, review="low-confidence")])
    assert red(picture)[119, 159:201].all()
    assert not red(picture)[:, :140].any()
    assert not green(picture)[:, 165:].any()


def test_the_page_given_is_not_drawn_on() -> None:
    page = paper()
    draw(page, [ROW])
    assert np.array_equal(page, paper())


def test_labels_of_narrow_neighbours_do_not_run_into_each_other() -> None:
    ones = [replace(ROW, digit=1, position=place, left=300 + 22 * place, width=8) for place in range(1, 7)]
    drawn = green(draw(paper(), ones))[80:118]
    inked = np.nonzero(drawn.any(axis=0))[0]
    gaps = int((np.diff(inked) > 1).sum())
    assert gaps >= 11  # between six digits and six confidences of two letters, some of which touch
    middle = (inked[0] + inked[-1]) / 2
    assert abs(middle - (ones[0].left + ones[-1].left + 8) / 2) < 8


@pytest.mark.parametrize("paper_grey", [255, 0])
def test_a_picture_of_one_digit_is_enlarged_until_its_label_can_be_read(paper_grey: int) -> None:
    page = np.full((28, 28), paper_grey, np.uint8)
    picture = draw(page, [replace(ROW, left=4, top=0, width=20, height=27)])
    times = picture.shape[1] // 28
    assert picture.shape[1] == 28 * times >= 320
    strip = picture.shape[0] - 28 * times
    assert strip > 40  # paper added, for the label above the digit
    assert green(picture)[:strip].any()
    assert np.all(picture[strip + 5 : -30, 5 * times : 23 * times] == paper_grey)


def test_small_writing_is_enlarged_and_large_is_not() -> None:
    small = replace(ROW, height=18, width=12)
    assert draw(paper(1000, 1000), [small]).shape == (3000, 3000, 3)
    assert draw(paper(1000, 1000), [ROW]).shape == (1000, 1000, 3)


def test_a_large_page_is_never_enlarged_past_bounds() -> None:
    picture = draw(paper(4000, 4000), [replace(ROW, height=10, width=5)])
    assert picture.shape == (4000, 4000, 3)


def test_a_digit_in_each_corner_is_drawn_within_the_page() -> None:
    corners = [
        replace(ROW, line=line, number=number, left=left, top=top)
        for line, top in ((1, 0), (2, 540))
        for number, left in ((1, 0), (2, 760))
    ]
    picture = draw(paper(), corners)
    assert picture.shape[1] == 800
    assert picture.shape[0] > 600
    assert green(picture)[:40].any()


def test_a_page_without_digits_is_the_page() -> None:
    assert np.array_equal(draw(paper(), []), np.dstack([paper()] * 3))
