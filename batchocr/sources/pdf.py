"""PDF, decoded by PDFium: pages are rendered in grey at 300 dpi, and scanned images at their own resolution."""

from __future__ import annotations

import ctypes
import math
import threading
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice
from typing import Any

import numpy as np
import pypdfium2 as pdfium
from pypdfium2 import raw

from batchocr.errors import ScanError
from batchocr.records import Page, Pixels
from batchocr.sources.jpeg2000 import checked_codestream
from batchocr.sources.resolution import Resolution, plausible_dpi
from batchocr.sources.source import MAX_PAGES, BadPage, Source

DPI = 300.0
"""Resolution of a page that is not a scan."""
MIN_COVER = 0.5
"""Share of a scanned page that its images cover, at least. Else they are a stamp or a letterhead."""
MAX_DETAIL_DPI = 600.0
"""A higher resolution is taken only from images that together cover MIN_COVER, and not from a small dense mask."""

_POINTS_PER_INCH = 72
_MAX_OBJECTS = 1000  # a page with more is not a scan
_MAX_DEPTH = 40  # of forms within forms, as in PDFium
_SHRINK = 1e-5
_SNAP = 0.003
_WHITE = 0xFFFFFFFF

_PDFIUM = threading.RLock()
"""Only one thread at a time may call PDFium."""


def load_pdf(source: Source, first: int, last: int | None) -> Iterator[Page | BadPage]:
    """Yield the pages `first` to `last`. A page that cannot be read is a BadPage.

    Raises:
        ScanError: The file as a whole cannot be read.
    """
    with _PDFIUM:
        document = _open(source)
        pages = len(document)
    try:
        if not pages:
            raise source.damaged("it has no pages")
        if pages > MAX_PAGES:
            raise source.too_many_pages(str(pages))
        for number in range(max(first, 1), min(last or pages, pages) + 1):
            try:
                with _PDFIUM:
                    page = _load(source, document, number)
                yield page
            except ScanError as error:
                yield source.bad_page(error, number=number, pages=pages)
    finally:
        with _PDFIUM:
            document.close()


def _open(source: Source) -> Any:
    with source.decoding():
        password = source.pdf_password
        if password is not None:  # the environment may hold bytes that are not UTF-8
            password = password.encode("utf-8", "replace").decode()
        try:
            return pdfium.PdfDocument(source.data, password)
        except pdfium.PdfiumError as error:
            if raw.FPDF_GetLastError() != raw.FPDF_ERR_PASSWORD:
                raise source.damaged("it cannot be opened as PDF") from error
            what = "the password given does not open it" if password else "it is protected by a password"
            fix = "set BATCHOCR_PDF_PASSWORD to its password, and run again with --retry-failed"
            raise source.fault("password", what, fix) from error


def _load(source: Source, document: Any, number: int) -> Page:
    with source.decoding(number):
        page = document[number - 1]
        try:
            width, height = page.get_size()
            objects = list(islice(page.get_objects(max_depth=_MAX_DEPTH), _MAX_OBJECTS))
            for image in _images(objects):
                source.check_size(*_pixel_size(image), number, "holds an image of")
                if "JPXDecode" in image.get_filters():
                    checked_codestream(source, bytes(image.get_data(decode_simple=True)), number)
            scale = _scale_of_scan(objects, width * height) or DPI / _POINTS_PER_INCH
            if width * height * scale * scale > source.max_megapixels * 1e6:
                scale = min(scale, DPI / _POINTS_PER_INCH)
            dpi = scale * _POINTS_PER_INCH
            # a page thinner than a pixel still becomes one
            source.check_size(max(width * scale, 1), max(height * scale, 1), number, f"at {dpi:.0f} dpi has")
            pixels = _render(page, *_snapped(objects, width * scale, height * scale))
        finally:
            page.close()
        return source.page(pixels, Resolution(plausible_dpi(dpi)), number=number, pages=len(document))


def _snapped(objects: Sequence[Any], width: float, height: float) -> tuple[int, int]:
    """Return the size of the page's one image if the page is almost as large, else the page's size in whole pixels.

    A4 in points, 595 by 842, is not exactly 210 by 297 mm.
    """
    images = _images(objects)
    if len(images) == 1:
        across, down = _pixel_size(images[0])
        for size in ((across, down), (down, across)):
            if all(abs(a - b) <= _SNAP * a for a, b in zip(size, (width, height), strict=True)):
                return size
    return max(1, round(width)), max(1, round(height))


def _render(page: Any, width: int, height: int) -> Pixels:
    """Render the page to that many pixels, so that the pixels of an image that fills it come out unchanged.

    PDFium rounds the rectangle of an image outwards. If an image is slightly too large, it is resampled to one pixel
    more. Therefore the page is rendered slightly smaller, which only the call with a matrix can do.
    """
    across, down = page.get_size()
    bitmap = pdfium.PdfBitmap.new_native(width, height, raw.FPDFBitmap_Gray)
    try:
        raw.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, _WHITE)
        shrink = 1 - _SHRINK
        a, d = width / across * shrink, height / down * shrink
        matrix = raw.FS_MATRIX(a, 0, 0, d, width * _SHRINK / 2, height * _SHRINK / 2)
        frame = raw.FS_RECTF(0, 0, width, height)
        raw.FPDF_RenderPageBitmapWithMatrix(bitmap, page, matrix, frame, raw.FPDF_ANNOT | raw.FPDF_GRAYSCALE)
        return np.array(bitmap.to_numpy(), dtype=np.uint8).reshape(height, width)
    finally:
        bitmap.close()


def _images(objects: Sequence[Any]) -> list[Any]:
    return [each for each in objects if each.type == raw.FPDF_PAGEOBJ_IMAGE]


def _scale_of_scan(objects: Sequence[Any], area: float) -> float | None:
    """Return the pixels per point of the finest image, or None if the page is not a scan.

    On a scan, nothing but images is visible. Scanners write one image per page, or its strips; OCR programs add
    invisible text. If the finest image has more than MAX_DETAIL_DPI, the images that cover most of the page decide.

    Args:
        objects: The objects of the page.
        area: The area of the page in square points.
    """
    if len(objects) >= _MAX_OBJECTS or not all(_is_of_scan(each) for each in objects):
        return None
    found: list[tuple[float, float]] = []
    for image in _images(objects):
        a, b, c, d, *_ = image.get_matrix().get()
        across, down = math.hypot(a, b), math.hypot(c, d)  # size of the image in points, also if it is rotated
        if across and down:
            width, height = _pixel_size(image)
            found.append((max(width / across, height / down), across * down))
    if sum(cover for _, cover in found) < MIN_COVER * area:
        return None
    finest = max((scale for scale, _ in found), default=0.0)
    if finest * _POINTS_PER_INCH <= MAX_DETAIL_DPI:
        return finest or None
    found.sort(reverse=True)
    covers = accumulate(cover for _, cover in found)
    scale = next(scale for (scale, _), cover in zip(found, covers, strict=True) if cover >= MIN_COVER * area)
    return max(scale, DPI / _POINTS_PER_INCH)


def _is_of_scan(each: Any) -> bool:
    """Return whether a scan may have this object. An image within a form may not: its place depends on the form."""
    if each.type == raw.FPDF_PAGEOBJ_IMAGE:
        return each.level == 0
    if each.type == raw.FPDF_PAGEOBJ_TEXT:
        return raw.FPDFTextObj_GetTextRenderMode(each) == raw.FPDF_TEXTRENDERMODE_INVISIBLE
    return each.type == raw.FPDF_PAGEOBJ_FORM


def _pixel_size(image: Any) -> tuple[int, int]:
    width, height = ctypes.c_uint(), ctypes.c_uint()
    raw.FPDFImageObj_GetImagePixelSize(image, width, height)
    return width.value, height.value
