"""One worker: a process of its own that decodes and segments, and the handle by which the parent knows it."""

from __future__ import annotations

import logging
import os
import resource
import sys
import threading
from collections.abc import Iterator
from logging.handlers import QueueHandler
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from batchocr.child_process import ChildProcess
from batchocr.errors import BatchocrError
from batchocr.process_setup import keep_freed, look_seldom, share_cores

if TYPE_CHECKING:  # a worker watches its parent before it imports anything that takes time
    from batchocr.records import PreparedPage, Scan

_COMES = 300.0  # seconds in which a process that was started is there, on the slowest of disks


class WorkerDied(Exception):
    """Its process ended in the middle of a page: out of memory, or a fault in a library written in C."""


class WorkerNeverCame(Exception):
    """Its process ended, or does not answer, before it could take a page."""


class TooSlow(Exception):
    """A page took longer than allowed."""


class Worker:
    """A process that is started at once, and that ends with its parent, however the parent ends.

    Each has a pipe of its own, of which the parent holds one end only: when the process dies, even in the middle of
    what it says, the parent reads the end of it, and no other worker is disturbed.
    """

    def __init__(self, max_megapixels: float, threads: int, memory: int, pdf_password: str | None = None) -> None:
        """`threads` are OpenCV's own; `memory` is the address space, in bytes, that it may take.

        Raises BatchocrError where no process can be started.
        """
        self._arguments = max_megapixels, threads, memory, pdf_password
        self._start()

    def _start(self) -> None:
        try:
            self._process = ChildProcess(_serve, *self._arguments)
        except OSError as fault:
            raise BatchocrError(f"no worker process can be started ({fault.strerror}): give fewer --jobs") from fault
        self._pipe, self._ready = self._process.pipe, False

    def restart(self) -> None:
        """Another process in the place of this one. Raises BatchocrError where none can be started."""
        self.close()
        self._start()

    def wait_until_ready(self) -> None:
        """Raises WorkerNeverCame, or ImportError for a library that is missing."""
        if self._ready and self._process.is_alive():
            return
        try:
            if self._ready or not self._pipe.poll(_COMES):
                raise WorkerNeverCame
            fault = self._pipe.recv()
        except (EOFError, OSError) as ended:
            raise WorkerNeverCame from ended
        if fault is not None:
            raise fault
        self._ready = True

    def read(self, scan: Scan, first: int, last: int, seconds: float) -> Iterator[PreparedPage]:
        """The pages as they are seen. Raises WorkerDied, and TooSlow where one took longer than `seconds`."""
        try:
            self._pipe.send((scan, first, last))
            while True:
                said = self._said(seconds)
                if said is None:
                    return
                if isinstance(said, logging.LogRecord):
                    logging.getLogger(said.name).handle(said)
                else:
                    yield said
        except (EOFError, OSError) as ended:
            raise WorkerDied from ended

    def _said(self, seconds: float) -> PreparedPage | logging.LogRecord | None:
        """The next that it says; one that stops in the middle of it is killed."""
        if not self._pipe.poll(seconds):
            raise TooSlow
        stopped = threading.Event()

        def stop() -> None:
            stopped.set()
            self.kill()

        late = threading.Timer(seconds, stop)
        late.daemon = True
        late.start()
        try:
            said: PreparedPage | logging.LogRecord | None = self._pipe.recv()
            return said
        except (EOFError, OSError):
            if stopped.is_set():
                raise TooSlow from None
            raise
        finally:
            late.cancel()

    def kill(self) -> None:
        """At once, whatever it does; what it has in hand is lost. May be called from any thread."""
        self._process.kill()

    def close(self) -> None:
        """Ends it at once."""
        self._process.close()


# In the worker


def _serve(pipe: Connection, max_megapixels: float, threads: int, memory: int, pdf_password: str | None) -> None:
    """The worker's life: takes what to read, sends each page as it is seen and None at the end."""
    _hush()
    _limit(memory)
    look_seldom()
    keep_freed()
    share_cores(threads)
    try:
        import cv2

        import batchocr.vision.tiles  # noqa: F401  a missing library is told before any page is blamed
        from batchocr.executors.page_task import look
    except ImportError as fault:
        pipe.send(fault)
        return
    cv2.setNumThreads(threads)
    logging.getLogger().addHandler(_ToParent(pipe))
    try:
        pipe.send(None)
        while True:
            scan, first, last = pipe.recv()
            for seen in look(scan, max_megapixels, first, last, pdf_password):
                pipe.send(seen)
            pipe.send(None)
    except (EOFError, OSError):
        return  # the parent wants no more


class _ToParent(QueueHandler):
    """What is logged here is the parent's to write: in its form, a line at a time, or not at all."""

    def __init__(self, pipe: Any) -> None:
        super().__init__(pipe)
        self._pipe = pipe

    def enqueue(self, record: logging.LogRecord) -> None:
        self._pipe.send(record)


def _limit(memory: int) -> None:
    """Where somebody has set a lower limit, that one stays."""
    allowed, most = resource.getrlimit(resource.RLIMIT_AS)
    least = min(limit for limit in (memory, allowed, most) if limit != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_AS, (least, most))


def _hush() -> None:
    """What libraries in C write to standard error ("Corrupt JPEG data") is dropped: a page's row says it better."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
