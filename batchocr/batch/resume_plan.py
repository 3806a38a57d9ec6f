"""The plan of a run: which pages are still to be read, by comparing the scans with the journal."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from batchocr.batch.journal import Entry, Tags
from batchocr.errors import Stopped
from batchocr.records import Part, Scan
from batchocr.sources import has_pages
from batchocr.sources.page_selection import PageRange, page_ranges
from batchocr.stores.read_file import read_url

_BATCH = 1000  # scans that are hashed at once: a million futures would take a gigabyte


@dataclass(frozen=True)
class Plan:
    """What a run has to do."""

    parts: tuple[Part, ...] = ()
    """What is to be read. Scans that failed in an earlier run come last."""
    kept: int = 0
    """Pages in the journal that are not read again."""
    kept_failed: int = 0
    """Of these, the pages that failed."""
    stale: tuple[Entry, ...] = ()
    """Pages in the journal whose scans are gone or changed, or that are to be read again."""
    retried: tuple[Entry, ...] = ()
    """Of these, pages that failed, and whose scans are not known to have changed."""
    tags: Tags = field(default_factory=dict)
    """New tags of scans whose content was found to be the same, to be stored in the journal."""

    @property
    def to_read(self) -> int:
        """Pages to be read, as far as is known: a scan that was never opened counts as one page."""
        return count_pages(self.parts)

    @property
    def is_exact(self) -> bool:
        """Whether the number of pages of all scans is known."""
        return all(part.pages for part in self.parts)


def plan(
    scans: Sequence[Scan],
    entries: Mapping[str, Sequence[Entry]],
    *,
    retry_failed: bool,
    jobs: int,
    should_stop: Callable[[], bool],
    pages: Sequence[int] = (),
    tags: Tags | None = None,
) -> Plan:
    """Compare the scans with the journal.

    A page of the journal is kept if place, name and SHA-256 of its scan are unchanged, and if it is among the selected
    pages. Two equal files are two scans. A scan in an object store is not read if the store reports the same tag.

    Args:
        scans: The scans of this run.
        entries: The pages of the journal, by the place of their scan.
        retry_failed: Whether pages that failed are read again.
        jobs: Files that are hashed at the same time.
        should_stop: Called after each file.
        pages: Pages of each TIFF and PDF that are read, from 1; empty for all.
        tags: The tags of the journal.

    Raises:
        Stopped: `should_stop` returned True.
    """
    parts: list[Part] = []
    failed_parts: list[Part] = []
    kept: list[Entry] = []
    retried: list[Entry] = []
    known_scans = [scan for scan in scans if any(entry.sha256 for entry in entries.get(scan.place, ()))]
    hashes = _by_tag(known_scans, tags or {})
    unknown = [scan for scan in known_scans if scan.place not in hashes]
    hashes |= _hashes(unknown, jobs, should_stop)
    new_tags = {
        scan.place: (scan.tag, sha256)
        for scan in unknown
        if scan.tag and (sha256 := hashes[scan.place]) and any(entry.sha256 == sha256 for entry in entries[scan.place])
    }
    for scan in scans:
        known, wanted = entries.get(scan.place, ()), wanted_ranges(scan, pages)
        valid = [
            entry
            for entry in known
            if entry.name == scan.name
            and entry.sha256 == hashes.get(scan.place) != ""
            and not (retry_failed and entry.failed)
            and is_wanted(entry.page, wanted)
        ]
        kept += valid
        retried += [
            entry
            for entry in known
            if entry.failed
            and entry not in valid
            and entry.name == scan.name
            and entry.sha256 in ("", hashes.get(scan.place))
            and is_wanted(entry.page, wanted)
        ]
        (failed_parts if any(entry.failed for entry in known) else parts).extend(gaps(scan, valid, wanted))
    valid_ids = {entry.id for entry in kept}
    stale = tuple(entry for of_scan in entries.values() for entry in of_scan if entry.id not in valid_ids)
    failed = sum(entry.failed for entry in kept)
    return Plan((*parts, *failed_parts), len(kept), failed, stale, tuple(retried), new_tags)


def _by_tag(scans: Sequence[Scan], tags: Tags) -> dict[str, str]:
    """Return, by place, the SHA-256 of the scans whose store reports the same tag as when they were read."""
    places = ((scan.place, scan.tag) for scan in scans if scan.tag)
    return {place: tags[place][1] for place, tag in places if place in tags and tags[place][0] == tag}


def _hashes(scans: Sequence[Scan], jobs: int, should_stop: Callable[[], bool]) -> dict[str, str]:
    hashes: dict[str, str] = {}
    with ThreadPoolExecutor(jobs) as pool:
        for start in range(0, len(scans), _BATCH):
            batch = scans[start : start + _BATCH]
            for scan, sha256 in zip(batch, pool.map(hash_of, batch), strict=True):
                hashes[scan.place] = sha256
                if should_stop():
                    pool.shutdown(cancel_futures=True)
                    raise Stopped("stopped before anything was read; the same command resumes it")
    return hashes


def with_limit(whole: Plan, entries: Mapping[str, Sequence[Entry]], limit: int, *, pages: Sequence[int] = ()) -> Plan:
    """Return the plan of a run that reads at most `limit` pages.

    Failed pages that are not read again because of the limit keep their rows. Otherwise the next run would take them
    for new ones, and files that fail each time could use up every limit.

    Args:
        whole: The plan without a limit.
        entries: The pages of the journal, by the place of their scan.
        limit: Number of pages.
        pages: As for `plan`.
    """
    taken = {part.scan.place for part in limited(whole.parts, limit)}
    stale, retried = ({entry.id for entry in group} for group in (whole.stale, whole.retried))
    parts = [part for part in whole.parts if part.scan.place in taken]
    kept: list[Entry] = []
    for scan in dict.fromkeys(part.scan for part in whole.parts if part.scan.place not in taken):
        known = [entry for entry in entries.get(scan.place, ()) if entry.id not in stale or entry.id in retried]
        kept += [entry for entry in known if entry.id in stale]
        parts += gaps(scan, known, wanted_ranges(scan, pages))
    kept_ids = {entry.id for entry in kept}
    return replace(
        whole,
        parts=tuple(parts),
        kept=whole.kept + len(kept),
        kept_failed=whole.kept_failed + len(kept),
        stale=tuple(entry for entry in whole.stale if entry.id not in kept_ids),
    )


def limited(parts: Iterable[Part], limit: int) -> tuple[Part, ...]:
    """Return the first parts, with at most `limit` pages; a part with an unknown number of pages counts as one."""
    taken: list[Part] = []
    for part in parts:
        if limit <= 0:
            break
        if part.pages is not None and part.last is not None:
            part = replace(part, last=min(part.last, part.first + limit - 1))
        taken.append(part)
        limit -= count_pages([part])
    return tuple(taken)


def count_pages(parts: Iterable[Part]) -> int:
    """Return the number of pages; a part of a scan whose number of pages is unknown counts as one."""
    return sum(pages_of(part, part.pages or 1) for part in parts)


def pages_of(part: Part, pages: int) -> int:
    """Return how many pages of a part exist if its scan has `pages` pages; at least 1, because a failure has a row."""
    ranges = ((part.first, part.last or pages), *part.more)
    return max(1, sum(max(0, min(last, pages) - first + 1) for first, last in ranges))


def wanted_ranges(scan: Scan, pages: Sequence[int]) -> tuple[PageRange, ...]:
    """Return the ranges of pages to read of a scan.

    Args:
        scan: The scan.
        pages: The selected pages, from 1.

    Returns:
        The ranges; empty for all pages. A selection without page 1 does not apply to images that cannot have pages.
    """
    ranges = tuple(page_ranges(pages))
    return ranges if ranges and (ranges[0][0] == 1 or has_pages(scan)) else ()


def is_wanted(page: int | None, wanted: Sequence[PageRange]) -> bool:
    """Return whether a page is in the ranges. A scan that failed as a whole is in every range."""
    return page is None or not wanted or any(first <= page <= last for first, last in wanted)


def gaps(scan: Scan, entries: Sequence[Entry], wanted: Sequence[PageRange] = ()) -> Iterator[Part]:
    """Yield the pages of a scan that are wanted and not among `entries`, in as few parts as possible.

    Args:
        scan: The scan.
        entries: Its pages in the journal.
        wanted: What `wanted_ranges` returned.
    """
    if not entries:
        yield Part(scan, *wanted[0], None, tuple(wanted[1:])) if wanted else Part(scan)
        return
    pages = max(entry.pages for entry in entries)
    numbers = {entry.page for entry in entries}
    if None in numbers:  # the scan as a whole could not be opened, and it is unchanged
        return
    first = None
    for number in range(1, pages + 2):
        if number <= pages and number not in numbers and is_wanted(number, wanted):
            first = first or number
        elif first:
            yield Part(scan, first, number - 1, pages)
            first = None


def hash_of(scan: Scan) -> str:
    """Return the SHA-256 of a scan's bytes.

    It is empty if the file cannot be read, or if its size, time or tag changed since it was listed. Reading the scan
    then reports the reason.
    """
    if scan.url:
        try:
            return hashlib.sha256(read_url(scan.url, tag=scan.tag)).hexdigest()
        except Exception:  # of the store's library
            return ""
    try:
        if not scan.path.is_file():
            return ""  # a pipe would block
        with scan.path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            now = os.fstat(file.fileno())
    except OSError:
        return ""
    return sha256 if scan.size in (None, now.st_size) and scan.modified in (None, now.st_mtime_ns) else ""
