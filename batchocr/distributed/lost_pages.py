"""Pages that do not come back from the machines that read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from batchocr.batch.parts import PageRecord
from batchocr.distributed.engines.local import page_record
from batchocr.errors import ScanError
from batchocr.executors.page_task import failed
from batchocr.records import PageResult, Part

LOST = "the process that read it died each time: out of memory?"


def lost_pages(part: Part, *, has_selection: bool) -> Iterator[PageRecord]:
    """Yield the pages of a part as failed.

    Args:
        part: What was to be read.
        has_selection: Whether only some pages of each scan are read.
    """
    scan = part.scan
    fault = ScanError("crashed", f"{scan.name}: {LOST}")
    for number in range(part.first, part.last + 1) if part.pages and part.last else [None]:
        prepared = replace(failed(scan, number, fault), pages=part.pages or 1, scan=scan)
        yield page_record(prepared, PageResult(prepared.row), has_selection=has_selection)
