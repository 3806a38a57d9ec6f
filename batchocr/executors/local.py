"""This machine: worker processes that decode and segment, a few pages of a scan at a time each."""

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
"""Parts a worker that are in hand at once: so many scans are seen while the caller loads the model, for seconds."""
READY = 4
"""Pages a worker, and ends of parts, that wait for the caller: each page holds its pixels and its tiles."""
PAGES = 16
"""Of one scan in a part: a scan of many pages is shared out among the workers."""
PAGE_TIMEOUT = 120.0
"""Seconds that a page may take where nothing else is asked for."""
LEAST_MEMORY, SHARE = 6 << 30, 0.8
"""Bytes that each worker may take, and what share of the machine's memory they may all: a file that asks for more
ends its worker, before the system ends whatever it chooses. The largest pictures allowed need 4 GB."""
GRACE = 5.0
"""Seconds that pages in hand have once a run is to stop."""

CRASHED = "a worker process died over it, twice: out of memory? give fewer --jobs"
MISSING = "this page is not there: scan or copy it again"
NO_START = "worker processes end as soon as they start; is the memory full? Use fewer --jobs"
STARTS = 3
"""Workers that may die as they start, one after the other, before the run gives up."""
_LOOK_UP = 0.2  # seconds after which one who waits sees whether the run is to stop


def _failed(scan: Scan, number: int | None, fault: ScanError, pages: int) -> PreparedPage:
    return replace(failed(scan, number, fault), pages=pages, scan=scan)


def _others(part: Part) -> Part | None:
    """The pages of a part after its first."""
    if part.last is None or part.last > part.first:
        return replace(part, first=part.first + 1)
    if part.more:
        (first, last), *more = part.more
        return replace(part, first=first, last=last, more=tuple(more))
    return None


def default_jobs() -> int:
    """Workers where nothing else is asked for: one a core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class _Task:
    """A part in the hands of a worker."""

    part: Part
    last: int
    """Page up to which it is read now."""
    blamed: ScanError | None = None
    """What the first page failed of, twice: this part is read to learn whether there are others."""
    blamed_number: int = 1
    """The number of that page."""


@dataclass(frozen=True)
class _Ended:
    """A task that is no longer in hand."""

    task: _Task
    seen: PreparedPage | None
    """The last page that it gave."""
    fault: Exception | None
    """ScanError where the page after that ended the worker."""
    whole: bool = True
    """False where it was broken off because the run is to stop."""

    @property
    def pages(self) -> int | None:
        """Of the scan, as far as anybody knows."""
        return self.task.part.pages or (self.seen.pages if self.seen else None)

    @property
    def number(self) -> int:
        """The first page that it did not give."""
        return (self.seen.row.page or self.task.part.first) + 1 if self.seen else self.task.part.first

    @property
    def last(self) -> int:
        """The last page that it should have given."""
        return min(self.task.last, self.pages) if self.pages else self.task.last


class LocalExecutor:
    """Worker processes that start to read at once, while the caller loads the model.

    A page that kills its worker, or takes longer than `page_timeout` seconds, is read once more when all else is
    done, with nothing beside it; if it fails again, it is a page that failed.
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
    ) -> None:
        self.jobs = jobs or default_jobs()
        self._parts = iter(parts)
        self._more: deque[Part] = deque()  # of long scans, before any new one
        self._again: deque[_Task] = deque()  # when all else is done, one by one
        self._tried: set[tuple[Scan, int]] = set()  # pages that ended a worker once
        self._page_timeout = page_timeout
        self._should_stop = should_stop
        self._max_megapixels = max_megapixels
        self._pdf_password = pdf_password
        self._threads_each = max(1, default_jobs() // self.jobs)  # OpenCV's own, shared out among the workers
        self._memory_each = max(LEAST_MEMORY, int(SHARE * psutil.virtual_memory().total / self.jobs))
        self._closing = threading.Event()
        self._in_hand = 0
        most = READY * self.jobs  # bounds the memory
        self._told: Queue[tuple[_Task, PreparedPage] | _Ended] = Queue(most)
        self._workers: list[Worker] = []
        self._idle: LifoQueue[Worker] = LifoQueue()
        self._pool = ThreadPoolExecutor(self.jobs)  # each waits for one worker
        self._hand_in()

    def pages(self) -> Iterator[PreparedPage]:
        """All pages, each as soon as it is seen; few or none more once `should_stop()`.

        Raises BatchocrError where no worker can be started, and ImportError for a library that is missing.
        """
        while True:
            yield from self._in_hand_now()
            if not self._again or self._should_stop():
                return
            self._submit(self._again.popleft())

    def _in_hand_now(self) -> Iterator[PreparedPage]:
        deadline = None
        while self._in_hand:
            try:
                told = self._told.get(timeout=_LOOK_UP)
            except Empty:
                if self._should_stop():
                    deadline = deadline or time.monotonic() + GRACE
                    if time.monotonic() > deadline:
                        return
                continue
            if isinstance(told, _Ended):
                self._in_hand -= 1
                if told.whole:
                    yield from self._after(told)
            else:
                yield from self._one(*told)
            self._hand_in()

    def _one(self, task: _Task, seen: PreparedPage) -> Iterator[PreparedPage]:
        """A page; where it is the first to tell that its scan has many, the others are shared out."""
        part, number = task.part, seen.row.page
        if task.blamed and number and number > seen.pages:
            return  # there is no second page
        if part.pages is None and number and number > seen.pages:  # the scan as a whole cannot be read
            number, seen = None, replace(seen, row=replace(seen.row, page=None))
        if part.pages is None and number == part.first:
            for first, last in ((task.last + 1, part.last or seen.pages), *part.more):
                last = min(last, seen.pages)
                starts = range(first, last + 1, PAGES)
                self._more.extend(Part(part.scan, at, min(at + PAGES - 1, last), seen.pages) for at in starts)
        if part.pages:  # then it is a page of that scan, even if the scan cannot be opened any more
            seen = replace(seen, row=replace(seen.row, page=number or part.first), pages=part.pages)
        yield replace(seen, scan=part.scan)

    def _after(self, ended: _Ended) -> Iterator[PreparedPage]:
        """What is to be said and done once a task has ended."""
        if ended.fault is not None and not isinstance(ended.fault, ScanError):
            raise ended.fault
        if ended.task.blamed is not None:
            yield from self._after_second_page(ended, ended.task.blamed)
        elif ended.fault is None:
            yield from self._missing(ended)
        else:
            yield from self._after_death(ended, ended.fault)

    def _after_death(self, ended: _Ended, fault: ScanError) -> Iterator[PreparedPage]:
        """The page that ended a worker is tried again, or failed; those after it are read."""
        scan, number, last, pages = ended.task.part.scan, ended.number, ended.last, ended.pages
        if number > last:
            return  # it had given all
        if pages and number < last:
            self._more.appendleft(Part(scan, number + 1, last, pages))
        if (scan, number) not in self._tried:
            self._tried.add((scan, number))
            log.info("%s: page %d: %s, once; it is tried again when all else is done", scan.name, number, fault.reason)
            again = _Task(Part(scan, number, number, pages), number) if pages else ended.task
            self._again.append(again)
        elif pages:
            yield _failed(scan, number, fault, pages)
        elif others := _others(ended.task.part):
            self._again.append(_Task(others, others.first, blamed=fault, blamed_number=number))
        else:
            yield _failed(scan, None, fault, 1)

    def _after_second_page(self, ended: _Ended, blamed: ScanError) -> Iterator[PreparedPage]:
        """Whether its first page failed or the scan as a whole is told by whether another page can be reached."""
        seen, scan = ended.seen, ended.task.part.scan
        if seen and seen.row.page and seen.row.page <= seen.pages:
            yield _failed(scan, ended.task.blamed_number, blamed, seen.pages)
        else:
            yield _failed(scan, None, blamed, 1)

    def _missing(self, ended: _Ended) -> Iterator[PreparedPage]:
        """Pages that ought to be there: they failed of what the one before did, where that did."""
        scan, row = ended.task.part.scan, ended.seen.row if ended.seen else None
        if ended.pages is None:
            if ended.task.part.first > 1:
                what = f"{scan.name}: has no page {ended.task.part.first} or later: give other --pages"
                yield _failed(scan, None, ScanError("no-page", what), 1)
            return
        known = (row.error, row.message) if row and row.error else ("damaged", f"{scan.name}: {MISSING}")
        for number in range(ended.number, ended.last + 1):
            seen = _failed(scan, number, ScanError(*known), ended.pages)
            yield replace(seen, row=replace(seen.row, sha256=row.sha256 if row else ""))

    # What is handed out

    def _hand_in(self) -> None:
        """The next parts, as many as may be in hand."""
        while self._in_hand < AHEAD * self.jobs and not self._should_stop():
            part = self._more.popleft() if self._more else next(self._parts, None)
            if part is None:
                return
            most = part.first + PAGES - 1
            self._submit(_Task(part, most if part.last is None else min(part.last, most)))
            if part.pages is not None and part.last is not None and part.last > most:
                self._more.appendleft(replace(part, first=most + 1))

    def _submit(self, task: _Task) -> None:
        """Starts another worker where there is work for it: for a single page one is enough."""
        self._in_hand += 1
        if len(self._workers) < min(self.jobs, self._in_hand):
            worker = Worker(self._max_megapixels, self._threads_each, self._memory_each, self._pdf_password)
            self._workers.append(worker)
            self._idle.put(worker)
        self._pool.submit(self._read, task)

    # In threads, each of which waits for one worker

    def _read(self, task: _Task) -> None:
        """A part through a worker; whatever comes of it is told."""
        worker = self._idle.get()
        try:
            ended = self._through(worker, task)
        except Exception as fault:  # the caller raises it: of a thread nobody would see it, and wait for ever
            ended = _Ended(task, None, fault)
        self._idle.put(worker)
        self._tell(ended)

    def _through(self, worker: Worker, task: _Task) -> _Ended:
        seen: PreparedPage | None = None
        fault: ScanError | None = None
        whole = self._makes_ready(worker)
        if not whole:
            return _Ended(task, seen, fault, whole)
        name = task.part.scan.name
        try:
            for seen in worker.read(task.part.scan, task.part.first, task.last, self._page_timeout):
                self._tell((task, seen))
                if self._is_ending():
                    whole = False
                    break
        except WorkerDied:
            fault = ScanError("crashed", f"{name}: {CRASHED}")
        except TooSlow:
            fix = "raise --page-timeout if that is right"
            fault = ScanError("timeout", f"{name}: took longer than {self._page_timeout:g} s, twice: {fix}")
        if (fault or not whole) and not self._closing.is_set():
            worker.restart()
        return _Ended(task, seen, fault, whole)

    def _makes_ready(self, worker: Worker) -> bool:
        """False where the run is to stop. Raises BatchocrError where one process after the other dies as it starts."""
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

    def _tell(self, what: tuple[_Task, PreparedPage] | _Ended) -> None:
        """Waits while the caller has enough to do."""
        while not self._closing.is_set():
            with suppress(Full):
                self._told.put(what, timeout=_LOOK_UP)
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
