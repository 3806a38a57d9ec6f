"""Reads hand-written digits off scanned pages.

Importing this costs nothing: OpenCV, pandas and Keras are imported by what needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from batchocr.version import __version__

if TYPE_CHECKING:
    from batchocr.batch.job import Summary, run
    from batchocr.errors import BatchocrError, ScanError, UsageError
    from batchocr.reader import Reader, read
    from batchocr.settings import Settings

__all__ = ["BatchocrError", "Reader", "ScanError", "Settings", "Summary", "UsageError", "__version__", "read", "run"]

_HOMES = {
    "BatchocrError": "errors",
    "Reader": "reader",
    "ScanError": "errors",
    "Settings": "settings",
    "Summary": "batch.job",
    "UsageError": "errors",
    "read": "reader",
    "run": "batch.job",
}


def __dir__() -> list[str]:
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"batchocr.{_HOMES[name]}"), name)
