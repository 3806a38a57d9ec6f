"""Read the pages that no earlier run has read, with whatever engine, and collect them in parts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from batchocr.batch.parts import PageRecord, PartName, is_failed, is_loose, parse_name, places_in
from batchocr.batch.run_models import RunModels
from batchocr.batch.summary import STOPPED, Clock, Start
from batchocr.decoding.marking import Marking, mark_rows
from batchocr.distributed.collector import Collector
from batchocr.distributed.engines import Engine
from batchocr.distributed.holder import Holder, Speed
from batchocr.distributed.lost_pages import lost_pages
from batchocr.distributed.old_pages import item_work
from batchocr.distributed.plan_database import ItemPlan, PlanDatabase
from batchocr.distributed.results import read_ahead
from batchocr.distributed.shards import remove_record
from batchocr.errors import BatchocrError, Stopped
from batchocr.output.staging import Staging
from batchocr.output.table_folder import TableFolder
from batchocr.records import PageResult
from batchocr.settings import Settings
from batchocr.stores import Store

MAX_LOST = 100
"""Work items of which pages may be lost, even if read alone, before the cluster counts as broken."""

log = logging.getLogger(__name__)


@dataclass
class StoreRun:
    """What the steps of a run share."""

    settings: Settings
    models: RunModels
    clock: Clock
    journal: str | Path
    """Path or URL."""
    store: Store
    """The journal."""
    folder: str
    """Folder of the parts."""
    plan: PlanDatabase
    on_total: Callable[[int], None]
    on_page: Callable[[PageResult], None]
    should_stop: Callable[[], bool]
    marking: Marking
    """How the pages that `on_page` receives, and the results, are marked."""


def read_missing(
    run: StoreRun, engine: Engine, holder: Holder, staging: Staging | TableFolder, on_start: Callable[[Start], None]
) -> int:
    """Read all work items that have no finished part; return the number of pages that earlier runs had read.

    Raises:
        Stopped: `should_stop` returned True.
        OutputError: A part cannot be written, or pages do not come back.
    """
    retry = run.settings.retry_failed
    _add_parts(run)
    scans = run.plan.counts()[0]
    kept_scans, kept, kept_failed = run.plan.kept(retry_failed=retry)
    left = scans - kept_scans
    on_start(Start(kept, kept_failed, left, is_exact=not left, failures=frozenset()))
    reading = _Reading(run, holder, kept, kept_failed, left)
    holder.progress.scans = scans
    reading.report()
    if not left:
        return kept
    if run.settings.shard:
        remove_record(run.store, run.settings.shard)
    for alone in (False, True):
        if not (missing := reading.read(engine, staging, alone=alone)):
            return holder.progress.kept
        log.warning("the pages of %d work items did not come back", missing)
    if missing > MAX_LOST:
        raise BatchocrError(
            f"the pages of {missing} work items did not come back from the cluster: see its logs, and run the same "
            "command again"
        )
    reading.fail_missing()
    return holder.progress.kept


class _Reading:
    """Takes the pages of an engine, and reports the progress."""

    def __init__(self, run: StoreRun, holder: Holder, kept: int, kept_failed: int, left: int) -> None:
        self._run, self._holder = run, holder
        self._progress = holder.progress
        self._progress.pages, self._progress.done = kept + left, kept
        self._progress.kept, self._progress.failed = kept, kept_failed
        self._speed, self._new = Speed(), 0
        self._opened: set[str] = set()  # scans of unfinished work items whose number of pages is known
        self._is_first = True
        self._temporary: dict[tuple[str, int | None], PageRecord] = {}  # failures of unfinished work items

    def read(self, engine: Engine, staging: Staging | TableFolder, *, alone: bool) -> int:
        """Read what has no finished part, and return the number of work items that are still unfinished."""
        with self._collector() as collector:
            self._read(engine, collector, staging, alone=alone)
            self._flush(collector)
            self._temporary = {_key(record): record for record in collector.temporary()}
            if self._run.should_stop():
                raise Stopped(STOPPED)
            return len(collector.unfinished())

    def _collector(self) -> Collector:
        return Collector(self._run.store, self._run.folder, self._run.settings.pages)

    def _read(self, engine: Engine, collector: Collector, staging: Staging | TableFolder, *, alone: bool) -> None:
        run = self._run

        def planned() -> Iterator[ItemPlan]:
            for each in run.plan.todo(retry_failed=run.settings.retry_failed, folder=run.folder):
                collector.expect(each)
                yield each

        with closing(engine.read(planned(), alone=alone)) as records:
            for record in records:
                if self._is_first:
                    self._is_first = False
                    if run.settings.shard is None:
                        staging.remove_results()
                if collector.add(record) and not (alone and record.is_kept):  # else it is counted already
                    self._count(record)
                if collector.written:
                    run.plan.replace_parts(collector.written)
                    collector.written.clear()
                self._holder.check()

    def _flush(self, collector: Collector) -> None:
        """Write all that is collected, and add it to the plan."""
        run = self._run
        collector.flush()
        run.plan.replace_parts(collector.written)
        for path in collector.loose:
            run.plan.add_old(path, places_in(run.store.read(path), f"{run.store}/{path}"))

    def fail_missing(self) -> None:
        """Write a failed row for each page that did not come back."""
        run, pages = self._run, self._run.settings.pages
        with self._collector() as collector:
            for planned in run.plan.todo(retry_failed=run.settings.retry_failed, folder=run.folder):
                collector.expect(planned)
                work = item_work(run.store, planned, retry_failed=False, pages=pages)
                lost = (record for part in work.parts for record in lost_pages(part, has_selection=bool(pages)))
                for record in (*work.kept, *lost):
                    came = record.is_kept or _key(record) in self._temporary  # and is counted
                    if collector.add(self._temporary.get(_key(record), record)) and not came:
                        self._count(record)
            self._flush(collector)

    def _count(self, record: PageRecord) -> None:
        if record.pages > 1 and record.place not in self._opened and record.page is not None:
            self._opened.add(record.place)
            self._progress.pages += record.pages - 1
            self._run.on_total(self._progress.pages)
        self._progress.kept += record.is_kept
        self._new += not record.is_kept
        self._progress.failed += is_failed(record)
        self.report()
        if not record.is_kept:
            self._run.on_page(record.shown or mark_rows(record.result, self._run.marking))

    def report(self) -> None:
        """Update what the driver reports."""
        progress = self._progress
        progress.done = min(progress.kept + self._new, progress.pages)
        progress.seconds = round(self._run.clock.passed, 1)
        progress.pages_per_s = round(self._speed.update(self._new), 2)
        left = max(0, progress.pages - progress.done)
        progress.remaining_s = round(left / progress.pages_per_s) if progress.pages_per_s else None


def _key(record: PageRecord) -> tuple[str, int | None]:
    return record.place, record.page


def _add_parts(run: StoreRun) -> None:
    """List the parts of the store. What other work items' parts have is found by the places of their scans.

    A shard that starts over removes its own parts. Other shards may be using the rest.
    """
    loose: list[str] = []
    starts_over = run.settings.fresh and run.settings.shard is not None

    def names() -> Iterator[PartName]:
        for path in run.store.names(run.folder):
            if (name := parse_name(path)) is not None:
                yield name
            elif is_loose(path):
                loose.append(path)

    run.plan.add_parts(names())
    if starts_over:
        run.store.remove(run.plan.forget_parts(run.folder))
        return
    for path, content in read_ahead(run.store, (*loose, *run.plan.other_parts(run.folder))):
        if content is not None:  # else another shard has finished its work item
            run.plan.add_old(path, places_in(content, f"{run.store}/{path}"))
