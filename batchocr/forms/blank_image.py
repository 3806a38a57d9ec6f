"""Decode the image of a blank form."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from batchocr.errors import ScanError
from batchocr.forms.form import FormImage
from batchocr.records import Page, Pixels, Scan

_MM_PER_INCH = 25.4
_MAX_ASPECT_DIFFERENCE = 0.05
"""Relative difference between the proportions of the image and of the paper. Basis: fax machines differ by 3%."""
_MAX_MEGAPIXELS = 9.0
"""Larger images are reduced. Basis: size of the largest level page."""


@dataclass(frozen=True)
class Blank:
    """A decoded image of a form."""

    pixels: Pixels
    """(height, width), uint8, dark on light, square pixels."""
    width_px: int
    """Width of the image in the unit `px` of the form file."""
    height_px: int
    """Height of the image in the unit `px` of the form file."""
    size_mm: tuple[float, float] | None
    """Width and height by the resolution in the file; None if it has none."""
    sha256: str
    """Hash of the file."""


def load_blank(
    path: Path, name: str, page: int, *, is_filled: bool, max_megapixels: float, pdf_password: str | None
) -> Blank:
    """Decode the image of a form.

    Args:
        path: The image or PDF.
        name: The file as messages name it.
        page: Number of the page, from 1.
        is_filled: Whether the page is filled in. Then the image is the level page.
        max_megapixels: Larger images are refused.
        pdf_password: Password that opens a protected PDF.

    Raises:
        ScanError: The page cannot be read.
    """
    from batchocr.sources import BadPage, load_pages

    scan = Scan(path, name)
    loaded = next(
        load_pages(scan, max_megapixels=max_megapixels, first=page, last=page, pdf_password=pdf_password), None
    )
    if loaded is None:
        raise ScanError("no-page", f"{name}: has no page {page}: change image_page")
    if isinstance(loaded, BadPage):
        raise loaded.error
    return _level(loaded) if is_filled else _as_decoded(loaded)


def form_image(blank: Blank, width_mm: float, height_mm: float, *, is_filled: bool) -> FormImage:
    """Return the image with the same number of pixels for each mm in both directions.

    Args:
        blank: The decoded image.
        width_mm: Width of the paper.
        height_mm: Height of the paper.
        is_filled: Whether the page is filled in.

    Raises:
        ValueError: The proportions of the paper are not those of the image.
    """
    import cv2

    height, width = blank.pixels.shape
    difference = width / width_mm / (height / height_mm)
    if not 1 / (1 + _MAX_ASPECT_DIFFERENCE) <= difference <= 1 + _MAX_ASPECT_DIFFERENCE:
        raise ValueError(
            f"[{width_mm:g}, {height_mm:g}] has other proportions than the image of {width} x {height} pixels: give "
            "the width and height of the paper that the image shows, and crop what is around it"
        )
    px_per_mm = min(width / width_mm, (_MAX_MEGAPIXELS * 1e6 / (width_mm * height_mm)) ** 0.5)
    size = max(1, round(width_mm * px_per_mm)), max(1, round(height_mm * px_per_mm))
    pixels = blank.pixels
    if size != (width, height):
        shrinks = size[0] <= width and size[1] <= height
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return FormImage(pixels, px_per_mm, is_filled)


def _as_decoded(page: Page) -> Blank:
    """Return a blank form, which is not levelled."""
    import cv2

    from batchocr.vision.binarize import is_white_on_black
    from batchocr.vision.geometry.pixel_aspect import square_pixels

    height, width = page.pixels.shape
    pixels, _ = square_pixels(page.pixels, page.pixel_aspect)
    if is_white_on_black(pixels):
        pixels = cv2.bitwise_not(pixels)
    return Blank(pixels, width, height, _size_mm(width, height, page.dpi), page.sha256)


def _level(page: Page) -> Blank:
    """Return the level page of a page that is filled in."""
    import numpy as np

    from batchocr.vision.geometry.level import level_page
    from batchocr.vision.geometry.pixel_aspect import square_pixels

    square, _ = square_pixels(page.pixels, page.pixel_aspect)
    level = level_page(square)
    height, width = level.pixels.shape
    matrix = level.to_page
    middle = matrix @ (width / 2, height / 2, 1)
    jacobian = (matrix[:2, :2] - np.outer(middle[:2] / middle[2], matrix[2, :2])) / middle[2]
    scale = float(np.sqrt(abs(np.linalg.det(jacobian))))
    return Blank(level.pixels, width, height, _size_mm(width * scale, height * scale, page.dpi), page.sha256)


def _size_mm(width: float, height: float, dpi: float | None) -> tuple[float, float] | None:
    return None if dpi is None else (width / dpi * _MM_PER_INCH, height / dpi * _MM_PER_INCH)
