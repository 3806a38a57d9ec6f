"""What a run would do, without reading a page, loading a network or changing a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from batchocr.batch.dry_run_report import DryRun, Step, why_passed_over
from batchocr.batch.job import staging_of
from batchocr.batch.journal import FILE, Entry, Journal, Tags
from batchocr.batch.open_journal import is_usable, journal_place, rows_depend_on
from batchocr.batch.resume_plan import count_pages, limited, plan, with_limit
from batchocr.batch.run_models import run_models
from batchocr.errors import NothingToRead
from batchocr.executors.local import default_jobs
from batchocr.records import Part
from batchocr.settings import Settings
from batchocr.sources import find_scans, nothing_to_read


def dry_run_on_disk(
    scans: Sequence[str | Path], out: str | Path, settings: Settings, listed: Sequence[str | Path]
) -> DryRun:
    """Find out what `run_on_disk` would do with the same arguments."""
    with staging_of(out, settings) as staging:
        out = staging.outputs.out
    models = run_models(settings)
    found = find_scans(scans, listed, recursive=settings.recursive)
    if not found.scans:
        raise NothingToRead(nothing_to_read(found.roots, len(found.passed_over)))
    entries, tags, usable = _entries(out, settings, rows_depend_on(settings, models))
    todo = plan(
        found.scans,
        entries if usable else {},
        retry_failed=settings.retry_failed,
        jobs=settings.jobs or default_jobs(),
        should_stop=lambda: False,
        pages=settings.pages,
        tags=tags,
    )
    taken = todo.parts
    if settings.limit is not None:
        todo = with_limit(todo, entries if usable else {}, settings.limit, pages=settings.pages)
        taken = limited(todo.parts, settings.limit)
    left = tuple(_rest(todo.parts, taken))
    reasons = {scan.place: _why_read(entries.get(scan.place, ()), usable) for scan in found.scans}
    stale = {entry.id for entry in todo.stale}
    kept = {scan: sum(e.id not in stale for e in entries.get(scan.place, ())) for scan in found.scans if usable}
    steps = (
        *(Step("read", part.scan.name, _pages(part), reasons[part.scan.place]) for part in taken),
        *(Step("keep", scan.name, count, "unchanged") for scan, count in kept.items() if count),
        *(Step("leave", part.scan.name, _pages(part), "over --limit") for part in left),
        *(Step("pass over", name, None, why_passed_over(name)) for name in found.passed_over),
    )
    return DryRun(
        steps,
        len(found.scans),
        count_pages(taken),
        todo.kept,
        count_pages(left),
        len(found.passed_over),
        todo.is_exact,
    )


def _entries(
    out: Path, settings: Settings, depend_on: dict[str, object]
) -> tuple[Mapping[str, Sequence[Entry]], Tags, bool]:
    """Return the pages and tags in the journal, and whether a run with these settings could use them."""
    place = journal_place(out, settings)
    folder = None if place is None else Path(place)
    if folder is None or not (folder / FILE).is_file():
        return {}, {}, False
    with Journal(folder, read_only=True) as journal:
        usable = not settings.fresh and is_usable(journal, depend_on, settings.batch_size)
        return journal.entries(), journal.tags(), usable


def _rest(parts: Sequence[Part], taken: Sequence[Part]) -> Iterator[Part]:
    """Yield the parts, or ends of parts, that are not in `taken`, which is the beginning of `parts`."""
    for number, part in enumerate(parts):
        if number >= len(taken):
            yield part
        elif part.last is not None and (last := taken[number].last or part.last) < part.last:
            yield Part(part.scan, last + 1, part.last, part.pages)


def _pages(part: Part) -> int | None:
    return count_pages([part]) if part.pages else None


def _why_read(entries: Sequence[Entry], usable: bool) -> str:
    """Return why a scan would be read, of which the journal has these pages."""
    if not entries:
        return "new"
    if not usable:
        return "read by another version, model or setting, or --fresh"
    if any(entry.failed for entry in entries):
        return "failed in an earlier run"
    return "changed, or not finished"
