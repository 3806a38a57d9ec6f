"""The whole way from a page's pixels to its layout; every step stands in a module of its own."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Box, Candidate, Crops, Layout, Line, Number, Pixels
from batchocr.vision.binarize import Contrast, Mask, binarize, faintest_ink, flatten, is_white_on_black
from batchocr.vision.deskew import Turn, skew
from batchocr.vision.ink import Piece, components, join_strokes, only_digit, writing_height
from batchocr.vision.layout import lines, numbers
from batchocr.vision.normalize import SIDE, normalize
from batchocr.vision.rules import find_rules, mend

WORKING = 1600
"""Pixels of the longer side at least after reduction: an A4 page is looked at with 150 dpi."""
SMALLEST = 15.0
"""Pixels of writing height below which a reduced page is looked at again less reduced."""
LEAST_WRITING = 10.0
"""Pixels: what is no higher is dirt."""
ONE_PIECE = 64
"""Pixels: a picture no larger holds one digit."""


def find(pixels: Pixels) -> Layout:
    """What on a page (height, width), grey, may be digits, in reading order.

    Works on pages from 28×28 pixels, either polarity, turned by up to 10°, with writing from about 15 pixels high.
    Boxes are in pixels of the page as given.
    """
    if is_white_on_black(pixels):
        pixels = cv2.bitwise_not(pixels)
    reduction = max(1, max(pixels.shape) // WORKING)
    while True:
        found = _find(_reduce(pixels, reduction), reduction, pixels.shape)
        if reduction == 1 or found is not None:
            break
        reduction = max(1, reduction // 2)
    return found if found is not None else Layout((), np.empty((0, SIDE, SIDE), np.uint8), 0.0)


def _reduce(pixels: Pixels, by: int) -> Pixels:
    height, width = pixels.shape
    return pixels if by == 1 else cv2.resize(pixels, (width // by, height // by), interpolation=cv2.INTER_AREA)


def _find(pixels: Pixels, reduction: int, shape: tuple[int, int]) -> Layout | None:
    """The layout seen at one reduction; None where the writing is too small for it."""
    contrast = flatten(pixels)
    faintest = faintest_ink(contrast)
    if max(pixels.shape) <= ONE_PIECE:
        labels, pieces = components(binarize(contrast, faintest))
        rows = [[_one_piece(pieces, pixels.shape)]] if pieces else []
        turn = Turn(0.0, pixels.shape[1], pixels.shape[0])
    else:
        turn = Turn(skew(binarize(contrast[::2, ::2], faintest)), pixels.shape[1], pixels.shape[0])
        contrast = turn.level(contrast)
        ink = _writing(contrast, faintest)
        labels, pieces = components(ink)
        height = writing_height(pieces)
        if reduction > 1 and 0 < height < SMALLEST:
            return None
        if height < LEAST_WRITING:
            pieces = []
        whole = only_digit(pieces)
        rows = [[whole]] if whole else lines(join_strokes(pieces, labels, height), height)
    crops: list[Pixels] = []
    found = tuple(
        Line(
            tuple(
                Number(tuple(_candidate(p, contrast, labels, turn, reduction, shape, crops) for p in number))
                for number in numbers(row)
            )
        )
        for row in rows
    )
    block: Crops = np.stack(crops) if crops else np.empty((0, SIDE, SIDE), np.uint8)
    return Layout(found, block, turn.angle)


def _writing(contrast: Contrast, faintest: int) -> Mask:
    """The ink of a level page without its rules."""
    faint = cv2.compare(contrast, float(faintest), cv2.CMP_GT)
    rules = find_rules(faint, contrast)
    if not rules:
        return binarize(contrast, faintest)
    bare = cv2.bitwise_and(contrast, cv2.bitwise_not(rules.halo()))
    return mend(binarize(bare, faintest), rules, faint)


def _one_piece(pieces: list[Piece], shape: tuple[int, int]) -> Piece:
    """All ink of a small picture as one digit, less neighbours that the picture's sides cut off."""
    main = max(pieces, key=lambda p: p.area)
    for piece in pieces:
        shared = min(piece.right, main.right) - max(piece.left, main.left)
        cut_off = piece.left <= 0 or piece.right >= shape[1]
        if piece is not main and (not cut_off or shared > 0.5 * piece.width):
            main = main.with_(piece)
    return main


def _candidate(
    piece: Piece,
    contrast: Contrast,
    labels: NDArray[np.int32],
    turn: Turn,
    reduction: int,
    shape: tuple[int, int],
    crops: list[Pixels],
) -> Candidate:
    """The record of a piece, its box on the page as given; its crop is added to `crops`."""
    height, width = contrast.shape
    top, bottom = max(0, piece.top - 2), min(height, piece.bottom + 2)
    left, right = max(0, piece.left - 2), min(width, piece.right + 2)
    view = labels[top:bottom, left:right]
    mask: Mask = np.where(np.isin(view, piece.labels), np.uint8(255), np.uint8(0))
    other = (view > 0) & (mask == 0)
    seen = contrast[top:bottom, left:right]
    if other.any():
        seen = np.where(other, np.uint8(0), seen)
    crops.append(normalize(seen, mask))
    if turn.angle:
        y, x = np.nonzero(mask)
        points = turn.back(np.stack([x + left, y + top], axis=1).astype(np.float64))
        (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0) + 1
    else:
        x0, y0, x1, y1 = piece.left, piece.top, piece.right, piece.bottom
    x0, y0 = max(0, round(x0 * reduction)), max(0, round(y0 * reduction))
    x1, y1 = min(shape[1], round(x1 * reduction)), min(shape[0], round(y1 * reduction))
    return Candidate(Box(x0, y0, max(1, x1 - x0), max(1, y1 - y0)), joined=len(piece.labels) > 1)
