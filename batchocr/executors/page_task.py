"""From a scan's file to its level pages and their tiles: the work that is handed to a worker."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace

from batchocr.errors import ScanError
from batchocr.records import LevelPage, Page, PageRow, PreparedPage, Scan
from batchocr.sources import BadPage, load_pages

log = logging.getLogger(__name__)


def look(
    scan: Scan, max_megapixels: float, first: int = 1, last: int | None = None, pdf_password: str | None = None
) -> Iterator[PreparedPage]:
    """The pages `first` to `last` of a scan; what cannot be read is a page that failed, and never an exception."""
    import batchocr.vision.tiles  # noqa: F401  a missing library is told before any page is blamed

    pages = load_pages(scan, max_megapixels=max_megapixels, first=first, last=last, pdf_password=pdf_password)
    number: int | None = first if first > 1 else None
    of = 1
    while True:
        clock = time.perf_counter()
        try:
            page = next(pages, None)
        except Exception as fault:
            known = fault if isinstance(fault, ScanError) else _our_fault(scan, fault)
            yield replace(failed(scan, number, known), pages=of)
            return
        if page is None:
            return
        seen = _bad(scan, page) if isinstance(page, BadPage) else _look_at_safely(page)
        yield replace(seen, row=replace(seen.row, seconds=time.perf_counter() - clock))
        number, of = page.number + 1, page.pages


def look_at(page: Page) -> PreparedPage:
    """A page turned level, with its tiles."""
    from batchocr.vision.geometry.level import level_page
    from batchocr.vision.geometry.pixel_aspect import square_pixels
    from batchocr.vision.scales import first_scale
    from batchocr.vision.tiles import make_tiles

    square, to_given = square_pixels(page.pixels, page.pixel_aspect)
    level = level_page(square)
    tiles = make_tiles(level.pixels, first_scale(level.pixels.shape))
    height, width = page.pixels.shape
    row = PageRow(
        file=page.scan.name,
        page=page.number,
        status="read",
        width=width,
        height=height,
        angle=level.angle,
        sha256=page.sha256,
    )
    return PreparedPage(row, LevelPage(level.pixels, to_given @ level.to_page, tiles), page.pages)


def failed(scan: Scan, number: int | None, fault: ScanError) -> PreparedPage:
    """A page that was not read, or a whole scan where `number` is None."""
    message = fault.message.encode("utf-8", "backslashreplace").decode()  # it may quote what is no text
    return PreparedPage(PageRow(scan.name, number, "failed", error=fault.reason, message=message, sha256=fault.sha256))


def _bad(scan: Scan, page: BadPage) -> PreparedPage:
    seen = failed(scan, page.number, page.error)
    return replace(seen, row=replace(seen.row, sha256=page.sha256), pages=page.pages)


def _look_at_safely(page: Page) -> PreparedPage:
    """A fault of ours on one page is no other page's business."""
    try:
        return look_at(page)
    except Exception as fault:
        seen = failed(page.scan, page.number, _our_fault(page.scan, fault))
        return replace(seen, row=replace(seen.row, sha256=page.sha256), pages=page.pages)


def _our_fault(scan: Scan, fault: Exception) -> ScanError:
    log.error("%s: fault while reading it", scan.name, exc_info=fault)
    if isinstance(fault, MemoryError):
        return ScanError("no-memory", f"{scan.name}: needs more memory than there is: give fewer --jobs")
    return ScanError("internal", f"{scan.name}: {type(fault).__name__}: {fault}: please report this with the scan")
