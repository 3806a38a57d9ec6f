"""This machine: worker processes that decode and segment, one scan at a time each."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Self

from batchocr.engines.look import look
from batchocr.errors import BatchocrError
from batchocr.records import Scan, SeenPage

AHEAD = 3
"""Scans a worker that are in hand at once: enough to keep it busy, and what bounds the memory."""


def default_jobs() -> int:
    """Workers where nothing else is asked for: one a core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _start_worker() -> None:
    """Ctrl-C is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _look_through(scan: Scan, max_megapixels: float, threads: int) -> list[SeenPage]:
    """OpenCV is imported here, not at the worker's start, so that a fault of it is told to the parent."""
    import cv2

    cv2.setNumThreads(threads)
    return list(look(scan, max_megapixels))


class LocalEngine:
    """Worker processes that start to read at once, while the caller loads the model."""

    def __init__(self, scans: Sequence[Scan], *, jobs: int | None, max_megapixels: float) -> None:
        self.jobs = min(jobs or default_jobs(), len(scans))
        self._scans = iter(scans)
        self._max_megapixels = max_megapixels
        self._threads = max(1, default_jobs() // self.jobs)  # OpenCV's own, shared out among the workers
        # spawned, never forked: a forked OpenCV or TensorFlow can hang
        self._pool = ProcessPoolExecutor(
            self.jobs,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start_worker,
        )
        self._in_hand: deque[Future[list[SeenPage]]] = deque()
        for _ in range(AHEAD * self.jobs):
            self._submit()

    def _submit(self) -> None:
        scan = next(self._scans, None)
        if scan is not None:
            self._in_hand.append(self._pool.submit(_look_through, scan, self._max_megapixels, self._threads))

    def pages(self) -> Iterator[SeenPage]:
        """All pages in the order of the scans, as they become ready."""
        while self._in_hand:
            try:
                seen = self._in_hand.popleft().result()
            except BrokenProcessPool as fault:
                raise BatchocrError("a worker process died (out of memory?); run again with fewer --jobs") from fault
            self._submit()
            yield from seen

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
