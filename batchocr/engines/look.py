"""From a scan's file to what vision finds on its pages: the work that is handed to a worker."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace

from batchocr.errors import ScanError
from batchocr.records import Layout, Page, PageRow, Scan, SeenPage
from batchocr.sources import BadPage, load_pages

log = logging.getLogger(__name__)


def look(scan: Scan, max_megapixels: float, first: int = 1, last: int | None = None) -> Iterator[SeenPage]:
    """The pages `first` to `last` of a scan; what cannot be read is a page that failed, and never an exception."""
    import batchocr.vision  # noqa: F401  a missing library is told before any page is blamed

    number: int | None = first if first > 1 else None
    clock = time.perf_counter()
    try:
        for page in load_pages(scan, max_megapixels=max_megapixels, first=first, last=last):
            number = page.number
            seen = _failed(scan, number, page.error, page) if isinstance(page, BadPage) else look_at(page)
            yield replace(seen, row=replace(seen.row, seconds=time.perf_counter() - clock))
            clock = time.perf_counter()
    except ScanError as fault:
        yield _failed(scan, number, fault)
    except Exception as fault:  # a fault of ours on one page is no other page's business
        log.exception("%s: fault while reading it", scan.name)
        message = f"{scan.name}: {type(fault).__name__}: {fault}: please report this with the scan"
        yield _failed(scan, number, ScanError("internal", message))


def look_at(page: Page) -> SeenPage:
    """What vision finds on a page."""
    from batchocr.vision import find

    layout = find(page.pixels, page.dpi)
    return SeenPage(page_row(page, layout), layout, page.pages)


def page_row(page: Page, layout: Layout) -> PageRow:
    """What is known of a page once vision has seen it."""
    height, width = page.pixels.shape
    return PageRow(
        file=page.scan.name,
        page=page.number,
        status="read",
        width=width,
        height=height,
        angle=layout.angle,
        sha256=page.sha256,
    )


def _failed(scan: Scan, number: int | None, fault: ScanError, page: BadPage | None = None) -> SeenPage:
    row = PageRow(
        file=scan.name,
        page=number,
        status="failed",
        error=fault.reason,
        message=fault.message,
        sha256=page.sha256 if page else "",
    )
    return SeenPage(row, None, page.pages if page else 1)
