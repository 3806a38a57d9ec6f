"""The angle of a page is found, and points are transformed to the level page and back."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from drawing import Sheet, noisy

from batchocr.records import Pixels
from batchocr.vision.binarize import Mask, binarize, faintest_ink, flatten
from batchocr.vision.geometry.deskew import Turn, skew


def ink_of(pixels: Pixels) -> Mask:
    """Return the ink at half of the working resolution, as a run computes it."""
    contrast = flatten(pixels)
    return binarize(contrast[::2, ::2], faintest_ink(contrast))


def levelled(turn: Turn, page: Pixels) -> Pixels:
    """Return the page after the transformation; it is black outside of the page."""
    matrix, size = turn.matrix()
    return np.asarray(cv2.warpPerspective(page, matrix, size, flags=cv2.INTER_LINEAR, borderValue=0))


def on_page(turn: Turn, points: np.ndarray) -> np.ndarray:
    """Return points (n, 2) of the level page in pixels of the page."""
    return np.asarray(cv2.perspectiveTransform(points[:, None], np.linalg.inv(turn.matrix()[0]))[:, 0])


def writing(angle: float) -> Sheet:
    """Return rows of digits with an unsteady base line."""
    sheet = Sheet(1000, 1200, angle=angle)
    unsteady = np.random.default_rng(3)
    for row, text in enumerate(["207415836937", "8152047790", "31415926535", "7790", "20741583", "690237415"]):
        for place, digit in enumerate(text):
            sheet.digit(digit, 160 + 60 * place, 200 + 150 * row + float(unsteady.normal(0, 1.5)), 40)
    return sheet


def ruled(angle: float) -> Sheet:
    sheet = Sheet(1000, 1200, angle=angle)
    for row in range(12):
        sheet.rule(100, 150 + 80 * row, 900, 150 + 80 * row)
        sheet.number("20741"[row % 4 :], 200, 112 + 80 * row, 36)
    return sheet


ANGLES = [-15, -12.4, -10, -7.3, -5, -2, -1, 1, 2, 4.4, 5, 8, 10, 13, 15]


@pytest.mark.parametrize("angle", ANGLES)
def test_the_angle_of_written_rows_is_found(angle: float) -> None:
    assert skew(ink_of(noisy(writing(angle).pixels, 4))) == pytest.approx(angle, abs=0.3)


@pytest.mark.parametrize("angle", ANGLES)
def test_the_angle_of_ruled_paper_is_found(angle: float) -> None:
    assert skew(ink_of(noisy(ruled(angle).pixels, 4))) == pytest.approx(angle, abs=0.3)


@pytest.mark.parametrize("draw", [writing, ruled])
def test_a_straight_page_is_not_turned(draw: Callable[[float], Sheet]) -> None:
    assert skew(ink_of(noisy(draw(0).pixels, 4))) == 0


def test_a_straight_column_of_ones_is_not_turned() -> None:
    sheet = Sheet(600, 1200)
    for row in range(14):
        sheet.digit("1", 300, 60 + 75 * row, 40, slant=0.15)
    assert skew(ink_of(sheet.pixels)) == 0


@pytest.mark.parametrize("marks", [0, 1, 3, 5])
def test_a_page_with_few_marks_has_no_direction(marks: int) -> None:
    sheet = Sheet(1000, 1200)
    for i in range(marks):
        sheet.digit("7", 200 + 70 * i, 300 + 9 * i, 40)
    assert skew(ink_of(sheet.pixels)) == 0


def test_a_page_without_ink_has_no_direction() -> None:
    assert skew(np.zeros((300, 200), np.uint8)) == 0
    assert skew(np.zeros((1, 1), np.uint8)) == 0


@pytest.mark.parametrize("angle", [-10.0, -3.3, 0.0, 5.0])
def test_back_undoes_level(angle: float) -> None:
    """A spot of the level page is transformed back to its place on the page."""
    turn = Turn(angle, 400, 300)
    for x, y in [(200, 150), (80, 70), (330, 90), (60, 250)]:
        page = np.zeros((300, 400), np.uint8)
        page[y - 2 : y + 3, x - 2 : x + 3] = 255
        level = levelled(turn, page)
        assert level.shape[0] >= page.shape[0] and level.shape[1] >= page.shape[1]
        down, right = np.nonzero(level > 127)
        spot = np.array([[right.mean(), down.mean()]])
        assert on_page(turn, spot)[0] == pytest.approx((x, y), abs=0.5)


@pytest.mark.parametrize("tilt", [(0.0, 4e-4), (3e-4, -4e-4)])
def test_back_undoes_level_for_a_page_in_perspective(tilt: tuple[float, float]) -> None:
    homography = np.array([[1.0, 0.05, 0.0], [-0.04, 1.0, 0.0], [*tilt, 1.0]])
    turn = Turn(2.0, 400, 300, homography)
    for x, y in [(200, 150), (10, 12), (385, 8), (390, 290), (7, 288)]:
        page = np.zeros((300, 400), np.uint8)
        page[y - 2 : y + 3, x - 2 : x + 3] = 255
        level = levelled(turn, page)
        down, right = np.nonzero(level > 127)
        spot = np.array([[right.mean(), down.mean()]])
        assert on_page(turn, spot)[0] == pytest.approx((x, y), abs=0.5)


@pytest.mark.parametrize("angle", [-6.0, 4.0])
def test_a_row_is_level_after_the_rotation(angle: float) -> None:
    sheet = Sheet(600, 500, angle=angle)
    sheet.rule(100, 200, 500, 200, pen=3, grey=0)
    level = levelled(Turn(angle, 600, 500), flatten(sheet.pixels))
    rows, columns = np.nonzero(level > 127)
    assert np.ptp(rows) <= 6
    assert np.ptp(columns) == pytest.approx(400, abs=6)


@pytest.mark.parametrize("angle", [-8.0, 8.0])
def test_no_corner_is_lost(angle: float) -> None:
    page = np.zeros((500, 600), np.uint8)
    corners = [(2, 2), (2, 590), (490, 2), (490, 590)]
    for top, left in corners:
        page[top : top + 8, left : left + 8] = 255
    turn = Turn(angle, 600, 500)
    level = levelled(turn, page)
    assert int(level.sum()) == pytest.approx(int(page.sum()), rel=0.02)
    y, x = np.nonzero(level > 127)
    back = on_page(turn, np.stack([x, y], axis=1).astype(np.float64))
    for top, left in corners:
        assert np.abs(back - (left + 3.5, top + 3.5)).max(axis=1).min() < 1.5


def test_a_level_page_is_not_changed() -> None:
    page = noisy(np.full((30, 40), 100, np.uint8), 20)
    turn = Turn(0.0, 40, 30)
    assert not turn.moves
    assert np.array_equal(levelled(turn, page), page)
