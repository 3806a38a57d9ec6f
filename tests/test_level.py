"""From a page to its level page and back: polarity, size, and positions of points."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawing import Sheet

from batchocr.records import Box, Pixels
from batchocr.vision.geometry.level import Levelled, LevelParameters, level_page


def rows(angle: float) -> tuple[Pixels, list[Box]]:
    page = Sheet(1240, 1000, angle=angle)
    boxes = [box for y in range(150, 850, 90) for box in page.number("2748301", 200, y, 40)]
    return page.pixels, boxes


def back(level: Levelled, box: Box) -> Box:
    ends = [(box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)]
    points = cv2.perspectiveTransform(np.array([ends], np.float64), level.to_page)[0]
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    return Box(round(x0), round(y0), round(x1 - x0), round(y1 - y0))


def ink(pixels: Pixels) -> list[tuple[float, float]]:
    """Return the centres of the pieces of ink, in rows of 90 px."""
    _, _, stats, middles = cv2.connectedComponentsWithStats((pixels < 128).astype(np.uint8))
    return sorted(map(tuple, middles[1:][stats[1:, cv2.CC_STAT_AREA] > 20].tolist()), key=lambda p: (p[1] // 90, p[0]))


def test_a_level_page_is_not_changed() -> None:
    pixels, _ = rows(0.0)
    level = level_page(pixels)
    assert np.array_equal(level.pixels, pixels)
    assert np.array_equal(level.to_page, np.eye(3))
    assert level.angle == 0


@pytest.mark.parametrize("angle", [-6.0, 2.5, 9.0])
def test_a_turned_page_is_made_level_and_points_keep_their_place(angle: float) -> None:
    pixels, _ = rows(angle)
    level = level_page(pixels)
    assert level.angle == pytest.approx(angle, abs=2.0)  # a page with few digits
    found, given = ink(level.pixels), np.array(ink(pixels))
    assert len(found) == len(given)
    ends = cv2.perspectiveTransform(np.array([found], np.float64) + 0.5, level.to_page)[0] - 0.5
    away = np.hypot(*(ends[:, None] - given[None]).transpose(2, 0, 1)).min(axis=1)
    assert away.max() < 1.0


def test_a_photographed_sheet_is_rectified() -> None:
    pixels, _ = rows(0.0)
    height, width = pixels.shape
    ends = np.array([(160, 120), (1340, 150), (1310, 1130), (130, 1090)], np.float32)
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    desk = np.full((1250, 1500), 70, np.uint8)
    matrix = cv2.getPerspectiveTransform(corners, ends)
    photo = cv2.warpPerspective(pixels, matrix, (1500, 1250), dst=desk, borderMode=cv2.BORDER_TRANSPARENT)
    level = level_page(photo)
    found = cv2.perspectiveTransform(np.array([ink(level.pixels)], np.float64) + 0.5, level.to_page)[0]
    true = cv2.perspectiveTransform(np.array([ink(pixels)], np.float64), matrix)[0]
    away = np.hypot(*(true[:, None] - found[None]).transpose(2, 0, 1)).min(axis=1)
    assert away.max() < 3.0


def test_light_on_dark_is_inverted() -> None:
    pixels, _ = rows(0.0)
    assert np.array_equal(level_page(cv2.bitwise_not(pixels)).pixels, pixels)


def test_a_large_page_is_bounded() -> None:
    pixels, _ = rows(0.0)
    level = level_page(pixels, LevelParameters(max_megapixels=0.31))
    assert level.pixels.shape == (500, 620)
    assert back(level, Box(10, 20, 30, 40)) == Box(20, 40, 60, 80)


def test_a_large_turned_page_is_bounded() -> None:
    pixels, _ = rows(5.0)
    level = level_page(pixels, LevelParameters(max_megapixels=0.31))
    assert level.pixels.size == pytest.approx(0.31e6, rel=0.01)
    found = cv2.perspectiveTransform(np.array([ink(level.pixels)], np.float64) + 0.5, level.to_page)[0] - 0.5
    given = np.array(ink(pixels))
    away = np.hypot(*(found[:, None] - given[None]).transpose(2, 0, 1)).min(axis=1)
    assert away.max() < 3.0
