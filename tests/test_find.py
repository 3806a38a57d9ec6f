"""The whole way: what is found on drawn pages whose digits and boxes are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawing import BROKEN, Sheet, blurred, found_boxes, noisy, overlap, shaded, shape_of

from batchocr.records import Box, Layout, Pixels
from batchocr.vision import find

NUMBERS = [["2017", "45"], ["8", "360", "19"], ["74158369"], ["5", "06"]]
SHAPE = [[len(number) for number in row] for row in NUMBERS]


def written(
    width: int, height: int, digit: float, pen: int | None = None, grey: int = 40, angle: float = 0.0
) -> tuple[Pixels, list[Box]]:
    """NUMBERS on a page, digits `digit` high, and their boxes in reading order."""
    sheet = Sheet(width, height, 240, angle)
    pen = max(2, round(digit / 10)) if pen is None else pen
    boxes = []
    for place, row in enumerate(NUMBERS):
        left, top = 0.14 * width, 0.2 * height + place * max(2.2 * digit, 0.15 * height)
        for number in row:
            boxes += sheet.number(number, left, top, digit, pen, grey)
            left = boxes[-1].right + 2.2 * digit if angle == 0 else left + (len(number) + 2) * digit
    return sheet.pixels, boxes


def assert_found(layout: Layout, boxes: list[Box], least: float = 0.75, slack: int = 2) -> None:
    """Each digit where it was written, in order, and nothing else; of a thin 1 the sides lie within `slack` pixels."""
    found = found_boxes(layout)
    assert len(found) == len(boxes)
    assert layout.crops.shape == (len(boxes), 28, 28)
    assert layout.crops.dtype == np.uint8
    for a, b in zip(found, boxes, strict=True):
        off = max(abs(a.left - b.left), abs(a.top - b.top), abs(a.right - b.right), abs(a.bottom - b.bottom))
        assert overlap(a, b) > least or off <= slack, (a, b)


# Pages


def test_a_plain_page() -> None:
    pixels, boxes = written(1240, 1000, 36)
    layout = find(noisy(pixels, 3))
    assert_found(layout, boxes)
    assert shape_of(layout) == SHAPE
    assert layout.angle == 0


def test_white_on_black() -> None:
    pixels, boxes = written(1240, 1000, 36)
    layout = find(noisy(255 - pixels, 3))
    assert_found(layout, boxes)
    assert shape_of(layout) == SHAPE


def test_polarity_makes_no_difference() -> None:
    pixels = noisy(written(1240, 1000, 36)[0], 3)
    dark, light = find(pixels), find(255 - pixels)
    assert dark.lines == light.lines
    assert np.array_equal(dark.crops, light.crops)


@pytest.mark.parametrize("angle", [-8, -5, 5, 9])
def test_on_a_turned_page_boxes_are_those_of_the_page_as_given(angle: float) -> None:
    pixels, boxes = written(1240, 1000, 36, angle=angle)
    layout = find(noisy(pixels, 3))
    assert layout.angle == pytest.approx(angle, abs=0.5)
    assert shape_of(layout) == SHAPE
    assert_found(layout, boxes, 0.6)


@pytest.mark.parametrize(
    ("dpi", "millimetres"), [(150, 3), (150, 5), (150, 12), (200, 4), (300, 3), (300, 8), (300, 12), (600, 3)]
)
def test_digits_of_3_to_12_mm_on_part_of_a_page(dpi: int, millimetres: int) -> None:
    dot = dpi / 25.4
    pixels, boxes = written(round(190 * dot), round(130 * dot), millimetres * dot, pen=round(max(2, 0.5 * dot)))
    layout = find(pixels)
    assert shape_of(layout) == SHAPE
    assert_found(layout, boxes, slack=dpi // 75)


@pytest.mark.parametrize(("dpi", "millimetres"), [(150, 3), (300, 6), (600, 12)])
def test_an_a4_page(dpi: int, millimetres: int) -> None:
    dot = dpi / 25.4
    pixels, boxes = written(round(210 * dot), round(297 * dot), millimetres * dot, pen=round(max(2, 0.6 * dot)))
    layout = find(pixels)
    assert shape_of(layout) == SHAPE
    assert_found(layout, boxes, slack=dpi // 75)


def test_large_digits_on_a_small_sheet_keep_their_thin_strokes() -> None:
    """15 cm at 300 dpi, digits of 12 mm: their bars and stems are longer than many a ruled line at 150 dpi."""
    pixels, boxes = written(1748, 1500, 142, pen=5)
    layout = find(pixels)
    assert shape_of(layout) == SHAPE
    assert_found(layout, boxes, slack=4)


def test_a_shaded_soft_page() -> None:
    pixels, boxes = written(1240, 1100, 36)
    layout = find(noisy(shaded(blurred(pixels, 1.2), 0.45), 3))
    assert shape_of(layout) == SHAPE
    assert_found(layout, boxes)


def test_pencil_on_noisy_paper() -> None:
    pixels, boxes = written(1240, 1000, 36, grey=145)
    assert_found(find(noisy(pixels, 6)), boxes)


def test_a_box_lies_within_the_page() -> None:
    sheet = Sheet(1240, 1000)
    for x in (0, 1216):
        for y in (0, 400, 964):
            sheet.digit("0", x, y, 36)
    sheet.number("2074158369", 300, 300, 36)
    for box in found_boxes(find(sheet.pixels)):
        assert box.left >= 0
        assert box.top >= 0
        assert box.right <= 1240
        assert box.bottom <= 1000


def test_each_crop_shows_its_own_digit() -> None:
    """The crop of each digit is nearest to the crop of the same digit alone on its page."""
    alone = []
    for digit in "0123456789":
        sheet = Sheet(400, 300)
        sheet.digit(digit, 180, 130, 36)
        alone.append(find(sheet.pixels).crops[0].astype(int))
    sheet = Sheet(1240, 1000)
    sheet.number("2074158369", 300, 300, 36)
    crops = find(noisy(sheet.pixels, 3)).crops.astype(int)
    assert [int(np.argmin([np.abs(crop - one).sum() for one in alone])) for crop in crops] == [*map(int, "2074158369")]


def test_a_crop_shows_nothing_of_a_neighbour_that_leans_over_it() -> None:
    def crops(*digits: str) -> list[Pixels]:
        sheet = Sheet(600, 500)
        sheet.number("20458", 100, 350, 40)
        if "7" in digits:
            sheet.digit("7", 200, 200, 40, slant=0.5)
        if "1" in digits:
            sheet.digit("1", 229, 200, 40, slant=0.5)
        layout = find(sheet.pixels)
        found = [c for line in layout.lines for number in line.numbers for c in number.candidates]
        return [crop for c, crop in zip(found, layout.crops, strict=True) if not c.cut][: len(digits)]

    for together, alone in zip(crops("7", "1"), [*crops("7"), *crops("1")], strict=True):
        assert cv2.absdiff(together, alone).mean() < 1


def test_a_joined_digit_says_so() -> None:
    sheet = Sheet(1240, 1000)
    sheet.number("2074158369", 300, 500, 36)
    sheet.stroke([(325, 302), (312, 302), (310, 316), (325, 314), (330, 325), (322, 336), (308, 334)], 4)
    sheet.stroke([(333, 301), (339, 300)], 4)
    layout = find(sheet.pixels)
    joined = [c.joined for line in layout.lines for number in line.numbers for c in number.candidates if not c.cut]
    assert joined == [True] + 10 * [False]


def test_the_same_page_twice_gives_the_same() -> None:
    pixels = noisy(written(1240, 1000, 36, angle=3)[0], 6)
    before = pixels.copy()
    first, second = find(pixels), find(pixels)
    assert first.lines == second.lines
    assert first.angle == second.angle
    assert np.array_equal(first.crops, second.crops)
    assert np.array_equal(pixels, before)


# Pictures of one digit


@pytest.mark.parametrize("side", [28, 40, 64, 65, 100, 300, 700])
@pytest.mark.parametrize("white_on_black", [False, True])
@pytest.mark.parametrize("digit", list("0123456789"))
def test_a_picture_of_one_digit_gives_one(digit: str, white_on_black: bool, side: int) -> None:
    sheet = Sheet(side, side, 255)
    high = round(20 / 28 * side)
    box = sheet.digit(digit, 0.3 * side, 0.15 * side, high, max(2, round(0.08 * side)), 0)
    layout = find(255 - sheet.pixels if white_on_black else sheet.pixels)
    assert shape_of(layout) == [[1]]
    assert_found(layout, [box])


@pytest.mark.parametrize("side", [56, 100, 300])
@pytest.mark.parametrize("name", BROKEN)
def test_a_picture_of_one_broken_digit_gives_one(name: str, side: int) -> None:
    sheet = Sheet(side, side, 255)
    for stroke in BROKEN[name]:
        sheet.stroke(np.array(stroke) * 0.6 * side + (0.3 * side, 0.2 * side), round(0.07 * side), 0)
    assert shape_of(find(sheet.pixels)) == [[1]]


def test_a_one_in_a_narrow_picture() -> None:
    sheet = Sheet(30, 90, 250)
    sheet.digit("1", 12, 15, 60, 6)
    assert shape_of(find(sheet.pixels)) == [[1]]


def test_a_crop_like_mnists_own_is_hardly_changed() -> None:
    """A digit 20 high with its centre of mass in the middle, white on black, as MNIST has them."""
    sheet = Sheet(280, 280, 0)
    sheet.digit("3", 92, 40, 200, 24, 255)
    small = cv2.resize(sheet.pixels, (28, 28), interpolation=cv2.INTER_AREA)
    moments = cv2.moments(small)
    shift = [round(13.5 - moments[m] / moments["m00"]) for m in ("m10", "m01")]
    picture = np.roll(small, shift[::-1], (0, 1))
    (crop,) = find(picture).crops
    assert np.abs(crop.astype(int) - picture).mean() < 6


# Nothing to find


@pytest.mark.parametrize("shape", [(28, 28), (300, 200), (1100, 1300), (1754, 1240)])
@pytest.mark.parametrize("spread", [0, 4, 10])
def test_blank_paper_gives_none(spread: float, shape: tuple[int, int]) -> None:
    layout = find(noisy(np.full(shape, 240, np.uint8), spread))
    assert layout.lines == ()
    assert layout.crops.shape == (0, 28, 28)


def test_blank_grainy_paper_has_no_direction() -> None:
    for seed in range(5):
        assert find(noisy(np.full((600, 500), 240, np.uint8), 10, seed)).angle == 0


@pytest.mark.parametrize("grey", [0, 1, 100, 255])
@pytest.mark.parametrize("shape", [(28, 28), (400, 300), (1100, 1300)])
def test_a_picture_of_one_grey_gives_none(shape: tuple[int, int], grey: int) -> None:
    assert find(np.full(shape, grey, np.uint8)).lines == ()


def test_ruled_paper_without_writing_gives_none() -> None:
    sheet = Sheet(1240, 1754)
    for row in range(25):
        sheet.rule(60, 100 + 60 * row, 1180, 100 + 60 * row)
    assert find(noisy(sheet.pixels, 3)).lines == ()


def test_specks_alone_give_none() -> None:
    sheet = Sheet(1240, 1000)
    where = np.random.default_rng(4)
    for x, y in where.uniform(20, 980, (60, 2)):
        sheet.stroke([(x, y), (x, y)], 3)
    assert find(noisy(sheet.pixels, 3)).lines == ()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 2), (2, 1), (3, 3), (5, 9), (3, 5000), (5000, 3), (1, 5000), (5000, 1), (28, 2000)]
)
@pytest.mark.parametrize("spread", [0, 60])
def test_pictures_of_odd_shapes_pass(spread: float, shape: tuple[int, int]) -> None:
    layout = find(noisy(np.full(shape, 200, np.uint8), spread))
    boxes = found_boxes(layout)
    assert len(layout.crops) == len(boxes)
    assert all(box.right <= shape[1] and box.bottom <= shape[0] for box in boxes)


def test_a_low_piece_beside_one_that_may_be_cut_is_offered_with_it() -> None:
    """What is cut has other labels than before."""
    paper = np.full((300, 400), 250, np.uint8)
    for top in (40, 120, 200):
        cv2.ellipse(paper, (112, top + 20), (8, 18), 0, 0, 360, 10, 2)
        cv2.line(paper, (100, top + 2), (100, top + 38), 10, 2)
        cv2.line(paper, (102, top + 22), (105, top + 22), 10, 2)
        cv2.line(paper, (126, top + 20), (126, top + 38), 10, 3)
    found = find(paper)
    assert found.lines
    for line in found.lines:
        (number,) = line.numbers
        assert any(c.cut for c in number.candidates) and any(c.across for c in number.candidates)
    assert all(crop.any() for crop in found.crops)
