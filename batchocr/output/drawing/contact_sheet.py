"""Sheets of the digits for review: each is shown in its number, with what was read, the least sure first."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np

from batchocr.output.drawing.canvas import (
    CAP_RATIO,
    GREY,
    TEXT,
    WHITE,
    Canvas,
    Colour,
    Text,
    draw_texts,
    in_colour,
    text_width,
)
from batchocr.output.drawing.labels import has_rival, percent
from batchocr.output.drawing.marks_in_short import marks_of
from batchocr.output.drawing.style import Style, style_of
from batchocr.output.drawing.upright import upright
from batchocr.records import Box, DigitRow, NumberRow, PageResult, Pixels

MAX_DIGITS = 2000
"""Digits that are kept: the least sure of all."""
COLUMNS, ROWS = 5, 10
"""Digits on one sheet."""

_CUT_WIDTH_PX, _CUT_HEIGHT_PX = 320, 130
_DIGIT_PX, _MIN_DIGIT_PX = 60, 34  # height of the digit: as wanted, and if its number is long
_GAP_PX, _TITLE_PX, _CAPTION_PX = 14, 46, 62
_LARGE, _SMALL = 20, 13  # font sizes
_BORDER: Colour = (200, 200, 200)


@dataclass(frozen=True)
class DoubtfulDigit:
    """A digit for review, cut out with its surroundings."""

    row: DigitRow
    number: NumberRow
    cut: Pixels
    """(_CUT_HEIGHT_PX, _CUT_WIDTH_PX)."""
    box: Box
    """The digit in `cut`."""


class DoubtfulDigits:
    """The digits for review of many pages; of more than `MAX_DIGITS`, those with the lowest confidence."""

    def __init__(self) -> None:
        self.count = 0
        """Digits for review so far, with those that are not kept."""
        self._kept: list[
            tuple[float, int, DoubtfulDigit]
        ] = []  # a heap: the surest is first, and of equal ones the last

    def add(self, pixels: Pixels, result: PageResult) -> None:
        """Take the digits for review of a page (height, width)."""
        turned, result = upright(pixels, result)
        rows = groupby(result.digits, key=lambda row: (row.line, row.number))
        for number, (_, digits) in zip(result.numbers, rows, strict=True):
            for row in digits:
                if row.review:
                    self._add(turned, row, number)

    def in_order(self) -> list[DoubtfulDigit]:
        """Return the digits that are kept, the least sure first, and equally sure ones in reading order."""
        return [digit for _, _, digit in sorted(self._kept, key=lambda each: (-each[0], -each[1]))]

    def _add(self, pixels: Pixels, row: DigitRow, number: NumberRow) -> None:
        self.count += 1
        order = (-row.confidence, -self.count)
        if len(self._kept) < MAX_DIGITS:
            heapq.heappush(self._kept, (*order, _cut_out(pixels, row, number)))
        elif order > self._kept[0][:2]:
            heapq.heapreplace(self._kept, (*order, _cut_out(pixels, row, number)))


def sheet_paths(path: Path, digits: int) -> list[Path]:
    """Return the files of the sheets for this number of digits: `path`, or `NAME-001`, `NAME-002` for several."""
    count = max(1, -(-digits // (COLUMNS * ROWS)))
    if count == 1:
        return [path]
    return [path.with_stem(f"{path.stem}-{number:03}") for number in range(1, count + 1)]


def draw_sheets(digits: Sequence[DoubtfulDigit], count: int) -> Iterator[Canvas]:
    """Draw the sheets one after the other.

    Args:
        digits: The digits to draw, in order.
        count: All digits for review; those that are not in `digits` are reported in the title.

    Yields:
        A sheet (height, width, 3); one sheet that says so if there is no digit.
    """
    per_sheet = COLUMNS * ROWS
    for first in range(0, max(1, len(digits)), per_sheet):
        part = digits[first : first + per_sheet]
        words = f"Digits for review, least sure first: {first + 1} to {first + len(part)} of {len(digits)}"
        if count > len(digits):
            words += f" (the least sure of {count})"
        yield _sheet(part, first, words if digits else "No digit is for review.")


def _cut_out(pixels: Pixels, row: DigitRow, number: NumberRow) -> DoubtfulDigit:
    """The digit in the middle of its surroundings, as much of its number as fits."""
    fitting = 0.9 * _CUT_WIDTH_PX / number.width
    scale = min(_DIGIT_PX / row.height, max(fitting, _MIN_DIGIT_PX / row.height), 0.85 * _CUT_WIDTH_PX / row.width)
    width, height = round(_CUT_WIDTH_PX / scale), round(_CUT_HEIGHT_PX / scale)
    middle = row.left + row.width / 2
    if number.width <= 0.95 * width:
        middle = number.left + number.width / 2
    left, top = round(middle - width / 2), round(row.top + row.height / 2 - height / 2)
    cut = _window(pixels, Box(left, top, max(1, width), max(1, height)))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    box = Box(
        round((row.left - left) * scale),
        round((row.top - top) * scale),
        max(1, round(row.width * scale)),
        max(1, round(row.height * scale)),
    )
    return DoubtfulDigit(
        row, number, cv2.resize(cut, (_CUT_WIDTH_PX, _CUT_HEIGHT_PX), interpolation=interpolation), box
    )


def _window(pixels: Pixels, box: Box) -> Pixels:
    """The part of a page in a box that may reach beyond it; what is outside has the grey of its paper."""
    height, width = pixels.shape
    inside = pixels[max(0, box.top) : max(0, box.bottom), max(0, box.left) : max(0, box.right)]
    paper = int(np.median(inside[::2, ::2])) if inside.size else 255
    before, above = max(0, -box.left), max(0, -box.top)
    after, below = max(0, box.right - width), max(0, box.bottom - height)
    return cv2.copyMakeBorder(inside, above, below, before, after, cv2.BORDER_CONSTANT, value=paper)


def _sheet(digits: Sequence[DoubtfulDigit], first: int, title: str) -> Canvas:
    cell_width, cell_height = _CUT_WIDTH_PX + _GAP_PX, _CUT_HEIGHT_PX + _CAPTION_PX + _GAP_PX
    columns, rows = max(2, min(COLUMNS, len(digits))), max(1, -(-len(digits) // COLUMNS))
    sheet = np.full(
        (_TITLE_PX + (rows * cell_height if digits else 0) + _GAP_PX, columns * cell_width + _GAP_PX, 3),
        WHITE,
        np.uint8,
    )
    texts = [Text(title, _GAP_PX, 30, 18, TEXT, bold=True)]
    for place, digit in enumerate(digits):
        left, top = _GAP_PX + place % COLUMNS * cell_width, _TITLE_PX + place // COLUMNS * cell_height
        style = style_of(digit.cut, _DIGIT_PX)
        cut = in_colour(digit.cut)
        style.frame(cut, digit.box, doubtful=True)
        sheet[top - 1 : top + _CUT_HEIGHT_PX + 1, left - 1 : left + _CUT_WIDTH_PX + 1] = _BORDER
        sheet[top : top + _CUT_HEIGHT_PX, left : left + _CUT_WIDTH_PX] = cut
        texts += _caption(digit, first + place + 1, left, top + _CUT_HEIGHT_PX, style)
    draw_texts(sheet, texts)
    return sheet


def _caption(digit: DoubtfulDigit, place: int, left: int, top: int, style: Style) -> Iterator[Text]:
    """What was read and the runner-up; the number and the marks; the file and the page."""
    row, number = digit.row, digit.number
    baseline = top + 8 + round(_LARGE * CAP_RATIO)
    parts = [(str(row.digit), _LARGE, True), (f" {percent(row.confidence)} %", _SMALL + 2, False)]
    if has_rival(row):
        parts += [("  or ", _SMALL, False), (str(row.second), _LARGE, False)]
        parts += [(f" {max(1, percent(row.second_confidence))} %", _SMALL + 2, False)]
    x = left
    for content, size, bold in parts:
        yield Text(content, x, baseline, size, TEXT, bold)
        x += text_width(content, size, bold=bold)
    counter = f"#{place}"
    yield Text(counter, left + _CUT_WIDTH_PX - text_width(counter, _SMALL), baseline, _SMALL, GREY)
    marks = ", ".join(marks_of(row))
    yield Text(_shortened(f"number {number.text}: {marks}", at_end=True), left, baseline + 18, _SMALL, TEXT)
    place_on_page = f", page {row.page}, line {row.line}"
    yield Text(_shortened(row.file, place_on_page) + place_on_page, left, baseline + 35, _SMALL, GREY)


def _shortened(text: str, rest: str = "", *, at_end: bool = False) -> str:
    """The text without its start, or its end, so that it fits below a cut-out together with `rest`."""
    room = _CUT_WIDTH_PX - text_width(rest, _SMALL)
    if text_width(text, _SMALL) <= room:
        return text
    while text and text_width(f"{text}…", _SMALL) > room:
        text = text[:-1] if at_end else text[1:]
    return f"{text}…" if at_end else f"…{text}"
