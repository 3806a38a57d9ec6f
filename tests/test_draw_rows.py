"""Draw what was read on a page: boxes, readable labels on free paper, and a legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from drawing import Sheet
from numpy.typing import NDArray

from batchocr.decoding.marks import names as marks
from batchocr.output.drawing import draw_rows
from batchocr.output.drawing.canvas import BLUE, ORANGE, SKY_BLUE, VERMILLION, Canvas, Colour
from batchocr.output.drawing.draw_rows import draw
from batchocr.output.drawing.marks_in_short import TAGS
from batchocr.records import Box, DigitRow, NumberRow, PageResult, PageRow, Pixels

ROW = DigitRow("a.png", 1, 1, 1, 1, 7, 0.991, 1, 0.005, 100, 120, 40, 60, "hand", "")


def paper(height: int = 600, width: int = 800, grey: int = 250) -> Pixels:
    return np.full((height, width), grey, np.uint8)


def result(digits: Sequence[DigitRow], *, text: str = "", review: str = "", angle: float = 0.0) -> PageResult:
    """The result of a page with these digits; `text` and `review` are those of its first number."""
    numbers: list[NumberRow] = []
    for line, number in dict.fromkeys((row.line, row.number) for row in digits):
        own = [row for row in digits if (row.line, row.number) == (line, number)]
        left, top = min(row.left for row in own), min(row.top for row in own)
        right, bottom = max(row.left + row.width for row in own), max(row.top + row.height for row in own)
        read = "".join(str(row.digit) for row in own)
        first = not numbers
        marked = review if first and review else ";".join({row.review for row in own} - {""})
        numbers.append(
            NumberRow(
                "a.png",
                1,
                line,
                number,
                text if first and text else read,
                read,
                0.9,
                "hand",
                left,
                top,
                right - left,
                bottom - top,
                marked,
            )
        )
    row = PageRow("a.png", 1, "read", angle=angle, digits=len(digits), numbers=len(numbers))
    return PageResult(row, tuple(digits), tuple(numbers))


def digits_at(*places: tuple[int, int], **changes: str | int | float) -> list[DigitRow]:
    """A number of digits with their left and top."""
    return [
        replace(ROW, position=position, left=left, top=top, **changes)  # type: ignore[arg-type]
        for position, (left, top) in enumerate(places, 1)
    ]


def near(image: Canvas, colour: Colour) -> NDArray[np.bool_]:
    """Pixels with about this colour, also at the soft edges of text."""
    distance = np.abs(image.astype(np.int64) - np.array(colour)).max(axis=2)
    close: NDArray[np.bool_] = distance < 60
    return close


def on_page(page: Pixels, read: PageResult, max_side_px: int = 0) -> Canvas:
    """The drawn page without its legend, which is below it; the page must not be scaled."""
    return draw(page, read, max_side_px=max_side_px)[: page.shape[0]]


def test_a_box_is_just_outside_its_digit_and_hides_nothing() -> None:
    page = paper()
    page[120:180, 100:140] = np.arange(60, dtype=np.uint8)[:, None]
    image = on_page(page, result([ROW]))
    assert np.array_equal(image[120:180, 100:140], np.dstack([page[120:180, 100:140]] * 3))
    blue = near(image, BLUE)
    assert blue[119, 99:141].all() and blue[180, 99:141].all()
    assert blue[119:181, 99].all() and blue[119:181, 140].all()
    assert not near(image, VERMILLION).any()


def test_ink_stays_visible_below_a_box() -> None:
    page = paper()
    page[100:200, 130:150] = 20  # a stroke across the right side of the box
    assert (on_page(page, result([ROW]))[120:180, 140] <= 20).all()
    dark = paper(grey=10)
    dark[100:200, 130:150] = 240
    assert (on_page(dark, result([ROW]))[120:180, 140] >= 240).all()


def test_the_label_is_above_the_box_on_free_paper() -> None:
    drawn = near(on_page(paper(), result([ROW])), BLUE)
    label = drawn[80:118, 80:160]
    assert 10 <= np.ptp(np.nonzero(label.any(axis=1))[0]) <= 25
    assert np.ptp(np.nonzero(label.any(axis=0))[0]) <= 60
    drawn[80:182, 80:160] = False
    assert not drawn.any()


def test_a_digit_for_review_differs_in_colour_and_in_line_width() -> None:
    doubtful = replace(ROW, position=2, left=240, review="low-confidence", confidence=0.62, second_confidence=0.3)
    image = on_page(paper(), result([ROW, doubtful]))
    sure, unsure = near(image, BLUE), near(image, VERMILLION)
    assert sure[150, 90:100].sum() == 1
    assert unsure[150, 230:240].sum() == 3
    assert not unsure[:, :190].any() and not sure[:, 240:].any()


def test_the_second_reading_is_shown_for_review_only_and_if_it_is_possible() -> None:
    def label_width(row: DigitRow) -> int:
        drawn = on_page(paper(), result([row]))[80:116]
        columns = np.nonzero((near(drawn, BLUE) | near(drawn, VERMILLION)).any(axis=0))[0]
        return int(np.ptp(columns))

    sure = label_width(replace(ROW, second_confidence=0.3))
    assert label_width(replace(ROW, second_confidence=0.3, review="low-confidence")) > sure + 10
    assert abs(label_width(replace(ROW, second_confidence=0.0, review="struck-out")) - sure) <= 2


def test_a_sign_is_a_part_of_the_labels() -> None:
    row = digits_at((100, 120), (300, 120))
    without = near(on_page(paper(), result(row)), BLUE)
    with_sign = near(on_page(paper(), result(row, text="7/7")), BLUE)
    between = slice(190, 250)
    assert with_sign[80:118, between].any() and not without[80:118, between].any()


@pytest.mark.parametrize("mark", [mark for mark in TAGS if mark != "low-confidence"])
def test_the_marks_of_a_number_are_beside_it_and_in_the_legend(mark: str) -> None:
    plain, marked = (draw(paper(), result([ROW], review=review)) for review in ("", mark))
    assert marked.shape[0] > plain.shape[0]
    below = near(marked[182:240, 60:240], VERMILLION)
    assert below[:8].any(axis=1).any()  # the dashed line
    assert below[10:].any()  # the tag
    assert not near(plain, VERMILLION).any()


def test_every_mark_of_a_number_has_a_tag() -> None:
    names = {value for name, value in vars(marks).items() if name.isupper()}
    of_pages = {"faint-ink", "other-form", "cut-off", "unfamiliar", "orientation"}
    assert names - of_pages == set(TAGS)


def test_the_page_given_is_not_drawn_on() -> None:
    page = paper()
    draw(page, result([ROW]))
    assert np.array_equal(page, paper())


def test_labels_of_narrow_neighbours_stay_apart() -> None:
    ones = [replace(ROW, digit=1, position=place, left=300 + 22 * place, width=8) for place in range(1, 7)]
    drawn = near(on_page(paper(), result(ones)), BLUE)[80:118]
    inked = np.nonzero(drawn.any(axis=0))[0]
    wide_gaps = int((np.diff(inked) > 4).sum())
    assert wide_gaps >= 5  # between the labels of six digits
    middle = (inked[0] + inked[-1]) / 2
    assert abs(middle - (ones[0].left + ones[-1].left + 8) / 2) < 8


def test_labels_are_not_over_the_writing_of_the_line_above() -> None:
    sheet = Sheet(800, 600)
    above = [sheet.digit("8", 100 + 60 * place, 100, 60) for place in range(3)]
    below = [sheet.digit("3", 100 + 60 * place, 164, 60) for place in range(3)]  # no room between the lines

    def rows(line: int, boxes: Sequence[Box]) -> list[DigitRow]:
        return [
            replace(ROW, line=line, position=i, left=box.left, top=box.top, width=box.width, height=box.height)
            for i, box in enumerate(boxes, 1)
        ]

    image = on_page(sheet.pixels, result(rows(1, above) + rows(2, below)))
    for box in (*above, *below):
        part = slice(box.top, box.bottom), slice(box.left, box.right)
        assert np.array_equal(image[part], np.dstack([sheet.pixels[part]] * 3))
    blue = near(image, BLUE)
    assert blue[:98, 80:300].any() and blue[230:, 80:300].any()


def test_labels_avoid_print_around_the_number() -> None:
    page = paper()
    page[70:117:4, 60:300] = 60  # print directly above the digits
    image = on_page(page, result(digits_at((100, 120), (160, 120))))
    assert np.array_equal(image[60:117], np.dstack([page[60:117]] * 3))
    assert near(image, BLUE)[184:240].any()


def test_a_dense_page_has_its_labels_on_a_pale_copy_beside_it() -> None:
    sheet = Sheet(800, 1000)
    rows = []
    for line in range(1, 16):
        for place in range(12):
            box = sheet.digit("8", 20 + 62 * place, 60 * line, 58)
            rows.append(
                replace(ROW, line=line, position=place + 1, left=box.left, top=box.top, width=box.width, height=58)
            )
    image = draw(sheet.pixels, result(rows))
    assert image.shape[1] == 2 * 800 + draw_rows._SEPARATOR_PX
    page, copy = image[:1000, :800], image[:1000, -800:]
    for row in rows:
        part = slice(row.top, row.top + row.height), slice(row.left, row.left + row.width)
        assert np.array_equal(page[part], np.dstack([sheet.pixels[part]] * 3))
        assert near(copy[part], BLUE).any()
    assert (copy.max(axis=2) > 100).all()  # the writing is pale


@pytest.mark.parametrize("paper_grey", [255, 0])
def test_an_image_of_one_digit_is_enlarged_until_its_label_can_be_read(paper_grey: int) -> None:
    page = np.full((28, 28), paper_grey, np.uint8)
    image = draw(page, result([replace(ROW, left=4, top=0, width=20, height=27)]), max_side_px=2000)
    times = image.shape[1] // 28
    assert image.shape[1] == 28 * times >= 320
    colour = SKY_BLUE if paper_grey == 0 else BLUE
    labelled = near(image, colour)
    strip = int(np.nonzero(labelled[:, 5 * times])[0][0])  # the upper side of the box
    assert strip > 40  # paper was added for the label above the digit
    assert labelled[: strip - 8].any()
    assert np.all(image[strip + 10 : strip + 26 * times, 5 * times : 23 * times] == paper_grey)


def test_colours_on_dark_paper_are_light() -> None:
    doubtful = replace(ROW, position=2, left=240, review="low-confidence")
    image = on_page(paper(grey=20), result([ROW, doubtful]))
    assert near(image, SKY_BLUE)[150, 90:100].any() and near(image, ORANGE)[150, 230:240].any()
    assert not (image == BLUE).all(axis=2).any() and not (image == VERMILLION).all(axis=2).any()


def test_small_writing_is_enlarged_and_large_is_not() -> None:
    small = replace(ROW, height=18, width=12)
    assert draw(paper(1000, 1000), result([small])).shape[1] == 3000
    assert draw(paper(1000, 1000), result([ROW])).shape[1] == 1000


def test_a_large_page_is_never_enlarged_past_bounds() -> None:
    assert draw(paper(4000, 4000), result([replace(ROW, height=10, width=5)])).shape[1] == 4000


def test_a_large_page_fits_the_side_given_and_its_labels_can_still_be_read() -> None:
    rows = [replace(ROW, left=1000, top=2000, width=50, height=70)]
    image = draw(paper(7016, 4960), result(rows), max_side_px=2000)
    assert image.shape[1] == round(4960 * 2000 / 7016)
    assert 2000 < image.shape[0] < 2200  # the page and its legend
    label = near(image[:2000], BLUE)[520:568, 250:340]  # above the box at (285, 570)
    assert np.ptp(np.nonzero(label.any(axis=1))[0]) >= 9


def test_small_writing_is_enlarged_within_the_side_given() -> None:
    small = replace(ROW, height=18, width=12)
    assert draw(paper(1000, 1000), result([small]), max_side_px=1500).shape[1] == 1500


def test_a_digit_in_each_corner_is_drawn_within_the_page() -> None:
    corners = [
        replace(ROW, line=line, number=number, left=left, top=top)
        for line, top in ((1, 0), (2, 540))
        for number, left in ((1, 0), (2, 760))
    ]
    image = draw(paper(), result(corners))
    assert image.shape[1] == 800
    blue = near(image, BLUE)
    assert blue[:26, :100].any() and blue[:26, 700:].any()  # labels of the digits at the top
    assert not blue[:26, -1].any()  # no label is cut off at the right


@pytest.mark.parametrize("angle", [90.0, 180.0, -90.0])
def test_a_page_that_is_not_upright_is_drawn_upright(angle: float) -> None:
    upright = paper()
    upright[120:180, 100:140] = np.arange(60, dtype=np.uint8)[:, None]
    quarters = round(angle / 90) % 4
    as_given = np.rot90(upright, -quarters)
    mask = np.zeros((600, 800), np.bool_)
    mask[120:180, 100:140] = True
    ys, xs = np.nonzero(np.rot90(mask, -quarters))
    row = replace(ROW, left=int(xs.min()), top=int(ys.min()), width=int(np.ptp(xs)) + 1, height=int(np.ptp(ys)) + 1)
    expected = on_page(upright, result([ROW]))
    assert np.array_equal(draw(as_given, result([row], angle=angle))[:600], expected)


def test_a_page_without_digits_is_the_page_and_a_legend() -> None:
    image = draw(paper(), result([]))
    assert np.array_equal(image[:600], np.dstack([paper()] * 3))
    assert (image[601:] < 100).any()  # text


def test_a_legend_fits_the_width_of_its_page() -> None:
    marked = replace(ROW, left=20, review="low-confidence;not-a-digit", second_confidence=0.2)
    review = ";".join(TAGS)
    for width in (330, 700, 1500):
        legend = draw(paper(width=width), result([marked], review=review))[600:]
        assert (legend[1:, -5:] == 255).all()
        assert (legend[-3:] == 255).all()
