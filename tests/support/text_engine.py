"""An engine without networks, for tests of whole runs: the content of a scan says which pages it has."""

from __future__ import annotations

import random
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from batchocr.batch.local_pages import STAGES
from batchocr.batch.parts import PageRecord
from batchocr.batch.resume_plan import hash_of, pages_of
from batchocr.batch.summary import Counts
from batchocr.distributed.engines.local import page_record
from batchocr.distributed.old_pages import item_work
from batchocr.distributed.plan_database import ItemPlan
from batchocr.distributed.reading import StoreRun
from batchocr.distributed.table_job import TableJob, TableTask, write_here
from batchocr.errors import ScanError
from batchocr.executors.page_task import failed
from batchocr.records import PageResult, PageRow, Part, PreparedPage


@dataclass
class TextEngine:
    """Reads text files. `3 text` is a scan of three pages; `damaged` and `unreachable` are errors of the scan.

    `2! text` is a scan of two pages, of which the last fails for the moment.
    """

    run: StoreRun | None = None
    lost: frozenset[str] = frozenset()
    """Names of scans whose pages do not come back."""
    seed: int | None = None
    """Order of the pages, some of which come twice; None for the order of the plan."""
    crash_after: int | None = None
    """Pages after which the engine raises an exception."""
    read_pages: list[tuple[str, int | None]] = field(default_factory=list)
    stages: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    device: str = ""

    def read(self, planned: Iterator[ItemPlan], *, alone: bool) -> Generator[PageRecord]:
        """See `Engine`."""
        assert self.run is not None
        settings = self.run.settings
        records: list[PageRecord] = []
        for each in planned:
            work = item_work(self.run.store, each, retry_failed=settings.retry_failed, pages=settings.pages)
            records += [*work.kept, *(record for part in work.parts for record in self._records(part))]
        if self.seed is not None:
            records = random.Random(self.seed).choices(records, k=len(records)) + records
            random.Random(self.seed).shuffle(records)
        for number, record in enumerate(records):
            if number == self.crash_after:
                raise ConnectionError("the cluster is gone")
            if record.name in self.lost:
                continue
            if not record.is_kept:
                self.read_pages.append((record.name, record.result.page.page))
            yield record

    def write_tables(self, job: TableJob, tasks: Iterable[TableTask]) -> Iterator[Counts]:
        """See `Engine`."""
        return write_here(job, tasks)

    def close(self) -> None:
        """See `Engine`."""

    def _records(self, part: Part) -> Iterator[PageRecord]:
        scan = part.scan
        text = Path(scan.path).read_text()
        count, _, _ = text.removeprefix("%PDF-").partition(" ")
        if not count.strip("!").isdigit():
            yield self._failed(part, None, count)
            return
        pages = int(count.strip("!"))
        known = replace(part, pages=pages, last=part.last or pages)
        if not pages_of(known, pages):
            return
        for number in range(part.first, min(part.last or pages, pages) + 1):
            if count.endswith("!") and number == pages:
                yield self._failed(known, number, "no-memory")
            else:
                row = PageRow(scan.name, number, "read", width=len(text), sha256=hash_of(scan))
                yield self._record(PreparedPage(row, pages=pages, scan=scan))

    def _failed(self, part: Part, number: int | None, error: str) -> PageRecord:
        prepared = failed(part.scan, number, ScanError(error, error, hash_of(part.scan)))
        return self._record(replace(prepared, scan=part.scan, pages=part.pages or 1))

    def _record(self, prepared: PreparedPage) -> PageRecord:
        assert self.run is not None
        return page_record(prepared, PageResult(prepared.row), has_selection=bool(self.run.settings.pages))
