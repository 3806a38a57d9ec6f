"""PDF, by PDFium: pages are rendered grey at 300 dpi, and a scanned picture at its own resolution."""

from __future__ import annotations

import ctypes
import math
import threading
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import pypdfium2 as pdfium
from pypdfium2 import raw

from batchocr.errors import ScanError
from batchocr.records import Page, Pixels
from batchocr.sources.grey import plausible_dpi
from batchocr.sources.jpeg2000 import checked_codestream
from batchocr.sources.source import MAX_PAGES, BadPage, Source

_POINTS_PER_INCH = 72
_DPI = 300.0
_LEAST_COVER = 0.5  # of the page, by its pictures: else they are a stamp or a letterhead
_MOST_OBJECTS = 1000  # a page of more is no scan
_DEEPEST = 40  # of forms within forms: PDFium follows no further
_HAIR = 1e-5
_SNAP = 0.003
_WHITE = 0xFFFFFFFF

_PDFIUM = threading.RLock()
"""PDFium may be in one thread at a time."""


def load_pdf(source: Source, first: int, last: int | None) -> Iterator[Page | BadPage]:
    """The pages `first` to `last`; one that cannot be read is a BadPage. Raises ScanError for the whole file."""
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
        try:
            return pdfium.PdfDocument(source.data)
        except pdfium.PdfiumError as error:
            if raw.FPDF_GetLastError() != raw.FPDF_ERR_PASSWORD:
                raise source.damaged("it cannot be opened as PDF") from error
            fix = "remove it, for instance with: qpdf --decrypt --password=... locked.pdf open.pdf"
            raise source.fault("password", "is protected by a password", fix) from error


def _load(source: Source, document: Any, number: int) -> Page:
    with source.decoding(number):
        page = document[number - 1]
        try:
            width, height = page.get_size()
            objects = list(islice(page.get_objects(max_depth=_DEEPEST), _MOST_OBJECTS))
            for picture in _pictures(objects):
                source.check_size(*_pixel_size(picture), number, "holds a picture of")
                if "JPXDecode" in picture.get_filters():
                    checked_codestream(source, bytes(picture.get_data(decode_simple=True)), number)
            scale = _scale_of_scan(objects, width * height) or _DPI / _POINTS_PER_INCH
            dpi = scale * _POINTS_PER_INCH
            # of a page thinner than a pixel, one is made all the same
            source.check_size(max(width * scale, 1), max(height * scale, 1), number, f"at {dpi:.0f} dpi has")
            pixels = _render(page, *_snapped(objects, width * scale, height * scale))
        finally:
            page.close()
        return source.page(pixels, plausible_dpi(dpi), number=number, pages=len(document))


def _snapped(objects: Sequence[Any], width: float, height: float) -> tuple[int, int]:
    """Whole pixels; those of the page's one picture where they differ by a hair, as 842 points of A4 do from 297 mm."""
    pictures = _pictures(objects)
    if len(pictures) == 1:
        across, down = _pixel_size(pictures[0])
        for size in ((across, down), (down, across)):
            if all(abs(a - b) <= _SNAP * a for a, b in zip(size, (width, height), strict=True)):
                return size
    return max(1, round(width)), max(1, round(height))


def _render(page: Any, width: int, height: int) -> Pixels:
    """The page in as many pixels. Pixels of a scan come out as they are in the file, at least if it fills the page.

    PDFium takes whole pixels around a picture: of one that is a hair too large, it takes one more and smears them
    all. So the page is made a hair smaller; only the call with a matrix can do that.
    """
    across, down = page.get_size()
    bitmap = pdfium.PdfBitmap.new_native(width, height, raw.FPDFBitmap_Gray)
    try:
        raw.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, _WHITE)
        less = 1 - _HAIR
        a, d = width / across * less, height / down * less
        matrix = raw.FS_MATRIX(a, 0, 0, d, width * _HAIR / 2, height * _HAIR / 2)
        frame = raw.FS_RECTF(0, 0, width, height)
        raw.FPDF_RenderPageBitmapWithMatrix(bitmap, page, matrix, frame, raw.FPDF_ANNOT | raw.FPDF_GRAYSCALE)
        return np.array(bitmap.to_numpy(), dtype=np.uint8).reshape(height, width)
    finally:
        bitmap.close()


def _pictures(objects: Sequence[Any]) -> list[Any]:
    return [each for each in objects if each.type == raw.FPDF_PAGEOBJ_IMAGE]


def _scale_of_scan(objects: Sequence[Any], area: float) -> float | None:
    """Pixels a point of the finest picture, where the page is pictures and nothing else that can be seen.

    Scanners give one picture a page, or its stripes; OCR programs add text that is not seen. `area` is the page's, in
    square points.
    """
    if len(objects) >= _MOST_OBJECTS or not all(_is_of_scan(each) for each in objects):
        return None
    finest = cover = 0.0
    for picture in _pictures(objects):
        a, b, c, d, *_ = picture.get_matrix().get()
        across, down = math.hypot(a, b), math.hypot(c, d)  # of the picture, in points, also where it is turned
        if across and down:
            width, height = _pixel_size(picture)
            finest = max(finest, width / across, height / down)
            cover += across * down
    return finest if cover >= _LEAST_COVER * area else None


def _is_of_scan(each: Any) -> bool:
    """Not so for a picture within a form: where it lies depends on the form."""
    if each.type == raw.FPDF_PAGEOBJ_IMAGE:
        return each.level == 0
    if each.type == raw.FPDF_PAGEOBJ_TEXT:
        return raw.FPDFTextObj_GetTextRenderMode(each) == raw.FPDF_TEXTRENDERMODE_INVISIBLE
    return each.type == raw.FPDF_PAGEOBJ_FORM


def _pixel_size(picture: Any) -> tuple[int, int]:
    width, height = ctypes.c_uint(), ctypes.c_uint()
    raw.FPDFImageObj_GetImagePixelSize(picture, width, height)
    return width.value, height.value
