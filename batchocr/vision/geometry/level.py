"""A page as given → the level page, in one resampling, and the way back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels
from batchocr.vision.binarize import binarize, faintest_ink, flatten, is_white_on_black
from batchocr.vision.geometry.deskew import Turn, straighten
from batchocr.vision.geometry.sheet import Sheet, find_sheet

Matrix = NDArray[np.float64]
"""(3, 3): a homography of points of which pixel 0 reaches from 0 to 1."""


@dataclass(frozen=True)
class LevelParameters:
    """How large the level page is, and at which size its direction is told."""

    max_megapixels: float = 9.0
    """A4 at 300 dpi: no network looks closer."""
    working_side_px: int = 1600
    """Longer side at least of the page on which directions are told: with these A4 has 150 dpi."""
    min_side_px: int = 64
    """A picture no larger holds one digit, which tells no direction."""


PARAMETERS = LevelParameters()
_MIDDLE: Matrix = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
"""OpenCV has the origin in the middle of a pixel."""


@dataclass(frozen=True)
class Levelled:
    """A level page, and what was done to it."""

    pixels: Pixels
    """(height, width), dark ink on light paper."""
    to_page: Matrix
    """From points of `pixels` to points of the page as given."""
    angle: float
    """Degrees by which the writing ran downhill to the right."""


def level_page(pixels: Pixels, parameters: LevelParameters = PARAMETERS) -> Levelled:
    """A page (height, width), grey, with its sheet rectified and its writing level, bounded in size.

    A page that is light on dark as a whole is inverted.
    """
    sheet = find_sheet(pixels)
    if is_white_on_black(sheet.cut_out(pixels)):
        pixels = cv2.bitwise_not(pixels)
    turn = _turn(pixels, sheet, parameters)
    if not sheet.whole and not turn.moves:
        height, width = pixels.shape
        scale = min(1.0, (parameters.max_megapixels * 1e6 / pixels.size) ** 0.5)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        back: Matrix = np.diag(np.array([width / size[0], height / size[1], 1.0]))
        return Levelled(_resized(pixels, size), back, 0.0)
    forth, size = _forth(sheet, turn, parameters)
    back = np.asarray(np.linalg.inv(forth), np.float64)
    return Levelled(_warped(pixels, forth, size), back, round(turn.angle + sheet.angle, 2))


def _turn(pixels: Pixels, sheet: Sheet, parameters: LevelParameters) -> Turn:
    """How the sheet on the page is made level, in pixels of the sheet reduced."""
    longest = max(sheet.size)
    if longest <= parameters.min_side_px:
        return Turn(0.0, *sheet.size)
    reduction = max(1, longest // parameters.working_side_px)
    height, width = pixels.shape
    reduced = _resized(pixels, (max(1, width // reduction), max(1, height // reduction)))
    contrast = sheet.clear(flatten(sheet.square(reduced)))
    ink = binarize(np.ascontiguousarray(contrast[::2, ::2]), faintest_ink(contrast))
    return straighten(ink, contrast.shape[1], contrast.shape[0])


def _forth(sheet: Sheet, turn: Turn, parameters: LevelParameters) -> tuple[Matrix, tuple[int, int]]:
    """From points of the page to those of the level page, and its width and height."""
    matrix, (width, height) = turn.matrix()
    reduce = np.diag([turn.width / sheet.size[0], turn.height / sheet.size[1], 1.0])
    enlarge = min(sheet.size[0] / turn.width, (parameters.max_megapixels * 1e6 / (width * height)) ** 0.5)
    size = max(1, round(width * enlarge)), max(1, round(height * enlarge))
    back = np.diag([size[0] / width, size[1] / height, 1.0])
    return back @ _MIDDLE @ matrix @ np.linalg.inv(_MIDDLE) @ reduce @ sheet.matrix, size


def _warped(pixels: Pixels, forth: Matrix, size: tuple[int, int]) -> Pixels:
    """The page through a homography; where it shrinks, it is reduced first, so that no pixel is passed over."""
    height, width = pixels.shape
    at = forth @ (width / 2, height / 2, 1)
    jacobian = (forth[:2, :2] - np.outer(at[:2] / at[2], forth[2, :2])) / at[2]
    scale = float(np.sqrt(abs(np.linalg.det(jacobian))))
    if scale < 0.75:
        reduced = max(1, round(width * scale)), max(1, round(height * scale))
        pixels = _resized(pixels, reduced)
        forth = forth @ np.diag([width / reduced[0], height / reduced[1], 1.0])
    matrix = np.linalg.inv(_MIDDLE) @ forth @ _MIDDLE
    return cv2.warpPerspective(pixels, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _resized(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """A page made no larger, to that width and height."""
    if size == (pixels.shape[1], pixels.shape[0]):
        return pixels
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
