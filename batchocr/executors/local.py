"""Prepare pages on this machine, in worker processes. Each takes a few pages of a scan at a time."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from queue import Empty, Full, LifoQueue, Queue
from types import TracebackType
from typing import Self

import psutil

from batchocr.errors import BatchocrError, ScanError
from batchocr.executors.page_task import failed
from batchocr.executors.task import Ended, Task
from batchocr.executors.worker import TooSlow, Worker, WorkerDidNotStart, WorkerDied
from batchocr.forms.form import Form
from batchocr.records import Part, PreparedPage, Scan

log = logging.getLogger(__name__)

AHEAD = 8
"""Tasks in progress for each worker: this many scans are prepared while the caller loads the model, for seconds."""
READY = 4
"""Messages of each worker that wait for the caller at most: a page holds its pixels and its tiles."""
PAGES = 16
"""Pages of a scan in a task at most: a scan of many pages is divided among the workers."""
PAGE_TIMEOUT = 120.0
"""Default of the seconds that a page may take."""
MIN_MEMORY = 6 << 30
"""Bytes that each worker may use at least. The largest images that are allowed need 4 GB."""
MEMORY_RATIO = 0.8
"""Share of the machine's memory that all workers may use together. A file that needs more ends its worker, before the
system kills a process of its choice."""
GRACE_S = 5.0
"""Seconds for pages in progress after the run is asked to stop."""

# Messages of rows in results.pages.csv: they stay the same, so that a later run writes the same rows
CRASHED = "a worker process died over it, twice: out of memory? give fewer --jobs"
MISSING = "this page is not there: scan or copy it again"
NO_START = "worker processes end as soon as they start; is the memory full? Use fewer --jobs"
STARTS = 3
"""Attempts to start a worker, one after the other, before the run gives up."""
_POLL_S = 0.2  # interval at which waiting threads check whether the run is asked to stop


def _failed(scan: Scan, number: int | None, fault: ScanError, pages: int) -> PreparedPage:
    return replace(failed(scan, number, fault), pages=pages, scan=scan)


def default_jobs() -> int:
    """Return the default number of workers: one for each core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class LocalExecutor:
    """Worker processes that start to read at once, while the caller loads the model.

    A page that kills its worker, or takes longer than `page_timeout` seconds, is read once more after all other pages,
    with no other page at the same time. If it fails again, it is a page that failed.
    """

    def __init__(
        self,
        parts: Iterable[Part],
        *,
        jobs: int | None,
        max_megapixels: float,
        page_timeout: float = PAGE_TIMEOUT,
        should_stop: Callable[[], bool] = lambda: False,
        pdf_password: str | None = None,
        worker: Worker | None = None,
        forms: Sequence[Form] = (),
    ) -> None:
        """Start the first workers.

        Args:
            parts: What is to be read.
            jobs: Number of workers; None is one for each core.
            max_megapixels: Larger pages are refused.
            page_timeout: Seconds that a page may take.
            should_stop: Called often. When it returns True, no more pages are started.
            pdf_password: Password that opens protected PDFs.
            worker: The only worker, which stays alive; it was started with the forms. None: `jobs` workers, which end
                with this object.
            forms: Forms that the pages may have.
        """
        self.jobs = 1 if worker else jobs or default_jobs()
        self._parts = iter(parts)
        self._more: deque[Part] = deque()  # the rest of long scans, read before new scans
        self._again: deque[Task] = deque()  # read after all other pages, one by one
        self._tried: set[tuple[Scan, int]] = set()  # pages that ended a worker once
        self._page_timeout = page_timeout
        self._should_stop = should_stop
        self._max_megapixels = max_megapixels
        self._pdf_password = pdf_password
        self._forms = tuple(forms)
        self._threads_each = max(1, default_jobs() // self.jobs)  # of OpenCV
        self._memory_each = max(MIN_MEMORY, int(MEMORY_RATIO * psutil.virtual_memory().total / self.jobs))
        self._closing = threading.Event()
        self._in_progress = 0
        self._messages: Queue[tuple[Task, PreparedPage] | Ended] = Queue(READY * self.jobs)  # bounds the memory
        self._workers: list[Worker] = []
        self._idle: LifoQueue[Worker] = LifoQueue()
        self._keeps_worker = worker is not None
        if worker is not None:
            self._workers.append(worker)
            self._idle.put(worker)
        self._pool = ThreadPoolExecutor(self.jobs)  # each thread waits for one worker
        self._submit_parts()

    def pages(self) -> Iterator[PreparedPage]:
        """Yield all pages, each as soon as it is prepared. After `should_stop()` only pages in progress follow.

        Raises:
            BatchocrError: No worker can be started.
            ImportError: A library is missing.
        """
        while True:
            yield from self._pages_in_progress()
            if not self._again or self._should_stop():
                return
            self._submit(self._again.popleft())

    def _pages_in_progress(self) -> Iterator[PreparedPage]:
        deadline = None
        while self._in_progress:
            try:
                message = self._messages.get(timeout=_POLL_S)
            except Empty:
                if self._should_stop():
                    deadline = deadline or time.monotonic() + GRACE_S
                    if time.monotonic() > deadline:
                        return
                continue
            if isinstance(message, Ended):
                self._in_progress -= 1
                if message.is_complete:
                    yield from self._after(message)
            else:
                yield from self._one(*message)
            self._submit_parts()

    def _one(self, task: Task, page: PreparedPage) -> Iterator[PreparedPage]:
        """Yield a page. If it is the first of its scan and there are many, the others are divided among the workers."""
        part, number = task.part, page.row.page
        if task.blamed and number and number > page.pages:
            return  # there is no second page
        if part.pages is None and number and number > page.pages:  # the scan as a whole cannot be read
            number, page = None, replace(page, row=replace(page.row, page=None))
        if part.pages is None and number == part.first:
            for first, last in ((task.last + 1, part.last or page.pages), *part.more):
                last = min(last, page.pages)
                starts = range(first, last + 1, PAGES)
                self._more.extend(Part(part.scan, start, min(start + PAGES - 1, last), page.pages) for start in starts)
        if part.pages:  # a page of that scan failed, even if the scan cannot be opened any more
            page = replace(page, row=replace(page.row, page=number or part.first), pages=part.pages)
        yield replace(page, scan=part.scan)

    def _after(self, ended: Ended) -> Iterator[PreparedPage]:
        """Yield the pages that failed with the end of a task, and plan further tasks."""
        if ended.fault is not None and not isinstance(ended.fault, ScanError):
            raise ended.fault
        if ended.task.blamed is not None:
            yield from self._after_second_page(ended, ended.task.blamed)
        elif ended.fault is None:
            yield from self._missing(ended)
        else:
            yield from self._after_death(ended, ended.fault)

    def _after_death(self, ended: Ended, fault: ScanError) -> Iterator[PreparedPage]:
        """Plan to read the page that ended a worker again, or yield it as failed. The pages after it are read."""
        scan, number, last, pages = ended.task.part.scan, ended.number, ended.last, ended.pages
        if number > last:
            return  # it had returned all pages
        if pages and number < last:
            self._more.appendleft(Part(scan, number + 1, last, pages))
        if (scan, number) not in self._tried:
            self._tried.add((scan, number))
            log.info("%s: page %d: %s; it is tried again after all other pages", scan.name, number, fault.reason)
            again = Task(Part(scan, number, number, pages), number) if pages else ended.task
            self._again.append(again)
        elif pages:
            yield _failed(scan, number, fault, pages)
        elif others := ended.task.others():
            self._again.append(Task(others, others.first, blamed=fault, blamed_number=number))
        else:
            yield _failed(scan, None, fault, 1)

    def _after_second_page(self, ended: Ended, blamed: ScanError) -> Iterator[PreparedPage]:
        """Yield the page as failed if the next one could be reached, else the whole scan."""
        page, scan = ended.last_page, ended.task.part.scan
        if page and page.row.page and page.row.page <= page.pages:
            yield _failed(scan, ended.task.blamed_number, blamed, page.pages)
        else:
            yield _failed(scan, None, blamed, 1)

    def _missing(self, ended: Ended) -> Iterator[PreparedPage]:
        """Yield pages that the task did not return, as failed; with the error of the page before, if that failed."""
        scan, row = ended.task.part.scan, ended.last_page.row if ended.last_page else None
        if ended.pages is None:
            if ended.task.part.first > 1:
                what = f"{scan.name}: has no page {ended.task.part.first} or later, and --pages selects no other"
                yield _failed(scan, None, ScanError("no-page", what), 1)
            return
        known = (row.error, row.message) if row and row.error else ("damaged", f"{scan.name}: {MISSING}")
        for number in range(ended.number, ended.last + 1):
            page = _failed(scan, number, ScanError(*known), ended.pages)
            yield replace(page, row=replace(page.row, sha256=row.sha256 if row else ""))

    # Tasks

    def _submit_parts(self) -> None:
        """Submit the next parts, up to AHEAD for each worker."""
        while self._in_progress < AHEAD * self.jobs and not self._should_stop():
            part = self._more.popleft() if self._more else next(self._parts, None)
            if part is None:
                return
            last = part.first + PAGES - 1
            self._submit(Task(part, last if part.last is None else min(part.last, last)))
            if part.pages is not None and part.last is not None and part.last > last:
                self._more.appendleft(replace(part, first=last + 1))

    def _submit(self, task: Task) -> None:
        """Submit a task. Start another worker only if there is work for it: one is enough for a single page."""
        self._in_progress += 1
        if len(self._workers) < min(self.jobs, self._in_progress):
            worker = Worker(
                self._max_megapixels, self._threads_each, self._memory_each, self._pdf_password, self._forms
            )
            self._workers.append(worker)
            self._idle.put(worker)
        self._pool.submit(self._read, task)

    # In threads; each waits for one worker

    def _read(self, task: Task) -> None:
        """Read a task with a worker, and put all its pages and its end into the queue."""
        worker = self._idle.get()
        try:
            ended = self._through(worker, task)
        except Exception as fault:  # the caller raises it: here it would be lost, and the caller would wait
            ended = Ended(task, None, fault)
        self._idle.put(worker)
        self._put(ended)

    def _through(self, worker: Worker, task: Task) -> Ended:
        page: PreparedPage | None = None
        fault: ScanError | None = None
        complete = self._make_ready(worker)
        if not complete:
            return Ended(task, page, fault, complete)
        name = task.part.scan.name
        try:
            for page in worker.read(task.part.scan, task.part.first, task.last, self._page_timeout):
                self._put((task, page))
                if self._is_ending():
                    complete = False
                    break
        except WorkerDied:
            fault = ScanError("crashed", f"{name}: {CRASHED}")
        except TooSlow:
            fix = "raise --page-timeout if that is right"
            fault = ScanError("timeout", f"{name}: took longer than {self._page_timeout:g} s, twice: {fix}")
        if (fault or not complete) and not self._closing.is_set():
            worker.restart()
        return Ended(task, page, fault, complete)

    def _make_ready(self, worker: Worker) -> bool:
        """Wait until the worker is ready; return False if the run is asked to stop."""
        for _ in range(STARTS):
            if self._is_ending():
                return False
            try:
                worker.wait_until_ready()
                return True
            except WorkerDidNotStart:
                if not self._closing.is_set():
                    worker.restart()
        raise BatchocrError(NO_START)

    def _is_ending(self) -> bool:
        return self._closing.is_set() or self._should_stop()

    def _put(self, message: tuple[Task, PreparedPage] | Ended) -> None:
        """Put a message into the queue; wait while it is full."""
        while not self._closing.is_set():
            with suppress(Full):
                self._messages.put(message, timeout=_POLL_S)
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        is_idle = self._in_progress == 0
        if not (self._keeps_worker and is_idle):
            for worker in self._workers:
                worker.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)
        if not self._keeps_worker:
            for worker in self._workers:
                worker.close()
