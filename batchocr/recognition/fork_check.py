"""Detect a process that was forked after the networks were loaded: TensorFlow waits forever in such a process."""

from __future__ import annotations

import os

from batchocr.errors import UsageError

FORKED = (
    "this process was forked from a process that had already loaded the networks, and TensorFlow would hang in it; "
    'load them after the fork (with Celery: in the task), or use multiprocessing.get_context("spawn")'
)

_process_id: int | None = None
"""The process in which the networks were loaded first."""


def check_not_forked() -> None:
    """Raise UsageError if the networks were loaded before this process was forked."""
    global _process_id
    if _process_id is None:
        _process_id = os.getpid()
    elif _process_id != os.getpid():
        raise UsageError(FORKED)
