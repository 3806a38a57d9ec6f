"""One scan, from its file to what vision finds on its pages: the work that is handed to a worker."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace

from batchocr.errors import ScanError
from batchocr.records import PageRow, Scan, SeenPage
from batchocr.sources import BadPage, load_pages

log = logging.getLogger(__name__)


def look(scan: Scan, max_megapixels: float) -> Iterator[SeenPage]:
    """The pages of a scan; what cannot be read is a page that failed, and never an exception."""
    from batchocr.vision import find

    number: int | None = None
    start = time.perf_counter()
    try:
        for page in load_pages(scan, max_megapixels=max_megapixels):
            number = page.number
            if isinstance(page, BadPage):
                seconds = time.perf_counter() - start
                row = _failed(scan, number, page.error.reason, page.error.message, seconds)
                yield SeenPage(replace(row, sha256=page.sha256))
                number, start = number + 1, time.perf_counter()
                continue
            layout = find(page.pixels)
            height, width = page.pixels.shape
            row = PageRow(
                file=scan.name,
                page=number,
                status="read",
                width=width,
                height=height,
                angle=layout.angle,
                seconds=time.perf_counter() - start,
                sha256=page.sha256,
            )
            yield SeenPage(row, layout)
            number, start = number + 1, time.perf_counter()
    except ScanError as fault:
        yield SeenPage(_failed(scan, number, fault.reason, fault.message, time.perf_counter() - start))
    except Exception as fault:  # a fault of ours on one page is no other page's business
        log.exception("%s: fault while reading it", scan.name)
        message = f"{scan.name}: {type(fault).__name__}: {fault}: please report this with the scan"
        yield SeenPage(_failed(scan, number, "internal", message, time.perf_counter() - start))


def _failed(scan: Scan, number: int | None, error: str, message: str, seconds: float) -> PageRow:
    return PageRow(file=scan.name, page=number, status="failed", error=error, message=message, seconds=seconds)
