"""The pictures of a page on its way: what is drawn, and in which colour."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from drawing import Sheet

from batchocr.executors.page_task import look_at
from batchocr.output.draw_rows import Colour, Picture
from batchocr.output.draw_stages import BLUE, GREEN, KINDS, RED, STAGES
from batchocr.pipeline import Read
from batchocr.records import (
    CLASSES,
    HAND,
    PRINT,
    SIGN,
    Detections,
    NumberRow,
    Page,
    PageResult,
    Pixels,
    Scan,
    no_detections,
)

NOTHING = np.empty((0, 11))


def drawn(
    stage: str,
    pixels: Pixels,
    found: Detections | None = None,
    probabilities: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = NOTHING,
    numbers: tuple[NumberRow, ...] = (),
) -> Picture:
    prepared = look_at(Page(Scan(Path("page.png"), "page.png"), 1, pixels, ""))
    assert prepared.level
    read = Read(prepared, found or no_detections(), probabilities)
    return STAGES[stage](pixels, prepared.level, read, PageResult(prepared.row, (), numbers))


def has(picture: Picture, colour: Colour, least: int = 20) -> bool:
    return int((picture == colour).all(axis=-1).sum()) >= least


def page_of_three() -> tuple[Pixels, Detections]:
    """A page with two digits and a point, and what is found on it."""
    page = Sheet(900, 500)
    boxes = [page.digit("2", 100, 100, 50), page.digit("7", 200, 100, 50), page.digit(".", 260, 100, 50)]
    sides = np.array([(b.left, b.top, b.width, b.height) for b in boxes], np.float32)
    classes = np.eye(CLASSES, dtype=np.float32)[[2, 7, 10]]
    kinds, shares = np.array([HAND, PRINT, SIGN], np.int8), np.array([0, 1, 0], np.float32)
    return page.pixels, Detections(sides, np.full(3, 0.9, np.float32), kinds, classes, shares)


@pytest.mark.parametrize("stage", list(STAGES))
def test_each_stage_of_a_page_without_writing_is_a_picture(stage: str) -> None:
    picture = drawn(stage, np.full((300, 400), 240, np.uint8))
    assert picture.ndim == 3
    assert picture.dtype == np.uint8


def test_each_kind_of_detection_has_its_colour() -> None:
    pixels, found = page_of_three()
    picture = drawn("detections", pixels, found)
    assert all(has(picture, colour, 8) for colour in KINDS.values())
    assert not has(drawn("detections", pixels, found.take(found.kinds == HAND)), KINDS[SIGN])


def test_crops_on_which_the_networks_differ_are_red() -> None:
    pixels, found = page_of_three()
    agreed = np.eye(11)[[2, 7, 0]]
    assert not has(drawn("crops", pixels, found, agreed), RED, 3)
    assert has(drawn("crops", pixels, found, np.eye(11)[[2, 1, 0]]), RED, 3)


def test_tiles_that_are_left_out_are_dark() -> None:
    pixels, _ = page_of_three()
    picture = drawn("tiles", pixels)
    assert picture[150, 500].max() > 200
    assert picture[400, 800].max() < 130


def test_each_number_has_its_frame_and_its_line_a_thread() -> None:
    pixels, _ = page_of_three()
    numbers = tuple(
        NumberRow("page.png", 1, 1, place, "27", "27", 0.9, "hand", left, 100, 80, 50, "")
        for place, left in enumerate((100, 600), 1)
    )
    picture = drawn("lines", pixels, numbers=numbers)
    assert not np.array_equal(picture[125, 300:500], drawn("lines", pixels)[125, 300:500])
    assert has(picture, RED, 3)


def test_the_outline_of_a_photographed_sheet_is_green_where_it_lies() -> None:
    page = Sheet(900, 1200)
    for y in range(100, 1100, 120):
        page.number("2074158", 100, y, 50)
    ends = np.array([(160, 120), (1040, 150), (1010, 1330), (130, 1290)], np.float32)
    corners = np.array([(0, 0), (900, 0), (900, 1200), (0, 1200)], np.float32)
    desk = np.full((1450, 1200), 70, np.uint8)
    matrix = cv2.getPerspectiveTransform(corners, ends)
    photo = cv2.warpPerspective(page.pixels, matrix, (1200, 1450), dst=desk, borderMode=cv2.BORDER_TRANSPARENT)
    picture = drawn("sheet", photo)
    above = picture.shape[0] - 1450
    ys, xs = np.nonzero((picture == GREEN).all(axis=-1))
    off = [np.hypot(xs - end[0], ys - above - end[1]).min() for end in ends.tolist()]
    assert max(off) < 12, off
    assert has(picture, BLUE, 2000)


def test_a_page_that_fills_its_picture_has_no_outline() -> None:
    assert not has(drawn("sheet", page_of_three()[0]), GREEN)
