"""The log on standard error: text for people, or one line of JSON for each event."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


def _formatter(as_json: bool) -> logging.Formatter:
    """Return the formatter. Every JSON line has the keys scan, page, stage and seconds, null if they do not apply."""
    if not as_json:
        return logging.Formatter("%(levelname)s: %(message)s")
    from pythonjsonlogger.json import JsonFormatter

    return JsonFormatter(
        "%(levelname)s %(message)s",
        rename_fields={"levelname": "level", "message": "event"},
        timestamp="time",
        defaults=dict.fromkeys(("scan", "page", "stage", "seconds")),
        json_ensure_ascii=False,
    )


@contextmanager
def logging_to_stderr(*, as_json: bool, quiet: bool) -> Iterator[None]:
    """Write to standard error what is logged within.

    Args:
        as_json: Whether each event is a line of JSON; else only warnings and errors are written, as text.
        quiet: Whether a JSON log has errors only.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_formatter(as_json))
    root, ours = logging.getLogger(), logging.getLogger("batchocr")
    before = ours.level
    root.addHandler(handler)
    ours.setLevel((logging.ERROR if quiet else logging.INFO) if as_json else logging.WARNING)
    try:
        yield
    finally:
        root.removeHandler(handler)
        ours.setLevel(before)


def log_error(reason: str, exit_code: int) -> None:
    """Log that the command ends with an error."""
    logging.getLogger("batchocr").error("ended", extra={"why": reason, "exit_code": exit_code})
