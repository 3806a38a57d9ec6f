"""The numbers of a page, enlarged, with the cuts that were proposed and those that were chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.output.overlay import Colour, Picture
from batchocr.records import Box, DigitRow, Layout, Number
from batchocr.vision.binarize import Mask
from batchocr.vision.ink import Piece
from batchocr.vision.layout import numbers
from batchocr.vision.stages import Stages

HIGH = 84
"""Pixels that a usual digit is high when enlarged."""
WIDE = 1800
"""Pixels of a row of numbers at most, unless one number is wider."""
GAP, AROUND = 30, 10
"""Pixels between numbers, and around the ink of each."""
TEXT = 46
"""Pixels below a number: its digits, and under each its confidence in percent."""
INKS: tuple[Colour, ...] = ((170, 90, 20), (40, 120, 30), (150, 40, 130))
"""Blue green red: of digits that stand side by side."""
NONE, OTHER = (165, 165, 165), (228, 228, 228)
"""What was decided to be no digit, and other numbers' ink."""
REVIEW, CHOSEN, REJECTED = (40, 40, 220), (20, 20, 20), (90, 170, 255)
"""Text of a digit for review; a cut that was made; one that was not."""
FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True)
class _Strip:
    """A number enlarged; `line` where it is the first of that line, else 0."""

    picture: Picture
    line: int


def draw(seen: Stages, layout: Layout, digits: Sequence[DigitRow]) -> Picture:
    """A contact sheet of all numbers, each line of the page on a row of its own, with its number before it."""
    strips = list(_strips(seen, layout, digits))
    rows: list[list[_Strip]] = []
    width = 0
    for strip in strips:
        wide = strip.picture.shape[1] + GAP
        if not rows or strip.line or width + wide > WIDE:
            rows.append([])
            width = 0
        rows[-1].append(strip)
        width += wide
    margin = 60
    size = max([margin + sum(s.picture.shape[1] + GAP for s in row) for row in rows], default=400)
    heights = [max(strip.picture.shape[0] for strip in row) + GAP // 2 for row in rows]
    whole = np.full((sum(heights) + GAP, size, 3), 255, np.uint8)
    top = GAP // 2
    for row, high in zip(rows, heights, strict=True):
        left = margin
        if row[0].line:
            cv2.putText(whole, str(row[0].line), (8, top + HIGH // 2 + AROUND), FONT, 0.7, REVIEW, 1, cv2.LINE_AA)
        for strip in row:
            tall, wide = strip.picture.shape[:2]
            whole[top : top + tall, left : left + wide] = strip.picture
            left += wide + GAP
        top += high
    return whole


def _strips(seen: Stages, layout: Layout, digits: Sequence[DigitRow]) -> Iterator[_Strip]:
    read = {Box(row.left, row.top, row.width, row.height): row for row in digits}
    heights = [piece.height for row in seen.rows for piece in row]
    times = HIGH / float(np.median(heights)) if heights else 1.0
    for count, (row, line) in enumerate(zip(seen.rows, layout.lines, strict=True), 1):
        for place, (pieces, number) in enumerate(zip(numbers(row, seen.small, seen.fields), line.numbers, strict=True)):
            parts = [seen.parts.get(piece, (piece,)) for piece in pieces]
            yield _Strip(_strip(seen.labels, parts, _chosen(number, read), times), 0 if place else count)


def _chosen(number: Number, read: dict[Box, DigitRow]) -> list[tuple[range, DigitRow]]:
    """The digits of a number with the places that each takes, from the left; of candidates in one place the first."""
    found: list[tuple[range, DigitRow]] = []
    for candidate in number.candidates:
        row = read.get(candidate.box)
        if row and not any(candidate.start < places.stop and places.start < candidate.stop for places, _ in found):
            found.append((range(candidate.start, candidate.stop), row))
    return found


def _strip(
    labels: NDArray[np.int32],
    parts: Sequence[tuple[Piece, ...]],
    chosen: Sequence[tuple[range, DigitRow]],
    times: float,
) -> Picture:
    """One number: its ink in the colours of its digits, its cuts as lines, below it what was read."""
    flat = [part for piece in parts for part in piece]
    around = int(np.ceil(AROUND / times))
    left, top = max(0, min(p.left for p in flat) - around), max(0, min(p.top for p in flat) - around)
    right, bottom = max(p.right for p in flat) + around, max(p.bottom for p in flat) + around
    view = labels[top:bottom, left:right]
    times = min(times, WIDE / view.shape[1])
    place_of = np.full(int(labels.max()) + 1, -2)
    place_of[0] = -1
    for place, part in enumerate(flat):
        place_of[list(part.labels)] = place
    places = place_of[view]
    size = (max(1, round(view.shape[1] * times)), max(1, round(view.shape[0] * times)))

    def large(mask: NDArray[np.bool_]) -> Mask:
        return cv2.resize(np.where(mask, np.uint8(255), np.uint8(0)), size, interpolation=cv2.INTER_CUBIC)

    digit_of = {place: i for i, (taken, _) in enumerate(chosen) for place in taken}
    picture = np.full((size[1] + TEXT, size[0], 3), 255, np.uint8)
    strip = picture[: size[1]]
    strip[large(places == -2) > 127] = OTHER
    for place in range(len(flat)):
        ink = INKS[digit_of[place] % len(INKS)] if place in digit_of else NONE
        strip[large(places == place) > 110] = ink
    first = 0
    for piece in parts:
        for place in range(first, first + len(piece) - 1):
            made = digit_of.get(place, -1) != digit_of.get(place + 1, -2) and {place, place + 1} & digit_of.keys()
            _cut(strip, large(places == place), large(places == place + 1), CHOSEN if made else REJECTED)
        first += len(piece)
    for taken, row in chosen:
        middle = round((np.mean([(flat[p].left + flat[p].right) / 2 for p in taken]) - left) * times)
        colour = REVIEW if row.review else CHOSEN
        for text, scale, base in ((str(row.digit), 0.7, 20), (str(min(99, round(100 * row.confidence))), 0.38, 36)):
            (wide, _), _ = cv2.getTextSize(text, FONT, scale, 1)
            at = (min(max(0, middle - wide // 2), max(0, size[0] - wide)), size[1] + base)
            cv2.putText(picture, text, at, FONT, scale, colour, 1, cv2.LINE_AA)
    return picture


def _cut(strip: Picture, before: Mask, after: Mask, colour: Colour) -> None:
    """Draws the line that is as far from one part as from the next, from a little above them to a little below."""
    if not (before.any() and after.any()):
        return
    rows = np.flatnonzero((before | after).any(axis=1))
    to_one, to_other = (
        cv2.distanceTransform(np.where(m > 110, np.uint8(0), np.uint8(1)), cv2.DIST_L2, 5) for m in (before, after)
    )
    nearer = to_one <= to_other
    edge = np.zeros_like(nearer)
    edge[:, 1:] = nearer[:, 1:] != nearer[:, :-1]
    edge[1:] |= nearer[1:] != nearer[:-1]
    # between the two only: elsewhere the line would go on for ever
    edge &= np.minimum(to_one, to_other) <= HIGH / 4
    edge[: max(0, rows[0] - 6)] = False
    edge[rows[-1] + 7 :] = False
    line = edge if colour == REJECTED else cv2.dilate(edge.astype(np.uint8), np.ones((2, 2), np.uint8)) > 0
    strip[line] = colour
