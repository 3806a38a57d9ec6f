"""Prepare pages on this machine, in worker processes. Each takes a few pages of a scan at a time."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from queue import Empty, Full, LifoQueue, Queue
from types import TracebackType
from typing import Self

import psutil

from batchocr.errors import BatchocrError, ScanError
from batchocr.executors.page_task import failed
from batchocr.executors.worker import TooSlow, Worker, WorkerDied, WorkerNeverCame
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
NO_START = (
    "worker processes die when they start: out of memory? give fewer --jobs; "
    'or a script that calls batchocr.run without `if __name__ == "__main__":` around it?'
)
STARTS = 3
"""Attempts to start a worker, one after the other, before the run gives up."""
_POLL_S = 0.2  # interval at which waiting threads check whether the run is asked to stop


def _failed(scan: Scan, number: int | None, fault: ScanError, pages: int) -> PreparedPage:
    return replace(failed(scan, number, fault), pages=pages, scan=scan)


def default_jobs() -> int:
    """Return the default number of workers: one for each core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class _Task:
    """Pages that one worker reads."""

    part: Part
    last: int
    """Last page of this task; the part may have more."""
    blamed: ScanError | None = None
    """The error with which page 1 failed twice: this task reads page 2, to learn whether the scan has more pages."""


@dataclass(frozen=True)
class _Ended:
    """The end of a task."""

    task: _Task
    last_page: PreparedPage | None
    """The last page that it returned."""
    fault: Exception | None
    """ScanError if the page after that ended the worker."""
    is_complete: bool = True
    """False if it was interrupted because the run is asked to stop."""

    @property
    def pages(self) -> int | None:
        """Number of pages of the scan; None if it is not known."""
        return self.task.part.pages or (self.last_page.pages if self.last_page else None)

    @property
    def number(self) -> int:
        """The first page that it did not return."""
        first = self.task.part.first
        return (self.last_page.row.page or first) + 1 if self.last_page else first

    @property
    def last(self) -> int:
        """The last page that it should have returned."""
        return min(self.task.last, self.pages) if self.pages else self.task.last


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
    ) -> None:
        """Start the first workers.

        Args:
            parts: What is to be read.
            jobs: Number of workers; None is one for each core.
            max_megapixels: Larger pages are refused.
            page_timeout: Seconds that a page may take.
            should_stop: Called often. When it returns True, no more pages are started.
        """
        self.jobs = jobs or default_jobs()
        self._parts = iter(parts)
        self._more: deque[Part] = deque()  # the rest of long scans, read before new scans
        self._again: deque[_Task] = deque()  # read after all other pages, one by one
        self._tried: set[tuple[Scan, int]] = set()  # pages that ended a worker once
        self._page_timeout = page_timeout
        self._should_stop = should_stop
        self._max_megapixels = max_megapixels
        self._threads_each = max(1, default_jobs() // self.jobs)  # of OpenCV
        self._memory_each = max(MIN_MEMORY, int(MEMORY_RATIO * psutil.virtual_memory().total / self.jobs))
        self._closing = threading.Event()
        self._in_progress = 0
        self._messages: Queue[tuple[_Task, PreparedPage] | _Ended] = Queue(READY * self.jobs)  # bounds the memory
        self._workers: list[Worker] = []
        self._idle: LifoQueue[Worker] = LifoQueue()
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
            if isinstance(message, _Ended):
                self._in_progress -= 1
                if message.is_complete:
                    yield from self._after(message)
            else:
                yield from self._one(*message)
            self._submit_parts()

    def _one(self, task: _Task, page: PreparedPage) -> Iterator[PreparedPage]:
        """Yield a page. If it is the first of its scan and there are many, the others are divided among the workers."""
        part, number = task.part, page.row.page
        if task.blamed and number and number > page.pages:
            return  # there is no second page
        if part.pages is None and number == part.first:
            starts = range(task.last + 1, page.pages + 1, PAGES)
            ends = [min(start + PAGES - 1, page.pages) for start in starts]
            self._more.extend(Part(part.scan, start, end, page.pages) for start, end in zip(starts, ends, strict=True))
        if part.pages:  # a page of that scan failed, even if the scan cannot be opened any more
            page = replace(page, row=replace(page.row, page=number or part.first), pages=part.pages)
        yield replace(page, scan=part.scan)

    def _after(self, ended: _Ended) -> Iterator[PreparedPage]:
        """Yield the pages that failed with the end of a task, and plan further tasks."""
        if ended.fault is not None and not isinstance(ended.fault, ScanError):
            raise ended.fault
        if ended.task.blamed is not None:
            yield from self._after_second_page(ended, ended.task.blamed)
        elif ended.fault is None:
            yield from self._missing(ended)
        else:
            yield from self._after_death(ended, ended.fault)

    def _after_death(self, ended: _Ended, fault: ScanError) -> Iterator[PreparedPage]:
        """Plan to read the page that ended a worker again, or yield it as failed. The pages after it are read."""
        scan, number, last, pages = ended.task.part.scan, ended.number, ended.last, ended.pages
        if number > last:
            return  # it had returned all pages
        if pages and number < last:
            self._more.appendleft(Part(scan, number + 1, last, pages))
        if (scan, number) not in self._tried:
            self._tried.add((scan, number))
            log.info("%s: page %d: %s; it is tried again after all other pages", scan.name, number, fault.reason)
            self._again.append(_Task(Part(scan, number, number if pages else None, pages), number if pages else PAGES))
        elif pages:
            yield _failed(scan, number, fault, pages)
        else:
            self._again.append(_Task(Part(scan, 2), 2, blamed=fault))

    def _after_second_page(self, ended: _Ended, blamed: ScanError) -> Iterator[PreparedPage]:
        """Yield page 1 as failed if page 2 could be reached, else the whole scan."""
        page, scan = ended.last_page, ended.task.part.scan
        if page and page.row.page and page.row.page <= page.pages:
            yield _failed(scan, 1, blamed, page.pages)
        else:
            yield _failed(scan, None, blamed, 1)

    def _missing(self, ended: _Ended) -> Iterator[PreparedPage]:
        """Yield pages that the task did not return, as failed; with the error of the page before, if that failed."""
        scan, row = ended.task.part.scan, ended.last_page.row if ended.last_page else None
        if ended.pages is None:
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
            self._submit(_Task(part, last if part.last is None else min(part.last, last)))
            if part.last is not None and part.last > last:
                self._more.appendleft(replace(part, first=last + 1))

    def _submit(self, task: _Task) -> None:
        """Submit a task. Start another worker only if there is work for it: one is enough for a single page."""
        self._in_progress += 1
        if len(self._workers) < min(self.jobs, self._in_progress):
            worker = Worker(self._max_megapixels, self._threads_each, self._memory_each)
            self._workers.append(worker)
            self._idle.put(worker)
        self._pool.submit(self._read, task)

    # In threads; each waits for one worker

    def _read(self, task: _Task) -> None:
        """Read a task with a worker, and put all its pages and its end into the queue."""
        worker = self._idle.get()
        try:
            ended = self._through(worker, task)
        except Exception as fault:  # the caller raises it: here it would be lost, and the caller would wait
            ended = _Ended(task, None, fault)
        self._idle.put(worker)
        self._put(ended)

    def _through(self, worker: Worker, task: _Task) -> _Ended:
        page: PreparedPage | None = None
        fault: ScanError | None = None
        complete = self._make_ready(worker)
        if not complete:
            return _Ended(task, page, fault, complete)
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
        return _Ended(task, page, fault, complete)

    def _make_ready(self, worker: Worker) -> bool:
        """Wait until the worker is ready; return False if the run is asked to stop."""
        for _ in range(STARTS):
            if self._is_ending():
                return False
            try:
                worker.wait_until_ready()
                return True
            except WorkerNeverCame:
                if not self._closing.is_set():
                    worker.restart()
        raise BatchocrError(NO_START)

    def _is_ending(self) -> bool:
        return self._closing.is_set() or self._should_stop()

    def _put(self, message: tuple[_Task, PreparedPage] | _Ended) -> None:
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
        for worker in self._workers:
            worker.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)
        for worker in self._workers:
            worker.close()
