"""A level page is cut into tiles: scale, padding, overlap, and tiles that are left out."""

from __future__ import annotations

import numpy as np
import pytest
from drawing import Sheet, noisy

from batchocr.records import TILE
from batchocr.vision.scales import far_scale, first_scale, second_scale
from batchocr.vision.tiles import PARAMETERS, make_tiles

OVERLAP = PARAMETERS.overlap_px


def covered(corners: list[list[int]], width: int, height: int) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    inside = np.zeros((height, width), np.bool_)
    for left, top in corners:
        inside[max(0, top) : top + TILE, max(0, left) : left + TILE] = True
    return inside


@pytest.mark.parametrize(
    "shape, scale",
    [
        ((3508, 2480), 1120 / 3508),  # A4 at 300 dpi becomes 96 dpi: it just fills four rows of tiles
        ((1754, 1240), 1120 / 1754),
        ((3300, 2550), 848 / 2550),  # Letter at 300 dpi just fills three columns
        ((2000, 2000), 0.5),  # one row less would require a much smaller page
        ((1000, 700), 1.0),
        ((450, 300), 848 / 450),
        ((200, 200), 0.32),
        ((600, 400), 848 / 600),
        ((28, 28), 2.0),
        ((40, 600), 1.6),
        ((90, 600), 64 / 90),
    ],
)
def test_the_scale_of_the_first_pass(shape: tuple[int, int], scale: float) -> None:
    assert first_scale(shape) == pytest.approx(scale, rel=0.01)


def test_a_page_is_reduced_a_little_if_that_saves_a_row_of_tiles() -> None:
    page = noisy(np.full((3508, 2480), 200, np.uint8), 40)
    assert len(make_tiles(page, first_scale(page.shape)).pixels) == 3 * 4
    assert len(make_tiles(page, 1e6**0.5 / (3508 * 2480) ** 0.5).pixels) == 3 * 5


def test_a_very_long_strip_has_a_bounded_number_of_tiles() -> None:
    strip = np.full((60, 60_000), 200, np.uint8)
    strip[:, ::7] = 20
    tiles = make_tiles(strip, first_scale(strip.shape))
    assert 1 < len(tiles.pixels) <= PARAMETERS.max_tiles


def test_tiles_of_a_page_full_of_ink_cover_it_and_overlap() -> None:
    page = noisy(np.full((900, 1300), 200, np.uint8), 40)
    tiles = make_tiles(page, 1.0)
    corners = tiles.corners.tolist()
    assert covered(corners, 1300, 900).all()
    for axis in (0, 1):
        starts = np.unique(tiles.corners[:, axis])
        assert (np.diff(starts) <= TILE - OVERLAP).all()
        assert starts[0] == -PARAMETERS.margin_px
    assert tiles.pixels.shape == (len(corners), TILE, TILE, 2)
    assert tiles.pixels.dtype == np.uint8


def test_a_page_smaller_than_a_tile_is_in_its_middle() -> None:
    page = Sheet(100, 80)
    page.digit("8", 30, 20, 40)
    tiles = make_tiles(page.pixels, 1.0)
    assert tiles.corners.tolist() == [[-110, -120]]
    y, x = np.nonzero(tiles.pixels[0, ..., 0] > 150)
    assert 140 <= y.min() <= y.max() <= 180
    assert 140 <= x.min() <= x.max() <= 180


def test_tiles_of_bare_paper_are_left_out() -> None:
    page = Sheet(1300, 900)
    page.number("27", 60, 60, 40)
    tiles = make_tiles(page.pixels, 1.0)
    assert tiles.corners.tolist() == [[-PARAMETERS.margin_px, -PARAMETERS.margin_px]]
    assert len(make_tiles(Sheet(1300, 900).pixels, 1.0).pixels) == 0


@pytest.mark.parametrize("grain", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("place", [(60, 60), (290, 150), (640, 430), (1200, 820)])
def test_faint_writing_is_never_left_out(grain: float, place: tuple[int, int]) -> None:
    page = Sheet(1300, 900, grey=235)
    box = page.digit("3", *place, 40, pen=3, grey=223)
    tiles = make_tiles(noisy(page.pixels, grain), 1.0)
    assert covered(tiles.corners.tolist(), 1300, 900)[box.top : box.bottom, box.left : box.right].all()


def test_the_second_pass_enlarges_small_writing_and_reduces_large_writing() -> None:
    a4 = (3508, 2480)
    first = first_scale(a4)
    usual = np.full(20, 60.0)
    assert second_scale(a4, first, usual) is None
    assert second_scale(a4, first, np.empty(0)) == pytest.approx(1.7 * first)  # nothing found: enlarged once
    assert second_scale((900, 600), 1.0, np.empty(0)) is None
    assert second_scale(a4, first, np.full(20, 20.0)) == pytest.approx(1.0, abs=0.05)
    assert second_scale((1754, 1240), 1.0, np.full(20, 10.0)) is None  # there is no more resolution
    assert second_scale((1754, 1240), 1.0, np.full(20, 100.0)) == pytest.approx(0.45)


def test_a_small_image_may_be_one_digit_or_a_page_of_small_digits() -> None:
    image = (140, 96)
    first = first_scale(image)
    assert 140 * first < 100  # a digit that fills it
    assert second_scale(image, first, np.empty(0)) == pytest.approx(2.0)  # nothing found: as large as it can be
    assert second_scale((300, 400), first_scale((300, 400)), np.full(9, 30.0)) == pytest.approx(34 / 30)


def test_the_far_pass_searches_very_large_digits() -> None:
    a4 = (3508, 2480)
    assert far_scale(a4, first_scale(a4)) == pytest.approx(0.35 * first_scale(a4))
    assert far_scale((140, 96), first_scale((140, 96))) is None
