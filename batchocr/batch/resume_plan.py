"""What is still to be read: the scans that were found, held against the journal."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from batchocr.batch.journal import Entry, Journal
from batchocr.errors import Stopped
from batchocr.records import Part, Scan
from batchocr.sources import has_pages
from batchocr.sources.page_selection import PageRange, page_ranges

_AT_ONCE = 1000  # scans whose hash is asked for: a million would be a gigabyte of questions


@dataclass(frozen=True)
class Plan:
    """What a run has to do."""

    parts: tuple[Part, ...]
    kept: int
    """Pages that the journal has, and that are not read again."""


def plan(
    scans: Sequence[Scan],
    journal: Journal,
    *,
    retry_failed: bool,
    jobs: int,
    should_stop: Callable[[], bool],
    pages: Sequence[int] = (),
) -> Plan:
    """Takes out of the journal what is gone or changed, and tells what is missing.

    A page in it counts where path, name and sha256 of its scan are what they were; two equal files are two scans.
    With `retry_failed`, pages that failed do not count. With `pages`, other pages of a TIFF or PDF do not count either,
    and are not missing. Raises Stopped where `should_stop()`.
    """
    entries = journal.entries()
    parts: list[Part] = []
    good: set[int] = set()
    known = [scan for scan in scans if any(entry.sha256 for entry in entries.get(scan.path, []))]
    hashes: dict[Path, str] = {}
    with ThreadPoolExecutor(jobs) as pool:
        for start in range(0, len(known), _AT_ONCE):
            some = known[start : start + _AT_ONCE]
            for scan, sha256 in zip(some, pool.map(hash_of, some), strict=True):
                hashes[scan.path] = sha256
                if should_stop():
                    pool.shutdown(cancel_futures=True)
                    raise Stopped("stopped before anything was read; the same command goes on")
    for scan in scans:
        wanted = wanted_ranges(scan, pages)
        valid = [
            entry
            for entry in entries.get(scan.path, [])
            if entry.name == scan.name
            and entry.sha256 == hashes.get(scan.path) != ""
            and not (retry_failed and entry.failed)
            and (entry.page is None or _is_wanted(entry.page, wanted))
        ]
        good.update(entry.id for entry in valid)
        parts += gaps(scan, valid, wanted)
    stale = [entry for of_scan in entries.values() for entry in of_scan if entry.id not in good]
    if stale:
        journal.drop(stale)
    return Plan(tuple(parts), len(good))


def wanted_ranges(scan: Scan, pages: Sequence[int]) -> tuple[PageRange, ...]:
    """Return the ranges of pages to read of a scan; empty for all. A selection without page 1 spares single images."""
    ranges = tuple(page_ranges(pages))
    return ranges if ranges and (ranges[0][0] == 1 or has_pages(scan)) else ()


def count_pages(part: Part, pages: int) -> int:
    """Return how many of a part's pages a scan with `pages` pages has, but at least 1: a failed scan is a row too."""
    ranges = ((part.first, part.last or pages), *part.more)
    return max(1, sum(max(0, min(last, pages) - first + 1) for first, last in ranges))


def _is_wanted(page: int, wanted: Sequence[PageRange]) -> bool:
    return not wanted or any(first <= page <= last for first, last in wanted)


def gaps(scan: Scan, have: Sequence[Entry], wanted: Sequence[PageRange] = ()) -> Iterator[Part]:
    """The pages of a scan that are wanted and none of these, in as few parts as may be."""
    if not have:
        yield Part(scan, *wanted[0], None, tuple(wanted[1:])) if wanted else Part(scan)
        return
    pages = max(entry.pages for entry in have)
    numbers = {entry.page for entry in have}
    if None in numbers:  # it could not be opened, and will not be now
        return
    first = None
    for number in range(1, pages + 2):
        if number <= pages and number not in numbers and _is_wanted(number, wanted):
            first = first or number
        elif first:
            yield Part(scan, first, number - 1, pages)
            first = None


def hash_of(scan: Scan) -> str:
    """The sha256 of its bytes; empty where they cannot be read or are not those listed, which reading it will tell."""
    try:
        if not scan.path.is_file():
            return ""  # a pipe would be waited for
        with scan.path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            now = os.fstat(file.fileno())
    except OSError:
        return ""
    return sha256 if scan.size in (None, now.st_size) and scan.modified in (None, now.st_mtime_ns) else ""
