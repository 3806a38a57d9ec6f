"""This machine: worker processes that decode and segment, a few pages of a scan at a time each."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from multiprocessing.connection import wait
from types import TracebackType
from typing import Self

from batchocr.engines.look import failed, look
from batchocr.errors import BatchocrError, ScanError
from batchocr.records import Scan, SeenPage

log = logging.getLogger(__name__)

AHEAD = 3
"""Tasks a worker that are in hand at once: enough to keep it busy, and what bounds the memory."""
CRASHED = "a worker process died over it: out of memory? give fewer --jobs"
MISSING = "this page is not there: scan or copy it again"
NO_START = (
    "worker processes die as they start: out of memory? give fewer --jobs; "
    'or a script that calls batchocr.run without `if __name__ == "__main__":` round it?'
)
PAGES = 16
"""Of one scan in a task: a scan of many pages is shared out among the workers."""


def default_jobs() -> int:
    """Workers where nothing else is asked for: one a core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _start_worker() -> None:
    """Ctrl-C is the parent's to handle; a worker ends with its parent, however that ended.

    What libraries in C write to standard error ("Corrupt JPEG data") is dropped: a page's row says it better.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _look_through(scan: Scan, first: int, last: int, max_megapixels: float, threads: int) -> list[SeenPage]:
    """OpenCV is imported here, not at the worker's start, so that a fault of it is told to the parent."""
    import cv2

    cv2.setNumThreads(threads)
    return list(look(scan, max_megapixels, first, last))


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """For processes started meanwhile: Ctrl-C goes to them too, and they may be in the middle of an import."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass(frozen=True)
class _Task:
    """Pages `first` to `last` of a scan, in the hands of a worker."""

    scan: Scan
    first: int
    last: int
    future: Future[list[SeenPage]]


class LocalEngine:
    """Worker processes that start to read at once, while the caller loads the model."""

    def __init__(self, scans: Sequence[Scan], *, jobs: int | None, max_megapixels: float) -> None:
        self.jobs = jobs or default_jobs()
        self._scans = iter(scans)
        self._max_megapixels = max_megapixels
        self._threads = max(1, default_jobs() // self.jobs)  # OpenCV's own, shared out among the workers
        self._pool = _new_pool(self.jobs)
        self._in_hand: deque[_Task] = deque()
        for _ in range(AHEAD * self.jobs):
            self._take_scan()

    def pages(self) -> Iterator[SeenPage]:
        """All pages in the order of the scans, as they become ready."""
        while self._in_hand:
            task = self._in_hand.popleft()
            seen = self._result(task)
            self._take_scan()
            pages = seen[0].pages if seen else 1
            yield from _complete(task.scan, seen, 1, min(PAGES, pages))
            if pages > PAGES:
                yield from self._rest(task.scan, pages)

    def _rest(self, scan: Scan, pages: int) -> Iterator[SeenPage]:
        """The pages of a long scan after the first task's."""
        starts = iter(range(1 + PAGES, pages + 1, PAGES))
        tasks = deque(self._submit(scan, first, pages) for first in islice(starts, AHEAD * self.jobs))
        while tasks:
            task = tasks.popleft()
            seen = self._result(task, tasks)
            tasks.extend(self._submit(scan, first, pages) for first in islice(starts, 1))
            yield from _complete(scan, seen, task.first, task.last)

    def _take_scan(self) -> None:
        scan = next(self._scans, None)
        if scan is not None:
            self._in_hand.append(self._submit(scan, 1, PAGES))

    def _submit(self, scan: Scan, first: int, pages: int) -> _Task:
        last = min(first + PAGES - 1, pages)
        return _Task(scan, first, last, self._handed_in(scan, first, last))

    def _handed_in(self, scan: Scan, first: int, last: int) -> Future[list[SeenPage]]:
        with _interrupts_ignored():
            try:
                return self._pool.submit(_look_through, scan, first, last, self._max_megapixels, self._threads)
            except BrokenProcessPool as fault:  # told of when its turn comes
                broken: Future[list[SeenPage]] = Future()
                broken.set_exception(fault)
                return broken

    def _result(self, task: _Task, more: deque[_Task] | None = None) -> list[SeenPage]:
        """What a worker found. Where one died, new ones start, and this task's pages are read again, each alone."""
        try:
            return task.future.result()
        except BrokenProcessPool:
            self._kill_workers()
            _check_that_workers_start()
            seen = list(self._alone(task))
            self._pool = _new_pool(self.jobs)
            for tasks in (more or deque(), self._in_hand):
                for i, waiting in enumerate(tasks):
                    if _is_lost(waiting.future):
                        tasks[i] = replace(waiting, future=self._handed_in(waiting.scan, waiting.first, waiting.last))
            return seen

    def _alone(self, task: _Task) -> Iterator[SeenPage]:
        """The pages of a task one by one, each in a worker of its own: the one that ends it is a page that failed."""
        number, last = task.first, task.last
        while number <= last:
            self._pool = _new_pool(1)
            try:
                seen = self._handed_in(task.scan, number, number).result()
            except BrokenProcessPool:
                log.warning("%s: a worker died over it", task.scan.name)
                fault = ScanError("crashed", f"{task.scan.name}: {CRASHED}")
                yield failed(task.scan, number if number > 1 else None, fault)
                if number == 1:
                    return
            else:
                yield from seen
                last = min(last, seen[0].pages) if seen else 0
            finally:
                self._kill_workers()
            number += 1

    def _kill_workers(self) -> None:
        """At once, whatever they do; what they have in hand is lost."""
        for process in list((self._pool._processes or {}).values()):  # as 3.14's kill_workers() will
            process.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        else:
            # a second signal while one waits would leave the workers waiting for ever
            self._kill_workers()


def _is_lost(future: Future[list[SeenPage]]) -> bool:
    """Whether its workers died before there was a result."""
    return not future.done() or future.cancelled() or future.exception() is not None


def _complete(scan: Scan, seen: list[SeenPage], first: int, last: int) -> Iterator[SeenPage]:
    """What was seen of the pages `first` to `last`, and a failed row for each that is missing."""
    yield from seen
    for number in range(first + len(seen), last + 1):
        row = seen[-1].row if seen else None
        reason, message = (row.error, row.message) if row and row.error else ("damaged", f"{scan.name}: {MISSING}")
        yield failed(scan, number, ScanError(reason, message))


def _check_that_workers_start() -> None:
    """Raises BatchocrError where the fault is not any page's: no worker can start at all."""
    with _new_pool(1) as pool:
        try:
            pool.submit(os.getpid).result()
        except BrokenProcessPool as fault:
            raise BatchocrError(NO_START) from fault


def _new_pool(jobs: int) -> ProcessPoolExecutor:
    # spawned, never forked: a forked OpenCV or TensorFlow can hang
    return ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_start_worker)
