"""The images of the review page: sheets of crops, surroundings of numbers and fields, and reduced pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from batchocr.errors import OutputError
from batchocr.records import Box, Pixels


@dataclass(frozen=True)
class ImageParameters:
    """Sizes of the images on the review page."""

    crop_px: int = 64
    """Side of the square with a digit and its surroundings. Basis: a digit of about 40 pixels is read at a glance, and
    a crop takes about 1 kB."""
    crop_heights: float = 1.6
    """Side of the square that is cut from the page, in heights of the digit (or widths, if it is wider). Basis: the
    neighbours are seen in part, so that it is clear to which stroke a line belongs."""
    sheet_crops: int = 256
    """Crops on one sheet. Basis: a sheet of 1024×1024 pixels is decoded within some milliseconds."""
    number_px: tuple[int, int] = (640, 200)
    """Width and height that the surroundings of a number have at most. Basis: the width of a phone at two pixels for
    each point."""
    page_px: int = 1400
    """Longer side of a reduced page. Basis: A4 then has 120 dpi, at which digits of 3 mm are read."""
    quality: int = 60
    """Quality of WebP, 0 to 100. Basis: strokes have no visible artefacts at twice their size."""


def cut_square(pixels: Pixels, box: Box, parameters: ImageParameters) -> Pixels:
    """Return the square around a digit, (crop_px, crop_px); beyond the page it is as the nearest edge.

    Args:
        pixels: The page, (height, width).
        box: The digit, in pixels of the page.
        parameters: The sizes.
    """
    side = max(box.width, box.height, 1) * parameters.crop_heights
    scale = parameters.crop_px / side
    left = box.left + box.width / 2 - side / 2
    top = box.top + box.height / 2 - side / 2
    return _cut(pixels, left, top, scale, parameters.crop_px, parameters.crop_px)


def cut_surroundings(pixels: Pixels, box: Box, parameters: ImageParameters) -> tuple[Pixels, Box]:
    """Return a number or field in its surroundings, and where it is there.

    Args:
        pixels: The page, (height, width).
        box: The number or field, in pixels of the page.
        parameters: The sizes.
    """
    most_wide, most_high = parameters.number_px
    margin = max(box.height, 8)
    wide, high = box.width + 2 * margin, box.height + 2 * margin
    scale = min(most_wide / wide, most_high / high, 2.0)
    width, height = max(1, round(wide * scale)), max(1, round(high * scale))
    image = _cut(pixels, box.left - margin, box.top - margin, scale, width, height)
    place = round(margin * scale)
    return image, Box(place, place, round(box.width * scale), round(box.height * scale))


def reduce_page(pixels: Pixels, longer_side_px: int) -> Pixels:
    """Return the page with this longer side, or as it is if it is smaller."""
    height, width = pixels.shape
    scale = longer_side_px / max(height, width)
    if scale >= 1:
        return pixels
    size = max(1, round(width * scale)), max(1, round(height * scale))
    reduced: Pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return reduced


def sheet_of(crops: Sequence[Pixels], columns: int) -> Pixels:
    """Return crops of equal size on one image, row by row; white where there is none."""
    side = crops[0].shape[0]
    sheet = np.full((-(-len(crops) // columns) * side, columns * side), 255, np.uint8)
    for index, crop in enumerate(crops):
        top, left = index // columns * side, index % columns * side
        sheet[top : top + side, left : left + side] = crop
    return sheet


def as_webp(image: Pixels, quality: int) -> bytes:
    """Return the image as a WebP file.

    Raises:
        OutputError: OpenCV cannot write WebP.
    """
    done, data = cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, quality])
    if not done:
        raise OutputError("OpenCV cannot write WebP images: install the package opencv-python from PyPI")
    return bytes(data)


def _cut(pixels: Pixels, left: float, top: float, scale: float, width: int, height: int) -> Pixels:
    """Return an axis-parallel part of the page; `scale` is in pixels of the part for each pixel of the page."""
    x0, y0 = int(np.floor(left)), int(np.floor(top))
    x1, y1 = int(np.ceil(left + width / scale)), int(np.ceil(top + height / scale))
    rows = np.clip(np.arange(y0, max(y1, y0 + 1)), 0, pixels.shape[0] - 1)
    columns = np.clip(np.arange(x0, max(x1, x0 + 1)), 0, pixels.shape[1] - 1)
    part = np.ascontiguousarray(pixels[np.ix_(rows, columns)])
    cut: Pixels = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    return cut
