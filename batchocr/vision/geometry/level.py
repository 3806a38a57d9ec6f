"""From a page as given to the level page in one resampling, and the homography back."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels
from batchocr.vision.binarize import BinarizationParameters, binarize, faintest_ink, flatten, is_white_on_black
from batchocr.vision.geometry.deskew import DeskewParameters, Turn, find_turn
from batchocr.vision.geometry.sheet import Sheet, SheetParameters, find_sheet

Matrix = NDArray[np.float64]
"""(3, 3): a homography of points. Pixel 0 extends from 0 to 1."""


@dataclass(frozen=True)
class LevelParameters:
    """The size of the level page, and the size at which its direction is measured."""

    max_megapixels: float = 9.0
    """Size of the largest level page. Basis: A4 at 300 dpi; no network sees more detail."""
    min_working_px: int = 1600
    """Longer side of the page on which directions are measured. Basis: A4 at 150 dpi has this size."""
    min_side_px: int = 64
    """An image with a longer side up to this holds one digit. Basis: one digit has no direction."""
    max_reduction: float = 0.75
    """A page that the transformation makes smaller than this is reduced first, so that no pixel is skipped.
    Basis: bilinear sampling reads two pixels in each direction."""
    sheet: SheetParameters = field(default_factory=SheetParameters)
    binarization: BinarizationParameters = field(default_factory=BinarizationParameters)
    deskew: DeskewParameters = field(default_factory=DeskewParameters)


PARAMETERS = LevelParameters()
_MIDDLE: Matrix = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
"""From OpenCV's origin, the centre of the first pixel, to the corner of the first pixel."""


@dataclass(frozen=True)
class Levelled:
    """A level page, and its transformation."""

    pixels: Pixels
    """(height, width), dark ink on light paper."""
    to_page: Matrix
    """From points of `pixels` to points of the page as given."""
    angle: float
    """Degrees by which the writing ran downhill to the right."""


def level_page(pixels: Pixels, parameters: LevelParameters = PARAMETERS) -> Levelled:
    """Rectify the sheet on a page, and make its writing level.

    A page that is light on dark as a whole is inverted.

    Args:
        pixels: The grey page (height, width), uint8.
        parameters: See the class.
    """
    p = parameters
    sheet = find_sheet(pixels, p.sheet)
    if is_white_on_black(sheet.bounding_part(pixels)):
        pixels = cv2.bitwise_not(pixels)
    turn = _turn(pixels, sheet, p)
    if not sheet.whole and not turn.moves:
        height, width = pixels.shape
        scale = min(1.0, (p.max_megapixels * 1e6 / pixels.size) ** 0.5)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        to_page: Matrix = np.diag(np.array([width / size[0], height / size[1], 1.0]))
        return Levelled(_reduced(pixels, size), to_page, 0.0)
    to_level, size = _to_level(sheet, turn, p)
    to_page = np.asarray(np.linalg.inv(to_level), np.float64)
    return Levelled(_warped(pixels, to_level, size, p), to_page, round(turn.angle + sheet.angle, 2))


def _turn(pixels: Pixels, sheet: Sheet, p: LevelParameters) -> Turn:
    """Find the transformation that makes the sheet level, in pixels of the reduced sheet."""
    longest = max(sheet.size)
    if longest <= p.min_side_px:
        return Turn(0.0, *sheet.size)
    reduction = max(1, longest // p.min_working_px)
    height, width = pixels.shape
    reduced = _reduced(pixels, (max(1, width // reduction), max(1, height // reduction)))
    contrast = sheet.masked(flatten(sheet.rectify(reduced), p.binarization))
    faintest = faintest_ink(contrast, p.binarization)
    ink = binarize(np.ascontiguousarray(contrast[::2, ::2]), faintest, p.binarization)
    return find_turn(ink, contrast.shape[1], contrast.shape[0], p.deskew)


def _to_level(sheet: Sheet, turn: Turn, p: LevelParameters) -> tuple[Matrix, tuple[int, int]]:
    """Return the homography from the page to the level page, and the width and height of the level page."""
    matrix, (width, height) = turn.matrix()
    reduce = np.diag([turn.width / sheet.size[0], turn.height / sheet.size[1], 1.0])
    enlarge = min(sheet.size[0] / turn.width, (p.max_megapixels * 1e6 / (width * height)) ** 0.5)
    size = max(1, round(width * enlarge)), max(1, round(height * enlarge))
    back = np.diag([size[0] / width, size[1] / height, 1.0])
    return back @ _MIDDLE @ matrix @ np.linalg.inv(_MIDDLE) @ reduce @ sheet.matrix, size


def _warped(pixels: Pixels, to_level: Matrix, size: tuple[int, int], p: LevelParameters) -> Pixels:
    """Apply a homography to a page. A page that gets smaller is reduced first, so that no pixel is skipped."""
    height, width = pixels.shape
    middle = to_level @ (width / 2, height / 2, 1)
    jacobian = (to_level[:2, :2] - np.outer(middle[:2] / middle[2], to_level[2, :2])) / middle[2]
    scale = float(np.sqrt(abs(np.linalg.det(jacobian))))
    if scale < p.max_reduction:
        reduced = max(1, round(width * scale)), max(1, round(height * scale))
        pixels = _reduced(pixels, reduced)
        to_level = to_level @ np.diag([width / reduced[0], height / reduced[1], 1.0])
    matrix = np.linalg.inv(_MIDDLE) @ to_level @ _MIDDLE
    return cv2.warpPerspective(pixels, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _reduced(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Resize a page to a width and height that are not larger than its own."""
    if size == (pixels.shape[1], pixels.shape[0]):
        return pixels
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
