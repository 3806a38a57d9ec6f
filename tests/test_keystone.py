"""Forms in perspective are distinguished from flat forms, also turned ones, and rectified."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawing import Sheet, noisy

from batchocr.records import Box, Pixels
from batchocr.vision.binarize import Mask, binarize, faintest_ink, flatten
from batchocr.vision.geometry.deskew import find_turn
from batchocr.vision.geometry.keystone import keystone
from batchocr.vision.geometry.level import level_page

WIDTH, HEIGHT = 1200, 1500


def ink_of(pixels: Pixels) -> Mask:
    """Return the ink at half of the working resolution, as a run computes it."""
    contrast = flatten(pixels)
    return binarize(contrast[::2, ::2], faintest_ink(contrast))


def form(angle: float = 0.0) -> tuple[Pixels, list[Box]]:
    """Return twelve ruled rows with numbers between upright lines."""
    sheet, boxes = Sheet(WIDTH, HEIGHT, 240, angle), []
    for row in range(12):
        sheet.rule(120, 150 + 100 * row, 1080, 150 + 100 * row, grey=60)
        for place, text in enumerate(["2074", "583", "69"]):
            boxes += sheet.number(text, 180 + 320 * place, 184 + 100 * row, 38)
    for x in (120, 440, 760, 1080):
        sheet.rule(x, 150, x, 1250, grey=60)
    return sheet.pixels, boxes


def perspective(across: float, down: float) -> np.ndarray:
    """Return a perspective homography that keeps the middle of the page; its sides converge by these shares."""
    tilt = np.eye(3)
    tilt[2, :2] = across / WIDTH, down / HEIGHT
    away, home = np.eye(3), np.eye(3)
    home[:2, 2] = WIDTH / 2, HEIGHT / 2
    away[:2, 2] = -WIDTH / 2, -HEIGHT / 2
    return home @ tilt @ away


def photographed(pixels: Pixels, view: np.ndarray) -> Pixels:
    return cv2.warpPerspective(pixels, view, pixels.shape[::-1], flags=cv2.INTER_AREA, borderValue=240)


@pytest.mark.parametrize("angle", [0.0, -6.0, 3.0, 9.0])
def test_a_flat_form_is_only_turned(angle: float) -> None:
    ink = ink_of(noisy(form(angle)[0], 3))
    assert keystone(ink) is None
    turn = find_turn(ink, WIDTH, HEIGHT)
    assert turn.homography is None
    assert turn.angle == pytest.approx(angle, abs=0.3)


@pytest.mark.parametrize(("across", "down"), [(0.12, 0.0), (0.0, 0.12), (-0.1, 0.1), (0.15, 0.1)])
def test_the_lines_of_a_form_in_perspective_are_level_and_upright_afterwards(across: float, down: float) -> None:
    ink = ink_of(noisy(photographed(form()[0], perspective(across, down)), 3))
    square = keystone(ink)
    assert square is not None
    half = np.diag([0.5, 0.5, 1.0])
    home = np.eye(3)
    home[:2, 2] = -WIDTH / 4, -HEIGHT / 4
    back = square @ home @ half @ perspective(across, down)
    ends = np.array([[120, 150], [1080, 150], [1080, 1250], [120, 1250]], np.float64)
    a, b, c, d = cv2.perspectiveTransform(ends[:, None], back)[:, 0]
    for left, right in ((a, b), (d, c)):
        assert abs(left[1] - right[1]) < 0.006 * (right[0] - left[0])
    for top, bottom in ((a, d), (b, c)):
        assert abs(top[0] - bottom[0]) < 0.006 * (bottom[1] - top[1])


@pytest.mark.parametrize(("across", "down"), [(0.12, 0.0), (-0.1, 0.1), (0.15, -0.1)])
def test_the_rows_of_a_form_in_perspective_are_level(across: float, down: float) -> None:
    pixels, boxes = form()
    level = level_page(noisy(photographed(pixels, perspective(across, down)), 3))
    middles = np.array([(box.left + box.width / 2, box.top + box.height / 2) for box in boxes])
    where = cv2.perspectiveTransform(middles[:, None], np.linalg.inv(level.to_page) @ perspective(across, down))[:, 0]
    for row in range(12):
        assert np.ptp(where[9 * row : 9 * row + 9, 1]) < 5
    for x, y in where.round().astype(int).tolist():
        assert level.pixels[y - 20 : y + 21, x - 15 : x + 16].min() < 100


def test_irregular_lines_give_no_homography() -> None:
    where = np.random.default_rng(2)
    sheet = Sheet(WIDTH, HEIGHT)
    for y in range(100, 1400, 60):
        sheet.rule(150, y, 1000, y + float(where.uniform(-120, 120)), grey=60)
    assert keystone(ink_of(sheet.pixels)) is None


@pytest.mark.parametrize("shape", [(1, 1), (3, 400), (400, 2), (14, 14), (300, 200)])
def test_a_page_without_lines_gives_no_homography(shape: tuple[int, int]) -> None:
    assert keystone(np.zeros(shape, np.uint8)) is None
    assert keystone(np.full(shape, 255, np.uint8)) is None
