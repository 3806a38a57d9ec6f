"""A sheet on a desk is found and rectified, and points are transformed back; other images are not changed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawing import Sheet as Paper
from drawing import noisy

from batchocr.records import Box, Pixels
from batchocr.vision.geometry.level import Levelled, level_page
from batchocr.vision.geometry.sheet import find_sheet

CORNERS = np.array([[260, 140], [1020, 90], [1110, 1270], [170, 1200]], np.float32)
"""Corners of the sheet in a photo of 1200 × 1400 pixels, in perspective."""
WIDTH, HEIGHT = 1000, 1300


def form() -> tuple[Pixels, list[Box]]:
    """Return a sheet with a frame, a table and numbers, and the boxes of its digits."""
    paper = Paper(WIDTH, HEIGHT, 240)
    paper.frame(60, 60, WIDTH - 120, HEIGHT - 120, 3)
    boxes = []
    for row in range(6):
        paper.rule(60, 150 + 170 * row, WIDTH - 60, 150 + 170 * row)
        for place, text in enumerate(["2074", "583", "69"]):
            boxes += paper.number(text, 120 + 280 * place, 210 + 170 * row, 44, 5)
    return paper.pixels, boxes


def on_desk(paper: Pixels, desk: Pixels, corners: np.ndarray = CORNERS) -> tuple[Pixels, np.ndarray]:
    """Return a photo of the sheet with these corners, and the homography from sheet to photo, by pixel corners."""
    height, width = paper.shape
    ends = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    view = cv2.getPerspectiveTransform(ends - np.float32(0.5), corners - np.float32(0.5))
    photo = cv2.warpPerspective(paper, view, desk.shape[::-1], flags=cv2.INTER_AREA)
    cover = cv2.warpPerspective(np.full_like(paper, 255), view, desk.shape[::-1])
    return np.where(cover > 127, photo, desk), cv2.getPerspectiveTransform(ends, corners)


def plain(grey: int, shape: tuple[int, int] = (1400, 1200)) -> Pixels:
    return np.full(shape, grey, np.uint8)


def wood(shape: tuple[int, int] = (1400, 1200)) -> Pixels:
    """Return a texture of level fibres, some as pale as paper."""
    bands = np.random.default_rng(5).normal(150, 22, (shape[0] // 7, 9))
    return cv2.resize(bands, shape[::-1], interpolation=cv2.INTER_CUBIC).clip(60, 225).astype(np.uint8)


DESKS = {"dark": plain(40), "grey": plain(120), "light": plain(190), "white": plain(228), "wood": wood()}


def transformed_boxes(boxes: list[Box], view: np.ndarray) -> list[Box]:
    """Return the boxes around the transformed corners of boxes."""
    found = []
    for box in boxes:
        ends = np.array([[x, y] for x in (box.left, box.right) for y in (box.top, box.bottom)], np.float64)
        points = cv2.perspectiveTransform(ends[:, None], view)[:, 0]
        (left, top), (right, bottom) = points.min(axis=0).round().astype(int), points.max(axis=0).round().astype(int)
        found.append(Box(int(left), int(top), int(right - left), int(bottom - top)))
    return found


# Sheets that are found


@pytest.mark.parametrize("desk", DESKS)
def test_the_corners_of_a_sheet_on_a_desk_are_found(desk: str) -> None:
    sheet = find_sheet(noisy(on_desk(form()[0], DESKS[desk])[0], 3))
    assert sheet.whole
    assert np.abs(sheet.corners - CORNERS).max() < 5


def test_a_sheet_below_a_shadow_is_found() -> None:
    image, _ = on_desk(form()[0], DESKS["grey"])
    light = np.ones(image.shape, np.float32)
    cv2.circle(light, (600, 1300), 500, 0.55, -1)
    sheet = find_sheet(noisy((image * cv2.GaussianBlur(light, (0, 0), 12)).astype(np.uint8), 3))
    assert sheet.whole
    assert np.abs(sheet.corners - CORNERS).max() < 5


def test_if_the_photo_cuts_the_sheet_off_only_its_own_sides_are_found() -> None:
    image, _ = on_desk(form()[0], DESKS["wood"])
    sheet = find_sheet(noisy(image[:1000, 300:], 3))
    assert sheet.sides == (True, True, False, False)
    assert not sheet.whole


# Images without a sheet on a desk


def tinted() -> Pixels:
    """Return a form on a tint with a large white field, and numbers inside and outside of the field."""
    paper = Paper(1000, 1300, 205)
    paper.pixels[200:1250, 50:950] = 245
    for row in range(5):
        paper.number("20745", 150, 300 + 150 * row, 44, 5)
        paper.number("7158", 80, 60, 44, 5)
    return paper.pixels


def two_sheets() -> Pixels:
    """Return two receipts side by side on the glass; both must be kept."""
    image = plain(30, (1300, 1000))
    for left, top in ((40, 40), (530, 160)):
        paper = Paper(430, 1100)
        for row in range(6):
            paper.number("2074", 60, 100 + 150 * row, 44, 5)
        image[top : top + 1100, left : left + 430] = paper.pixels
    return image


def folded() -> Pixels:
    """Return a form with a step in the light at each of two folds."""
    pixels = form()[0].astype(np.float64)
    pixels[650:] *= 0.9
    pixels[:, 500:] *= 0.93
    return pixels.astype(np.uint8)


def barred() -> Pixels:
    """Return a form with dark bars from side to side, like headings."""
    pixels = form()[0]
    pixels[150:230] = 90
    pixels[1200:1240] = 90
    return pixels


def shadowed() -> Pixels:
    """Return a form with the soft shadow of a person over its left part."""
    pixels = form()[0].astype(np.float64)
    down, across = np.indices(pixels.shape)
    light = np.interp(across + 0.4 * down - 0.5 * pixels.shape[1], [-25, 25], [0.65, 1.0])
    return np.asarray(pixels * light, np.uint8)


@pytest.mark.parametrize(
    "image",
    [
        *(form()[0], tinted(), two_sheets(), folded(), barred(), shadowed()),
        *(plain(240), plain(30), wood(), 255 - form()[0]),
    ],
)
def test_an_image_without_a_sheet_on_a_desk_is_not_changed(image: Pixels) -> None:
    sheet = find_sheet(noisy(image, 3))
    assert sheet.sides == (False, False, False, False)
    assert sheet.rectify(image) is image
    assert sheet.masked(image) is image
    assert sheet.angle == 0


@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (60, 400), (300, 300), (1, 5000), (5000, 3), (480, 499)])
def test_a_cut_out_of_any_shape_has_no_sheet(shape: tuple[int, int]) -> None:
    for grey in (30, 240):
        image = noisy(np.full(shape, grey, np.uint8), 5)
        image[shape[0] // 4 : -shape[0] // 4, shape[1] // 4 : -shape[1] // 4] = 200
        assert not any(find_sheet(image).sides)


# Rectified sheets


def test_points_of_the_rectified_sheet_are_transformed_back_to_the_photo() -> None:
    image, _ = on_desk(plain(240, (HEIGHT, WIDTH)), DESKS["dark"])
    spots = np.array([[400, 300], [900, 250], [850, 1100], [350, 1000]], np.float64)
    for x, y in spots.astype(int):
        image[y - 3 : y + 4, x - 3 : x + 4] = 0
    sheet = find_sheet(image)
    for reduction in (1, 2):
        small = cv2.resize(image, None, fx=1 / reduction, fy=1 / reduction, interpolation=cv2.INTER_AREA)
        square = sheet.rectify(small)
        scale = sheet.size[0] / square.shape[1], sheet.size[1] / square.shape[0]
        _, _, _, middles = cv2.connectedComponentsWithStats((square < 120).astype(np.uint8))
        points = (middles[1:, None] + 0.5) * scale
        back = cv2.perspectiveTransform(points, np.linalg.inv(sheet.matrix))[:, 0] - 0.5
        assert len(back) == len(spots)
        for spot in spots:
            assert np.linalg.norm(back - spot, axis=1).min() < 0.4 * reduction


def test_a_rectified_sheet_keeps_its_size_and_shows_no_desk() -> None:
    image, _ = on_desk(plain(240, (HEIGHT, WIDTH)), DESKS["dark"])
    sheet = find_sheet(image)
    assert sheet.size == pytest.approx((944, 1183), abs=8)
    assert sheet.angle == pytest.approx(0.3, abs=0.5)
    assert sheet.rectify(image).min() > 230


def middles(boxes: list[Box]) -> np.ndarray:
    return np.array([(box.left + box.width / 2, box.top + box.height / 2) for box in boxes])


def on_level(level: Levelled, points: np.ndarray) -> np.ndarray:
    """Return points of the photo in pixels of the level page."""
    back = np.linalg.inv(level.to_page)
    return np.asarray(cv2.perspectiveTransform(np.asarray(points, np.float64)[:, None], back)[:, 0])


@pytest.mark.parametrize("desk", DESKS)
def test_the_rows_of_a_photographed_form_are_level_and_its_digits_dark(desk: str) -> None:
    paper, boxes = form()
    image, view = on_desk(paper, DESKS[desk])
    level = level_page(noisy(image, 3))
    where = on_level(level, middles(transformed_boxes(boxes, view)))
    for row in range(6):
        assert np.ptp(where[9 * row : 9 * row + 9, 1]) < 6
    assert (where > 0).all() and (where < level.pixels.shape[::-1]).all()
    for x, y in where.round().astype(int).tolist():
        assert level.pixels[y - 20 : y + 21, x - 15 : x + 16].min() < 100


def test_a_small_sheet_on_a_dark_desk_is_not_inverted() -> None:
    paper, _ = form()
    small = CORNERS * 0.62 + np.array([200, 300])
    image, _ = on_desk(paper, DESKS["dark"], np.asarray(small, np.float32))
    assert np.median(level_page(noisy(image, 3)).pixels) > 200
