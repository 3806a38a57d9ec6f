"""A worker: a process that decodes and levels pages, and the object with which the parent controls it."""

from __future__ import annotations

import logging
import os
import resource
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from logging.handlers import QueueHandler
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from batchocr.child_process import ChildProcess
from batchocr.errors import BatchocrError
from batchocr.process_setup import algebra_threads, check_working_folder, collect_garbage_less_often, keep_freed_memory

if TYPE_CHECKING:  # a worker watches its parent before it imports anything slow
    from batchocr.forms.form import Form
    from batchocr.records import PreparedPage, Scan

_START_S = 300.0  # a process starts within this time, on the slowest disks


class WorkerDied(Exception):
    """The process ended while it prepared a page: out of memory, or a crash in a library written in C."""


class WorkerDidNotStart(Exception):
    """The process ended, or does not respond, before it could take a page."""


class TooSlow(Exception):
    """A page took longer than allowed."""


class Worker:
    """A process that starts at once and ends with its parent, however the parent ends.

    Each worker has its own pipe, and the parent holds only one end of it. When the process dies, even in the middle of
    a message, the parent reads the end of the pipe, and no other worker is disturbed.
    """

    def __init__(
        self,
        max_megapixels: float,
        threads: int,
        memory: int,
        pdf_password: str | None = None,
        forms: Sequence[Form] = (),
    ) -> None:
        """Start the process.

        Args:
            max_megapixels: Larger pages are refused.
            threads: Threads of OpenCV.
            memory: Bytes of address space that it may use.
            pdf_password: Password that opens protected PDFs.
            forms: Forms that the pages may have.

        Raises:
            BatchocrError: No process can be started.
        """
        self._threads = threads
        self._arguments = max_megapixels, threads, memory, pdf_password, tuple(forms)
        self._start()

    def _start(self) -> None:
        try:
            self._process = ChildProcess(_serve, *self._arguments, environment=algebra_threads(self._threads))
        except OSError as fault:
            check_working_folder()
            raise BatchocrError(f"no worker process can be started ({fault.strerror}): give fewer --jobs") from fault
        self._pipe, self._ready = self._process.pipe, False

    def restart(self) -> None:
        """Replace this process by a new one.

        Raises:
            BatchocrError: No process can be started.
        """
        self.close()
        self._start()

    def wait_until_ready(self) -> None:
        """Wait until the process can take a page.

        Raises:
            WorkerDidNotStart: It ended or does not respond.
            ImportError: It misses a library.
        """
        if self._ready and self._process.is_alive():
            return
        try:
            if self._ready or not self._pipe.poll(_START_S):
                raise WorkerDidNotStart
            fault = self._pipe.recv()
        except (EOFError, OSError) as ended:
            raise WorkerDidNotStart from ended
        if fault is not None:
            raise fault
        self._ready = True

    def read(self, scan: Scan, first: int, last: int, seconds: float) -> Iterator[PreparedPage]:
        """Yield pages of a scan as they are prepared.

        Args:
            scan: The scan.
            first: Number of the first page.
            last: Number of the last page; the scan may have fewer.
            seconds: Time that each page may take.

        Raises:
            WorkerDied: The process ended.
            TooSlow: A page took longer than `seconds`.
        """
        try:
            self._pipe.send((scan, first, last))
            while True:
                message = self._receive(seconds)
                if message is None:
                    return
                if isinstance(message, logging.LogRecord):
                    logging.getLogger(message.name).handle(message)
                else:
                    yield message
        except (EOFError, OSError) as ended:
            raise WorkerDied from ended

    def _receive(self, seconds: float) -> PreparedPage | logging.LogRecord | None:
        """Return its next message. A process that stops in the middle of a message is killed."""
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
            message: PreparedPage | logging.LogRecord | None = self._pipe.recv()
            return message
        except (EOFError, OSError):
            if stopped.is_set():
                raise TooSlow from None
            raise
        finally:
            late.cancel()

    def kill(self) -> None:
        """Kill the process at once; pages in progress are lost. Can be called from any thread."""
        self._process.kill()

    def close(self) -> None:
        """Kill the process and close its pipe."""
        self._process.close()


# In the worker process


def _serve(
    pipe: Connection,
    max_megapixels: float,
    threads: int,
    memory: int,
    pdf_password: str | None,
    forms: tuple[Form, ...],
) -> None:
    """Receive scans, send each page when it is prepared, and None after the last one."""
    _silence_libraries()
    _limit(memory)
    collect_garbage_less_often()
    keep_freed_memory()
    try:
        import cv2

        import batchocr.vision.tiles  # noqa: F401  a missing library is reported before a page gets the blame
        from batchocr.executors.page_task import prepare_pages
    except ImportError as fault:
        pipe.send(fault)
        return
    cv2.setNumThreads(threads)
    logging.getLogger().addHandler(_ToParent(pipe))
    try:
        pipe.send(None)
        while True:
            scan, first, last = pipe.recv()
            for page in prepare_pages(scan, max_megapixels, first, last, pdf_password, forms):
                pipe.send(page)
            pipe.send(None)
    except (EOFError, OSError):
        return  # the parent has closed the pipe


class _ToParent(QueueHandler):
    """Sends log records to the parent, which writes them in its own format, each as a whole line."""

    def __init__(self, pipe: Any) -> None:
        super().__init__(pipe)
        self._pipe = pipe

    def enqueue(self, record: logging.LogRecord) -> None:
        self._pipe.send(record)


def _limit(memory: int) -> None:
    """Limit the address space to this many bytes. A lower limit that is already set stays."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    lowest = min(limit for limit in (memory, soft, hard) if limit != resource.RLIM_INFINITY)
    with suppress(ValueError):  # macOS does not accept all limits
        resource.setrlimit(resource.RLIMIT_AS, (lowest, hard))


def _silence_libraries() -> None:
    """Discard what C libraries write to standard error ("Corrupt JPEG data"): the page's row has a better message."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
