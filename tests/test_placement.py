"""Pages are placed on their form: warped pages with a known map, other editions, pages that show too little."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from batchocr.errors import ScanError
from batchocr.executors.page_task import prepare_page
from batchocr.forms.form import Field, Form, FormImage, Rect
from batchocr.records import LevelPage, Page, Pixels, Scan
from batchocr.vision.geometry.laying import bend_at, transformed

Floats = NDArray[np.float64]
PX_PER_MM, WIDTH_MM, HEIGHT_MM = 8, 150, 200
WORDS = (
    "Meter of house number street reading day month total water gas heat paid office signature remark member".split()
)


def blank(seed: int = 1) -> Pixels:
    """A form: words on the left and right, boxes in between, a table below."""
    rng = np.random.default_rng(seed)
    page = np.full((HEIGHT_MM * PX_PER_MM, WIDTH_MM * PX_PER_MM), 255, np.uint8)
    for row in range(14):
        for left in (60, 640):
            text = " ".join(rng.choice(WORDS, 3))
            place = left, 90 + 108 * row
            cv2.putText(page, text[:24], place, cv2.FONT_HERSHEY_COMPLEX, 0.85, 30, 2, cv2.LINE_AA)
            for cell in range(4):
                cv2.rectangle(page, (left + 60 * cell, place[1] + 18), (left + 60 * cell + 60, place[1] + 72), 90, 2)
    return page


def form(pixels: Pixels) -> Form:
    places = [
        Rect((60 + 580 * side) / PX_PER_MM, (108 + 108 * row) / PX_PER_MM, 30, 7)
        for row in range(14)
        for side in (0, 1)
    ]
    fields = tuple(Field(f"f{number}", "number", place) for number, place in enumerate(places))
    return Form("drawn", WIDTH_MM, HEIGHT_MM, fields, image=FormImage(pixels, PX_PER_MM))


FORM = form(blank())
SCAN = Scan(Path("page.png"), "page.png")


def warped(pixels: Pixels, to_form: Callable[[Floats], Floats], size: tuple[int, int]) -> Pixels:
    """Return a page of this width and height; `to_form` leads from its pixels to pixels of the form."""
    x, y = np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5)
    points = to_form(np.stack([x.ravel(), y.ravel()], axis=1)) - 0.5
    maps = points.reshape(size[1], size[0], 2).astype(np.float32)
    return np.asarray(cv2.remap(pixels, maps, None, cv2.INTER_LINEAR, borderValue=255), np.uint8)


def placed(pixels: Pixels) -> LevelPage:
    level = prepare_page(Page(SCAN, 1, pixels, ""), (FORM,)).level
    assert level is not None
    return level


def error_mm(level: LevelPage, to_form: Callable[[Floats], Floats]) -> float:
    """Return the largest error over all fields."""
    assert level.placement is not None
    places = [each.place for each in FORM.fields]
    corners = np.array([[x, y] for p in places for x in (p.left, p.right) for y in (p.top, p.bottom)])
    points = corners * level.placement.px_per_mm
    on_page = transformed(points + bend_at(points, level.placement.bend, level.pixels.shape), level.to_page)
    return float(np.linalg.norm(to_form(on_page) / PX_PER_MM - corners, axis=1).max())


TILTED = np.array([[1.05, 0.06, -100.0], [-0.04, 1.1, -40.0], [2e-5, 8e-5, 1]])


def bent(points: Floats) -> Floats:
    return points + np.stack([np.zeros(len(points)), 9 * np.sin(points[:, 1] / 320)], axis=1)


@pytest.mark.parametrize(
    "to_form",
    [lambda p: p, lambda p: transformed(p, TILTED), lambda p: bent(transformed(p, TILTED)), lambda p: 1.0 * p[:, ::-1]],
    ids=["same", "tilted", "bent", "mirrored"],
)
def test_fields_are_at_their_place(to_form: Callable[[Floats], Floats], request: pytest.FixtureRequest) -> None:
    assert FORM.image is not None
    page = warped(FORM.image.pixels, to_form, (1300, 1800))
    if "mirrored" in request.node.callspec.id:
        with pytest.raises(ScanError, match="fits no form"):
            placed(page)
        return
    assert error_mm(placed(page), to_form) < 0.25


def test_a_part_that_was_moved_is_another_edition() -> None:
    page = blank()
    part = page[560:1000, 600:1180].copy()
    page[560:1000, 600:1180] = 255
    page[584:1024, 600:1180] = np.minimum(part, page[584:1024, 600:1180])
    with pytest.raises(ScanError, match="another edition"):
        placed(page)


def test_pale_print_that_was_moved_is_another_edition() -> None:
    pale = np.where(blank() < 255, 170, 255).astype(np.uint8)
    page = np.vstack([blank()[:800], np.full((20, 1200), 255, np.uint8), pale[800:-20]])
    with pytest.raises(ScanError, match="drawn"):
        placed(page)


def test_a_fax_that_lost_the_pale_lines_is_placed() -> None:
    fax = np.where(blank() < 80, 0, 255).astype(np.uint8)  # the boxes are lost, the words are kept
    assert error_mm(placed(fax), lambda p: p) < 0.25


def test_fields_far_from_all_print_are_not_accepted_on_bent_paper() -> None:
    far = Field("far", "number", Rect(20, 175, 60, 10))
    pixels = blank()
    pixels[900:] = 255
    fields = (*FORM.fields[:12], far)
    alone = Form("upper", WIDTH_MM, HEIGHT_MM, fields, image=FormImage(pixels, PX_PER_MM))
    page = warped(pixels, bent, (1200, 1600))
    with pytest.raises(ScanError, match="the place of the field far is not sure"):
        prepare_page(Page(SCAN, 1, page, ""), (alone,))
