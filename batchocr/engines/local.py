"""This machine: worker processes that decode and segment, a few pages of a scan at a time each."""

from __future__ import annotations

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
from itertools import islice
from multiprocessing.connection import wait
from types import TracebackType
from typing import Self

from batchocr.engines.look import look
from batchocr.errors import BatchocrError
from batchocr.records import Scan, SeenPage

AHEAD = 3
"""Tasks a worker that are in hand at once: enough to keep it busy, and what bounds the memory."""
DIED = (
    "a worker process died: out of memory? run again with fewer --jobs; "
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


def _look_through(scan: Scan, first: int, max_megapixels: float, threads: int) -> list[SeenPage]:
    """OpenCV is imported here, not at the worker's start, so that a fault of it is told to the parent."""
    import cv2

    cv2.setNumThreads(threads)
    return list(look(scan, max_megapixels, first, first + PAGES - 1))


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


class LocalEngine:
    """Worker processes that start to read at once, while the caller loads the model."""

    def __init__(self, scans: Sequence[Scan], *, jobs: int | None, max_megapixels: float) -> None:
        self.jobs = jobs or default_jobs()
        self._scans = iter(scans)
        self._max_megapixels = max_megapixels
        self._threads = max(1, default_jobs() // self.jobs)  # OpenCV's own, shared out among the workers
        # spawned, never forked: a forked OpenCV or TensorFlow can hang
        self._pool = ProcessPoolExecutor(
            self.jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_start_worker
        )
        self._in_hand: deque[tuple[Scan, Future[list[SeenPage]]]] = deque()
        for _ in range(AHEAD * self.jobs):
            self._take_scan()

    def _submit(self, scan: Scan, first: int) -> Future[list[SeenPage]]:
        with _interrupts_ignored():
            return self._pool.submit(_look_through, scan, first, self._max_megapixels, self._threads)

    def _take_scan(self) -> None:
        scan = next(self._scans, None)
        if scan is not None:
            self._in_hand.append((scan, self._submit(scan, 1)))

    def pages(self) -> Iterator[SeenPage]:
        """All pages in the order of the scans, as they become ready."""
        try:
            while self._in_hand:
                scan, future = self._in_hand.popleft()
                seen = future.result()
                self._take_scan()
                yield from seen
                if len(seen) == PAGES and seen[0].pages > PAGES:
                    yield from self._rest(scan, seen[0].pages)
        except BrokenProcessPool as fault:
            raise BatchocrError(DIED) from fault

    def _rest(self, scan: Scan, pages: int) -> Iterator[SeenPage]:
        """The pages of a long scan after the first task's."""
        starts = iter(range(1 + PAGES, pages + 1, PAGES))
        futures = deque(self._submit(scan, first) for first in islice(starts, AHEAD * self.jobs))
        while futures:
            seen = futures.popleft().result()
            futures.extend(self._submit(scan, first) for first in islice(starts, 1))
            yield from seen

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
