"""What of a page that was read is stored, and whether the next run reads it again."""

from __future__ import annotations

from dataclasses import replace

from batchocr.batch.resume_plan import hash_of
from batchocr.records import PageResult, PreparedPage

NOT_READ = "not-read"
"""Error of pages that were not read because too many others failed."""
TEMPORARY = frozenset(
    f"not-found no-permission not-a-file unreadable unreachable changed no-memory empty-file no-page {NOT_READ}".split()
)
"""Errors that may be gone the next time: these pages are always read again, others only with --retry-failed."""
_WORKER_ENDED = frozenset(("crashed", "timeout"))
"""Errors after which the worker cannot report the SHA-256 of the scan."""


def outcome(prepared: PreparedPage, result: PageResult, *, has_selection: bool) -> tuple[PageResult, str]:
    """Return the result of a page as it is stored, and the hash by which a later run knows it.

    Args:
        prepared: The page as it was prepared.
        result: Its result.
        has_selection: Whether only some pages of each scan are read.

    Returns:
        The result, and the SHA-256 of the scan; empty if every later run reads the page again.
    """
    if prepared.scan is None:
        raise ValueError("a page without a scan")
    page = result.page
    if page.status == "failed":
        is_of_selection = page.page is None and has_selection  # other pages may be readable
        if not page.sha256 and page.error in _WORKER_ENDED and not is_of_selection:
            page = replace(page, sha256=hash_of(prepared.scan))
            result = replace(result, page=page)
    return result, "" if page.error in TEMPORARY else page.sha256
