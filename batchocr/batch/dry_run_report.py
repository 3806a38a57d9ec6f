"""What a run would do, as a report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from batchocr.sources import PREVIEW, SUFFIXES


@dataclass(frozen=True)
class Step:
    """What a run would do with one file."""

    action: Literal["read", "keep", "leave", "pass over"]
    """`keep` takes pages from the journal, `leave` leaves pages for the next run because of --limit."""
    name: str
    """The file, as the results name it."""
    pages: int | None
    """Pages that this concerns; None if the number is not known yet."""
    reason: str


@dataclass(frozen=True)
class DryRun:
    """What a run would do."""

    steps: tuple[Step, ...]
    """The files that would be read, kept, left and passed over, in this order."""
    scans: int
    to_read: int
    """Pages; a scan that was never opened counts as one page."""
    kept: int
    left: int
    """Pages; a scan that was never opened counts as one page."""
    passed_over: int
    """Files."""
    is_exact: bool
    """Whether the number of pages of all scans is known."""


def why_passed_over(name: str) -> str:
    """Return why a file is not a scan."""
    path = PurePosixPath(name)
    if path.name.startswith("."):
        return "hidden"
    if PREVIEW in path.name.lower():
        return "drawn by `batchocr preview`"
    if path.suffix.lower() not in SUFFIXES:
        return "no suffix of an image or PDF"
    return "not a regular file"
