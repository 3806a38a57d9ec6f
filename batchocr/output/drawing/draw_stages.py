"""Draw a page at each stage of its processing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby, pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.output.drawing.canvas import (
    BLUE,
    GREEN,
    GREY,
    VERMILLION,
    WHITE,
    Canvas,
    Colour,
    Text,
    draw_frame,
    draw_texts,
    in_colour,
    resized,
    text_width,
)
from batchocr.output.drawing.draw_rows import DIGIT_HEIGHT_PX, draw, drawing_scale
from batchocr.output.drawing.legend import Entry, with_legend
from batchocr.output.drawing.upright import upright
from batchocr.pipeline import Read
from batchocr.records import HAND, PRINT, SIGN, SIGNS, TILE, Box, LevelPage, PageResult, Pixels
from batchocr.vision.crops import make_crops
from batchocr.vision.geometry.sheet import find_sheet

TINTS: tuple[Colour, ...] = (BLUE, VERMILLION, GREEN, GREY)
"""Colours of tiles, and of lines one below the other."""
KINDS: dict[int, tuple[str, Colour]] = {
    HAND: ("handwritten digit", BLUE),
    PRINT: ("printed digit", VERMILLION),
    SIGN: ("sign", GREEN),
}
"""By the kind of a detection: its name and colour."""

_LEVEL_LINES = 15
_CROP_PX, _CROP_TEXT_PX, _CROP_GAP_PX, _CROP_COLUMNS = 56, 18, 6, 20
_MAX_CROP_SHEET_RATIO = 1.3  # height per width of the sheet of crops, if there are more than a few rows


@dataclass(frozen=True)
class Stages:
    """A page, and what each stage of reading made of it."""

    pixels: Pixels
    """The page as given, (height, width)."""
    level: LevelPage
    read: Read
    result: PageResult
    max_side_px: int = 0
    """The longer side of the drawn page, without its legend; 0 for no limit."""

    @property
    def title(self) -> Entry:
        """The first entry of the legend: the file and the page."""
        page = self.result.page
        return Entry(f"{page.file}, page {page.page}" if page.file else f"page {page.page}", bold=True)


def read(page: Stages) -> Canvas:
    """Draw what was read on the page."""
    return draw(page.pixels, page.result, max_side_px=page.max_side_px)


def sheet(page: Stages) -> Canvas:
    """Draw the outline of the sheet if it was found, and lines that are level after levelling, on the page as given."""
    scale = _limited(page.pixels, page.max_side_px)
    canvas = in_colour(resized(page.pixels, scale))
    height, width = page.level.pixels.shape
    pen = max(1, round(max(canvas.shape) / 800))
    for y in np.linspace(0, height, _LEVEL_LINES + 2)[1:-1]:
        points = np.stack([np.linspace(0, width, 50), np.full(50, y)], axis=1)
        cv2.polylines(canvas, [_fixed(_on_page(points, page.level) * scale)], False, BLUE, pen, cv2.LINE_AA, 4)
    found = find_sheet(page.pixels)
    ends = _fixed(found.corners * scale)
    for own, start, end in zip(found.sides, ends, np.roll(ends, -1, axis=0), strict=True):
        if own:
            cv2.line(canvas, start.tolist(), end.tolist(), VERMILLION, 3 * pen, cv2.LINE_AA, 4)
    outline = "rectified by its outline" if found.whole else "only a part of the outline is visible: not rectified"
    outline = outline if any(found.sides) else "no outline found: the image is the page"
    angle = page.result.page.angle
    turn = f"turned by {-angle:.1f} degrees" if angle else "not turned"
    entries = [page.title, Entry(outline), Entry(turn)]
    if any(found.sides):
        entries.append(Entry("outline of the sheet", partial(_line_swatch, colour=VERMILLION, width_px=4)))
    entries.append(Entry("level after levelling", partial(_line_swatch, colour=BLUE, width_px=2)))
    return with_legend(canvas, entries)


def level_page(page: Stages) -> Canvas:
    """Draw the level page, dark on light."""
    canvas = in_colour(resized(page.level.pixels, _limited(page.level.pixels, page.max_side_px)))
    return with_legend(canvas, [page.title, Entry("the level page")])


def tiles(page: Stages) -> Canvas:
    """Draw the level page at the scale of the detector's first pass, with its tiles. What is left out is darkened."""
    level = page.level
    pixels = resized(level.pixels, level.tiles.scale)
    corners = level.tiles.corners
    before = np.maximum(0, -corners.min(axis=0, initial=0))
    after = np.maximum(0, corners.max(axis=0, initial=0) + TILE - pixels.shape[::-1])
    if not len(corners):
        after[:] = 0
    pixels = cv2.copyMakeBorder(pixels, before[1], after[1], before[0], after[0], cv2.BORDER_REPLICATE)
    covered = np.zeros(pixels.shape, np.bool_)
    for left, top in (corners + before).tolist():
        covered[top : top + TILE, left : left + TILE] = True
    pixels = np.where(covered, pixels, pixels // 2)
    scale = _limited(pixels, page.max_side_px)
    canvas = in_colour(resized(pixels, scale))
    for count, (left, top) in enumerate((corners + before).tolist()):
        inner = 4 + 3 * (count % 3)  # overlapping frames stay apart
        side = round((TILE - 2 * inner) * scale)
        box = Box(round((left + inner) * scale), round((top + inner) * scale), side, side)
        draw_frame(canvas, box, 2, TINTS[count % len(TINTS)])
    count = len(corners)
    name = "tile" if count == 1 else "tiles"
    words = f"{count} {name} of {TILE}×{TILE} pixels, at {level.tiles.scale:.2f} of the page's size"
    return with_legend(canvas, [page.title, Entry(words), Entry("dark: blank, not given to the detector")])


def detections(page: Stages) -> Canvas:
    """Draw the level page with a box round each detection, and its class and score in percent."""
    found = page.read.detections
    scale = _digit_scale(page.level.pixels, found.boxes[:, 3], page.max_side_px)
    canvas = in_colour(resized(page.level.pixels, scale))
    names = "0123456789" + SIGNS
    texts = []
    for sides, score, kind, classes in zip(found.boxes, found.scores, found.kinds, found.probabilities, strict=True):
        text = f"{names[int(classes.argmax())]} {min(99, round(100 * float(score)))}"
        texts.append(_boxed(canvas, (sides * scale).tolist(), text, KINDS[int(kind)][1]))
    draw_texts(canvas, texts)
    entries = [page.title, Entry("7 93: class, score in %")]
    entries += [Entry(name, partial(_frame_swatch, colour=colour)) for name, colour in KINDS.values()]
    return with_legend(canvas, entries)


def crops(page: Stages) -> Canvas:
    """Draw the crops as the classifier gets them, each with its digit by the classifier and by the detector.

    The sheet is not scaled: `max_side_px` does not limit it.
    """
    digits = page.read.detections.kinds != SIGN
    of_classifier = page.read.probabilities[digits].argmax(axis=1).tolist()
    of_detector = page.read.detections.probabilities[digits, :10].argmax(axis=1).tolist()
    count = len(of_classifier)
    width, height = _CROP_PX + _CROP_GAP_PX, _CROP_PX + _CROP_TEXT_PX + _CROP_GAP_PX
    columns = max(_CROP_COLUMNS, round((count * height / width / _MAX_CROP_SHEET_RATIO) ** 0.5))
    rows = max(1, -(-count // columns))
    canvas = np.full((rows * height + _CROP_GAP_PX, columns * width + _CROP_GAP_PX, 3), WHITE, np.uint8)
    texts = []
    for place, crop in enumerate(make_crops(page.level.pixels, page.read.detections.boxes[digits])):
        top, left = _CROP_GAP_PX + place // columns * height, _CROP_GAP_PX + place % columns * width
        large = cv2.resize(crop, (_CROP_PX, _CROP_PX), interpolation=cv2.INTER_NEAREST)
        canvas[top : top + _CROP_PX, left : left + _CROP_PX] = large[..., None]
        same = of_classifier[place] == of_detector[place]
        text = f"{of_classifier[place] if of_classifier[place] < 10 else '-'}  {of_detector[place]}"
        colour = GREY if same else VERMILLION
        texts.append(Text(text, left + 14, top + _CROP_PX + _CROP_TEXT_PX - 3, 14, colour, bold=not same))
    draw_texts(canvas, texts)
    words = "digit by the classifier (-: not a digit), digit by the detector; bold if they differ"
    return with_legend(canvas, [page.title, Entry(words)])


def lines(page: Stages) -> Canvas:
    """Draw a box round each number, its text above it, and a thread through each line with the line's number."""
    pixels, result = upright(page.pixels, page.result)
    scale = _digit_scale(pixels, np.array([row.height for row in result.digits]), page.max_side_px)
    canvas = in_colour(resized(pixels, scale))
    texts = []
    for line, group in groupby(result.numbers, key=lambda row: row.line):
        numbers = list(group)
        colour = TINTS[line % len(TINTS)]
        middles = [((n.left + n.width / 2) * scale, (n.top + n.height / 2) * scale) for n in numbers]
        for start, end in pairwise(middles):
            cv2.line(canvas, _whole(start), _whole(end), colour, 1, cv2.LINE_AA)
        for number in numbers:
            box = [side * scale for side in (number.left, number.top, number.width, number.height)]
            texts.append(_boxed(canvas, box, number.text, colour))
        first = min(numbers, key=lambda number: number.left)
        left = max(2.0, first.left * scale - text_width(str(line), 20, bold=True) - 12)
        texts.append(Text(str(line), left, middles[0][1] + 7, 20, colour, bold=True, halo=WHITE))
    draw_texts(canvas, texts)
    words = f"{result.page.lines} lines, {len(result.numbers)} numbers"
    return with_legend(canvas, [page.title, Entry(words), Entry("left of a line: its number; above a box: the text")])


STAGES: dict[str, Callable[[Stages], Canvas]] = {
    "read": read,
    "sheet": sheet,
    "level": level_page,
    "tiles": tiles,
    "detections": detections,
    "crops": crops,
    "lines": lines,
}
"""By the name that the command takes: the function that draws a stage as an image (height, width, 3)."""


def _limited(pixels: Pixels, max_side_px: int) -> float:
    """The scale at which an image is not larger than `max_side_px`."""
    return min(1.0, max_side_px / max(pixels.shape)) if max_side_px else 1.0


def _digit_scale(pixels: Pixels, heights: NDArray[np.floating] | NDArray[np.integer], max_side_px: int) -> float:
    usual = float(np.median(heights)) if len(heights) else DIGIT_HEIGHT_PX
    return drawing_scale(pixels.shape, usual, max_side_px)


def _fixed(points: NDArray[np.float64]) -> NDArray[np.int32]:
    """Points in sixteenths of a pixel."""
    return np.round(points * 16).astype(np.int32)


def _whole(point: Sequence[float]) -> tuple[int, int]:
    return round(point[0]), round(point[1])


def _on_page(points: NDArray[np.float64], level: LevelPage) -> NDArray[np.float64]:
    """Points (n, 2) of the level page in pixels of the page as given."""
    return cv2.perspectiveTransform(points[:, None], level.to_page)[:, 0]


def _boxed(canvas: Canvas, sides: Sequence[float], text: str, colour: Colour) -> Text:
    """Draw a frame, and return the text for the place above it."""
    left, top, width, height = (round(side) for side in sides)
    draw_frame(canvas, Box(left, top, width, height), 1, colour)
    size = max(11, min(18, round(height / 3)))
    baseline = top - 4 if top > size + 4 else top + height + size + 2
    return Text(text, left, baseline, size, colour, halo=WHITE)


def _line_swatch(canvas: Canvas, box: Box, *, colour: Colour, width_px: int) -> None:
    top = box.top + box.height // 2 - width_px // 2
    canvas[top : top + width_px, box.left : box.right] = colour


def _frame_swatch(canvas: Canvas, box: Box, *, colour: Colour) -> None:
    draw_frame(canvas, Box(box.left + 4, box.top + 3, box.width - 8, box.height - 6), 1, colour)
