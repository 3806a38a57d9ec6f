"""Draw a page at each stage of its processing: what is drawn, and in which colour."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from drawing import Sheet

from batchocr.executors.page_task import prepare_page
from batchocr.output.drawing.canvas import BLUE, VERMILLION, Canvas, Colour
from batchocr.output.drawing.draw_stages import KINDS, STAGES, Stages
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
    max_side_px: int = 0,
) -> Canvas:
    prepared = prepare_page(Page(Scan(Path("page.png"), "page.png"), 1, pixels, ""))
    assert prepared.level
    read = Read(prepared, found or no_detections(), probabilities)
    result = PageResult(prepared.row, (), numbers)
    return STAGES[stage](Stages(pixels, prepared.level, read, result, max_side_px))


def has(image: Canvas, colour: Colour, min_pixels: int = 20) -> bool:
    return int((image == colour).all(axis=-1).sum()) >= min_pixels


def page_of_three() -> tuple[Pixels, Detections]:
    """A page with two digits and a point, and what is found on it."""
    page = Sheet(900, 500)
    boxes = [page.digit("2", 100, 100, 50), page.digit("7", 200, 100, 50), page.digit(".", 260, 100, 50)]
    sides = np.array([(b.left, b.top, b.width, b.height) for b in boxes], np.float32)
    classes = np.eye(CLASSES, dtype=np.float32)[[2, 7, 10]]
    kinds, shares = np.array([HAND, PRINT, SIGN], np.int8), np.array([0, 1, 0], np.float32)
    return page.pixels, Detections(sides, np.full(3, 0.9, np.float32), kinds, classes, shares)


@pytest.mark.parametrize("stage", list(STAGES))
def test_each_stage_of_a_page_without_writing_is_an_image(stage: str) -> None:
    image = drawn(stage, np.full((300, 400), 240, np.uint8))
    assert image.ndim == 3
    assert image.dtype == np.uint8


def test_each_kind_of_detection_has_its_colour() -> None:
    pixels, found = page_of_three()
    page = drawn("detections", pixels, found)[:500]
    assert all(has(page, colour, 8) for _, colour in KINDS.values())
    assert not has(drawn("detections", pixels, found.take(found.kinds == HAND))[:500], KINDS[SIGN][1])


def test_crops_on_which_the_networks_differ_stand_out() -> None:
    pixels, found = page_of_three()
    agreed = np.eye(11)[[2, 7, 0]]
    assert not has(drawn("crops", pixels, found, agreed), VERMILLION, 3)
    assert has(drawn("crops", pixels, found, np.eye(11)[[2, 1, 0]]), VERMILLION, 3)


def test_tiles_that_are_left_out_are_dark() -> None:
    pixels, _ = page_of_three()
    image = drawn("tiles", pixels)
    assert image[150, 500].max() > 200
    assert image[400, 800].max() < 130


def test_each_number_has_its_frame_and_its_line_a_thread() -> None:
    pixels, _ = page_of_three()
    numbers = tuple(
        NumberRow("page.png", 1, 1, place, "27", "27", 0.9, "hand", left, 100, 80, 50, "")
        for place, left in enumerate((100, 600), 1)
    )
    image = drawn("lines", pixels, numbers=numbers)
    assert not np.array_equal(image[125, 300:500], drawn("lines", pixels)[125, 300:500])
    assert has(image, VERMILLION, 3)


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "crops"])
def test_each_stage_fits_the_side_given_and_has_a_legend(stage: str) -> None:
    pixels, found = page_of_three()
    image = drawn(stage, pixels, found, np.eye(11)[[2, 7, 0]], max_side_px=400)
    assert image.shape[1] == 400
    page_height = image.shape[0] - 1 - int((image[::-1, 0] != 255).any(axis=1).argmax())
    assert page_height <= 400
    assert (image[page_height + 2 :] < 100).any()  # text below the page


def test_the_outline_of_a_photographed_sheet_is_drawn_on_the_sheet() -> None:
    page = Sheet(900, 1200)
    for y in range(100, 1100, 120):
        page.number("2074158", 100, y, 50)
    ends = np.array([(160, 120), (1040, 150), (1010, 1330), (130, 1290)], np.float32)
    corners = np.array([(0, 0), (900, 0), (900, 1200), (0, 1200)], np.float32)
    desk = np.full((1450, 1200), 70, np.uint8)
    matrix = cv2.getPerspectiveTransform(corners, ends)
    photo = cv2.warpPerspective(page.pixels, matrix, (1200, 1450), dst=desk, borderMode=cv2.BORDER_TRANSPARENT)
    image = drawn("sheet", photo)
    ys, xs = np.nonzero((image == VERMILLION).all(axis=-1))
    off = [np.hypot(xs - end[0], ys - end[1]).min() for end in ends.tolist()]
    assert max(off) < 12, off
    assert has(image, BLUE, 2000)


def test_a_page_that_fills_its_image_has_no_outline() -> None:
    assert not has(drawn("sheet", page_of_three()[0]), VERMILLION)
