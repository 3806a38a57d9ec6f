"""What processes of our own set for themselves: signals, garbage, freed memory, threads, and when they end."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait

THRESHOLDS = (50_000, 20, 100)
"""New objects after which Python goes through them; after how many such times it goes through older ones too.

What TensorFlow and OpenCV bring stays, hundreds of thousands of objects: at Python's own 700 they are gone through time
and again, for a quarter of the time that importing TensorFlow takes, and for 12 ms a page in a worker.
"""


def look_seldom() -> None:
    """From now on, in this process."""
    gc.set_threshold(*THRESHOLDS)


_TRIM, _MMAP = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h
_KEPT, _PICTURE = 128 << 20, 32 << 20


def keep_freed() -> None:
    """From now on freed memory, up to 128 MB, is kept for what comes next, in this process.

    The pictures of a page come and go by the dozen; the system gives each anew in pages of zeros, for 10 to 15 ms a
    page. Only glibc can be told.
    """
    tell = getattr(ctypes.CDLL(None), "mallopt", None)
    if tell is not None:
        tell(_MMAP, _PICTURE)
        tell(_TRIM, _KEPT)


def share_cores(threads: int) -> None:
    """numpy's linear algebra, not yet imported, uses as many threads in this process."""
    for library in ("OPENBLAS", "MKL", "OMP"):
        os.environ.setdefault(f"{library}_NUM_THREADS", str(threads))


@contextmanager
def signals_blocked() -> Iterator[None]:
    """A process started meanwhile never sees them: Ctrl-C and service managers send them to the whole group."""
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
