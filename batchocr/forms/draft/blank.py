"""Load the image of a blank form for a draft: level, with the size of its paper."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from batchocr.errors import FormError, ScanError, UsageError
from batchocr.records import Page, Pixels, Scan
from batchocr.sources import BadPage, load_pages
from batchocr.stores import shown_place
from batchocr.stores.local_copy import local_copy
from batchocr.vision.geometry.level import level_page
from batchocr.vision.geometry.pixel_aspect import square_pixels

_MM_PER_INCH = 25.4
_MAX_ASPECT_DIFFERENCE = 0.05
"""As `forms.blank_image` requires."""
_PAPERS = {"A4": (210.0, 297.0), "Letter": (215.9, 279.4)}
"""Sizes of paper in mm."""
_MAX_ROUNDING_MM = 0.5
"""A size that differs less from one of `_PAPERS` is that one. Basis: rounding of resolutions and of pixels."""
_MAX_PHOTO_DIFFERENCE = 0.2
"""Relative difference between the proportions of a photographed sheet and of its paper. Basis: chosen by eye; a sheet
that is not flat seems shorter."""


@dataclass(frozen=True)
class LevelBlank:
    """A blank form, level and without what is around it."""

    pixels: Pixels
    """(height, width), uint8, dark on light, with the proportions of the paper."""
    size_mm: tuple[float, float]
    """Width and height of the paper."""
    size_note: str
    """How the size was found, if a person should check it; else empty."""
    is_as_given: bool
    """Whether the image in its file is level already."""


def load_level_blank(
    blank: str | Path,
    page: int,
    size_mm: tuple[float, float] | None,
    *,
    max_megapixels: float,
    pdf_password: str | None,
) -> LevelBlank:
    """Load a page and level it. A photographed sheet is rectified.

    Args:
        blank: Path or URL of an image or PDF.
        page: Number of the page, from 1.
        size_mm: Width and height of the paper; None for that of the file, or else A4 or Letter.
        max_megapixels: Larger images are refused.
        pdf_password: Password that opens a protected PDF.

    Raises:
        FormError: The page cannot be read.
        UsageError: There is no such page, or the size has other proportions than the page.
    """
    shown = shown_place(blank)
    try:
        scan = Scan(local_copy(blank), shown)
        pages = load_pages(scan, max_megapixels=max_megapixels, first=page, last=page, pdf_password=pdf_password)
        loaded = next(pages, None)
        if isinstance(loaded, BadPage):
            raise loaded.error
    except ScanError as error:
        raise FormError(error.message) from error
    if loaded is None:
        raise UsageError(f"{shown}: has no page {page}; give a --page that exists")
    return _levelled(loaded, size_mm, shown)


def _levelled(page: Page, size_mm: tuple[float, float] | None, shown: str) -> LevelBlank:
    square, _ = square_pixels(page.pixels, page.pixel_aspect)
    level = level_page(square)
    matrix = level.to_page
    height, width = level.pixels.shape
    middle = matrix @ (width / 2, height / 2, 1)
    jacobian = (matrix[:2, :2] - np.outer(middle[:2] / middle[2], matrix[2, :2])) / middle[2]
    scale = float(np.sqrt(abs(np.linalg.det(jacobian))))
    is_as_given = not np.any(matrix - np.diag(np.diag(matrix)))
    note = ""
    if size_mm is None and page.dpi is not None:
        size_mm = _rounded(width * scale / page.dpi * _MM_PER_INCH, height * scale / page.dpi * _MM_PER_INCH)
    elif size_mm is None:
        size_mm, note = _likely_paper(width, height)
    elif not _fits(width / height, size_mm, _MAX_ASPECT_DIFFERENCE if is_as_given else _MAX_PHOTO_DIFFERENCE):
        raise UsageError(
            f"--size-mm {size_mm[0]:g},{size_mm[1]:g}: has other proportions than {shown} of {width} x {height} "
            "pixels; give the size of the paper that the image shows"
        )
    return LevelBlank(_in_proportion(level.pixels, size_mm), size_mm, note, is_as_given)


def _rounded(width_mm: float, height_mm: float) -> tuple[float, float]:
    """Return the size of a usual paper if it is almost this size."""
    for short, long in _PAPERS.values():
        for size in ((short, long), (long, short)):
            if max(abs(size[0] - width_mm), abs(size[1] - height_mm)) < _MAX_ROUNDING_MM:
                return size
    return width_mm, height_mm


def _fits(aspect: float, size_mm: tuple[float, float], max_difference: float = _MAX_ASPECT_DIFFERENCE) -> bool:
    ratio = aspect * size_mm[1] / size_mm[0]
    return max(ratio, 1 / ratio) <= 1 + max_difference


def _likely_paper(width: int, height: int) -> tuple[tuple[float, float], str]:
    """Return the size of the paper with the proportions of an image, and what a person should know of it."""
    aspect = width / height
    sizes = {name: size if aspect <= 1 else (size[1], size[0]) for name, size in _PAPERS.items()}
    name = min(sizes, key=lambda each: abs(np.log(aspect * sizes[each][1] / sizes[each][0])))
    if _fits(aspect, sizes[name]):
        return sizes[
            name
        ], f"{name}, by the proportions: the image has no resolution. If it is wrong, draft with --size-mm"
    across = _PAPERS["A4"][0] if aspect <= 1 else _PAPERS["A4"][1]
    size = across, round(across / aspect, 1)
    return size, "only the proportions are right: the image has no resolution. If it is wrong, draft with --size-mm"


def _in_proportion(pixels: Pixels, size_mm: tuple[float, float]) -> Pixels:
    """Return the image with the proportions of the paper."""
    height, width = pixels.shape
    wanted = max(1, round(width * size_mm[1] / size_mm[0]))
    if wanted == height:
        return pixels
    return cv2.resize(pixels, (width, wanted), interpolation=cv2.INTER_AREA if wanted < height else cv2.INTER_LINEAR)
