"""Read handwritten digits on scanned pages.

Importing this package is fast: OpenCV, pandas and TensorFlow are imported when they are needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from batchocr.version import __version__

if TYPE_CHECKING:
    from batchocr.batch.summary import Summary
    from batchocr.distributed.merge import merge
    from batchocr.distributed.status import DriverStatus, read_drivers
    from batchocr.doctor import Finding, examine
    from batchocr.errors import (
        BatchocrError,
        DeviceError,
        ExitCode,
        FormError,
        HeldError,
        ModelError,
        NothingToRead,
        OutputError,
        ScanError,
        Stopped,
        UsageError,
    )
    from batchocr.forms.form import Form
    from batchocr.image_input import as_grey
    from batchocr.output.status import Status, read_status
    from batchocr.reader import Reader, read, read_numbers
    from batchocr.records import DigitRow, FieldRow, FormRow, NumberRow, PageResult, PageRow
    from batchocr.review.corrections.correct import Corrected, correct
    from batchocr.runs import run
    from batchocr.settings import Settings

__all__ = [
    "BatchocrError",
    "Corrected",
    "DeviceError",
    "DigitRow",
    "DriverStatus",
    "ExitCode",
    "FieldRow",
    "Finding",
    "Form",
    "FormError",
    "FormRow",
    "HeldError",
    "ModelError",
    "NothingToRead",
    "NumberRow",
    "OutputError",
    "PageResult",
    "PageRow",
    "Reader",
    "ScanError",
    "Settings",
    "Status",
    "Stopped",
    "Summary",
    "UsageError",
    "__version__",
    "as_grey",
    "correct",
    "examine",
    "merge",
    "read",
    "read_drivers",
    "read_numbers",
    "read_status",
    "run",
]

_ERRORS = (
    *("BatchocrError", "DeviceError", "ExitCode", "FormError", "HeldError", "ModelError"),
    *("NothingToRead", "OutputError", "ScanError", "Stopped", "UsageError"),
)
_MODULES = {
    **dict.fromkeys(_ERRORS, "errors"),
    "Summary": "batch.summary",
    "merge": "distributed.merge",
    "run": "runs",
    **dict.fromkeys(("DriverStatus", "read_drivers"), "distributed.status"),
    **dict.fromkeys(("Finding", "examine"), "doctor"),
    **dict.fromkeys(("Status", "read_status"), "output.status"),
    **dict.fromkeys(("Reader", "read", "read_numbers"), "reader"),
    **dict.fromkeys(("DigitRow", "FieldRow", "FormRow", "NumberRow", "PageResult", "PageRow"), "records"),
    "Form": "forms.form",
    **dict.fromkeys(("Corrected", "correct"), "review.corrections.correct"),
    "Settings": "settings",
    "as_grey": "image_input",
}
"""The module of each public name. No public name may be the name of a module in this package."""


def __dir__() -> list[str]:
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"batchocr.{_MODULES[name]}"), name)
