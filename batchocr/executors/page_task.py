"""The work of a worker: from the file of a scan to its level pages and their tiles."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from batchocr.errors import ScanError
from batchocr.forms.form import Form
from batchocr.records import LevelPage, Page, PageRow, PreparedPage, Scan
from batchocr.sources import BadPage, load_pages

if TYPE_CHECKING:  # OpenCV is imported late
    from batchocr.vision.geometry.level import Levelled

log = logging.getLogger(__name__)


def prepare_pages(
    scan: Scan,
    max_megapixels: float,
    first: int = 1,
    last: int | None = None,
    pdf_password: str | None = None,
    forms: Sequence[Form] = (),
) -> Iterator[PreparedPage]:
    """Yield pages of a scan. What cannot be read becomes a page that failed, never an exception.

    Args:
        scan: The scan.
        max_megapixels: Larger pages are refused.
        first: Number of the first page, from 1.
        last: Number of the last page; None is the last page of the scan.
        pdf_password: Password that opens protected PDFs.
        forms: Forms that the pages may have. If there are any, a page that fits none of them is a page that failed.
    """
    import batchocr.vision.tiles  # noqa: F401  a missing library is reported before a page gets the blame

    pages = load_pages(scan, max_megapixels=max_megapixels, first=first, last=last, pdf_password=pdf_password)
    number: int | None = first if first > 1 else None
    page_count = 1
    while True:
        clock = time.perf_counter()
        try:
            page = next(pages, None)
        except Exception as fault:
            yield replace(failed(scan, number, as_scan_error(scan, fault)), pages=page_count)
            return
        if page is None:
            return
        prepared = _bad(scan, page) if isinstance(page, BadPage) else _prepare_safely(page, forms)
        yield replace(prepared, row=replace(prepared.row, seconds=time.perf_counter() - clock))
        number, page_count = page.number + 1, page.pages


def prepare_page(page: Page, forms: Sequence[Form] = ()) -> PreparedPage:
    """Level a page, place it on its form if there are forms, and cut it into tiles.

    Args:
        page: The page.
        forms: Forms that the page may have.

    Raises:
        ScanError: There are forms, and the page fits none of them.
    """
    from batchocr.vision.geometry.level import level_page
    from batchocr.vision.geometry.pixel_aspect import square_pixels
    from batchocr.vision.scales import first_scale
    from batchocr.vision.tiles import make_tiles

    square, to_given = square_pixels(page.pixels, page.pixel_aspect)
    level = level_page(square)
    if forms:
        prepared, angle = _placed(page, level, square.shape, forms)
    else:
        tiles = make_tiles(level.pixels, first_scale(level.pixels.shape))
        prepared, angle = LevelPage(level.pixels, level.to_page, tiles), level.angle
    height, width = page.pixels.shape
    row = PageRow(
        file=page.scan.name,
        page=page.number,
        status="read",
        width=width,
        height=height,
        angle=angle,
        sha256=page.sha256,
    )
    return PreparedPage(row, replace(prepared, to_page=to_given @ prepared.to_page), page.pages)


def _placed(page: Page, level: Levelled, shape: tuple[int, ...], forms: Sequence[Form]) -> tuple[LevelPage, float]:
    """Return the page as its form shows it, and the angle of the form on the page of this shape."""
    from batchocr.forms.ink.filled_in import filled_in
    from batchocr.forms.placement import form_angle, place_page
    from batchocr.vision.bilevel import is_bilevel

    try:
        placed = place_page(level.pixels, level.to_page, forms, shape, is_bilevel(page.pixels))
    except ScanError as fault:
        raise ScanError(fault.reason, f"{page.scan.name}: {fault.message}") from fault
    assert placed.placement is not None
    ink = filled_in(placed.pixels, forms[placed.placement.form], placed.placement)
    return replace(placed, filled_in=ink), form_angle(placed)


def failed(scan: Scan, number: int | None, fault: ScanError) -> PreparedPage:
    """Return a page that failed.

    Args:
        scan: Its scan.
        number: Its number from 1; None if the whole scan failed.
        fault: What is wrong.
    """
    message = fault.message.encode("utf-8", "backslashreplace").decode()  # it may quote bytes that are not text
    return PreparedPage(PageRow(scan.name, number, "failed", error=fault.reason, message=message, sha256=fault.sha256))


def _bad(scan: Scan, page: BadPage) -> PreparedPage:
    prepared = failed(scan, page.number, page.error)
    return replace(prepared, row=replace(prepared.row, sha256=page.sha256), pages=page.pages)


def _prepare_safely(page: Page, forms: Sequence[Form]) -> PreparedPage:
    """Prepare a page. An exception makes this page fail, and no other page."""
    try:
        return prepare_page(page, forms)
    except Exception as fault:
        prepared = failed(page.scan, page.number, as_scan_error(page.scan, fault))
        return replace(prepared, row=replace(prepared.row, sha256=page.sha256), pages=page.pages)


def as_scan_error(scan: Scan, fault: Exception, memory_fix: str = "give fewer --jobs") -> ScanError:
    """Return the error of a scan or page for any exception. An unexpected exception is logged.

    Args:
        scan: The scan.
        fault: What was raised.
        memory_fix: The advice if there is not enough memory.
    """
    if isinstance(fault, ScanError):
        return fault
    log.error("%s: exception while the scan was read", scan.name, exc_info=fault)
    if isinstance(fault, MemoryError):
        return ScanError("no-memory", f"{scan.name}: needs more memory than there is: {memory_fix}")
    return ScanError("internal", f"{scan.name}: {type(fault).__name__}: {fault}: please report this with the scan")
