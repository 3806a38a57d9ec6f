"""What is still to be read: the scans that were found, held against the journal."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from batchocr.errors import Stopped
from batchocr.output.journal import Entry, Journal
from batchocr.records import Part, Scan


@dataclass(frozen=True)
class Plan:
    """What a run has to do."""

    parts: tuple[Part, ...]
    kept: int
    """Pages that the journal has, and that are not read again."""


def plan(
    scans: Sequence[Scan], journal: Journal, *, retry_failed: bool, jobs: int, should_stop: Callable[[], bool]
) -> Plan:
    """Takes out of the journal what is gone or changed, and tells what is missing.

    A page in it counts where path, name and sha256 of its scan are what they were; two equal files are two scans.
    With `retry_failed`, pages that failed do not count. Raises Stopped where `should_stop()`.
    """
    entries = journal.entries()
    parts: list[Part] = []
    good: set[int] = set()
    with ThreadPoolExecutor(jobs) as pool:
        known = [scan for scan in scans if scan.path in entries]
        hashes = {}
        for scan, sha256 in zip(known, pool.map(hash_of, known), strict=True):
            hashes[scan.path] = sha256
            if should_stop():
                pool.shutdown(cancel_futures=True)
                raise Stopped("stopped before anything was read; the same command goes on")
    for scan in scans:
        valid = [
            entry
            for entry in entries.get(scan.path, [])
            if entry.name == scan.name
            and entry.sha256 == hashes[scan.path] != ""
            and not (retry_failed and entry.failed)
        ]
        good.update(entry.id for entry in valid)
        parts += gaps(scan, valid)
    stale = [entry for of_scan in entries.values() for entry in of_scan if entry.id not in good]
    if stale:
        journal.drop(stale)
    return Plan(tuple(parts), len(good))


def gaps(scan: Scan, have: Sequence[Entry]) -> Iterator[Part]:
    """The pages of a scan that are none of these, in as few parts as may be."""
    if not have:
        yield Part(scan)
        return
    pages = have[0].pages
    numbers = {entry.page for entry in have}
    if None in numbers:  # it could not be opened, and will not be now
        return
    first = None
    for number in range(1, pages + 2):
        if number <= pages and number not in numbers:
            first = first or number
        elif first:
            yield Part(scan, first, number - 1, pages)
            first = None


def hash_of(scan: Scan) -> str:
    """The sha256 of its bytes; empty where they cannot be read, which reading it will tell."""
    try:
        with scan.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
