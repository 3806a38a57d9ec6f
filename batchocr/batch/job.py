"""The run: scans → pages → networks → decoding → journal → output. All that `batchocr run` does."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from batchocr.batch.journal import Failure, Journal
from batchocr.batch.open_journal import open_journal, rows_depend_on, take_over
from batchocr.batch.process_pages import STOPPED, MissingPages
from batchocr.batch.resume_plan import Plan, plan, with_limit
from batchocr.decoding.marking import Marking, mark_rows
from batchocr.errors import ExitCode, NothingToRead, Stopped
from batchocr.executors.local import default_jobs
from batchocr.output.atomic_write import followed
from batchocr.output.outputs import Outputs, as_path, make_ready, output_paths
from batchocr.output.results import write_results
from batchocr.reading_file import find_reading
from batchocr.recognition.model_file import read_detector, read_sidecar, shipped_detector, shipped_model
from batchocr.recognition.networks import Models
from batchocr.records import PageResult
from batchocr.settings import Settings
from batchocr.sources import find_scans, nothing_to_read, written_name
from batchocr.version import __version__

MAX_NAMES = 1000
"""Files passed over that `results.run.json` names at most; it counts all."""
MAX_FAILED = 3
"""Failed pages that the summary names at most; `results.pages.csv` has all."""


@dataclass(frozen=True)
class Start:
    """What a run knows before it reads its first page."""

    kept: int
    """Pages in the journal that are not read again."""
    kept_failed: int
    """Of these, pages that failed."""
    to_read: int
    """Pages that are to be read; a scan that was never opened counts as one page."""
    is_exact: bool
    """Whether the number of pages of all scans is known."""
    failures: frozenset[Failure]
    """All pages that failed in earlier runs, kept or not."""


@dataclass(frozen=True)
class Summary:
    """The counts of a run. They are about all pages in the results, unless a field says otherwise."""

    scans: int
    passed_over: int
    """Files in the folders that are not images or PDFs."""
    pages: int
    """Rows of `results.pages.csv`; a scan that cannot be opened counts as one page."""
    kept: int
    """Of these, pages that an earlier run had read."""
    left: int
    """Pages that have no rows because of `Settings.limit`; a scan that was never opened counts as one page."""
    failed: int
    numbers: int
    digits: int
    review: int
    """Digits that are marked for review."""
    review_numbers: int
    """Numbers that are marked for review, by their digits' marks or their own."""
    marked: int
    """Pages that are marked as a whole."""
    failed_pages: tuple[str, ...]
    """The first pages that failed, by file and page; at most MAX_FAILED."""
    seconds: float
    device: str
    out: Path
    """The file of the digits; if a symbolic link was given, its target."""

    @property
    def exit_code(self) -> ExitCode:
        """SOME_FAILED if a page failed, else OK."""
        return ExitCode.SOME_FAILED if self.failed else ExitCode.OK


def run(
    scans: str | Path | Sequence[str | Path],
    out: str | Path,
    settings: Settings | None = None,
    *,
    listed: Sequence[str | Path] = (),
    on_start: Callable[[Start], None] = lambda start: None,
    on_total: Callable[[int], None] = lambda pages: None,
    on_page: Callable[[PageResult], None] = lambda result: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Summary:
    """Read all scans and write the results.

    Pages that an earlier run with the same settings wrote into the same output are not read again. A page that cannot
    be read gets a `failed` row; `Summary.failed` counts these.

    Args:
        scans: Folders, files and globs.
        out: The file of the digits; the other results are written beside it. Or a workbook or a database with all
            tables, or `-` for standard output. Missing folders are created. If it is a symbolic link, its target is
            replaced, and the other results are beside the target.
        settings: All that can be chosen.
        listed: More folders and files. A name that does not exist becomes a page that failed.
        on_start: Called once, before the first page is read.
        on_total: Called with the number of pages that the results will have, each time that it is known better. A
            scan counts as one page until it is opened.
        on_page: Called with each page that this run reads.
        should_stop: Called often. When it returns True, the run finishes the pages in progress and ends.

    Raises:
        BatchocrError: Nothing can be read or written at all; its `exit_code` says why.
        NothingToRead: There are no scans. Results of an earlier run are emptied first, but their pages stay in the
            journal.
        Stopped: `should_stop` returned True.
    """
    settings = settings or Settings()
    started, clock = datetime.now(UTC), time.perf_counter()
    outputs = outputs_of(out, settings)
    out = outputs.out
    models = Models(settings.detector or shipped_detector(), settings.model or shipped_model())
    sidecar, (detector, _) = read_sidecar(models.classifier), read_detector(models.detector)
    reading = find_reading(models, detector, sidecar)
    threshold = reading.threshold(settings.min_confidence, settings.max_error)  # errors before the slow steps
    scans = [scans] if isinstance(scans, (str, Path)) else scans
    found = find_scans(scans, listed, recursive=settings.recursive)
    emptied = not found.scans
    if emptied and not any(path.exists() for path in outputs.files):
        raise NothingToRead(f"{nothing_to_read(found)}; give a folder that has some")
    depend_on = rows_depend_on(settings, sidecar, detector, reading)
    make_ready(outputs)
    with ExitStack() as opened:
        journal = opened.enter_context(open_journal(out, settings, opened, fresh=settings.fresh and not emptied))
        jobs = settings.jobs or default_jobs()
        todo, batch_size, left = Plan(), None, 0
        if not emptied:  # else the journal stays as it is
            batch_size = take_over(journal, depend_on, settings.batch_size)
            retry = settings.retry_failed
            entries = journal.entries()
            pages = settings.pages
            todo = plan(
                found.scans,
                entries,
                retry_failed=retry,
                jobs=jobs,
                should_stop=should_stop,
                pages=pages,
                tags=journal.tags(),
            )
            if settings.limit is not None:
                todo = with_limit(todo, entries, settings.limit, pages=pages)
            to_read = min(todo.to_read, settings.limit or todo.to_read)
            on_start(Start(todo.kept, todo.kept_failed, to_read, todo.is_exact, journal.failures()))
            if todo.stale:
                journal.drop(todo.stale)
            journal.add_tags(todo.tags)
        marking = Marking(threshold, settings.printed)

        def on_missing(pages: int) -> None:
            on_total(todo.kept + pages)

        missing = MissingPages(
            journal, settings, models, reading, marking, batch_size, on_missing, on_page, should_stop
        )
        if todo.parts:
            missing.read(todo.parts, outputs, clock)
            left = missing.left(todo.parts) if settings.limit is not None else 0
        counts, failed_pages = _Counts(), list[str]()
        stages = missing.stages

        def account() -> dict[str, Any]:
            return {
                "run": str(uuid.uuid4()),
                "out": written_name(out.name),
                "version": __version__,
                "started": started.isoformat(timespec="seconds"),
                "model": {
                    "name": sidecar.name,
                    "file": written_name(models.classifier.name),
                    "sha256": sidecar.sha256,
                },
                "detector": {
                    "name": detector.name,
                    "file": written_name(models.detector.name),
                    "sha256": detector.sha256,
                },
                "reading": {
                    "file": written_name(reading.path.name),
                    "sha256": reading.sha256,
                    "data": reading.record.data,
                    "fitted": reading.fitted,
                },
                "settings": {
                    **{k: v for k, v in asdict(settings).items() if k not in ("model", "detector", "pdf_password")},
                    "batch_size": journal.account("batch_size"),
                    "jobs": jobs,
                    "min_confidence": threshold,
                    "blank": [written_name(str(path)) for path in settings.blank],
                    "numbers_out": settings.numbers_out and written_name(str(settings.numbers_out)),
                    "state": settings.state and written_name(str(settings.state)),
                },
                "device": journal.account("device"),
                "inputs": list(found.roots),
                "passed_over": list(found.passed_over[:MAX_NAMES]),
                "counts": {
                    "scans": len(found.scans),
                    "passed_over": len(found.passed_over),
                    **asdict(counts),
                    "kept": todo.kept,
                    "left": left,
                },
                "seconds": {
                    **{k: round(v, 3) for k, v in stages.items()},
                    "all": round(time.perf_counter() - clock, 3),
                },
            }

        results = () if emptied else _counted(journal, marking, counts, failed_pages, should_stop)
        write_results(outputs, results, account)
        if emptied:
            raise NothingToRead(
                f"{nothing_to_read(found)}, so the results ({outputs.files[0]}) are now empty; the pages of earlier "
                "runs stay in the journal: when the scans are there again (is the folder mounted?), the next run "
                "writes them again without reading them"
            )
        return Summary(
            scans=len(found.scans),
            passed_over=len(found.passed_over),
            **asdict(counts),
            kept=todo.kept,
            left=left,
            failed_pages=tuple(failed_pages),
            seconds=time.perf_counter() - clock,
            device=journal.account("device") or "",
            out=out,
        )


@dataclass
class _Counts:
    """Counts of all pages in the results, see `Summary`."""

    pages: int = 0
    failed: int = 0
    numbers: int = 0
    digits: int = 0
    review: int = 0
    review_numbers: int = 0
    marked: int = 0


def _counted(
    journal: Journal, marking: Marking, counts: _Counts, failed: list[str], should_stop: Callable[[], bool]
) -> Iterator[PageResult]:
    """Yield all results, marked, and count them.

    Raises:
        Stopped: `should_stop` returned True.
    """
    for read in journal.results():
        if should_stop():
            raise Stopped(STOPPED)
        result = mark_rows(read, marking)
        counts.pages += 1
        counts.failed += result.page.status == "failed"
        counts.numbers += result.page.numbers
        counts.digits += result.page.digits
        counts.review += result.page.review
        counts.review_numbers += sum(bool(number.review) for number in result.numbers)
        counts.marked += bool(result.page.marks)
        if result.page.status == "failed" and len(failed) < MAX_FAILED:
            page = result.page
            failed.append(f"{page.file}, page {page.page}" if page.page else page.file)
        yield result


def outputs_of(out: str | Path, settings: Settings) -> Outputs:
    """Return the files that a run writes. If `out` is a symbolic link, they are beside its target.

    Raises:
        UsageError: A name or a combination of options is wrong.
    """
    return output_paths(
        followed(as_path(out)),
        numbers_out=settings.numbers_out,
        csv_dialect=settings.csv_dialect,
        delta=settings.delta,
    )
