"""A page at each stage of its way, as pictures for a person to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from batchocr.output.cuts import draw as draw_cuts
from batchocr.output.overlay import Picture, draw
from batchocr.records import DigitRow, Layout, Pixels
from batchocr.vision.stages import Stages

TINTS = np.array(
    [(60, 60, 200), (40, 140, 40), (190, 90, 30), (20, 130, 190), (150, 50, 150), (130, 130, 20)], np.uint8
)
"""Blue green red: neighbouring pieces get different ones, all dark enough for white paper."""
PALE = 205
"""Grey of ink that is only shown for orientation."""
RED, GREEN, BLUE = (40, 40, 220), (40, 160, 40), (220, 130, 40)
LARGEST, LEVELS, STRIP = 1600, 15, 34
"""Of the page with its sheet: pixels of its longer side, level lines, pixels of the text above it."""
TILE, LABEL, COLUMNS = 56, 18, 20
"""Of the contact sheet: pixels of a crop, pixels of the text under it, crops a row."""


def read(pixels: Pixels, seen: Stages, layout: Layout, digits: Sequence[DigitRow]) -> Picture:
    """The page with what was read drawn on it."""
    return draw(pixels, digits)


def sheet(pixels: Pixels, seen: Stages, layout: Layout, digits: Sequence[DigitRow]) -> Picture:
    """The page as given: in green the outline of the sheet where it was found, in blue what is taken to be level.

    Above it stands what was done.
    """
    times = min(1.0, LARGEST / max(pixels.shape))
    size = (max(1, round(pixels.shape[1] * times)), max(1, round(pixels.shape[0] * times)))
    picture = cv2.cvtColor(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), cv2.COLOR_GRAY2BGR)
    high, wide = seen.contrast.shape
    pen = max(1, round(max(size) / 800))
    across, down = seen.sheet.size[0] / seen.turn.width, seen.sheet.size[1] / seen.turn.height
    for y in np.linspace(0, high, LEVELS + 2)[1:-1]:
        points = np.stack([np.linspace(0, wide, 50), np.full(50, y)], axis=1)
        points = seen.sheet.back(seen.turn.back(points), (across, down)) * (across, down)
        cv2.polylines(picture, [np.round(points * times * 16).astype(np.int32)], False, BLUE, pen, cv2.LINE_AA, 4)
    ends = np.round(seen.sheet.corners * times * 16).astype(np.int32)
    for own, start, stop in zip(seen.sheet.sides, ends, np.roll(ends, -1, axis=0), strict=True):
        if own:
            cv2.line(picture, start.tolist(), stop.tolist(), GREEN, 3 * pen, cv2.LINE_AA, 4)
    told = "no outline found: all of it is the page" if not any(seen.sheet.sides) else "cut out by the sides found"
    told = "squared by its outline" if seen.sheet.whole else told
    told += f"; turned by {-layout.angle:.1f} degrees" if layout.angle else "; level"
    strip = cv2.copyMakeBorder(picture, STRIP, 0, 0, 0, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    scale = min(0.7, size[0] / 600)
    cv2.putText(strip, told, (8, STRIP - 10), cv2.FONT_HERSHEY_SIMPLEX, scale, (60, 60, 60), 1, cv2.LINE_AA)
    return strip


def flat(pixels: Pixels, seen: Stages, layout: Layout, digits: Sequence[DigitRow]) -> Picture:
    """The page level and its light evened out: what is white here is paper."""
    return cv2.cvtColor(cv2.bitwise_not(seen.contrast), cv2.COLOR_GRAY2BGR)


def ink(pixels: Pixels, seen: Stages, layout: Layout, digits: Sequence[DigitRow]) -> Picture:
    """What counts as ink, rules taken out."""
    return cv2.cvtColor(cv2.bitwise_not(seen.ink), cv2.COLOR_GRAY2BGR)


def rules(pixels: Pixels, seen: Stages, layout: Layout, digits: Sequence[DigitRow]) -> Picture:
    """In red the lines that were taken out, in grey the writing."""
    picture = np.full((*seen.ink.shape, 3), 255, np.uint8)
    picture[seen.ink > 0] = PALE - 60
    picture[cv2.dilate(seen.rules, np.ones((2, 2), np.uint8)) > 0] = RED
    return picture


def pieces(pixels: Pixels, seen: Stages, layout: Layout, digits: Sequence[DigitRow]) -> Picture:
    """Each piece that may be a digit in a colour of its own, its line's number before it; what is left out in grey.

    Where a piece may be cut, its parts have colours of their own.
    """
    tint = np.zeros((int(seen.labels.max()) + 1, 3), np.uint8)
    tint[1:] = PALE
    count = 0
    for row in seen.rows:
        for part in (part for piece in row for part in seen.parts.get(piece, (piece,))):
            tint[list(part.labels)] = TINTS[count % len(TINTS)]
            count += 1
    tint[0] = 255
    picture: Picture = tint[seen.labels]
    for line, row in enumerate(seen.rows, 1):
        first = min(row, key=lambda piece: piece.left)
        size = max(0.4, first.height / 60)
        at = (max(0, first.left - int(30 * size * len(str(line))) - 8), first.bottom)
        cv2.putText(picture, str(line), at, cv2.FONT_HERSHEY_SIMPLEX, size, RED, 1, cv2.LINE_AA)
    return picture


def crops(pixels: Pixels, seen: Stages, layout: Layout, digits: Sequence[DigitRow]) -> Picture:
    """A contact sheet of the crops as the network sees them, each with what was read; doubtful ones in red.

    Beside a piece of ink stand those that it may be cut into; what gave no row has no text.
    """
    read = {(row.left, row.top, row.width, row.height): row for row in digits}
    boxes = [candidate.box for candidate in layout.candidates]
    rows = max(1, -(-len(boxes) // COLUMNS))
    picture = np.full((rows * (TILE + LABEL + 6) + 6, COLUMNS * (TILE + 6) + 6, 3), 255, np.uint8)
    for i, (crop, box) in enumerate(zip(layout.crops, boxes, strict=True)):
        top, left = 6 + i // COLUMNS * (TILE + LABEL + 6), 6 + i % COLUMNS * (TILE + 6)
        large = cv2.resize(crop, (TILE, TILE), interpolation=cv2.INTER_NEAREST)
        picture[top : top + TILE, left : left + TILE] = large[..., None]
        if (digit := read.get((box.left, box.top, box.width, box.height))) is None:
            continue
        text = f"{digit.digit}  {min(99, round(100 * digit.confidence))}"
        colour = RED if digit.review else (90, 90, 90)
        at = (left + 6, top + TILE + LABEL - 4)
        cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, 1, cv2.LINE_AA)
    return picture


def chosen_cuts(pixels: Pixels, seen: Stages, layout: Layout, digits: Sequence[DigitRow]) -> Picture:
    """Each number enlarged: its digits in colours of their own, cuts that were made in black, others in orange.

    What was decided to be no digit is grey; text in red is for review.
    """
    return draw_cuts(seen, layout, digits)


STAGES: dict[str, Callable[[Pixels, Stages, Layout, Sequence[DigitRow]], Picture]] = {
    "read": read,
    "sheet": sheet,
    "flat": flat,
    "ink": ink,
    "rules": rules,
    "pieces": pieces,
    "cuts": chosen_cuts,
    "crops": crops,
}
"""By the name that the command takes."""
