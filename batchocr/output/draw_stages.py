"""A page at each stage of its way, as pictures for a person to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby, pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.output.draw_rows import Colour, Picture, draw
from batchocr.pipeline import Read
from batchocr.records import HAND, PRINT, SIGN, SIGNS, TILE, LevelPage, PageResult, Pixels
from batchocr.vision.crops import make_crops
from batchocr.vision.geometry.sheet import find_sheet

TINTS: tuple[Colour, ...] = ((60, 60, 200), (40, 140, 40), (190, 90, 30), (20, 130, 190), (150, 50, 150))
"""Blue green red: of lines one below the other."""
RED, GREEN, BLUE, GREY = (40, 40, 220), (40, 160, 40), (220, 130, 40), (90, 90, 90)
KINDS: dict[int, Colour] = {HAND: (40, 40, 220), PRINT: (210, 60, 30), SIGN: (30, 150, 30)}
"""Of boxes: digits by hand red, printed ones blue, signs green."""
LARGEST, LEVELS, STRIP = 1600, 15, 34
"""Of the page with its sheet: pixels of its longer side, level lines, pixels of the text above it."""
LARGE_DIGIT, MOST_PIXELS = 40, 40_000_000
"""Pixels that a usual digit is high where boxes are drawn on the page, as far as the picture may grow."""
SIDE, LABEL, COLUMNS = 56, 18, 20
"""Of the contact sheet: pixels of a crop, pixels of the text under it, crops a row."""
FONT = cv2.FONT_HERSHEY_SIMPLEX


def read(pixels: Pixels, level: LevelPage, read: Read, result: PageResult) -> Picture:
    """The page with what was read drawn on it."""
    return draw(pixels, result.digits)


def sheet(pixels: Pixels, level: LevelPage, read: Read, result: PageResult) -> Picture:
    """The page as given: in green the outline of the sheet where it was found, in blue what is taken to be level.

    Above it stands what was done.
    """
    times = min(1.0, LARGEST / max(pixels.shape))
    size = (max(1, round(pixels.shape[1] * times)), max(1, round(pixels.shape[0] * times)))
    picture = cv2.cvtColor(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), cv2.COLOR_GRAY2BGR)
    high, wide = level.pixels.shape
    pen = max(1, round(max(size) / 800))
    for y in np.linspace(0, high, LEVELS + 2)[1:-1]:
        points = np.stack([np.linspace(0, wide, 50), np.full(50, y)], axis=1)
        cv2.polylines(picture, [_fixed(_on_page(points, level) * times)], False, BLUE, pen, cv2.LINE_AA, 4)
    found = find_sheet(pixels)
    ends = _fixed(found.corners * times)
    for own, start, stop in zip(found.sides, ends, np.roll(ends, -1, axis=0), strict=True):
        if own:
            cv2.line(picture, start.tolist(), stop.tolist(), GREEN, 3 * pen, cv2.LINE_AA, 4)
    told = "rectified by its outline" if found.whole else "not seen whole: not rectified"
    told = told if any(found.sides) else "no outline found: all of it is the page"
    told += f"; turned by {-result.page.angle:.1f} degrees" if result.page.angle else "; level"
    strip = cv2.copyMakeBorder(picture, STRIP, 0, 0, 0, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    cv2.putText(strip, told, (8, STRIP - 10), FONT, min(0.7, size[0] / 600), (60, 60, 60), 1, cv2.LINE_AA)
    return strip


def level_page(pixels: Pixels, level: LevelPage, read: Read, result: PageResult) -> Picture:
    """The level page, dark on light."""
    return _colour(level.pixels)


def tiles(pixels: Pixels, level: LevelPage, read: Read, result: PageResult) -> Picture:
    """The level page as the detector sees it, the tiles of the first pass framed; what is left out is darkened."""
    scale = level.tiles.scale
    size = [max(1, round(side * scale)) for side in level.pixels.shape[::-1]]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    picture = _colour(cv2.resize(level.pixels, size, interpolation=how))
    before = [max(0, -int(least)) for least in level.tiles.corners.min(axis=0, initial=0)]
    after = [
        max(0, int(most) + TILE - side)
        for most, side in zip(level.tiles.corners.max(axis=0, initial=0), size, strict=True)
    ]
    picture = cv2.copyMakeBorder(picture, before[1], after[1], before[0], after[0], cv2.BORDER_REPLICATE)
    seen = np.zeros(picture.shape[:2], np.bool_)
    corners = level.tiles.corners + before
    for left, top in corners.tolist():
        seen[top : top + TILE, left : left + TILE] = True
    picture[~seen] = picture[~seen] // 2
    for count, (left, top) in enumerate(corners.tolist()):
        inner = 2 + 3 * (count % 3)
        cv2.rectangle(
            picture,
            (left + inner, top + inner),
            (left + TILE - inner, top + TILE - inner),
            TINTS[count % len(TINTS)],
            2,
        )
    return picture


def detections(pixels: Pixels, level: LevelPage, read: Read, result: PageResult) -> Picture:
    """The level page with a box round each detection, above it its class and its score in percent.

    Digits by hand are red, printed ones blue, signs green.
    """
    found = read.detections
    times = _enlargement(level.pixels, found.boxes[:, 3])
    picture = _enlarged(level.pixels, times)
    names = "0123456789" + SIGNS
    for box, score, kind, classes in zip(found.boxes, found.scores, found.kinds, found.probabilities, strict=True):
        text = f"{names[int(classes.argmax())]} {min(99, round(100 * float(score)))}"
        _boxed(picture, (box * times).tolist(), text, KINDS[int(kind)])
    return picture


def crops(pixels: Pixels, level: LevelPage, read: Read, result: PageResult) -> Picture:
    """A contact sheet of the crops as the classifier sees them.

    Under each stand its digit by the classifier and by the detector, `-` for none, in red where they differ.
    """
    digits = read.detections.kinds != SIGN
    of_crops = read.probabilities[digits].argmax(axis=1).tolist()
    of_boxes = read.detections.probabilities[digits, :10].argmax(axis=1).tolist()
    rows = max(1, -(-len(of_crops) // COLUMNS))
    picture = np.full((rows * (SIDE + LABEL + 6) + 6, COLUMNS * (SIDE + 6) + 6, 3), 255, np.uint8)
    for i, crop in enumerate(make_crops(level.pixels, read.detections.boxes[digits])):
        top, left = 6 + i // COLUMNS * (SIDE + LABEL + 6), 6 + i % COLUMNS * (SIDE + 6)
        large = cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
        picture[top : top + SIDE, left : left + SIDE] = large[..., None]
        text = f"{of_crops[i] if of_crops[i] < 10 else '-'}  {of_boxes[i]}"
        colour = GREY if of_crops[i] == of_boxes[i] else RED
        cv2.putText(picture, text, (left + 12, top + SIDE + LABEL - 4), FONT, 0.45, colour, 1, cv2.LINE_AA)
    return picture


def lines(pixels: Pixels, level: LevelPage, read: Read, result: PageResult) -> Picture:
    """The page with a frame round each number, what is written there above it, and a thread through each line."""
    times = _enlargement(pixels, np.array([row.height for row in result.digits]))
    picture = _enlarged(pixels, times)
    for line, numbers in groupby(result.numbers, key=lambda row: row.line):
        row = list(numbers)
        colour = TINTS[line % len(TINTS)]
        middles = [((n.left + n.width / 2) * times, (n.top + n.height / 2) * times) for n in row]
        for start, stop in pairwise(middles):
            cv2.line(picture, _whole(start), _whole(stop), colour, 1, cv2.LINE_AA)
        for number in row:
            box = [side * times for side in (number.left, number.top, number.width, number.height)]
            _boxed(picture, box, number.text, colour)
        at = max(0, row[0].left * times - 40), middles[0][1]
        cv2.putText(picture, str(line), _whole(at), FONT, 0.6, RED, 1, cv2.LINE_AA)
    return picture


STAGES: dict[str, Callable[[Pixels, LevelPage, Read, PageResult], Picture]] = {
    "read": read,
    "sheet": sheet,
    "level": level_page,
    "tiles": tiles,
    "detections": detections,
    "crops": crops,
    "lines": lines,
}
"""By the name that the command takes."""


def _colour(pixels: Pixels) -> Picture:
    return cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR).astype(np.uint8, copy=False)


def _fixed(points: NDArray[np.float64]) -> NDArray[np.int32]:
    """Points in sixteenths of a pixel."""
    return np.round(points * 16).astype(np.int32)


def _whole(point: Sequence[float]) -> tuple[int, int]:
    return round(point[0]), round(point[1])


def _on_page(points: NDArray[np.float64], level: LevelPage) -> NDArray[np.float64]:
    """Points (n, 2) of the level page as they lie on the page as given."""
    return cv2.perspectiveTransform(points[:, None], level.to_page)[:, 0]


def _enlargement(pixels: Pixels, heights: NDArray[np.floating] | NDArray[np.integer]) -> int:
    usual = float(np.median(heights)) if len(heights) else LARGE_DIGIT
    most = int((MOST_PIXELS / pixels.size) ** 0.5)
    return max(1, min(int(np.ceil(LARGE_DIGIT / max(1.0, usual))), most))


def _enlarged(pixels: Pixels, times: int) -> Picture:
    if times == 1:
        return _colour(pixels)
    return _colour(cv2.resize(pixels, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC))


def _boxed(picture: Picture, box: Sequence[float], text: str, colour: Colour) -> None:
    """Draws a frame, and the text above it."""
    left, top, width, height = box
    cv2.rectangle(picture, _whole((left, top)), _whole((left + width, top + height)), colour, 1)
    size = max(0.35, min(0.6, height / 70))
    at = (left, top - 3 if top > 14 else top + height + 14)
    cv2.putText(picture, text, _whole(at), FONT, size, colour, 1, cv2.LINE_AA)
