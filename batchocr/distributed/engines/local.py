"""Read work items on this machine, as a run with a journal on the disk does."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from batchocr.batch.local_pages import STAGES, read_pages_locally
from batchocr.batch.outcome import outcome
from batchocr.batch.parts import PageRecord
from batchocr.batch.summary import Counts
from batchocr.decoding.marking import mark_rows
from batchocr.distributed.engines import Job
from batchocr.distributed.old_pages import ItemWork, item_work
from batchocr.distributed.plan_database import ItemPlan
from batchocr.distributed.table_job import TableJob, TableTask, write_here
from batchocr.distributed.work_items import tag_of
from batchocr.records import PageResult, Part, PreparedPage
from batchocr.stores import open_store

if TYPE_CHECKING:
    from batchocr.recognition.networks import Networks


class LocalEngine:
    """Reads with the processes and the devices of this machine."""

    def __init__(self, job: Job) -> None:
        self._job, self._marking = job, job.marking
        self.stages = dict.fromkeys(STAGES, 0.0)
        self.device = ""

    def read(self, planned: Iterator[ItemPlan], *, alone: bool) -> Generator[PageRecord]:
        """See `Engine`. A page that ends its process is read alone in any case."""
        store = open_store(self._job.journal)
        settings = self._job.settings
        all_work = (
            item_work(store, each, retry_failed=settings.retry_failed, pages=settings.pages) for each in planned
        )
        for work in all_work:
            yield from work.kept
            if self._job.should_stop():
                return
            if work.parts:  # else no network is needed
                yield from self._read(work.parts, all_work)
                return

    def _read(self, first: Sequence[Part], others: Iterator[ItemWork]) -> Generator[PageRecord]:
        job, kept = self._job, deque[PageRecord]()

        def parts() -> Iterator[Part]:
            yield from first
            for work in others:
                kept.extend(work.kept)
                yield from work.parts

        for prepared, result in read_pages_locally(
            parts(),
            job.settings,
            job.models,
            job.settings.batch_size,
            stages=self.stages,
            clock=job.clock,
            on_ready=self._on_ready,
            should_stop=job.should_stop,
        ):
            while kept:
                yield kept.popleft()
            record = page_record(prepared, result, has_selection=bool(job.settings.pages))
            yield replace(record, shown=mark_rows(result, self._marking))
        yield from kept

    def write_tables(self, job: TableJob, tasks: Iterable[TableTask]) -> Iterator[Counts]:
        """See `Engine`."""
        return write_here(job, tasks)

    def close(self) -> None:
        """Do nothing: `read` ends its processes."""

    def _on_ready(self, networks: Networks) -> None:
        self.device = networks.device


def page_record(prepared: PreparedPage, result: PageResult, *, has_selection: bool) -> PageRecord:
    """Return a page as parts have it.

    Args:
        prepared: The page as it was prepared.
        result: Its result.
        has_selection: Whether only some pages of each scan are read.
    """
    result, sha256 = outcome(prepared, result, has_selection=has_selection)
    scan = prepared.scan
    if scan is None:
        raise ValueError("a page without a scan")
    return PageRecord.of(scan.name, scan.place, tag_of(scan), prepared.pages, sha256, result)
