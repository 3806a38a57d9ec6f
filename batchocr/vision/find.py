"""The whole way from a page's pixels to its layout; every step stands in a module of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Box, Candidate, Layout, Line, Number, Pixels, Style
from batchocr.vision.binarize import Contrast, Mask, binarize, faintest_ink, flatten, is_white_on_black
from batchocr.vision.blemishes import without_holes, without_show_through
from batchocr.vision.bubbles import without_bubbles
from batchocr.vision.connected import extents
from batchocr.vision.crosses import without_crosses
from batchocr.vision.cut import cut, stretches
from batchocr.vision.deskew import Turn, straighten
from batchocr.vision.dotted import find_dotted
from batchocr.vision.fields import Fields, find_fields
from batchocr.vision.ink import (
    FRAGMENT,
    LEAST_WRITING,
    Piece,
    components,
    join_strokes,
    only_digit,
    perhaps_one,
    writing_height,
)
from batchocr.vision.layout import lines, numbers
from batchocr.vision.normalize import Fitted, centred, fit
from batchocr.vision.rules import Rules, find_rules, mend
from batchocr.vision.sheet import Sheet, find_sheet

DPI = 150
"""At which a page is looked at where its resolution is known."""
LARGEST_SHEET = 24
"""Inches: A2."""
WORKING = 1600
"""Pixels of the longer side at least after reduction where it is not: with these A4 has 150 dpi."""
SMALLEST = 15.0
"""Pixels of writing height below which a reduced page is looked at again less reduced."""
LARGEST, USUAL = 80.0, 45.0
"""Pixels of writing height above which a page is looked at again, so reduced that it has the second."""
SMALL, ENLARGED, LEAST_PAGE = 24.0, 2, 600
"""Pixels of writing height below which a page of few pixels is enlarged, how many times, and the pixels of its longer
side from which on it is a page, and no strip of one."""
PALE_RULE = 0.6
"""Share of the contrast of the faintest ink that a rule has at least: its length tells it from grain."""
ONE_PIECE = 64
"""Pixels: a picture no larger holds one digit."""
TOUCHING = 2
"""Pixels from the side of a sheet at which ink touches it."""


@dataclass(frozen=True)
class Stages:
    """A page on its way, each picture (height, width) at the working resolution, turned level."""

    contrast: Contrast
    rules: Mask
    ink: Mask
    labels: NDArray[np.int32]
    """Which connected component a pixel belongs to; 0 for paper."""
    rows: list[list[Piece]]
    """Lines from the top, each a row of pieces that may be digits, from the left."""
    parts: Mapping[Piece, tuple[Piece, ...]]
    """Into which wide pieces may be cut."""
    small: list[Piece]
    """Points, commas and dirt."""
    turn: Turn
    sheet: Sheet
    """Where on the page the sheet lies that these are pictures of."""
    fields: Fields | None = None
    """Boxes and combs; None where there are none."""


def find(pixels: Pixels, dpi: float | None = None) -> Layout:
    """What on a page (height, width), grey, `dpi` dots an inch if that is known, may be digits, in reading order.

    Works on pages from 28×28 pixels, either polarity, turned by up to 10°, with writing from about 15 pixels high.
    Boxes are in pixels of the page as given.
    """
    return layout(stages(pixels, dpi), pixels.shape)


def layout(seen: Stages, shape: tuple[int, ...]) -> Layout:
    """The record of what was seen of a page of `shape` (height, width): lines, numbers, candidates and their crops."""
    found = [[_proposals(number, seen) for number in numbers(row, seen.small, seen.fields)] for row in seen.rows]
    pieces = [proposal.piece for row in found for number in row for proposal in number]
    inks = [_fitted(piece, seen) for piece in pieces]
    drawn = zip(_boxes(pieces, seen, shape), inks, strict=True)
    rows = tuple(
        Line(tuple(Number(tuple(_candidate(p, *next(drawn)) for p in number)) for number in row)) for row in found
    )
    return Layout(rows, centred([ink.ink for ink in inks]), round(seen.turn.angle + seen.sheet.angle, 2))


def stages(pixels: Pixels, dpi: float | None = None) -> Stages:
    """All that is made of a page (height, width), grey, up to its lines of pieces.

    The page is reduced as far as the size of its writing allows: the lengths by which rules are told from strokes
    are those of writing up to 12 mm high at 150 dpi.
    """
    sheet = find_sheet(pixels)
    if is_white_on_black(sheet.cut_out(pixels)):
        pixels = cv2.bitwise_not(pixels)
    longest = max(sheet.size)
    if dpi and longest > LARGEST_SHEET * dpi:
        dpi = None  # a tag that nobody set
    reduction: float = max(1, round(dpi / DPI) if dpi and longest > ONE_PIECE else longest // WORKING)
    larger = False
    while True:
        height, width = pixels.shape
        size = (max(1, int(width / reduction)), max(1, int(height / reduction)))
        how = cv2.INTER_AREA if reduction > 1 else cv2.INTER_CUBIC
        reduced = pixels if reduction == 1 else cv2.resize(pixels, size, interpolation=how)
        seen, high = _stages(reduced, sheet)
        if 0 < high < SMALLEST and reduction > 1 and not larger:
            reduction //= 2
        elif 0 < high < SMALL and reduction == 1 and LEAST_PAGE <= longest <= WORKING:
            reduction = 1 / ENLARGED
        elif high > LARGEST and not larger and sum(map(len, seen.rows)) > 1:
            reduction, larger = round(reduction * high / USUAL), True
        else:
            return _with_cuts(seen) if max(seen.ink.shape) > ONE_PIECE else seen


def _stages(page: Pixels, sheet: Sheet) -> tuple[Stages, float]:
    """The stages of the sheet on a page already reduced, and how high the writing is there, in pixels."""
    pixels = sheet.square(page)
    height, width = pixels.shape
    contrast = sheet.clear(flatten(pixels))
    faintest = faintest_ink(contrast)
    if max(height, width) <= ONE_PIECE:
        ink = binarize(contrast, faintest)
        labels, pieces = components(ink)
        rows = [[_one_piece(pieces, width)]] if pieces else []
        return Stages(contrast, np.zeros_like(ink), ink, labels, rows, {}, [], Turn(0.0, width, height), sheet), 0.0
    turn = straighten(binarize(np.ascontiguousarray(contrast[::2, ::2]), faintest), width, height)
    contrast = turn.level(contrast)
    ink, rules = _writing(contrast, faintest)
    labels, pieces = components(ink)
    pieces = without_crosses(without_bubbles(_off_the_edge(pieces, turn, sheet), labels), labels)
    high = writing_height(pieces)
    pieces = without_holes(without_show_through(pieces, labels, contrast), labels)
    small = [piece for piece in pieces if piece.height < FRAGMENT * high]
    if high < LEAST_WRITING:
        pieces = []
    whole = only_digit(pieces)
    fields = find_fields(rules.drawn, pieces, high) if rules and pieces else None
    rows = [[whole]] if whole else lines(join_strokes(pieces, labels, high), high, fields)
    return Stages(contrast, rules.level | rules.upright, ink, labels, rows, {}, small, turn, sheet, fields), high


def _with_cuts(seen: Stages) -> Stages:
    """The stages with what pieces may be cut into, which is marked in the labels too."""
    heights = [float(np.median([piece.height for piece in row])) for row in seen.rows for _ in row]
    return replace(seen, parts=cut([piece for row in seen.rows for piece in row], seen.labels, heights))


def _writing(contrast: Contrast, faintest: int) -> tuple[Mask, Rules]:
    """The ink of a level page without its rules, and the rules."""
    faint = cv2.compare(contrast, float(faintest), cv2.CMP_GT)
    rules = find_rules(cv2.compare(contrast, PALE_RULE * faintest, cv2.CMP_GT), contrast)
    rules |= find_dotted(contrast, faintest)
    if not rules:
        return binarize(contrast, faintest), rules
    bare = cv2.bitwise_and(contrast, cv2.bitwise_not(rules.halo()))
    return mend(binarize(bare, faintest), rules, faint), rules


def _off_the_edge(pieces: list[Piece], turn: Turn, sheet: Sheet) -> list[Piece]:
    """The pieces of a level page less those that touch a side of its sheet: what shows there of a desk or a shadow."""
    if not any(sheet.sides) or not pieces:
        return pieces
    boxes = np.array([(p.left, p.top, p.right, p.bottom) for p in pieces], np.float64)
    ends = turn.back(boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 2))
    away = sheet.inside(ends * (sheet.size[0] / turn.width, sheet.size[1] / turn.height)).reshape(-1, 4)
    near = TOUCHING * sheet.size[0] / turn.width
    return [piece for piece, distance in zip(pieces, away.min(axis=1), strict=True) if distance > near]


def _one_piece(pieces: list[Piece], width: int) -> Piece:
    """All ink of a small picture as one digit, less neighbours that the picture's sides cut off."""
    main = max(pieces, key=lambda p: p.area)
    for piece in pieces:
        shared = min(piece.right, main.right) - max(piece.left, main.left)
        cut_off = piece.left <= 0 or piece.right >= width
        if piece is not main and (not cut_off or shared > 0.5 * piece.width):
            main = main.with_(piece)
    return main


class _Proposal(NamedTuple):
    """Ink that may be a digit; the rest as in `Candidate`."""

    piece: Piece
    start: int
    stop: int
    cut: bool = False
    joined: bool = False
    across: bool = False


def _proposals(number: list[Piece], seen: Stages) -> list[_Proposal]:
    """All that may be digits of a number: its pieces, what they may be cut into, or are parts of."""
    height = float(np.median([piece.height for piece in number]))
    found: list[_Proposal] = []
    places, wholes = [0], []
    for piece in number:
        parts = seen.parts.get(piece, (piece,))
        place = places[-1]
        for start, stop, stretch in stretches(parts, height):
            whole = stop - start == len(parts)
            found.append(_Proposal(stretch, place + start, place + stop, not whole, whole and len(piece.labels) > 1))
            wholes += [stretch] if whole else []  # with the labels of its parts
        places.append(place + len(parts))
    for first, last, union in perhaps_one(wholes, height):
        found.append(_Proposal(union, places[first], places[last], joined=True, across=True))
    return sorted(found, key=lambda each: each.start)


def _candidate(proposal: _Proposal, box: Box, ink: Fitted) -> Candidate:
    piece, start, stop, is_cut, joined, across = proposal
    level = Box(piece.left, piece.top, piece.width, piece.height)
    return Candidate(box, joined, start, stop, is_cut, across, Style(level, ink.stroke, ink.dark))


def _fitted(piece: Piece, seen: Stages) -> Fitted:
    """The ink of a piece and nothing beside it, as large as a crop holds."""
    height, width = seen.contrast.shape
    top, bottom = max(0, piece.top - 2), min(height, piece.bottom + 2)
    left, right = max(0, piece.left - 2), min(width, piece.right + 2)
    view = seen.labels[top:bottom, left:right]
    mask = piece.mask(view)
    alone = cv2.bitwise_or(cv2.inRange(view, 0, 0), mask)
    return fit(cv2.bitwise_and(seen.contrast[top:bottom, left:right], alone), mask)


def _boxes(pieces: Sequence[Piece], seen: Stages, shape: tuple[int, ...]) -> list[Box]:
    """Where the pieces lie on the page of `shape` as given."""
    across, down = seen.sheet.size[0] / seen.turn.width, seen.sheet.size[1] / seen.turn.height
    ends = np.array([(p.left, p.top, p.right, p.bottom) for p in pieces], np.float64).reshape(-1, 4)
    if pieces and (seen.turn.moves or seen.sheet.whole):
        where = np.flatnonzero(seen.labels > 0)
        y, x = np.divmod(where, seen.labels.shape[1])
        points = seen.turn.back(np.stack([x, y], axis=1).astype(np.float64))
        x_back, y_back = seen.sheet.back(points, (across, down)).T
        of_label = extents(seen.labels.ravel()[where], x_back, y_back)
        of_label[:, 2:] += 1
        of_parts = of_label[[label for piece in pieces for label in piece.labels]]
        first = np.cumsum([0] + [len(piece.labels) for piece in pieces])[:-1]
        ends[:, :2] = np.minimum.reduceat(of_parts[:, :2], first)
        ends[:, 2:] = np.maximum.reduceat(of_parts[:, 2:], first)
    ends = np.round(ends * (across, down, across, down)).clip(0, np.array(shape)[[1, 0, 1, 0]])
    return [Box(x0, y0, max(1, x1 - x0), max(1, y1 - y0)) for x0, y0, x1, y1 in ends.astype(int).tolist()]
