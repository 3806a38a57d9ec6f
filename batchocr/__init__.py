"""Reads hand-written digits off scanned pages.

Importing this costs nothing: OpenCV, pandas and Keras are imported by what needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from batchocr.version import __version__

if TYPE_CHECKING:
    from batchocr.errors import BatchocrError
    from batchocr.job import Settings, Summary, run

__all__ = ["BatchocrError", "Settings", "Summary", "__version__", "run"]

_HOMES = {"BatchocrError": "errors", "Settings": "job", "Summary": "job", "run": "job"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"batchocr.{_HOMES[name]}"), name)
