"""The processes that batchocr starts."""

from __future__ import annotations

import os
import sys

import psutil


def children(parent: int | None = None) -> list[psutil.Process]:
    """Return the running child processes of this process, or of another, that batchocr has started."""
    try:
        found = psutil.Process(parent or os.getpid()).children()
        return [child for child in found if any("call_target" in argument for argument in child.cmdline())]
    except psutil.NoSuchProcess:
        return []


def is_child() -> bool:
    """Return whether batchocr has started this process."""
    return any("call_target" in argument for argument in sys.orig_argv)
