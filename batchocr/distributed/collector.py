"""Collects the pages of work items in any order, and writes a part when a work item has all its pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from batchocr.batch.parts import PageRecord, PartName, is_failed, parse_name, write_loose, write_part
from batchocr.batch.resume_plan import is_wanted
from batchocr.distributed.plan_database import ItemPlan
from batchocr.distributed.work_items import WorkItem
from batchocr.errors import HeldError, OutputError
from batchocr.sources.page_selection import PageRange, page_ranges
from batchocr.stores import Store

WRITERS = 8
"""Parts that are written at the same time."""
MAX_WAITING = 64
"""Parts that wait to be written at most."""
MAX_UNFINISHED = 64
"""Pages of one unfinished work item after which a loose part is written. Basis: a minute of work of one machine."""


@dataclass
class _Collected:
    """A work item that is not finished."""

    item: WorkItem
    replaced: tuple[str, ...]
    """Paths of its parts of earlier runs."""
    unfinished: set[str]
    """The places of the scans that have not all their pages."""
    records: dict[str, dict[int, PageRecord]] = field(default_factory=dict)
    """By place of the scan and number of the page; 0 for a scan that failed as a whole."""
    unsaved: list[PageRecord] = field(default_factory=list)
    """Pages that no loose part has."""


class Collector:
    """Takes every page once: a page that comes again, as a lost machine's work is repeated, changes nothing."""

    def __init__(self, store: Store, folder: str, pages: Sequence[int]) -> None:
        """Start the threads that write.

        Args:
            store: Where the journal is.
            folder: The folder of the parts.
            pages: Pages that are read of each TIFF and PDF; empty for all.
        """
        self._store, self._folder, self._wanted = store, folder, tuple(page_ranges(pages))
        self._items: dict[str, _Collected] = {}  # by the place of each scan
        self._pool = ThreadPoolExecutor(WRITERS)
        self._writing: set[Future[PartName | str]] = set()
        self.written: list[PartName] = []
        """The parts of finished work items, until the caller removes them from this list."""
        self.loose: list[str] = []
        """The paths of loose parts."""

    def expect(self, planned: ItemPlan) -> None:
        """Prepare for the pages of a work item."""
        item = planned.item
        names = ((path, parse_name(path)) for path in planned.old)
        replaced = tuple(path for path, name in names if name and (name.key, name.state) == (item.key, item.state))
        collected = _Collected(item, replaced, {scan.place for scan in item.scans})
        self._items.update((scan.place, collected) for scan in item.scans)

    def unfinished(self) -> list[WorkItem]:
        """Return the expected work items that have not all their pages."""
        return [each.item for each in self._unfinished()]

    def temporary(self) -> list[PageRecord]:
        """Return the pages of unfinished work items that failed for the moment. No later run finds them."""
        records = (record for each in self._unfinished() for scan in each.records.values() for record in scan.values())
        return [record for record in records if not record.sha256]

    def _unfinished(self) -> list[_Collected]:
        return list({each.item.key: each for each in self._items.values()}.values())

    def add(self, record: PageRecord) -> bool:
        """Take a page.

        Returns:
            Whether it is new.

        Raises:
            OutputError: A part cannot be written.
        """
        collected = self._items.get(record.place)
        if collected is None:
            return False  # its work item is finished
        of_scan, page = collected.records.setdefault(record.place, {}), record.page or 0
        is_new = page not in of_scan
        if not is_new and not is_failed(of_scan[page]):
            return False
        of_scan[page] = record
        collected.unsaved.append(record)
        if _is_complete(of_scan, record.pages, self._wanted):
            collected.unfinished.discard(record.place)
        if not collected.unfinished:
            self._finish(collected)
        elif len(collected.unsaved) >= MAX_UNFINISHED:
            self._save([collected])
        return is_new

    def _finish(self, collected: _Collected) -> None:
        for scan in collected.item.scans:
            self._items.pop(scan.place, None)
        self._submit(lambda: self._write(collected))

    def _write(self, collected: _Collected) -> PartName:
        """Write the part of a work item, and remove those that it replaces."""
        item = collected.item
        records = [record for of_scan in collected.records.values() for record in of_scan.values()]
        name = write_part(self._store, self._folder, item.key, item.state, records)
        self._store.remove(set(collected.replaced) - {name.path(self._folder)})
        return name

    def _save(self, items: Iterable[_Collected]) -> None:
        """Write the pages of unfinished work items that no loose part has yet."""
        pages: list[PageRecord] = []
        for each in items:
            pages += each.unsaved
            each.unsaved = []
        if pages:
            self._submit(lambda: write_loose(self._store, self._folder, pages))

    def _submit(self, task: Callable[[], PartName | str]) -> None:
        self._take(wait(self._writing, timeout=0).done)
        while len(self._writing) >= MAX_WAITING:
            self._take(wait(self._writing, return_when=FIRST_COMPLETED).done)
        self._writing.add(self._pool.submit(task))

    def _take(self, done: Iterable[Future[PartName | str]]) -> None:
        for future in done:
            self._writing.discard(future)
            written = future.result()
            if isinstance(written, PartName):
                self.written.append(written)
            else:
                self.loose.append(written)

    def flush(self) -> None:
        """Write what is collected, and wait until all is written.

        Raises:
            OutputError: A part cannot be written.
        """
        self._save(self._unfinished())
        self.wait()

    def wait(self) -> None:
        """Wait until all parts are written. Raises OutputError if one cannot be."""
        while self._writing:
            self._take(wait(self._writing, return_when=FIRST_COMPLETED).done)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        is_useless = kind is not None and issubclass(kind, (OutputError, HeldError))  # else the pages are of use
        self._pool.shutdown(wait=True, cancel_futures=is_useless)


def _is_complete(of_scan: Mapping[int, PageRecord], pages: int, wanted: Sequence[PageRange]) -> bool:
    """Return whether these are all pages of a scan that are wanted.

    Args:
        of_scan: Its pages by number; 0 if the scan as a whole failed.
        pages: Number of pages of the scan, as the last of these reported it.
        wanted: The ranges of pages that are read of scans that have several; empty for all.
    """
    if 0 in of_scan:
        return True
    if not wanted and len(of_scan) < pages:  # the usual case, without counting
        return False
    pages = max(record.pages for record in of_scan.values())
    if pages == 1:  # then the selection may not apply, see `wanted_ranges`
        return True
    return all(number in of_scan for number in range(1, pages + 1) if is_wanted(number, wanted))
