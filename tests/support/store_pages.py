"""Made-up scans, pages and parts for tests of runs whose journal is in a store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from batchocr.batch.parts import PageRecord, write_part
from batchocr.distributed.plan_database import ItemPlan
from batchocr.distributed.work_items import WorkItem, tag_of, work_item
from batchocr.records import PageResult, PageRow, Scan
from batchocr.stores import Store

FOLDER = "parts/0123456789abcdef"


def scan_of(name: str, folder: Path = Path("/scans"), *, content: str = "") -> Scan:
    """Return a scan with a size and a time, which its content decides."""
    size, modified = len(content), int.from_bytes(hashlib.sha256(content.encode()).digest()[:6])
    return Scan(folder / name, name, size=size, modified=modified)


def written(folder: Path, name: str, content: str) -> Scan:
    """Write a file, and return its scan as a listing would."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    now = path.stat()
    return Scan(path, name, size=now.st_size, modified=now.st_mtime_ns)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def record_of(
    scan: Scan,
    page: int | None = 1,
    pages: int = 1,
    *,
    content: str = "",
    error: str = "",
    again: bool = False,
    tag: str | None = None,
) -> PageRecord:
    """Return a page of a scan: read, or failed with an error; `again` if every later run reads it again."""
    status = "failed" if error else "read"
    row = PageRow(scan.name, page, status, error=error, sha256=sha256(content), width=page)  # type: ignore[arg-type]
    tag = tag_of(scan) if tag is None else tag
    return PageRecord.of(scan.name, scan.place, tag, pages, "" if again else row.sha256, PageResult(row))


def part_of(store: Store, item: WorkItem, pages: Iterable[PageRecord], folder: str = FOLDER) -> str:
    """Write the part of a work item, and return its path."""
    return write_part(store, folder, item.key, item.state, list(pages)).path(folder)


def planned_of(*scans: Scan, old: Iterable[str] = (), pages: tuple[int, ...] = ()) -> ItemPlan:
    return ItemPlan(work_item(scans, pages), tuple(old))


def where(pages: Iterable[PageRecord]) -> list[tuple[str, int | None]]:
    """Return the names and numbers of pages in order."""
    return sorted(((page.name, page.result.page.page) for page in pages), key=lambda each: (each[0], each[1] or 0))
