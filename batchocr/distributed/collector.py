"""Collects the pages of work items in any order, and writes a part when a work item has all its pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self

from batchocr.batch.resume_plan import gaps, wanted_ranges
from batchocr.distributed.old_pages import entry_of, is_failed
from batchocr.distributed.parts import PageRecord, PartName, write_loose, write_part
from batchocr.distributed.plan_database import ItemPlan
from batchocr.distributed.work_items import WorkItem
from batchocr.stores import Store

WRITERS = 8
"""Parts that are written at the same time."""
MAX_WAITING = 64
"""Parts that wait to be written at most."""
MAX_UNFINISHED = 64
"""Pages of one unfinished work item after which a loose part is written. Basis: a minute of work of one machine."""


class Collector:
    """Takes every page once: a page that comes again, as a lost machine's work is repeated, changes nothing."""

    def __init__(self, store: Store, folder: str, pages: Sequence[int]) -> None:
        """Start the threads that write.

        Args:
            store: Where the journal is.
            folder: The folder of the parts.
            pages: Pages that are read of each TIFF and PDF; empty for all.
        """
        self._store, self._folder, self._pages = store, folder, pages
        self._items: dict[str, WorkItem] = {}  # by the place of each scan
        self._records: dict[bytes, dict[tuple[str, int], PageRecord]] = {}  # by key of the item; by place and page
        self._saved: dict[bytes, int] = {}  # pages of an item that loose parts have
        self._pool = ThreadPoolExecutor(WRITERS)
        self._writing: set[Future[PartName | str]] = set()
        self.written: list[PartName] = []
        """The parts of finished work items, until somebody takes them away."""
        self.loose: list[str] = []
        """The paths of loose parts."""

    def expect(self, planned: Iterable[ItemPlan]) -> None:
        """Prepare for the pages of these work items."""
        for each in planned:
            self._records.setdefault(each.item.key, {})
            self._items.update((scan.place, each.item) for scan in each.item.scans)

    def unfinished(self) -> list[WorkItem]:
        """Return the expected work items that have not all their pages."""
        return list({item.key: item for item in self._items.values()}.values())

    def add(self, record: PageRecord) -> bool:
        """Take a page.

        Returns:
            Whether it is new.

        Raises:
            OutputError: A part cannot be written.
        """
        item = self._items.get(record.place)
        if item is None:
            return False  # its work item is finished
        records, page = self._records[item.key], record.result.page.page
        place = (record.place, page or 0)
        is_new = place not in records
        if not is_new and not is_failed(records[place]):
            return False
        records[place] = record
        if self._is_complete(item, records):
            self._finish(item)
        elif len(records) - self._saved.get(item.key, 0) >= MAX_UNFINISHED:
            self._save([item])
        return is_new

    def _is_complete(self, item: WorkItem, records: dict[tuple[str, int], PageRecord]) -> bool:
        if len(records) < len(item.scans):
            return False
        by_place: dict[str, list[PageRecord]] = {}
        for record in records.values():
            by_place.setdefault(record.place, []).append(record)
        return all(
            not any(gaps(scan, list(map(entry_of, by_place.get(scan.place, []))), wanted_ranges(scan, self._pages)))
            for scan in item.scans
        )

    def _finish(self, item: WorkItem) -> None:
        records = self._records.pop(item.key)
        for scan in item.scans:
            self._items.pop(scan.place, None)
        self._submit(write_part, self._store, self._folder, item.key, item.state, tuple(records.values()))

    def _save(self, items: Iterable[WorkItem]) -> None:
        """Write the pages of unfinished work items that no loose part has yet."""
        pages: list[PageRecord] = []
        for item in items:
            records = list(self._records[item.key].values())
            pages += records[self._saved.get(item.key, 0) :]
            self._saved[item.key] = len(records)
        if pages:
            self._submit(write_loose, self._store, self._folder, pages)

    def _submit(self, *task: object) -> None:
        self._take(wait(self._writing, timeout=0).done)
        while len(self._writing) >= MAX_WAITING:
            self._take(wait(self._writing, return_when=FIRST_COMPLETED).done)
        self._writing.add(self._pool.submit(*task))  # type: ignore[arg-type]

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
        self._save({item.key: item for item in self._items.values()}.values())
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
        self._pool.shutdown(wait=True, cancel_futures=kind is not None)
