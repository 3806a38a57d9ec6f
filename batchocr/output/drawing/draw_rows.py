"""Draw what was read on a page: boxes, digits, confidences, marks, and a legend below the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, pairwise
from typing import TypeVar

import cv2
import numpy as np

from batchocr.output.drawing.canvas import Canvas, Text, draw_texts, in_colour, resized, text_width
from batchocr.output.drawing.labels import (
    MAX_HIDDEN_RATIO,
    MIN_CAP_PX,
    Free,
    font_size,
    has_rival,
    labels_in_place,
    percent,
    placed_labels,
    placed_tag,
)
from batchocr.output.drawing.legend import Entry, with_legend
from batchocr.output.drawing.marks_in_short import explanation_of, own_marks, tag_of
from batchocr.output.drawing.style import Style, style_of
from batchocr.output.drawing.upright import upright
from batchocr.records import Box, DigitRow, NumberRow, PageResult, Pixels

DIGIT_HEIGHT_PX = 48
"""Height of a usual digit to which a page with smaller digits is enlarged."""
SHORT_SIDE_PX = 320
"""The shorter side to which a smaller page is enlarged."""
MAX_PIXELS = 40_000_000
"""A page is not enlarged beyond this."""
MAX_CROWDED_RATIO = 0.15
"""If labels hide writing at more of the numbers than this, all labels are beside the page, and not on it."""

_LABEL_RATIO = 0.3  # height of labels per height of a usual digit
_MAX_LABEL_PX = 40
_GHOST_RATIO = 0.2  # contrast of the page below labels that are beside it
_SEPARATOR_PX = 6

_Row = TypeVar("_Row", DigitRow, NumberRow)


@dataclass(frozen=True)
class _Drawn:
    """A number and its digits, in pixels of the image."""

    number: NumberRow
    digits: list[DigitRow]
    tags: list[str]

    @property
    def box(self) -> Box:
        return _box(self.number)


def draw(pixels: Pixels, result: PageResult, *, max_side_px: int = 0) -> Canvas:
    """Draw what was read on a page.

    Each digit has a box. Near it are the digit and its confidence in percent (`7 99`). A digit for review has a thick
    box in another colour, and the second reading (`7/1 62`). A number with marks of its own has a dashed line below it
    and its marks in short. Ink stays visible below boxes. Labels are on free paper; if a page is too dense for that,
    they are on a pale copy beside it. A page that lies on its side or upside down is drawn upright.

    Args:
        pixels: The page, (height, width).
        result: What was read on it.
        max_side_px: The longer side of the drawn page in pixels, without legend and copy; 0 for no limit. A page with
            small digits is enlarged within it.

    Returns:
        The page with a legend below it.
    """
    pixels, result = upright(pixels, result)
    usual = float(np.median([row.height for row in result.digits])) if result.digits else DIGIT_HEIGHT_PX
    scale = drawing_scale(pixels.shape, usual, max_side_px)
    cap_px = _label_height(result.digits, usual, scale)
    top = min((row.top for row in result.digits), default=pixels.shape[0])
    strip = max(0, 2 * cap_px - round(top * scale))  # room for labels above digits at the very top

    page = cv2.copyMakeBorder(resized(pixels, scale), strip, 0, 0, 0, cv2.BORDER_REPLICATE)
    style = style_of(page, usual * scale)
    numbers = [
        _Drawn(_placed(number, scale, strip), [_placed(row, scale, strip) for row in digits], tags)
        for number, digits, tags in _numbers(result)
    ]
    canvas = in_colour(page)
    for row in (row for each in numbers for row in each.digits):
        style.frame(canvas, _box(row), doubtful=bool(row.review))
    texts = _labels_on_page(page, numbers, cap_px, style)
    if texts is None:
        beside = _labels_beside(page, numbers, cap_px, style)
        axis = 1 if page.shape[0] >= page.shape[1] else 0
        separator = np.full_like(beside[:, :_SEPARATOR_PX] if axis else beside[:_SEPARATOR_PX], 255)
        canvas = np.concatenate([canvas, separator, beside], axis=axis)
    else:
        for each in numbers:
            if each.tags:
                style.dashes(canvas, style.underline(each.box))
        draw_texts(canvas, texts)
    return with_legend(canvas, list(_legend(result, style, beside=texts is None)))


def drawing_scale(shape: tuple[int, ...], usual_px: float, max_side_px: int) -> float:
    """Return the scale at which a page is drawn.

    Args:
        shape: Height and width of the page in pixels.
        usual_px: Height of a usual digit on it.
        max_side_px: The longer side of the drawn page; 0 for no limit.

    Returns:
        Above 1 for small pages and small digits, below 1 if the page is larger than `max_side_px`.
    """
    height, width = shape[:2]
    wanted = float(np.ceil(max(DIGIT_HEIGHT_PX / max(1.0, usual_px), SHORT_SIDE_PX / min(height, width))))
    enlarged = max(1.0, min(wanted, float((MAX_PIXELS / (height * width)) ** 0.5 // 1)))
    return min(enlarged, max_side_px / max(height, width)) if max_side_px else enlarged


def _numbers(result: PageResult) -> Iterator[tuple[NumberRow, list[DigitRow], list[str]]]:
    """Each number with its digits and the tags of its own marks."""
    groups = groupby(result.digits, key=lambda row: (row.line, row.number))
    for number, (_, rows) in zip(result.numbers, groups, strict=True):
        digits = list(rows)
        yield number, digits, [tag_of(mark) for mark in own_marks(number, digits)]


def _placed(row: _Row, scale: float, strip_px: int) -> _Row:
    """The row with its box in pixels of the image."""
    left, top = round(row.left * scale), round(row.top * scale)
    right, bottom = round((row.left + row.width) * scale), round((row.top + row.height) * scale)
    return replace(row, left=left, top=top + strip_px, width=max(1, right - left), height=max(1, bottom - top))


def _box(row: DigitRow | NumberRow) -> Box:
    return Box(row.left, row.top, row.width, row.height)


def _label_height(digits: Sequence[DigitRow], usual_px: float, scale: float) -> int:
    """Height of a digit in the labels: a part of a usual digit, less if digits are close together."""
    wanted = _LABEL_RATIO * usual_px * scale
    steps = [
        after.left - row.left for row, after in pairwise(digits) if (row.line, row.number) == (after.line, after.number)
    ]
    if steps:
        wanted = min(wanted, float(np.median(steps)) * scale * 100 / text_width("7 99", font_size(100)))
    return min(_MAX_LABEL_PX, max(MIN_CAP_PX, round(wanted)))


def _tag_size(cap_px: int) -> int:
    return max(11, round(0.8 * font_size(cap_px)))


def _labels_on_page(page: Pixels, numbers: Sequence[_Drawn], cap_px: int, style: Style) -> list[Text] | None:
    """Labels and tags on free paper; None if too many of them would hide writing. Numbers for review choose first."""
    free = Free(page, [_box(row) for each in numbers for row in each.digits])
    free.take([style.underline(each.box) for each in numbers if each.tags])
    texts: list[Text] = []
    crowded = 0
    for each in sorted(numbers, key=lambda each: not each.number.review):
        placed = placed_labels(each.number, each.digits, free, cap_px, style.colours)
        texts += placed.texts
        crowded += placed.hidden_ratio > MAX_HIDDEN_RATIO
        if each.tags:
            texts.append(placed_tag(" ".join(each.tags), each.box, free, _tag_size(cap_px), style.doubtful))
    if crowded > MAX_CROWDED_RATIO * len(numbers):
        return None
    return [replace(text, halo=style.paper) for text in texts]


def _labels_beside(page: Pixels, numbers: Sequence[_Drawn], cap_px: int, style: Style) -> Canvas:
    """A pale copy of the page with all labels at the places of their digits."""
    paper = style.paper[0]
    canvas = in_colour(cv2.addWeighted(page, _GHOST_RATIO, np.full_like(page, paper), 1 - _GHOST_RATIO, 0))
    texts: list[Text] = []
    for each in numbers:
        texts += labels_in_place(each.number, each.digits, cap_px, page.shape[1], style.colours)
        for row in each.digits:
            if row.review:
                style.frame(canvas, _box(row), doubtful=True)
        if each.tags:
            line = style.underline(each.box)
            style.dashes(canvas, replace(line, top=each.box.bottom))
            size, baseline = _tag_size(cap_px), each.box.bottom - 1
            texts.append(Text(" ".join(each.tags), each.box.left, baseline, size, style.doubtful))
    draw_texts(canvas, [replace(text, halo=style.paper) for text in texts])
    return canvas


def _legend(result: PageResult, style: Style, *, beside: bool) -> Iterator[Entry]:
    page, digits, numbers = result.page, result.digits, result.numbers
    yield Entry(f"{page.file}, page {page.page}" if page.file else f"page {page.page}", bold=True)
    yield Entry(f"{_counted(len(digits), 'digit')} in {_counted(len(numbers), 'number')}")
    doubtful = [row for row in digits if row.review]
    doubtful_numbers = sum(bool(row.review) for row in numbers)
    yield Entry(f"for review: {_counted(len(doubtful), 'digit')}, {_counted(doubtful_numbers, 'number')}")
    if page.marks:
        yield Entry(f"marks of the page: {page.marks.replace(';', ', ')}", bold=True)
    if beside:
        yield Entry("The labels are on a pale copy of the page, because it has too little free paper.", new_line=True)
    if sure := next((row for row in digits if not row.review), None):
        words = f"{sure.digit} {percent(sure.confidence)}: digit, confidence in %"
        yield Entry(words, partial(style.frame_swatch, doubtful=False), new_line=True)
    if doubtful:
        example = next((row for row in doubtful if has_rival(row)), doubtful[0])
        second, words = (f"/{example.second}", "digit/second reading") if has_rival(example) else ("", "digit")
        words = f"{example.digit}{second} {percent(example.confidence)}: for review: {words}, confidence in %"
        yield Entry(words, partial(style.frame_swatch, doubtful=True), new_line=not sure)
    marks = dict.fromkeys(mark for number, own, _ in _numbers(result) for mark in own_marks(number, own))
    if marks:
        yield Entry("marks of a number:", style.dashes_swatch, new_line=True)
    for mark in marks:
        yield Entry(explanation_of(mark))


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
