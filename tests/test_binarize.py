"""Uneven light is removed and ink is separated from paper, on drawn pages with known ink."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawing import Sheet, blurred, noisy, shaded

from batchocr.records import Pixels
from batchocr.vision.binarize import Mask, binarize, faintest_ink, flatten, is_white_on_black
from batchocr.vision.geometry.connected import connected


def ink_of(pixels: Pixels) -> Mask:
    contrast = flatten(pixels)
    return binarize(contrast, faintest_ink(contrast))


def pieces_of(ink: Mask) -> int:
    """Return the number of pieces of ink that are larger than a speck (a third of the smallest writing)."""
    _, stats = connected(ink)
    return int(np.count_nonzero(stats[1:, 2:4].max(axis=1, initial=0) > 5))


def page(grey: int = 30, paper: int = 245, pen: int = 4) -> Pixels:
    """Return a page of 1300×1100 with five rows of digits, 40 pixels high."""
    sheet = Sheet(1300, 1100, paper)
    for row in range(5):
        sheet.number("2074158369" * 2, 80, 100 + 200 * row, 40, pen, grey)
    return sheet.pixels


# Polarity


@pytest.mark.parametrize("pixels", [page(), page(grey=150), page(grey=20, paper=110), noisy(page(), 12)])
def test_dark_writing_is_not_white_on_black(pixels: Pixels) -> None:
    assert not is_white_on_black(pixels)


@pytest.mark.parametrize("pixels", [255 - page(), page(grey=200, paper=40), noisy(page(grey=230, paper=60), 12)])
def test_pale_writing_on_dark_paper_is_white_on_black(pixels: Pixels) -> None:
    assert is_white_on_black(pixels)


@pytest.mark.parametrize("grey", [0, 60, 128, 200, 255])
def test_bare_paper_of_any_grey_is_not_white_on_black(grey: int) -> None:
    assert not is_white_on_black(np.full((300, 200), grey, np.uint8))


# Light


def test_black_on_white_has_full_contrast_and_bare_paper_has_no_contrast() -> None:
    contrast = flatten(page(grey=0))
    assert contrast.shape == (1100, 1300)
    assert contrast.dtype == np.uint8
    assert contrast[100:140, 80:120].max() >= 250
    assert contrast[:60].max() <= 2


@pytest.mark.parametrize("darkest", [0.8, 0.6, 0.45])
def test_shade_is_removed_from_paper_and_ink(darkest: float) -> None:
    level, lit = flatten(page()), flatten(shaded(page(), darkest))
    off = np.abs(level.astype(int) - lit)
    assert np.percentile(off[level < 10], 99.9) <= 12
    assert np.percentile(off[level > 200], 99) <= 20


@pytest.mark.parametrize("darkest", [1.0, 0.6, 0.45])
def test_the_ink_does_not_depend_on_the_shade(darkest: float) -> None:
    level, lit = ink_of(page()), ink_of(shaded(noisy(page(), 3), darkest))
    assert np.count_nonzero(level != lit) <= 0.04 * np.count_nonzero(level)


# Ink


@pytest.mark.parametrize("spread", [0, 4, 8])
def test_pencil_is_kept_completely_in_spite_of_noise(spread: float) -> None:
    ink = ink_of(noisy(page(grey=140), spread))
    drawn = page(grey=140) < 160
    assert np.count_nonzero(ink[drawn]) >= 0.98 * np.count_nonzero(drawn)
    near = cv2.dilate(drawn.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert pieces_of(np.where(near, np.uint8(0), ink)) == 0


def bar_width(ink: Mask) -> float:
    """Return the mean width in pixels of an upright bar between y 150 and 350, x 350 and 550."""
    return np.count_nonzero(ink[150:350, 350:550]) / 200


@pytest.mark.parametrize(("pen", "blur"), [(3, 0), (3, 1.0), (5, 0), (5, 1.5), (9, 0), (9, 2.5)])
@pytest.mark.parametrize("grey", [20, 90, 140])
def test_a_stroke_has_its_drawn_width_within_a_pixel(grey: int, blur: float, pen: int) -> None:
    pixels = np.full((500, 900), 245, np.uint8)
    pixels[100:400, 450 : 450 + pen] = grey
    if blur:
        pixels = blurred(pixels, blur)
    assert bar_width(ink_of(noisy(pixels, 2))) == pytest.approx(pen, abs=1)


def test_the_paper_between_two_blurred_strokes_stays_paper() -> None:
    pixels = np.full((500, 900), 245, np.uint8)
    pixels[100:400, 450:454] = pixels[100:400, 461:465] = 30
    ink = ink_of(blurred(pixels, 1.5))
    assert not ink[120:380, 457].any()


def test_a_pale_smudge_is_ink_only_if_no_dark_writing_is_beside_it() -> None:
    pixels = np.full((500, 900), 245, np.uint8)
    pixels[100:300, 450:454] = 20
    pixels[100:300, 457:460] = pixels[100:300, 700:703] = 190
    ink = ink_of(pixels)
    assert not ink[120:280, 457:460].any()
    assert ink[120:280, 700:703].all()


@pytest.mark.parametrize("paper", [128, 190, 245, 255])
@pytest.mark.parametrize("spread", [0, 3, 8, 14])
def test_blank_noisy_paper_has_no_ink_except_specks(spread: float, paper: int) -> None:
    ink = ink_of(noisy(np.full((1300, 1100), paper, np.uint8), spread))
    assert pieces_of(ink) == 0
    assert np.count_nonzero(ink) <= 0.03 * ink.size


@pytest.mark.parametrize("shape", [(1100, 1300), (1754, 1240)])
def test_blank_shaded_paper_has_no_ink_except_specks(shape: tuple[int, int]) -> None:
    assert pieces_of(ink_of(shaded(noisy(np.full(shape, 245, np.uint8), 4), 0.45))) == 0


@pytest.mark.parametrize("desk", [0, 25, 50])
def test_a_dark_desk_around_the_sheet_is_not_ink(desk: int) -> None:
    pixels = np.full((1500, 1700), desk, np.uint8)
    pixels[200:1300, 200:1500] = page()
    ink = ink_of(noisy(pixels, 4))
    outside = np.ones(ink.shape, bool)
    outside[170:1330, 170:1530] = False
    assert np.count_nonzero(ink[outside]) == 0
    inside = ink[240:1260, 240:1460]
    assert np.count_nonzero(inside != ink_of(page())[40:1060, 40:1260]) <= 0.1 * np.count_nonzero(inside)


def test_the_black_margin_of_a_scanner_is_not_ink() -> None:
    pixels = Sheet(1300, 1000).pixels
    pixels[:, :90] = pixels[950:] = 5
    ink = ink_of(noisy(pixels, 3))
    assert not ink[:, :60].any()
    assert not ink[970:].any()
    assert not ink[30:900, 130:].any()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("grey", [1, 128, 255])
@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (50, 2), (2, 3), (28, 28)])
def test_an_empty_image_of_any_size_has_no_ink(shape: tuple[int, int], grey: int) -> None:
    ink = ink_of(np.full(shape, grey, np.uint8))
    assert ink.shape == shape
    assert not ink.any()


@pytest.mark.parametrize("side", [300, 1200, 2400])
@pytest.mark.parametrize("pen", [0.06, 0.14, 0.22])
@pytest.mark.parametrize("dark_end", [1.0, 0.6])
def test_strokes_of_a_digit_that_fills_an_image_are_ink_in_their_middle_too(
    side: int, pen: float, dark_end: float
) -> None:
    sheet = Sheet(side, side)
    width = round(pen * side)
    sheet.digit("7", 0.2 * side, 0.1 * side, 0.8 * side, pen=width, grey=120)
    light = np.linspace(1, dark_end, side)[None]
    contrast = flatten((sheet.pixels * light).round().astype(np.uint8))
    stroke = cv2.erode((sheet.pixels < 125).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert contrast[stroke].min() > 80
    assert contrast[sheet.pixels > 240].max() < 40


def test_a_broad_stroke_does_not_change_the_light_of_the_rest_of_the_page() -> None:
    sheet = Sheet(1240, 1754)
    for row in range(20):
        sheet.number("2075316498", 80, 80 + 80 * row, 40)
    shaded = (sheet.pixels * np.linspace(1, 0.5, 1240)[None]).round().astype(np.uint8)
    before = flatten(shaded)
    cv2.line(shaded, (900, 300), (1100, 900), 40, 110)
    np.testing.assert_array_equal(flatten(shaded)[1100:, :600], before[1100:, :600])
