"""How our processes are set up: signals, garbage collection, freed memory, threads, and when they end."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait

from batchocr.errors import UsageError

THRESHOLDS = (50_000, 20, 100)
"""Thresholds of the three generations of the garbage collector, see `gc.set_threshold`.

TensorFlow and OpenCV create hundreds of thousands of objects that live as long as the process. With Python's default of
700, the collector checks them again and again: this takes a quarter of the time of importing TensorFlow, and 12 ms for
each page in a worker.
"""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of malloc.h
_TRIM_BYTES, _MMAP_BYTES = 128 << 20, 32 << 20
_ALGEBRA_THREADS = "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"


def collect_garbage_less_often() -> None:
    """Run the garbage collector of this process less often."""
    gc.set_threshold(*THRESHOLDS)


def keep_freed_memory() -> None:
    """Keep up to 128 MB of freed memory in this process for the next allocations.

    The images of a page are allocated and freed by the dozen. Otherwise the system returns each of them as new pages of
    zeros, which takes 10 to 15 ms for each page. Only glibc has this setting.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _MMAP_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _TRIM_BYTES)


def algebra_threads(threads: int) -> dict[str, str]:
    """Return the environment of a new process whose linear algebra in numpy has this number of threads.

    The libraries read it when they are loaded. What the user has set stays.
    """
    return {name: os.environ.get(name, str(threads)) for name in _ALGEBRA_THREADS}


def check_working_folder() -> None:
    """Check that the working folder still exists.

    Raises:
        UsageError: It was deleted or moved away. Relative paths then mean nothing, and no process can be started in it.
    """
    try:
        os.getcwd()  # noqa: PTH109  Path.cwd() is the same call
    except OSError as fault:
        raise UsageError(
            "the working folder is gone (deleted, moved or unmounted): change to a folder that exists, "
            "for example with `cd ~`, and run the command again"
        ) from fault


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Block SIGINT and SIGTERM; a process that is started within never receives them.

    Ctrl-C and service managers send these signals to the whole process group.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent(sentinel: int) -> None:
    """Wait until the parent process has ended, then end this process. For a thread of a child process.

    Args:
        sentinel: File descriptor of a pipe whose other end the parent holds open.
    """
    wait([sentinel])
    os._exit(1)
