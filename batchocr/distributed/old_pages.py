"""Which pages of a work item earlier runs have read, and which are still to be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from batchocr.batch.journal import Entry
from batchocr.batch.parts import PageRecord, is_failed, unpack
from batchocr.batch.resume_plan import gaps, hash_of, is_wanted, wanted_ranges
from batchocr.distributed.plan_database import ItemPlan
from batchocr.distributed.work_items import tag_of
from batchocr.records import Part, Scan
from batchocr.stores import Store


@dataclass(frozen=True)
class ItemWork:
    """What is to be done for a work item."""

    kept: tuple[PageRecord, ...]
    """Pages that are not read again."""
    parts: tuple[Part, ...]
    """What is to be read."""


def item_work(store: Store, planned: ItemPlan, *, retry_failed: bool, pages: Sequence[int]) -> ItemWork:
    """Compare a work item with the parts of earlier runs.

    A page is kept if name, place and content of its scan are unchanged. The content is unchanged if its tag is; else
    its hash decides, for which the scan is read.

    Args:
        store: Where the parts are.
        planned: The work item, and the paths of the parts.
        retry_failed: Whether pages that failed are read again.
        pages: Pages that are read of each TIFF and PDF; empty for all.

    Raises:
        OutputError: A part is damaged, or the store cannot be read.
    """
    old = _records(store, planned.old)
    kept: list[PageRecord] = []
    parts: list[Part] = []
    for scan in planned.item.scans:
        wanted = wanted_ranges(scan, pages)
        valid = [
            replace(record, tag=tag_of(scan), is_kept=True)
            for record in _unchanged(scan, old.get(scan.place, []))
            if not (retry_failed and is_failed(record)) and is_wanted(record.page, wanted)
        ]
        kept += valid
        parts += gaps(scan, [entry_of(record) for record in valid], wanted)
    return ItemWork(tuple(kept), tuple(parts))


def _records(store: Store, paths: Sequence[str]) -> dict[str, list[PageRecord]]:
    """Return the pages of these parts by the place of their scan. Parts that another run has replaced have none."""
    found: dict[str, list[PageRecord]] = {}
    for path in paths:
        try:
            data = store.read(path)
        except FileNotFoundError:
            continue
        for record in unpack(data, f"{store}/{path}"):
            found.setdefault(record.place, []).append(record)
    return found


def _unchanged(scan: Scan, records: Sequence[PageRecord]) -> list[PageRecord]:
    """Return the pages of a scan that are as a run would read them now, each once."""
    usable = [record for record in records if record.name == scan.name and record.sha256]
    if not usable:
        return []
    tag = tag_of(scan)
    if not all(tag and record.tag == tag for record in usable):
        sha256 = hash_of(scan)
        usable = [record for record in usable if record.sha256 == sha256]
    by_page: dict[int | None, PageRecord] = {}
    for record in usable:
        page = record.page
        if page not in by_page or is_failed(by_page[page]):
            by_page[page] = record
    if len(by_page) > 1 and None in by_page:  # it failed as a whole in one run, and was read by another
        del by_page[None]
    return list(by_page.values())


def entry_of(record: PageRecord) -> Entry:
    """Return a page of a part as a page of a journal."""
    return Entry(0, record.name, record.page, record.pages, record.sha256, is_failed(record))
