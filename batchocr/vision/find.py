"""The whole way from a page's pixels to its layout; every step stands in a module of its own."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from batchocr.records import Layout, Pixels
from batchocr.vision.binarize import Contrast, Mask, binarize, faintest_ink, flatten, is_white_on_black
from batchocr.vision.blemishes import without_holes, without_show_through
from batchocr.vision.bubbles import without_bubbles
from batchocr.vision.candidates import layout
from batchocr.vision.crosses import without_crosses
from batchocr.vision.cut import cut, is_wide
from batchocr.vision.dotted import find_dotted
from batchocr.vision.fields import find_fields
from batchocr.vision.geometry.deskew import Turn, straighten
from batchocr.vision.geometry.sheet import Sheet, find_sheet
from batchocr.vision.ink import (
    FRAGMENT,
    LEAST_WRITING,
    Piece,
    components,
    join_strokes,
    median_height,
    only_digit,
    writing_height,
)
from batchocr.vision.layout import lines
from batchocr.vision.normalize import normalize_all
from batchocr.vision.rules import Rules, find_rules, mend
from batchocr.vision.single import surely_one
from batchocr.vision.stages import Stages

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


def find(pixels: Pixels, dpi: float | None = None, *, every_cut: bool = False) -> Layout:
    """What on a page (height, width), grey, `dpi` dots an inch if that is known, may be digits, in reading order.

    Works on pages from 28×28 pixels, either polarity, turned by up to 10°, with writing from about 15 pixels high.
    Boxes are in pixels of the page as given. With `every_cut` also pieces that are surely one digit are cut.
    """
    return layout(stages(pixels, dpi, every_cut=every_cut), pixels.shape)


def stages(pixels: Pixels, dpi: float | None = None, *, every_cut: bool = False) -> Stages:
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
            return _with_cuts(seen, every_cut) if max(seen.ink.shape) > ONE_PIECE else seen


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
        return Stages(contrast, np.zeros_like(ink), ink, labels, rows, {}, {}, [], Turn(0.0, width, height), sheet), 0.0
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
    return Stages(contrast, rules.level | rules.upright, ink, labels, rows, {}, {}, small, turn, sheet, fields), high


def _with_cuts(seen: Stages, every_cut: bool) -> Stages:
    """The stages with what pieces may be cut into, which is marked in the labels too."""
    heights: dict[Piece, float] = {}
    for row in seen.rows:
        heights.update(dict.fromkeys(row, median_height(row)))
    wide = [piece for piece, height in heights.items() if is_wide(piece, height)]
    normal = normalize_all(wide, seen.labels, seen.contrast)
    sure = surely_one(np.array([each.crop for each in normal], np.uint8))
    unsure = [piece for piece, one in zip(wide, sure, strict=True) if every_cut or not one]
    parts = cut(unsure, seen.labels, [heights[piece] for piece in unsure])
    return replace(seen, normal=dict(zip(wide, normal, strict=True)), parts=parts)


def _writing(contrast: Contrast, faintest: int) -> tuple[Mask, Rules]:
    """The ink of a level page without its rules, and the rules."""
    rules = find_rules(cv2.compare(contrast, PALE_RULE * faintest, cv2.CMP_GT), contrast)
    rules |= find_dotted(contrast, faintest)
    if not rules:
        return binarize(contrast, faintest), rules
    bare = cv2.subtract(contrast, rules.halo())
    faint = cv2.compare(contrast, float(faintest), cv2.CMP_GT)
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
